"""Which collections are in use? Each is opened once; snapshots are written in the background."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from likeness.errors import LikenessError
from likeness.gallery import collections
from likeness.gallery.collections import Collection
from likeness.gallery.open_collection import MakeIndex, OpenCollection, wipe
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

    def snapshot_soon(self, opened: OpenCollection) -> None:
        """Write a snapshot in the background, if much has changed since the last."""
        if opened.wants_snapshot and self._snapshot_is_due.acquire(blocking=False):
            self._background.submit(self._snapshot_in_background, opened)

    def wipe(
        self, collection_id: UUID, model: str, dimensions: int, folder: Path
    ) -> tuple[str, ...]:
        """Leave nothing of the indexes that a collection had for a model, nor their snapshots.

        Gives, in words, where their vectors may be found nevertheless.

        Raises:
            IndexUnavailable, SnapshotUnusable: see `open_collection.wipe`.
        """
        with self._opening:
            opened = self._open.pop((collection_id, model), None)
        if opened is not None:
            opened.close()
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
