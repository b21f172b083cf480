"""Where vectors lie: what dies is gone, what is kept compactly is nearly what was given."""

import numpy as np

from likeness.index.vector_table import VectorTable, as_kept
from tests.index.indexes import DIMENSIONS, faces, ids_of


def test_nothing_of_a_removed_vector_stays_in_memory() -> None:
    for compact in (False, True):
        table = VectorTable(DIMENSIONS, 32, compact=compact)
        slots = table.append(np.arange(50), faces(50))
        table.remove(slots[[3, 40]])
        assert not table.floats(slots[[3, 40]]).any()
        assert table.slots_of(ids_of(3, 40, 41)).tolist() == [-1, -1, slots[41]]


def test_compact_vectors_err_little() -> None:
    """A cosine errs by the root of the sum of what each of its numbers is rounded by."""
    vectors = faces(5_000)
    kept, scales = as_kept(vectors, compact=True)
    assert kept.dtype == np.int16
    errors = np.einsum("nd,nd->n", kept * scales[:, None] - vectors, vectors[::-1])
    assert np.abs(errors).max() < 2e-5


def test_a_compact_vector_that_is_moved_stays_the_same() -> None:
    kept, scales = as_kept(faces(5_000), compact=True)
    again, _ = as_kept(kept * scales[:, None], compact=True)
    assert (again == kept).all()


def test_equal_vectors_score_equally_wherever_they_lie() -> None:
    table = VectorTable(DIMENSIONS, 64)
    twin = faces(1, seed=6)
    vectors = faces(500)
    vectors[::7] = twin
    table.append(np.arange(500), vectors)
    found = table.scan(faces(1, seed=7), 500)
    assert np.unique(found.scores[np.isin(found.ids, np.arange(0, 500, 7))]).size == 1
