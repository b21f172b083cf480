"""The index that defines what is right: every vector is compared, in float32."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from likeness.index.vector_index import (
    Candidates,
    checked_ids,
    checked_limit,
    checked_pairs,
    checked_vectors,
)
from likeness.index.vector_table import NOWHERE, SEGMENT_ROWS, VectorTable


class ReadWriteLock:
    """Lets searches run together and changes alone; a waiting change goes before new searches.

    Not reentrant.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._writing = False
        self._writers_waiting = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Share the lock with other readers."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing and not self._writers_waiting)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._writers_waiting += 1
            try:
                self._changed.wait_for(lambda: not self._writing and not self._readers)
                self._writing = True
            finally:
                self._writers_waiting -= 1
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()


class TableIndex(ABC):
    """What indexes in memory share: a table of vectors, which searches read and changes write."""

    out_of_reach: tuple[str, ...] = ()

    def __init__(self, model: str, dimensions: int, segment_rows: int) -> None:
        self.model = model
        self.dimensions = dimensions
        self._lock = ReadWriteLock()
        self._table = VectorTable(dimensions, segment_rows)

    def __len__(self) -> int:
        """Count the vectors."""
        with self._lock.reading():
            return len(self._table)

    def ids(self) -> NDArray[np.int64]:
        """List the ids, (n,), ascending."""
        with self._lock.reading():
            return self._table.ids()

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each of (n,) ids whether it is here."""
        with self._lock.reading():
            here: NDArray[np.bool_] = self._table.slots_of(np.asarray(ids, np.int64)) != NOWHERE
        return here

    @abstractmethod
    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget (n,) ids, see `VectorIndex.remove`."""

    def drop(self) -> None:
        """Forget everything."""
        self.remove(self.ids())


class ExactIndex(TableIndex):
    """Compares a probe with every vector; its cost grows with their number."""

    def __init__(self, model: str, dimensions: int, segment_rows: int = SEGMENT_ROWS) -> None:
        super().__init__(model, dimensions, segment_rows)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Hold (n, d) unit vectors under (n,) ids, see `VectorIndex.add`."""
        ids, vectors = checked_pairs(ids, vectors, self.model, self.dimensions)
        with self._lock.writing():
            self._table.remove(self._table.slots_of(ids))
            self._table.append(ids, vectors)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget (n,) ids, see `VectorIndex.remove`."""
        ids = checked_ids(ids)
        with self._lock.writing():
            self._table.remove(self._table.slots_of(ids))
            self._table.drop_dead_segments()

    def search(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Find the nearest to each of (m, d) unit probes, see `VectorIndex.search`."""
        limit = checked_limit(limit)
        probes = checked_vectors(probes, self.model, self.dimensions)
        with self._lock.reading():
            return self._table.scan(probes, limit)

    def close(self) -> None:
        """Do nothing: nothing runs in the background."""
