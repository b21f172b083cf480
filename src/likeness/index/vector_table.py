"""Where vectors lie in memory: segments of rows that are filled once, and whose rows only die.

A row has a slot: the number of its segment times the rows that a segment has room for, plus its
place there. A slot is never used again. Memory is taken as rows are filled.

Vectors are kept as float32 or, compactly, as 16-bit whole numbers with a scale for each vector.
Those err by less than 2e-5 in a cosine of 128 dimensions; half floats, as large, by ten times that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import required
from likeness.index.vector_index import Candidates, best_first, gathered

SEGMENT_ROWS = 262_144
NOWHERE = -1
"""The slot, or row, of an id that is not here."""

Kept = NDArray[np.float32] | NDArray[np.int16]
"""Vectors as a segment keeps them, (n, d)."""

Codes = NDArray[np.uint8]
"""What lists look rows up by, (n, bytes)."""

_INT16_MAX = 32_767
# A block of this size stays in the cache while it becomes float32 and is multiplied.
_SCAN_ROWS = 8_192
_SCAN_PROBES = 256
# One vector's scores in matrix products of different shapes differ by less.
_PRODUCT_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """What inverted lists hold of rows: (n,) numbers of lists, and (n, bytes) codes."""

    lists: NDArray[np.int32]
    codes: Codes


class Segment:
    """Rows in the order of adding; `filled` of them are taken, `changes` counts every change."""

    def __init__(
        self, number: int, ids: NDArray[np.int64], vectors: Kept, scales: NDArray[np.float32]
    ) -> None:
        self.number = number
        self.ids = ids
        self.vectors = vectors
        self.scales = scales
        self.alive = np.zeros(len(ids), np.bool_)
        self.filled = 0
        self.dead = 0
        self.changes = 0
        # An open segment knows its rows by a dictionary, a sealed one by searching its ids; they
        # are mostly ascending, and the order in which they are is only kept where not.
        self._row_of: dict[int, int] | None = {}
        self._order: NDArray[np.intp] | None = None

    @classmethod
    def empty(cls, number: int, rows: int, dimensions: int, *, compact: bool) -> "Segment":
        """Make an open segment with room for `rows`."""
        vectors = np.empty((rows, dimensions), np.int16 if compact else np.float32)
        return cls(number, np.empty(rows, np.int64), vectors, np.empty(rows, np.float32))

    @classmethod
    def full(
        cls, number: int, ids: NDArray[np.int64], vectors: Kept, scales: NDArray[np.float32]
    ) -> "Segment":
        """Make a sealed segment of rows that are all alive."""
        segment = cls(number, ids, vectors, scales)
        segment.alive[:] = True
        segment.filled = len(ids)
        segment.seal()
        return segment

    @property
    def is_open(self) -> bool:
        """Whether rows can still be appended."""
        return self._row_of is not None

    @property
    def living(self) -> NDArray[np.intp]:
        """The rows that are not dead, ascending."""
        return np.flatnonzero(self.alive[: self.filled])

    def append(
        self, ids: NDArray[np.int64], vectors: Kept, scales: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Fill rows with vectors as this segment keeps them, and give the rows."""
        row_of = required(self._row_of, "an open segment, which takes rows")
        rows = np.arange(self.filled, self.filled + len(ids))
        self.ids[rows], self.vectors[rows], self.scales[rows] = ids, vectors, scales
        self.alive[rows] = True
        row_of.update(zip(ids.tolist(), rows.tolist(), strict=True))
        self.filled += len(ids)
        self.changes += 1
        return rows

    def seal(self) -> None:
        """Take no more rows."""
        ids = self.ids[: self.filled]
        if not (ids[1:] > ids[:-1]).all():
            # Where an id comes twice, the row that lives comes last.
            self._order = np.lexsort((self.alive[: self.filled], ids))
        self._row_of = None

    def kill(self, rows: NDArray[np.intp]) -> None:
        """Let rows die; nothing of their vectors stays."""
        self.alive[rows] = False
        self.vectors[rows] = 0
        self.scales[rows] = 0
        self.dead += len(rows)
        self.changes += 1

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Give the living rows of ids, `NOWHERE` for an id that has none."""
        if self._row_of is not None:
            rows = np.array([self._row_of.get(one, NOWHERE) for one in ids.tolist()], np.intp)
        else:
            known = self.ids[: self.filled]
            places = np.searchsorted(known, ids, side="right", sorter=self._order) - 1
            rows = places if self._order is None else self._order[places]
            rows[(places < 0) | (known[rows] != ids)] = NOWHERE
        rows[~self.alive[rows]] = NOWHERE
        return rows

    def floats(self, rows: NDArray[np.intp] | slice) -> NDArray[np.float32]:
        """Give the vectors of rows, (n, d) float32."""
        if self.vectors.dtype == np.float32:
            return np.asarray(self.vectors[rows], np.float32)
        return self.vectors[rows].astype(np.float32) * self.scales[rows, None]

    def scores(self, rows: NDArray[np.intp], probe: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compare rows with a (d,) probe, one by one: equal vectors score equally anywhere."""
        vectors = self.vectors[rows].astype(np.float32, copy=False)
        scores: NDArray[np.float32] = np.einsum("nd,d->n", vectors, probe) * self.scales[rows]
        return scores

    def compact(self) -> None:
        """Keep the vectors compactly from now on."""
        if self.vectors.dtype == np.float32:
            vectors = np.empty(self.vectors.shape, np.int16)
            vectors[: self.filled], self.scales[: self.filled] = as_kept(
                np.asarray(self.vectors[: self.filled], np.float32), compact=True
            )
            self.vectors = vectors
            self.changes += 1


def as_kept(vectors: NDArray[np.float32], *, compact: bool) -> tuple[Kept, NDArray[np.float32]]:
    """Give (n, d) vectors as segments keep them, and the (n,) scales that belong to them."""
    if not compact:
        return vectors, np.ones(len(vectors), np.float32)
    # A vector of a row that died meanwhile is all zero.
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0), np.float32(1e-9)) / _INT16_MAX
    return np.rint(vectors / scales[:, None]).astype(np.int16), scales.astype(np.float32)


class VectorTable:
    """All segments of one index; its owner keeps changes and readers apart."""

    def __init__(self, dimensions: int, segment_rows: int, *, compact: bool = False) -> None:
        self.dimensions = dimensions
        self.segment_rows = segment_rows
        # Whether vectors that are added from now on are kept compactly.
        self.compact = compact
        self.segments: dict[int, Segment] = {}
        self._next_number = 0
        self._count = 0

    def __len__(self) -> int:
        """Count the living rows."""
        return self._count

    def ids(self) -> NDArray[np.int64]:
        """List the ids of living rows, ascending."""
        parts = [segment.ids[segment.living] for segment in self.segments.values()]
        return np.sort(np.concatenate([np.empty(0, np.int64), *parts]))

    def slots_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the slots of (n,) ids, `NOWHERE` for an id that is not here."""
        slots = np.full(len(ids), NOWHERE, np.int64)
        # The newest first: what is changed was mostly added lately.
        for segment in reversed(self.segments.values()):
            missing = np.flatnonzero(slots == NOWHERE)
            if not missing.size:
                break
            rows = segment.rows_of(ids[missing])
            here = rows != NOWHERE
            slots[missing[here]] = rows[here] + segment.number * self.segment_rows
        return slots

    def append(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Add rows for ids that are not here, and give their slots."""
        slots = np.empty(len(ids), np.int64)
        done = 0
        while done < len(ids):
            segment = self._open_segment()
            part = slice(done, done + self.segment_rows - segment.filled)
            compact = segment.vectors.dtype == np.int16
            rows = segment.append(ids[part], *as_kept(vectors[part], compact=compact))
            slots[part] = rows + segment.number * self.segment_rows
            done += len(rows)
        self._count += len(ids)
        return slots

    def restore(
        self, ids: NDArray[np.int64], vectors: Kept, scales: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """Add sealed segments of rows as they were kept, and give their slots."""
        self._seal_open_segment()
        slots = []
        for start in range(0, len(ids), self.segment_rows):
            part = slice(start, start + self.segment_rows)
            segment = Segment.full(self._next_number, ids[part], vectors[part], scales[part])
            self.segments[segment.number] = segment
            self._next_number += 1
            slots.append(np.arange(segment.filled) + segment.number * self.segment_rows)
        self._count += len(ids)
        return np.concatenate(slots)

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Let the rows at slots die, `NOWHERE` is passed over."""
        slots = slots[slots != NOWHERE]
        for segment, chosen in self._by_segment(slots):
            segment.kill(slots[chosen] % self.segment_rows)
            self._count -= len(chosen)

    def move(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Append living rows anew, let the old ones die, and give the new slots."""
        ids, vectors = self.ids_at(slots), self.floats(slots)
        self.remove(slots)
        return self.append(ids, vectors)

    def sparse_segments(self) -> list[Segment]:
        """List the sealed segments that hold less than half of what they could."""
        return [
            segment
            for segment in self.segments.values()
            if not segment.is_open and segment.filled - segment.dead < self.segment_rows / 2
        ]

    def drop_dead_segments(self) -> None:
        """Forget sealed segments that hold no living row."""
        for segment in list(self.segments.values()):
            if not segment.is_open and segment.dead == segment.filled:
                del self.segments[segment.number]

    def ids_at(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the ids of the rows at slots, (n,)."""
        ids = np.empty(len(slots), np.int64)
        for segment, chosen in self._by_segment(slots):
            ids[chosen] = segment.ids[slots[chosen] % self.segment_rows]
        return ids

    def floats(self, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the vectors at slots, (n, d) float32."""
        vectors = np.empty((len(slots), self.dimensions), np.float32)
        for segment, chosen in self._by_segment(slots):
            vectors[chosen] = segment.floats(slots[chosen] % self.segment_rows)
        return vectors

    def ranked(
        self, slots: NDArray[np.int64], probe: NDArray[np.float32], limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Give the ids and scores of the best of the rows at slots, padded to `limit`."""
        ids = np.empty(len(slots), np.int64)
        scores = np.empty(len(slots), np.float32)
        for segment, chosen in self._by_segment(slots):
            rows = slots[chosen] % self.segment_rows
            ids[chosen], scores[chosen] = segment.ids[rows], segment.scores(rows, probe)
        return best_first(ids, scores, limit)

    def scan(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Compare (m, d) probes with every living row."""
        lines = []
        for start in range(0, len(probes), _SCAN_PROBES):
            part = probes[start : start + _SCAN_PROBES]
            found: list[list[NDArray[np.int64]]] = [[] for _ in part]
            for slots, vectors in self._blocks():
                scores = part @ vectors.T
                for line, row in zip(found, scores, strict=True):
                    line.append(slots[_near_best(row, limit)])
            lines += [
                self.ranked(np.concatenate([np.empty(0, np.int64), *line]), probe, limit)
                for line, probe in zip(found, part, strict=True)
            ]
        return gathered(lines, limit)

    def _blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        for segment in self.segments.values():
            living = segment.living
            for start in range(0, len(living), _SCAN_ROWS):
                rows = living[start : start + _SCAN_ROWS]
                whole = slice(int(rows[0]), int(rows[-1]) + 1)
                is_whole = len(rows) == whole.stop - whole.start
                vectors = segment.floats(whole if is_whole else rows)
                yield rows + segment.number * self.segment_rows, vectors

    def _by_segment(self, slots: NDArray[np.int64]) -> Iterable[tuple[Segment, NDArray[np.intp]]]:
        numbers = slots // self.segment_rows
        for number in np.unique(numbers).tolist():
            yield self.segments[number], np.flatnonzero(numbers == number)

    def _open_segment(self) -> Segment:
        last = self.segments.get(self._next_number - 1)
        if last is not None and last.is_open and last.filled < self.segment_rows:
            return last
        self._seal_open_segment()
        segment = Segment.empty(
            self._next_number, self.segment_rows, self.dimensions, compact=self.compact
        )
        self.segments[segment.number] = segment
        self._next_number += 1
        return segment

    def _seal_open_segment(self) -> None:
        last = self.segments.get(self._next_number - 1)
        if last is not None and last.is_open:
            last.seal()


def _near_best(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Choose the `limit` highest of one block, and all that may be equal to the last of them."""
    if len(scores) <= limit:
        return np.arange(len(scores))
    last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    return np.flatnonzero(scores >= last - _PRODUCT_TOLERANCE)
