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
from likeness.gallery import collections, tags
from likeness.gallery.certificate import Erased
from likeness.gallery.collections import Collection
from likeness.gallery.open_collection import (
    MakeIndex,
    OpenCollection,
    delete_snapshots,
    folder_of,
    wipe,
)
from likeness.gallery.staging import Change
from likeness.secrets import Keyring
from likeness.storage import Database

_logger = logging.getLogger(__name__)


class OpenCollections:
    """The collections of a home that are in use; safe to use from many threads."""

    def __init__(
        self, database: Database, keyring: Keyring, make_index: MakeIndex, snapshots: Path
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._make_index = make_index
        self._snapshots = snapshots
        # By id and model: a collection that switches to another model is opened anew.
        self._open: dict[tuple[UUID, str], OpenCollection] = {}
        self._opening = threading.Lock()
        self._background = ThreadPoolExecutor(1, "likeness-snapshots")
        self._snapshot_is_due = threading.Lock()

    def open(self, collection: Collection) -> OpenCollection:
        """Give a collection in use; its indexes are opened by the first search.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: the installation's key is gone or another's.
        """
        with self._opening:
            place = (collection.id, collection.model)
            if place not in self._open:
                seal = self._database.read(
                    lambda connection: collections.seal_of(connection, self._keyring, collection)
                )
                self._open[place] = OpenCollection(
                    collection, seal, self._database, self._make_index, self._snapshots
                )
            return self._open[place]

    def named(self, name: str) -> tuple[Collection, OpenCollection]:
        """Find a collection and give it in use; see `open`.

        Raises:
            NotFound: there is none of that name.
        """
        collection = self._database.read(lambda connection: collections.get(connection, name))
        return collection, self.open(collection)

    def tagged(self, name: str) -> tuple[Collection, OpenCollection, dict[str, str]]:
        """Find a collection as `named` does, and its tags as they are in the same moment."""

        def read(connection: Connection) -> tuple[Collection, dict[str, str] | None]:
            collection = collections.get(connection, name)
            opened = self._open.get((collection.id, collection.model))
            return collection, None if opened is None else tags.of(connection, opened.seal)

        collection, tagged = self._database.read(read)
        opened = self.open(collection)
        if tagged is None:
            tagged = self._database.read(partial(tags.of, seal=opened.seal))
        return collection, opened, tagged

    def prepare(self, change: Change) -> None:
        """Make the indexes of the model that a collection is to have, where it has such in use.

        Raises:
            NotFound: the collection is erased.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: an index cannot be made.
        """
        collection = self._database.read(
            lambda connection: collections.by_id(connection, change.collection_id)
        )
        if collection is None:
            raise collections.erased(change.collection_id)
        present = self.open(collection)
        with self._opening:
            place = (collection.id, change.model)
            if place not in self._open:
                coming = replace(collection, model=change.model, dimensions=change.dimensions)
                self._open[place] = OpenCollection(
                    coming, present.seal, self._database, self._make_index, self._snapshots
                )
        self._open[place].prepare(present)

    def forget(self, collection: Collection, erased: Erased) -> tuple[str, ...]:
        """Take what is erased from a collection's indexes and snapshots; see `OpenCollection`.

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

    def snapshot_soon(self, opened: OpenCollection) -> None:
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

    def _snapshot_in_background(self, opened: OpenCollection) -> None:
        self._snapshot_is_due.release()
        _try_snapshot(opened)


def _try_snapshot(opened: OpenCollection) -> None:
    try:
        opened.snapshot()
    except LikenessError as error:
        _logger.warning("a snapshot was not written, the next start is slower: %s", error)
