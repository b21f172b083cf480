"""Keeps an index up with the rows, by their numbers.

1. Rows are committed before an index hears of them; numbers count up in the order of commits. What
   references above the last number seen bring is added, and then the number is moved; likewise
   what subjects hold whose references were given or taken.
2. An index is opened by its first search: its snapshot is restored where there is one that can be
   used, then the rows since are added. What is added or removed before that touches rows and
   snapshot alone.
3. If the count of vectors is not that of the rows after that, all ids are compared, what is too
   much is removed and what is missing is added.
4. After anything failed, the next search does 2 and 3 first, or fails itself.
5. Every search looks whether another program has committed or erased something since, and so does
   `let_go` where nobody searches. It takes out of snapshots what another program has erased.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.errors import (
    IndexUnavailable,
    LikenessError,
    ModelMismatch,
    NotFound,
    SnapshotUnusable,
)
from likeness.gallery.rows_as_vectors import RowsAsVectors
from likeness.index import Candidates, Manifest, Reached, SnapshotFolder, VectorIndex

_logger = logging.getLogger(__name__)


@runtime_checkable
class KeepsSnapshots(Protocol):
    """An index that lies in memory, and whose next start a snapshot makes fast."""

    def snapshot(self, folder: SnapshotFolder, reached: Reached) -> None:
        """Write every change up to what was `reached`, and perhaps some later ones."""

    def restore(self, folder: SnapshotFolder) -> Reached:
        """Take up what a snapshot holds, in place of what is here; say what it reached."""


class FollowingIndex:
    """A vector index that holds what the rows say; safe to use from many threads."""

    def __init__(self, index: VectorIndex, rows: RowsAsVectors, folder: SnapshotFolder) -> None:
        self._index = index
        self._rows = rows
        self._folder = folder
        # Held from reading rows until the index holds what they say: otherwise what is removed in
        # between would be added again.
        self._changing = threading.Lock()
        self._opened = False
        self._up_to_date = False
        self._through = Reached()
        self._unsaved = 0
        # What was found to be gone, and may be in the snapshot still.
        self._gone: list[NDArray[np.int64]] = []

    @property
    def out_of_reach(self) -> tuple[str, ...]:
        """Where removed vectors may be found nevertheless, in words."""
        return self._index.out_of_reach

    @property
    def unsaved(self) -> int:
        """How many changes no snapshot holds yet."""
        return self._unsaved

    def search(self, probe: NDArray[np.float32], limit: int) -> tuple[Reached, Candidates]:
        """Find the `limit` nearest to one (d,) unit probe, and say how far the index had come.

        Whoever searches looks whether that covers `latest`, and else calls `keep_up` and searches
        again.
        """
        self._make_ready()
        reached = self._through
        try:
            return reached, self._index.search(probe[None], limit)
        except IndexUnavailable:
            # Nobody can say what it holds when it is back.
            self._up_to_date = False
            raise

    def nearest(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Find the `limit` nearest to each of (m, d) unit probes, of all that is committed."""
        self._make_ready()
        self.keep_up(self._rows.latest_read())
        return self._index.search(probes, limit)

    def latest(self, connection: Connection) -> Reached:
        """Say how far the rows have come, whoever wrote them."""
        return self._rows.latest(connection)

    def keep_up(self, latest: Reached) -> None:
        """Hold what other programs have committed; they cannot tell."""
        if self._through.covers(latest):
            return
        with self._changing, self._in_doubt_if_it_fails():
            if not self._through.covers(latest):
                self._catch_up()

    @property
    def is_in_use(self) -> bool:
        """Whether it was searched, by this process or, as a snapshot tells, by one before."""
        return self._opened or bool(self._folder.names())

    def prepare(self) -> None:
        """Hold what the rows bring by now; the first search adds what they bring after.

        Raises:
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: it cannot be brought up to date.
        """
        with self._changing, self._in_doubt_if_it_fails():
            self._open()
            self._catch_up()

    def follow(self, committed: Reached) -> None:
        """Hold what is committed, up to there at least.

        A failure is told to the log: the rows hold what came, and the next search finds it or
        fails.
        """
        if self._through.covers(committed):
            return  # somebody else's turn took ours along
        with self._changing:
            if not self._up_to_date or self._through.covers(committed):
                return
            try:
                with self._in_doubt_if_it_fails():
                    self._catch_up()
            except Exception:
                _logger.exception("an index is behind its rows until the next search")

    def refresh(self, ids: NDArray[np.int64]) -> None:
        """Hold of (n,) ids what the rows now say; snapshots hold nothing of them any more.

        Raises:
            IndexUnavailable, SnapshotUnusable: the index or its snapshot cannot be changed.
        """
        with self._changing, self._in_doubt_if_it_fails():
            self._index.remove(ids)
            if self._opened:
                for found in self._rows.vectors(ids):
                    self._index.add(found.ids, found.vectors)
            self._unsaved += len(ids)
        self._erase_from_snapshot(ids)

    def let_go(self) -> None:
        """Let index and snapshot hold nothing that another program has erased, where in use.

        Raises:
            IndexUnavailable, SnapshotUnusable: the index or its snapshot cannot be changed.
        """
        if not self._up_to_date:
            return  # the next search catches up first
        self.keep_up(self._rows.latest_read())
        gone = list(self._gone)
        if gone:
            self._erase_from_snapshot(np.concatenate(gone))
            del self._gone[: len(gone)]

    def holds(self, ids: NDArray[np.int64]) -> int:
        """Count which of (n,) ids are in the index or its snapshot."""
        in_index = ids[self._index.contains(ids)]
        return len(np.union1d(in_index, self._folder.held(ids)))

    def snapshot(self) -> None:
        """Write what a next start needs, where that is not written yet; one at a time.

        Raises:
            SnapshotUnusable: it cannot be written.
        """
        with self._changing:
            if not self._up_to_date or not self._unsaved:
                return
            through, saved = self._through, self._unsaved
        if isinstance(self._index, KeepsSnapshots):
            self._index.snapshot(self._folder, through)
        else:
            # A server keeps the vectors; how far it has followed is all there is to write.
            self._folder.commit(Manifest(through, None, ()))
        with self._changing:
            self._unsaved -= saved

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    @contextmanager
    def _in_doubt_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._up_to_date = False
            raise

    def _make_ready(self) -> None:
        if self._up_to_date:
            return
        with self._changing:
            if self._up_to_date:
                return
            self._open()
            self._catch_up()
            if len(self._index) != self._rows.count(self._through.reference):
                self._compare_all()
            self._up_to_date = True

    def _open(self) -> None:
        if not self._opened:
            self._through = self._restored()
            self._opened = True

    def _restored(self) -> Reached:
        """Restore the snapshot and say what it reached; where there is none, begin with nothing."""
        nothing = Reached(removal=self._rows.latest_read().removal)
        try:
            if isinstance(self._index, KeepsSnapshots):
                return self._index.restore(self._folder)
            return self._folder.manifest().reached
        except NotFound:
            return nothing
        except LikenessError as error:
            _logger.warning("an index is made again from the rows: %s", error)
            return nothing

    def _erase_from_snapshot(self, ids: NDArray[np.int64]) -> None:
        with self._folder.lock:
            try:
                self._folder.manifest()
                self._folder.erase(ids)
            except (NotFound, ModelMismatch, SnapshotUnusable):
                # Nobody can say what such a snapshot holds, or what a crash left where none is:
                # an empty one takes its place, and the rows make the next.
                self._folder.commit(Manifest(Reached(), None, ()))

    def _catch_up(self) -> None:
        for reached, changed, found in self._rows.newer(self._through):
            if len(found.ids) < len(changed):
                self._remove(np.setdiff1d(changed, found.ids))
            if found.ids.size:
                self._index.add(found.ids, found.vectors)
            self._through = reached
            self._unsaved += len(changed)

    def _compare_all(self) -> None:
        wanted, here = self._rows.ids(), self._index.ids()
        extra, missing = np.setdiff1d(here, wanted), np.setdiff1d(wanted, here)
        self._remove(extra)
        for found in self._rows.vectors(missing):
            self._index.add(found.ids, found.vectors)
        self._unsaved += len(extra) + len(missing)
        _logger.info(
            "an index was compared with all rows, %d were missing and %d too much",
            len(missing),
            len(extra),
        )

    def _remove(self, gone: NDArray[np.int64]) -> None:
        self._index.remove(gone)
        self._gone.append(gone)
