"""What collections in use consist of: a key, and two indexes with a snapshot each.

Each is opened once. Indexes and snapshots are of one model: a collection that switches to another
is opened anew. Snapshots are written in the background.
"""

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.errors import LikenessError, SnapshotUnusable
from likeness.gallery import stored_collections
from likeness.gallery.certificate import Erased
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.own_strangers import KnownStrangers
from likeness.gallery.rows_as_vectors import RowsAsVectors, of_references, of_subjects
from likeness.gallery.seal import Seal
from likeness.gallery.staging import Change
from likeness.gallery.stored_collections import StoredCollection
from likeness.index import Reached, SnapshotFolder, VectorIndex
from likeness.secrets import Keyring
from likeness.storage import Database

_logger = logging.getLogger(__name__)

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


class IndexesInUse:
    """The collections of a home that are in use; safe to use from many threads."""

    def __init__(
        self, database: Database, keyring: Keyring, make_index: MakeIndex, snapshots: Path
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._make_index = make_index
        self._snapshots = snapshots
        # By id and model: a collection that switches to another model is opened anew.
        self._open: dict[tuple[UUID, str], CollectionIndexes] = {}
        self._opening = threading.Lock()
        self._background = ThreadPoolExecutor(1, "likeness-snapshots")
        self._snapshot_is_due = threading.Lock()

    def open(self, collection: StoredCollection) -> CollectionIndexes:
        """Give what a collection is used with; its indexes are opened by the first search.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: the installation's key is gone or another's.
        """
        return self.known(collection) or self._database.read(
            partial(self.open_within, collection=collection)
        )

    def known(self, collection: StoredCollection) -> CollectionIndexes | None:
        """Give the same if it is open already."""
        return self._open.get((collection.id, collection.model))

    def open_within(
        self, connection: Connection, collection: StoredCollection
    ) -> CollectionIndexes:
        """Give the same inside a transaction; see `open`."""
        if (found := self.known(collection)) is not None:
            return found
        place = (collection.id, collection.model)
        with self._opening:
            if place not in self._open:
                seal = stored_collections.seal_of(connection, self._keyring, collection)
                self._open[place] = CollectionIndexes(
                    collection, seal, self._database, self._make_index, self._snapshots
                )
            return self._open[place]

    def prepare(self, change: Change) -> None:
        """Make the indexes of the model that a collection is to have, where it has such in use.

        Raises:
            NotFound: the collection is erased.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: an index cannot be made.
        """
        find = partial(stored_collections.required_by_id, collection_id=change.collection_id)
        collection = self._database.read(find)
        present = self.open(collection)
        with self._opening:
            place = (collection.id, change.model)
            if place not in self._open:
                coming = replace(collection, model=change.model, dimensions=change.dimensions)
                self._open[place] = CollectionIndexes(
                    coming, present.seal, self._database, self._make_index, self._snapshots
                )
        self._open[place].prepare(present)

    def forget(self, collection: StoredCollection, erased: Erased) -> tuple[str, ...]:
        """Take what is erased from a collection's indexes and snapshots; see `CollectionIndexes`.

        Raises:
            IndexUnavailable, SnapshotUnusable: an index or its snapshot cannot be changed.
        """
        left = self.open(collection).forget(erased)
        for (collection_id, model), opened in list(self._open.items()):
            if collection_id == collection.id and model != collection.model:
                opened.forget(erased)
        return left

    def let_go(self) -> None:
        """Let go of what other programs on the database have erased, whole collections too.

        Raises:
            IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: the rest is done next time.
        """
        in_use = list(self._open.items())
        there = set(self._database.read(stored_collections.every_id))
        for place, opened in in_use:
            if place[0] in there:
                opened.let_go()
            else:
                with self._opening:
                    self._open.pop(place, None)
                opened.close()
                delete_snapshots(folder_of(self._snapshots, place[0]))

    def snapshot_soon(self, opened: CollectionIndexes) -> None:
        """Write a snapshot in the background, if much has changed since the last."""
        if opened.wants_snapshot and self._snapshot_is_due.acquire(blocking=False):
            self._background.submit(self._snapshot_in_background, opened)

    def has_snapshots(self, collection_id: UUID) -> bool:
        """Whether snapshots of a collection's indexes lie here."""
        return folder_of(self._snapshots, collection_id).exists()

    def wipe_collection(
        self, collection_id: UUID, models: Sequence[tuple[str, int]]
    ) -> tuple[str, ...]:
        """Leave nothing of the indexes that a collection had for some models; see `wipe`."""
        left: tuple[str, ...] = ()
        for model, dimensions in models:
            left = self.wipe(collection_id, model, dimensions)
        delete_snapshots(folder_of(self._snapshots, collection_id))
        return left

    def wipe(self, collection_id: UUID, model: str, dimensions: int) -> tuple[str, ...]:
        """Leave nothing of the indexes that a collection had for a model, nor their snapshots.

        Gives, in words, where their vectors may be found nevertheless.

        Raises:
            IndexUnavailable, SnapshotUnusable: see `wipe`.
        """
        with self._opening:
            opened = self._open.pop((collection_id, model), None)
        if opened is not None:
            opened.close()
        folder = folder_of(self._snapshots, collection_id, model)
        return wipe(self._make_index, collection_id, model, dimensions, folder)

    def close(self) -> None:
        """Write snapshots where much would be read again."""
        self._background.shutdown()
        for opened in self._open.values():
            _try_snapshot(opened)
            opened.close()
        self._open.clear()

    def _snapshot_in_background(self, opened: CollectionIndexes) -> None:
        self._snapshot_is_due.release()
        _try_snapshot(opened)


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
            f"The snapshots in {folder} cannot be deleted ({error.strerror}). Mend the folder; the"
            " rest is done at the next start."
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


def _try_snapshot(opened: CollectionIndexes) -> None:
    try:
        opened.snapshot()
    except LikenessError as error:
        _logger.warning("a snapshot was not written, the next start is slower: %s", error)
