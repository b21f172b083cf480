"""Subjects drawn with replacement, and comparisons counted as often as their subjects are drawn.

Weights and counts are integers, so no result depends on the order of comparisons, on how they are
cut into chunks, or on how many threads count.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Places = NDArray[np.integer]
Weights = NDArray[np.unsignedinteger]

LEFT_OUT = 50
"""Into so many groups people are dealt, each of which is left out once."""
FIRST_DRAW = 1 + LEFT_OUT

CHUNK = 1 << 20
# So many comparisons and resamples at once fit in a processor's cache.
_BLOCK = 4096
_COLUMNS = 256
# Of more people fewer resamples at once: they take memory before they are packed.
_MANY = 100_000
# The product of two weights up to the first fits in a byte, up to the second in two.
_KINDS = ((15, np.uint8), (255, np.uint16), (2**16 - 1, np.uint32))


class Chunk(NamedTuple):
    """Comparisons to count: the slot of each (none below 0), and the subjects that weigh it.

    Of a mated comparison, or of a search, one subject weighs it and `others` is None.
    """

    slots: Places
    ones: Places
    others: Places | None


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """How often each subject counts: columns are the data, those without some, and draws.

    In column 0 everybody counts once; in each of the next `LEFT_OUT` one group of people is left
    out; each further one is a draw with replacement. `blocks` are (subjects, columns) arrays of
    small integers, side by side.
    """

    blocks: tuple[Weights, ...]

    @classmethod
    def of(cls, subjects: Places, resamples: int, seed: int) -> "Draws":
        """Draw as many subjects as there are, with replacement, so many times.

        Args:
            subjects: (m,) numbers of the subjects of m samples; those that never occur are not
                drawn.
            resamples: how many draws.
            seed: the same gives the same draws of the same subjects, whatever is compared.

        Raises:
            InvalidRequest: fewer than one draw is asked for, or there is no subject.
        """
        if resamples < 1 or not len(subjects):
            raise InvalidRequest(
                f"Nothing to draw: {len(subjects)} samples, {resamples} resamples. Give at least"
                " one of each."
            )
        present = np.unique(subjects)
        size = int(present[-1]) + 1
        random = np.random.default_rng(seed)
        groups = random.permutation(len(present)) % LEFT_OUT
        blocks: list[Weights] = []
        width = _COLUMNS if size <= _MANY else _COLUMNS // 8
        for start in range(0, FIRST_DRAW + resamples, width):
            columns = range(start, min(start + width, FIRST_DRAW + resamples))
            # Nobody is drawn more often than there are people, nor, of many, nearly so often.
            drawn = np.zeros((len(columns), size), np.uint16)
            for row, column in enumerate(columns):
                if column < FIRST_DRAW:
                    drawn[row, present[groups != column - 1]] = 1
                    continue
                chosen = random.integers(0, len(present), len(present))
                drawn[row] = np.bincount(present[chosen], minlength=size)
            most = int(drawn.max())
            kind = next(kind for limit, kind in _KINDS if most <= limit)
            blocks.append(np.ascontiguousarray(drawn.T, kind))
        return cls(tuple(blocks))

    @property
    def columns(self) -> int:
        """How many columns there are in all blocks."""
        return sum(block.shape[1] for block in self.blocks)

    def count(
        self, size: int, chunk: Callable[[slice], Chunk], slots: int, workers: int
    ) -> NDArray[np.int64]:
        """Count comparisons by slot, each as often as it was drawn: (slots, columns).

        Args:
            size: how many comparisons there are.
            chunk: gives some of them; called in several threads.
            slots: how many slots there are.
            workers: how many threads count.
        """
        # As many to each worker, be they few or many.
        step = max(min(CHUNK, -(-size // max(workers, 1))), 1)
        starts = range(0, size, step)
        workers = max(min(workers, len(starts)), 1)

        def worked(first: int) -> NDArray[np.int64]:
            sums = np.zeros((slots, self.columns), np.int64)
            for start in starts[first::workers]:
                self._add(chunk(slice(start, start + step)), sums)
            return sums

        if workers == 1:
            return worked(0)
        with ThreadPoolExecutor(workers) as pool:
            first, *rest = pool.map(worked, range(workers))
        for sums in rest:
            first += sums
        return first

    def _add(self, chunk: Chunk, sums: NDArray[np.int64]) -> None:
        for part, there, adding in _parts(chunk):
            column = 0
            for block in self.blocks:
                columns = slice(column, column + block.shape[1])
                sums[there, columns] += adding @ _weights(block, part)
                column = columns.stop

    def count_reaching(
        self,
        chunk: Chunk,
        scores: NDArray[np.floating],
        thresholds: NDArray[np.floating],
        sums: NDArray[np.int64],
    ) -> None:
        """Add those comparisons to `sums` (slots, columns) that reach the threshold of a draw.

        Args:
            chunk: n comparisons.
            scores: (n,) of them.
            thresholds: (columns,), one for each draw.
            sums: what they are added to.
        """
        for part, there, adding in _parts(chunk):
            column = 0
            for block in self.blocks:
                columns = slice(column, column + block.shape[1])
                weights = _weights(block, part)
                weights *= scores[part.places, np.newaxis] >= thresholds[columns]
                sums[there, columns] += adding @ weights
                column = columns.stop


class _Part(NamedTuple):
    ones: Places
    others: Places | None
    places: Places


def _parts(chunk: Chunk) -> "Iterator[tuple[_Part, Places, csr_array]]":
    # A few comparisons at a time, which slots they are of, and the matrix that adds them by slot.
    # Imported late: it takes longer than everything else that a command imports.
    from scipy.sparse import csr_array

    chosen = np.flatnonzero(chunk.slots >= 0)
    # Numbers that fit in two bytes are sorted many times faster.
    small = not len(chosen) or int(chunk.slots.max()) < 1 << 16
    keys = chunk.slots[chosen].astype(np.uint16 if small else np.int64)
    chosen = chosen[np.argsort(keys, kind="stable")]
    for start in range(0, len(chosen), _BLOCK):
        part = chosen[start : start + _BLOCK]
        slots = chunk.slots[part]
        starts = np.flatnonzero(np.concatenate([[True], slots[1:] != slots[:-1]]))
        shape = (len(starts), len(part))
        ends = np.append(starts, len(part))
        adding = csr_array((np.ones(len(part), np.uint32), np.arange(len(part)), ends), shape=shape)
        yield (
            _Part(
                chunk.ones[part],
                None if chunk.others is None else chunk.others[part],
                part,
            ),
            slots[starts],
            adding,
        )


def _weights(block: Weights, part: _Part) -> Weights:
    weights = np.take(block, part.ones, axis=0)
    if part.others is not None:
        weights *= np.take(block, part.others, axis=0)
    return weights
