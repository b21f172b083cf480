"""Whatever is added, replaced and removed, every index finds what the exact one finds."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from likeness.index.faiss_index import FaissIndex
from likeness.index.snapshot import Reached, SnapshotFolder
from likeness.index.vector_index import NOBODY
from tests.index.indexes import (
    DIMENSIONS,
    MODEL,
    MakeIndex,
    PlainSealer,
    exact,
    faces,
    ids_of,
    listed_faiss,
    milvus,
    small_faiss,
)

pytestmark = pytest.mark.slow

POOL = faces(400, seed=2)
ids = st.integers(0, 199)


class Congruence(RuleBasedStateMachine):
    """Does the same to an index and to the exact one."""

    make_index: MakeIndex

    def __init__(self) -> None:
        super().__init__()
        self.index = type(self).make_index()
        self.exact = exact()

    @rule(first=ids, count=st.integers(1, 90), seed=st.integers(0, 300))
    def add_many(self, first: int, count: int, seed: int) -> None:
        chosen = np.arange(first, first + count)
        vectors = POOL[(np.arange(count) + seed) % len(POOL)]
        self.index.add(chosen, vectors)
        self.exact.add(chosen, vectors)

    @rule(one=ids, vector=st.integers(0, 399))
    def add_one(self, one: int, vector: int) -> None:
        self.index.add(ids_of(one), POOL[vector : vector + 1])
        self.exact.add(ids_of(one), POOL[vector : vector + 1])

    @rule(some=st.lists(ids, unique=True, max_size=60))
    def remove(self, some: list[int]) -> None:
        self.index.remove(ids_of(*some))
        self.exact.remove(ids_of(*some))

    @precondition(lambda self: isinstance(self.index, FaissIndex))
    @rule()
    def settle(self) -> None:
        self.index.settle()

    @precondition(lambda self: isinstance(self.index, FaissIndex))
    @rule()
    def start_anew_from_a_snapshot(self) -> None:
        with tempfile.TemporaryDirectory() as path:
            folder = SnapshotFolder(Path(path), PlainSealer(), MODEL, DIMENSIONS)
            self.index.snapshot(folder, Reached(5, 2))
            self.index.close()
            self.index = type(self).make_index()
            assert self.index.restore(folder) == Reached(5, 2)

    @rule(probe=st.integers(0, 399), limit=st.integers(1, 8))
    def search(self, probe: int, limit: int) -> None:
        found = self.index.search(POOL[probe : probe + 1], limit)
        right = self.exact.search(POOL[probe : probe + 1], limit)
        there = min(limit, len(self.exact))
        assert (found.ids[0, there:] == NOBODY).all()
        if not there:
            return
        scores = right.scores[0, :there]
        assert found.scores[0, :there] == pytest.approx(scores, abs=1e-4)
        # Of scores as good as equal, which comes first is not promised, nor who is cut off last.
        steps = -np.diff(scores) > 2e-4
        clear = np.append(True, steps) & np.append(steps, there == len(self.exact))
        assert found.ids[0, :there][clear].tolist() == right.ids[0, :there][clear].tolist()

    @invariant()
    def holds_the_same(self) -> None:
        assert self.index.ids().tolist() == self.exact.ids().tolist()
        assert len(self.index) == len(self.exact)

    def teardown(self) -> None:
        if hasattr(self.index, "drop"):
            self.index.drop()
        self.index.close()


@pytest.mark.parametrize(
    ("make_index", "examples", "steps"),
    [(exact, 20, 15), (small_faiss, 20, 15), (listed_faiss, 60, 25), (milvus, 3, 10)],
)
def test_finds_what_the_exact_index_finds(make_index: MakeIndex, examples: int, steps: int) -> None:
    if make_index is milvus:
        pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    machine = type(make_index.__name__, (Congruence,), {"make_index": staticmethod(make_index)})
    machine.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase("runTest").runTest()
