"""What does a collection in use consist of? Its seal and its two indexes, each with a snapshot.

Indexes and snapshots are of one model: a collection that switches to another is opened anew.
"""

import hashlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from likeness.errors import SnapshotUnusable
from likeness.gallery.certificate import Erased
from likeness.gallery.collections import StoredCollection
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.own_strangers import KnownStrangers
from likeness.gallery.rows_as_vectors import RowsAsVectors, of_references, of_subjects
from likeness.gallery.seal import Seal
from likeness.index import Reached, SnapshotFolder, VectorIndex
from likeness.storage import Database

MakeIndex = Callable[[str, str, int], VectorIndex]
"""Makes an index from a name of its own, a model and the dimensions of its vectors."""

REFERENCE_INDEX, SUBJECT_INDEX = KINDS = ("references", "subjects")
# Snapshots hold a portion of what changed; the rest is read from the rows at the next start.
SNAPSHOT_AFTER = 20_000


class CollectionIndexes:
    """One collection; `references` and `subjects` follow its rows.

    `strangers` is what was measured of its own.
    """

    def __init__(
        self,
        collection: StoredCollection,
        seal: Seal,
        database: Database,
        make_index: MakeIndex,
        snapshots: Path,
    ) -> None:
        self.seal = seal
        folder = folder_of(snapshots, collection.id, collection.model)

        def following(kind: str, rows: RowsAsVectors) -> FollowingIndex:
            name = _index_name(kind, collection.id, collection.model)
            return FollowingIndex(
                make_index(name, collection.model, collection.dimensions),
                rows,
                SnapshotFolder(
                    folder / kind, seal.of_snapshots(kind), collection.model, collection.dimensions
                ),
            )

        self.references = following(
            REFERENCE_INDEX, of_references(database, seal, collection.model)
        )
        self.subjects = following(SUBJECT_INDEX, of_subjects(database, seal, collection.model))
        self.strangers = KnownStrangers(database, seal)
        self._writing = threading.Lock()
        self._closed = False

    def prepare(self, present: "CollectionIndexes") -> None:
        """Make ready, for a model to come, the indexes that are in use for the present one.

        Raises:
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: an index cannot be made.
        """
        for coming, used in (
            (self.references, present.references),
            (self.subjects, present.subjects),
        ):
            if used.is_in_use:
                coming.prepare()

    def follow(self, number: int) -> None:
        """Bring what references up to `number` are into the indexes that are in use."""
        self.references.follow(Reached(reference=number))
        self.subjects.follow(Reached(reference=number))

    def follow_assignment(self, number: int) -> None:
        """Bring what reassignments up to `number` are into the index of subjects, if in use."""
        self.subjects.follow(Reached(reassignment=number))

    def forget(self, erased: Erased) -> tuple[str, ...]:
        """Take what is erased from indexes and snapshots; fuse anew who lost references.

        Gives, in words, where it may be found nevertheless.

        Raises:
            IndexUnavailable, SnapshotUnusable: an index or its snapshot cannot be changed.
        """
        self.strangers.forget()
        self.references.refresh(_as_ids(erased.reference_numbers))
        self.subjects.refresh(_as_ids((*erased.subject_numbers, *erased.affected_subjects)))
        return self.references.out_of_reach

    def let_go(self) -> None:
        """Hold nothing in memory, indexes and snapshots that another program has erased."""
        self.strangers.let_go()
        self.references.let_go()
        self.subjects.let_go()

    def holds(self, erased: Erased) -> int:
        """Count the vectors in indexes and snapshots that an erasure should have taken."""
        return self.references.holds(_as_ids(erased.reference_numbers)) + self.subjects.holds(
            _as_ids(erased.subject_numbers)
        )

    @property
    def wants_snapshot(self) -> bool:
        """Whether much has changed since the last."""
        return max(self.references.unsaved, self.subjects.unsaved) >= SNAPSHOT_AFTER

    def snapshot(self) -> None:
        """Write what a next start needs, where that is not written yet.

        Raises:
            SnapshotUnusable: it cannot be written.
        """
        with self._writing:
            if not self._closed:
                self.references.snapshot()
                self.subjects.snapshot()

    def close(self) -> None:
        """Let go of the indexes; no snapshot is written any more."""
        with self._writing:
            self._closed = True
            self.references.close()
            self.subjects.close()


def wipe(
    make_index: MakeIndex, collection_id: UUID, model: str, dimensions: int, folder: Path
) -> tuple[str, ...]:
    """Drop the indexes that a collection had for a model; delete the folder of their snapshots.

    Gives, in words, where their vectors may be found nevertheless.

    Raises:
        IndexUnavailable: an index cannot be changed.
        SnapshotUnusable: the snapshots cannot be deleted.
    """
    for kind in KINDS:
        index = make_index(_index_name(kind, collection_id, model), model, dimensions)
        index.drop()
        index.close()
    delete_snapshots(folder)
    return index.out_of_reach


def delete_snapshots(folder: Path) -> None:
    """Delete a folder of snapshots, if there is one.

    Raises:
        SnapshotUnusable: it cannot be deleted.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise SnapshotUnusable(
            f"the snapshots in {folder} were expected to be deleted and cannot be"
            f" ({error.strerror}): mend the folder; the rest is done at the next start"
        ) from error


def folder_of(snapshots: Path, collection_id: UUID, model: str | None = None) -> Path:
    """Say where the snapshots of a collection's indexes lie, those of one model or all."""
    folder = snapshots / collection_id.hex
    return folder if model is None else folder / _digest(model)


def _index_name(kind: str, collection_id: UUID, model: str) -> str:
    return f"{kind}_{collection_id.hex}_{_digest(model)}"


def _digest(model: str) -> str:
    """Name a model in few characters that every file system and server takes."""
    return hashlib.sha256(model.encode()).hexdigest()[:16]


def _as_ids(numbers: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)
