"""Which collections are in use? Each is opened once; snapshots are written in the background."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import LikenessError
from likeness.gallery import collections
from likeness.gallery.certificate import Erased
from likeness.gallery.collections import StoredCollection
from likeness.gallery.open_collection import (
    CollectionIndexes,
    MakeIndex,
    delete_snapshots,
    folder_of,
    wipe,
)
from likeness.gallery.staging import Change
from likeness.secrets import Keyring
from likeness.storage import Database

_logger = logging.getLogger(__name__)


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
                seal = collections.seal_of(connection, self._keyring, collection)
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
        find = partial(collections.required_by_id, collection_id=change.collection_id)
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
        there = {one.id for one in self._database.read(collections.every)}
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
            IndexUnavailable, SnapshotUnusable: see `open_collection.wipe`.
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


def _try_snapshot(opened: CollectionIndexes) -> None:
    try:
        opened.snapshot()
    except LikenessError as error:
        _logger.warning("a snapshot was not written, the next start is slower: %s", error)
