"""The default index: exact while it is small, then lists of codes and exact re-ranking.

1. Up to `train_at` vectors every one is compared, in float32.
2. Then lists and codes are learnt and filled in the background. Searches stay exact until the
   switch, which takes along what is added and removed meanwhile.
3. A search looks through the nearest lists by their codes; the best few hundred rows are compared
   with the probe themselves.
4. At `RELEARN_AT` times the size that lists were learnt at, they are learnt anew.
5. A removal takes the vector and its code out at once. Segments that are mostly dead are emptied
   in the background.
"""

import logging
import threading
from collections.abc import Callable

import faiss
import numpy as np
from numpy.typing import NDArray

from likeness.index.exact_index import TableIndex
from likeness.index.inverted_lists import (
    InvertedLists,
    list_count_for,
    training_rows,
)
from likeness.index.snapshot import (
    Manifest,
    Reached,
    SavedLists,
    SavedSegment,
    SnapshotFolder,
)
from likeness.index.vector_index import (
    Candidates,
    checked_ids,
    checked_limit,
    checked_pairs,
    checked_vectors,
    gathered,
)
from likeness.index.vector_table import NOWHERE, SEGMENT_ROWS, Entries, Segment, VectorTable

_logger = logging.getLogger(__name__)

TRAIN_AT = 50_000
RELEARN_AT = 16
EFFORT = 2.4
"""Lists looked into, times the number of all to the power of 3/4: 60% of 256, which is the number
for a million vectors, 42% of 1024. Faces spread in about 30 directions at once, where no list is
clearly the nearest."""
SHORTLIST = 400
"""Rows that are compared with the probe themselves, where few candidates are asked for."""

_SHORTLIST_A_CANDIDATE = 3
# Rows of one change, so that none keeps searches waiting for long.
_ROWS_A_STEP = 4_096
# Filling lists from a snapshot is fast where each gets many rows at a time.
_ROWS_RESTORED_TOGETHER = 2_000_000


class FaissIndex(TableIndex):
    """Vectors in memory, whose snapshots lie sealed on disk."""

    def __init__(
        self,
        model: str,
        dimensions: int,
        *,
        train_at: int = TRAIN_AT,
        effort: float = EFFORT,
        shortlist: int = SHORTLIST,
        segment_rows: int = SEGMENT_ROWS,
    ) -> None:
        super().__init__(model, dimensions, segment_rows)
        self._train_at = train_at
        self._effort = effort
        self._shortlist = shortlist
        self._lists: InvertedLists | None = None
        self._learnt_at = 0
        # What dies while new lists are filled: they must not hold it after the switch.
        self._died: list[NDArray[np.int64]] | None = None
        # Held by what rearranges segments or lists, or needs them to stay as they are.
        self._arranging = threading.Lock()
        # By segment: its changes when it was written last, and under what name.
        self._saved: dict[int, tuple[int, str]] = {}
        self._saved_lists: str | None = None
        self._idle = threading.Condition()
        self._working = False
        self._stopped = False

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Hold (n, d) unit vectors under (n,) ids, see `VectorIndex.add`."""
        ids, vectors = checked_pairs(ids, vectors, self.model, self.dimensions)
        for start in range(0, len(ids), _ROWS_A_STEP):
            step = slice(start, start + _ROWS_A_STEP)
            self._add(ids[step], vectors[step])
            self._work_if_due()

    def _add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        # Coding takes the most time; only where lists were switched meanwhile is it done again.
        lists = self._lists
        entries = None if lists is None else lists.entries(vectors)
        with self._lock.writing():
            self._forget(self._table.slots_of(ids))
            slots = self._table.append(ids, vectors)
            if self._lists is not None:
                if entries is None or self._lists is not lists:
                    entries = self._lists.entries(vectors)
                self._lists.insert(slots, entries)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget (n,) ids, see `VectorIndex.remove`."""
        ids = checked_ids(ids)
        for start in range(0, len(ids), _ROWS_A_STEP):
            with self._lock.writing():
                self._forget(self._table.slots_of(ids[start : start + _ROWS_A_STEP]))
        self._work_if_due()

    def _forget(self, slots: NDArray[np.int64]) -> None:
        slots = slots[slots != NOWHERE]
        self._table.remove(slots)
        if self._lists is not None:
            self._lists.remove(slots)
        if self._died is not None:
            self._died.append(slots)

    def search(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Find the nearest to each of (m, d) unit probes, see `VectorIndex.search`."""
        limit = checked_limit(limit)
        probes = checked_vectors(probes, self.model, self.dimensions)
        shortlist = max(self._shortlist, _SHORTLIST_A_CANDIDATE * limit)
        with self._lock.reading():
            if self._lists is None or shortlist >= len(self._table):
                return self._table.scan(probes, limit)
            slots = self._lists.nearest(probes, shortlist, self._effort)
            if (slots[:, limit - 1] == NOWHERE).any():
                # The lists that were looked into held too few.
                return self._table.scan(probes, limit)
            lines = [
                self._table.ranked(line[line != NOWHERE], probe, limit)
                for line, probe in zip(slots, probes, strict=True)
            ]
        return gathered(lines, limit)

    def settle(self) -> None:
        """Wait until nothing is left to do in the background."""
        with self._idle:
            self._idle.wait_for(lambda: not self._working)

    def close(self) -> None:
        """End what runs in the background, unfinished where need be."""
        self._stopped = True
        self.settle()

    def snapshot(self, folder: SnapshotFolder, reached: Reached) -> None:
        """Write what has changed since the last snapshot; searches and changes go on meanwhile.

        It holds every change up to what was `reached`, all of which must have returned before, and
        perhaps some later ones: to repeat those is harmless. Waits for lists that are being learnt.

        Raises:
            SnapshotUnusable: the folder cannot be read or written.
        """
        with self._arranging, folder.lock:
            with self._lock.reading():
                segments = list(self._table.segments.values())
                captured = [
                    (segment, segment.changes, segment.living)
                    for segment in segments
                    if segment.dead < segment.filled
                ]
            there = folder.names()
            if self._lists is not None and self._saved_lists not in there:
                learnt = SavedLists(self._lists.centroids, self._lists.codebook, self._learnt_at)
                self._saved_lists = folder.write_lists(learnt)
            names = []
            for segment, changes, living in captured:
                known = self._saved.get(segment.number)
                if known is None or known[0] != changes or known[1] not in there:
                    known = changes, folder.write_segment(self._to_save(segment, living))
                    self._saved[segment.number] = known
                names.append(known[1])
            folder.commit(Manifest(reached, self._saved_lists, tuple(names)))

    def _to_save(self, segment: Segment, rows: NDArray[np.intp]) -> SavedSegment:
        # What died since it was captured is left out, or saved as zeros where it dies just now; the
        # change that let it die will be repeated.
        rows = rows[segment.alive[rows]]
        entries = None
        if self._lists is not None:
            numbers = self._lists.lists_of(rows + segment.number * self._table.segment_rows)
            rows, numbers = rows[numbers >= 0], numbers[numbers >= 0]
            entries = Entries(numbers, self._lists.coded(segment.floats(rows)))
        return SavedSegment(segment.ids[rows], segment.vectors[rows], segment.scales[rows], entries)

    def restore(self, folder: SnapshotFolder) -> Reached:
        """Take up what a snapshot holds, in place of what is here; say what it reached.

        Raises:
            NotFound: there is no snapshot.
            ModelMismatch: it is of another model.
            SnapshotUnusable: it is damaged, of another version, or sealed with another key.
        """
        with self._arranging, folder.lock:
            manifest = folder.manifest()
            lists, learnt_at = None, 0
            if manifest.lists is not None:
                learnt = folder.read_lists(manifest.lists)
                lists = InvertedLists(learnt.centroids, learnt.codebook, self._table.segment_rows)
                learnt_at = learnt.learnt_at
            table = VectorTable(
                self.dimensions, self._table.segment_rows, compact=lists is not None
            )
            saved: dict[int, tuple[int, str]] = {}
            waiting: list[tuple[NDArray[np.int64], Entries]] = []
            for name in manifest.segments:
                read = folder.read_segment(name)
                slots = table.restore(read.ids, read.vectors, read.scales)
                numbers = np.unique(slots // table.segment_rows).tolist()
                if len(numbers) == 1:
                    saved[numbers[0]] = table.segments[numbers[0]].changes, name
                if lists is not None and read.entries is not None:
                    waiting.append((slots, read.entries))
                    if sum(len(slots) for slots, _ in waiting) >= _ROWS_RESTORED_TOGETHER:
                        _insert_together(lists, waiting)
            if lists is not None and waiting:
                _insert_together(lists, waiting)
            with self._lock.writing():
                self._table, self._lists, self._learnt_at = table, lists, learnt_at
                self._saved, self._saved_lists = saved, manifest.lists
        self._work_if_due()
        return manifest.reached

    def _work_if_due(self) -> None:
        with self._idle:
            if self._working or self._stopped or self._due() is None:
                return
            self._working = True
        threading.Thread(target=self._work, name="likeness-index", daemon=True).start()

    def _work(self) -> None:
        # Of this thread alone: the other processors are for searches.
        faiss.omp_set_num_threads(1)
        try:
            while (task := self._next_task()) is not None:
                with self._arranging:
                    task()
        except Exception:
            _logger.exception("work on an index failed and rests until the next start")
            self._stopped = True
            self._next_task()

    def _next_task(self) -> Callable[[], None] | None:
        with self._idle:
            task = None if self._stopped else self._due()
            if task is None:
                self._working = False
                self._idle.notify_all()
            return task

    def _due(self) -> Callable[[], None] | None:
        with self._lock.reading():
            if len(self._table) >= max(self._train_at, RELEARN_AT * self._learnt_at):
                return self._learn
            return self._merge if len(self._table.sparse_segments()) > 1 else None

    def _learn(self) -> None:
        """Learn lists, fill them with every row and switch to them."""
        with self._lock.writing():
            self._died = []
            # What is added from now on is kept as it will be after the switch, so that memory
            # stays flat however fast it comes.
            self._table.compact = True
            size = len(self._table)
            segments = list(self._table.segments.values())
        list_count = list_count_for(size)
        sample = _sample(segments, training_rows(list_count) / size)
        lists = InvertedLists.trained_on(sample, list_count, self._table.segment_rows)
        # How many rows of each segment were gone through.
        done: dict[int, int] = {}
        while self._fill(lists, done) > _ROWS_A_STEP and not self._stopped:
            pass
        for segment in segments:
            with self._lock.writing():
                segment.compact()
        with self._lock.writing():
            died, self._died = self._died, None
            if self._stopped:
                return
            self._fill(lists, done)
            lists.remove(np.concatenate([np.empty(0, np.int64), *died]))
            self._lists, self._learnt_at = lists, size
            self._saved, self._saved_lists = {}, None

    def _fill(self, lists: InvertedLists, done: dict[int, int]) -> int:
        """Put the rows that came since into lists nobody searches yet, and say how many came."""
        came = 0
        for segment in list(self._table.segments.values()):
            first, end = done.get(segment.number, 0), segment.filled
            for start in range(first, end, _ROWS_A_STEP):
                if self._stopped:
                    return came
                rows = np.arange(start, min(start + _ROWS_A_STEP, end))
                rows = rows[segment.alive[rows]]
                slots = rows + segment.number * self._table.segment_rows
                lists.insert(slots, lists.entries(segment.floats(rows)))
            done[segment.number] = end
            came += end - first
        return came

    def _merge(self) -> None:
        """Move the rows of sealed segments that hold few to the open one."""
        for segment in self._table.sparse_segments():
            slots = segment.living + segment.number * self._table.segment_rows
            for start in range(0, len(slots), _ROWS_A_STEP):
                with self._lock.writing():
                    step = slots[start : start + _ROWS_A_STEP]
                    step = step[segment.alive[step % self._table.segment_rows]]
                    moved = self._table.move(step)
                    if self._lists is not None:
                        self._lists.move(step, moved)
            with self._lock.writing():
                self._table.drop_dead_segments()


def _sample(segments: list[Segment], share: float) -> NDArray[np.float32]:
    """Draw about a share of the vectors."""
    draw = np.random.default_rng(1)
    parts = []
    for segment in segments:
        rows = segment.living
        chosen = draw.choice(rows, min(len(rows), int(np.ceil(share * len(rows)))), replace=False)
        parts.append(segment.floats(np.sort(chosen)))
    return np.concatenate(parts)


def _insert_together(
    lists: InvertedLists, waiting: list[tuple[NDArray[np.int64], Entries]]
) -> None:
    slots = np.concatenate([slots for slots, _ in waiting])
    numbers = np.concatenate([entries.lists for _, entries in waiting])
    codes = np.concatenate([entries.codes for _, entries in waiting])
    waiting.clear()
    lists.insert(slots, Entries(numbers, codes))
