"""Where to look first: rows sorted into lists of near vectors, each with a code of a few bytes.

An inverted file (Jégou, Douze, Schmid: Product Quantization for Nearest Neighbor Search, 2011)
whose codes are four bits for two dimensions, scanned 32 at a time in registers (André, Kermarrec,
Le Scouarnec: Cache Locality Is Not Enough, 2015), as FAISS does it. Codes are of the vectors, not
of their residuals, so that one table of distances serves every list: to scan a third of a gallery
then takes less time than to look up a few of many short lists in other codes, and finds more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from likeness.index.vector_table import Codes, Entries

_CODE_ROWS = 32  # in one block of FAISS's packed codes
_TRAINING_ROWS_A_LIST = 256
_TRAINING_ROUNDS = 10
_NO_LIST = -1
# On a busy machine a second thread for fewer rows is waited for a hundred times as long as the
# work takes.
_ROWS_FOR_THREADS = 256


class InvertedLists:
    """Rows, known by slot, that can be searched roughly; its owner keeps changes and readers apart.

    `centroids` is (lists, d) float32; `codebook` is (parts, 16, d / parts) float32.
    """

    def __init__(
        self, centroids: NDArray[np.float32], codebook: NDArray[np.float32], segment_rows: int
    ) -> None:
        self.centroids = centroids
        self.codebook = codebook
        self._segment_rows = segment_rows
        self._list_of: dict[int, NDArray[np.int32]] = {}
        count, dimensions = centroids.shape
        self._quantizer = faiss.IndexFlatL2(dimensions)
        self._quantizer.add(centroids)
        self._index = _fast_scan(self._quantizer, count, len(codebook))
        faiss.copy_array_to_vector(codebook.ravel(), self._index.pq.centroids)
        self._index.is_trained = True
        self._lists = faiss.downcast_InvertedLists(self._index.invlists)
        self._packer = self._lists.packer

    @classmethod
    def trained_on(
        cls, sample: NDArray[np.float32], list_count: int, segment_rows: int
    ) -> InvertedLists:
        """Learn lists and codes from (n, d) vectors drawn at random, see `training_rows`."""
        dimensions = sample.shape[1]
        list_count = min(list_count, len(sample))
        means = faiss.Kmeans(
            dimensions, list_count, niter=_TRAINING_ROUNDS, seed=1, min_points_per_centroid=1,
            max_points_per_centroid=_TRAINING_ROWS_A_LIST,
        )  # fmt: skip
        means.train(sample)
        coder = faiss.ProductQuantizer(dimensions, _parts(dimensions), 4)
        coder.cp.min_points_per_centroid = 1
        coder.train(sample)
        codebook = faiss.vector_to_array(coder.centroids).reshape(coder.M, coder.ksub, coder.dsub)
        return cls(means.centroids, codebook, segment_rows)

    def __len__(self) -> int:
        """Count the lists."""
        return len(self.centroids)

    def entries(self, vectors: NDArray[np.float32]) -> Entries:
        """Choose the lists of (n, d) vectors and code them."""
        with _threads_for(len(vectors)):
            nearest: NDArray[np.int64] = self._quantizer.search(vectors, 1)[1]
            return Entries(nearest[:, 0].astype(np.int32), self.coded(vectors))

    def coded(self, vectors: NDArray[np.float32]) -> Codes:
        """Give the codes of (n, d) vectors, (n, bytes)."""
        codes: Codes = self._index.pq.compute_codes(vectors)
        return codes

    def lists_of(self, slots: NDArray[np.int64]) -> NDArray[np.int32]:
        """Give the lists that hold the rows at (n,) slots, -1 for a row that none holds."""
        lists = np.full(len(slots), _NO_LIST, np.int32)
        numbers = slots // self._segment_rows
        for number in np.unique(numbers).tolist():
            if number in self._list_of:
                chosen = numbers == number
                lists[chosen] = self._list_of[number][slots[chosen] % self._segment_rows]
        return lists

    def insert(self, slots: NDArray[np.int64], entries: Entries) -> None:
        """Take up rows that are in no list."""
        lists, codes = entries.lists, entries.codes
        self._note(slots, lists)
        order = np.argsort(lists, kind="stable")
        numbers, starts = np.unique(lists[order], return_index=True)
        for number, rows in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            self._extend(number, slots[rows], codes[rows])

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Take rows out of their lists; rows that are in none are passed over."""
        lists = self.lists_of(slots)
        held = lists != _NO_LIST
        for slot, number in zip(slots[held].tolist(), lists[held].tolist(), strict=True):
            self._cut(number, slot)
        self._note(slots[held], np.full(int(held.sum()), _NO_LIST, np.int32))

    def move(self, old: NDArray[np.int64], new: NDArray[np.int64]) -> None:
        """Know the rows at old slots, which lists hold, by new ones."""
        lists = self.lists_of(old)
        moves = zip(lists.tolist(), old.tolist(), new.tolist(), strict=True)
        for number, before, after in moves:
            slots = self._slots_in(number)
            slots[slots == before] = after
        self._note(old, np.full(len(old), _NO_LIST, np.int32))
        self._note(new, lists)

    def nearest(self, probes: NDArray[np.float32], limit: int, effort: float) -> NDArray[np.int64]:
        """Give the slots of roughly the nearest rows, (m, limit), padded with -1.

        Looks into the nearest lists: `effort` times the number of lists to the power of 3/4.
        """
        probed = min(len(self), max(1, round(effort * len(self) ** 0.75)))
        slots: NDArray[np.int64] = self._index.search(
            probes, limit, params=faiss.IVFSearchParameters(nprobe=probed)
        )[1]
        return slots

    def _note(self, slots: NDArray[np.int64], lists: NDArray[np.int32]) -> None:
        numbers = slots // self._segment_rows
        for number in np.unique(numbers).tolist():
            if number not in self._list_of:
                self._list_of[number] = np.full(self._segment_rows, _NO_LIST, np.int32)
            chosen = numbers == number
            self._list_of[number][slots[chosen] % self._segment_rows] = lists[chosen]

    def _slots_in(self, number: int) -> NDArray[np.int64]:
        """Give the slots of one list, as a view on FAISS's memory."""
        size = self._lists.list_size(number)
        if not size:
            return np.empty(0, np.int64)
        view: NDArray[np.int64] = faiss.rev_swig_ptr(self._lists.get_ids(number), size)
        return view

    def _blocks_in(self, number: int) -> Codes:
        """Give the packed codes of one list, (blocks, bytes), as a view on FAISS's memory."""
        blocks = -(-self._lists.list_size(number) // _CODE_ROWS)
        size = self._lists.block_size
        view: Codes = faiss.rev_swig_ptr(self._lists.get_codes(number), blocks * size)
        return view.reshape(blocks, size)

    def _extend(self, number: int, slots: NDArray[np.int64], codes: Codes) -> None:
        size = self._lists.list_size(number)
        self._lists.resize(number, size + len(slots))
        self._slots_in(number)[size:] = slots
        blocks = self._blocks_in(number)
        first_whole = min(len(codes), -size % _CODE_ROWS)
        for place, code in enumerate(codes[:first_whole], size):
            self._pack(code, place, blocks)
        rest = codes[first_whole:]
        if len(rest):
            blocks[-(-size // _CODE_ROWS) :] = self._layout.packed(rest)

    def _cut(self, number: int, slot: int) -> None:
        slots, blocks = self._slots_in(number), self._blocks_in(number)
        place, last = int(np.flatnonzero(slots == slot)[0]), len(slots) - 1
        block, row = divmod(last, _CODE_ROWS)
        self._pack(self._packer.unpack_1(blocks[block : block + 1], row), place, blocks)
        self._pack(np.zeros(self._packer.code_size, np.uint8), last, blocks)
        slots[place] = slots[last]
        self._lists.resize(number, last)

    def _pack(self, code: Codes, place: int, blocks: Codes) -> None:
        # Into the one block: in longer lists, FAISS takes a row of later blocks for a mistake.
        block, row = divmod(place, _CODE_ROWS)
        self._packer.pack_1(code, row, blocks[block : block + 1])

    @cached_property
    def _layout(self) -> _Layout:
        return _Layout.of(self._packer)


class _Layout:
    """Where FAISS puts the half bytes of 32 codes in a block; its own packer is slow."""

    def __init__(self, low: NDArray[np.intp], high: NDArray[np.intp]) -> None:
        self._low, self._high = low, high

    @classmethod
    def of(cls, packer: faiss.CodePacker) -> _Layout:
        """Learn the layout from FAISS's packer."""
        halves = 2 * packer.code_size
        # An index beyond all half bytes stands for padding, which is zero.
        source = np.full(2 * packer.block_size, _CODE_ROWS * halves, np.intp)
        for row in range(_CODE_ROWS):
            for half in range(halves):
                code = np.zeros(packer.code_size, np.uint8)
                code[half // 2] = 0x0F << (4 * (half % 2))
                block = np.zeros((1, packer.block_size), np.uint8)
                packer.pack_1(code, row, block)
                (place,) = np.flatnonzero(_halves(block)[0])
                source[place] = row * halves + half
        return cls(source[0::2], source[1::2])

    def packed(self, codes: Codes) -> Codes:
        """Pack (n, bytes) codes into whole blocks, the last filled up with zeros."""
        blocks = -(-len(codes) // _CODE_ROWS)
        padded = np.zeros((blocks * _CODE_ROWS, codes.shape[1]), np.uint8)
        padded[: len(codes)] = codes
        halves = np.pad(_halves(padded).reshape(blocks, -1), ((0, 0), (0, 1)))
        packed: Codes = halves[:, self._low] | halves[:, self._high] << np.uint8(4)
        return packed


def list_count_for(rows: int) -> int:
    """Say how many lists are right for so many rows: about a quarter of their root."""
    return 1 << max(0, round(float(np.log2(max(1, rows)) / 2 - 2)))


def training_rows(list_count: int) -> int:
    """Say how many rows so many lists are learnt from."""
    return list_count * _TRAINING_ROWS_A_LIST


@contextmanager
def _threads_for(rows: int) -> Iterator[None]:
    """Let FAISS use other threads than the caller's only where there are many rows."""
    usual = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(usual if rows >= _ROWS_FOR_THREADS else 1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(usual)


def _parts(dimensions: int) -> int:
    return dimensions // 2 if dimensions % 2 == 0 else dimensions


def _halves(packed: Codes) -> Codes:
    """Split (n, bytes) into half bytes, (n, 2 bytes), the low half first."""
    return np.stack([packed & 0x0F, packed >> 4], axis=-1).reshape(len(packed), -1)


def _fast_scan(quantizer: faiss.IndexFlatL2, lists: int, parts: int) -> faiss.IndexIVFPQFastScan:
    index = faiss.IndexIVFPQFastScan(quantizer, quantizer.d, lists, parts, 4, faiss.METRIC_L2)
    index.by_residual = False
    index.own_fields = False
    return index
