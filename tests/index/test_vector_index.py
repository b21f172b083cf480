"""What every vector index promises; held by all of them."""

import threading

import numpy as np
import pytest

from likeness.errors import InvalidRequest, ModelMismatch
from likeness.index.vector_index import NOBODY, VectorIndex
from tests.index.indexes import (
    ALL,
    DIMENSIONS,
    MODEL,
    MakeIndex,
    faces,
    ids_of,
    opened,
    settled,
    unit,
)

each_backend = pytest.mark.parametrize("make_index", ALL)


def filled(index: VectorIndex, count: int) -> None:
    index.add(np.arange(count) * 3 + 7, faces(count))
    settled(index)


@each_backend
def test_best_candidate_comes_first(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 200)
        vectors, probe = faces(200), faces(1, seed=9)
        found = index.search(probe, 5)
        scores = vectors @ probe[0]
        best = np.argsort(-scores)[:5]
        assert found.ids.tolist() == [(best * 3 + 7).tolist()]
        assert found.scores[0] == pytest.approx(scores[best], abs=1e-4)
        assert (found.ids.dtype, found.scores.dtype) == (np.int64, np.float32)


@each_backend
def test_each_probe_has_its_own_line(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 300)
        assert index.search(faces(300)[::2], 1).ids[:, 0].tolist() == list(range(7, 907, 6))
        assert index.search(np.empty((0, DIMENSIONS), np.float32), 3).ids.shape == (0, 3)


@each_backend
def test_equal_scores_come_by_id(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 120)
        twin = faces(1, seed=5)
        index.add(ids_of(9_000, 1_000, 5_000, 2_000), np.repeat(twin, 4, axis=0))
        settled(index)
        found = index.search(twin, 4)
        assert found.ids.tolist() == [[1_000, 2_000, 5_000, 9_000]]


@each_backend
def test_empty_index_finds_nobody(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        found = index.search(faces(2), 3)
        assert (found.ids == NOBODY).all()
        assert (found.scores == -np.inf).all()
        assert len(index) == 0
        assert index.ids().tolist() == []


@each_backend
def test_more_than_there_are_gives_all_and_pads(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 90)
        found = index.search(faces(2, seed=3), 100)
        for line in found.ids:
            assert sorted(line[:90].tolist()) == list(range(7, 277, 3))
        assert (found.ids[:, 90:] == NOBODY).all()
        assert (np.diff(found.scores[:, :90]) <= 0).all()


@each_backend
def test_removed_is_not_found_at_once(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 150)
        vectors = faces(150)
        for number in range(0, 150, 5):
            index.remove(ids_of(number * 3 + 7))
            found = index.search(vectors[number : number + 1], 150)
            assert number * 3 + 7 not in found.ids
        assert len(index) == 120
        assert index.contains(ids_of(7, 10)).tolist() == [False, True]


@each_backend
def test_dropped_index_holds_nothing_when_it_is_made_again(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 60)
        index.drop()
    with opened(make_index) as index:
        assert len(index) == 0


@each_backend
def test_a_crowd_of_neighbours_removed_leaves_the_next(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 100)
        crowd = np.repeat(faces(1, seed=4), 60, axis=0)
        index.add(np.arange(1_000, 1_060), crowd)
        settled(index)
        index.remove(np.arange(1_000, 1_060))
        scores = faces(100) @ crowd[0]
        assert index.search(crowd[:1], 1).ids.tolist() == [[int(scores.argmax()) * 3 + 7]]


@each_backend
def test_removing_what_is_not_there_does_nothing(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 60)
        index.remove(ids_of(1, 7, 999_999))
        index.remove(ids_of(7))
        index.remove(ids_of())
        assert len(index) == 59


@each_backend
def test_an_id_added_again_holds_the_new_vector_alone(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 80)
        before, after = faces(80)[:1], unit(-faces(1))
        index.add(ids_of(7), after)
        settled(index)
        assert len(index) == 80
        assert index.search(after, 1).ids.tolist() == [[7]]
        assert index.search(before, 1).ids.tolist() != [[7]]
        assert (index.search(before, 80).ids == 7).sum() == 1


@each_backend
def test_what_was_removed_can_be_added_again(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        filled(index, 80)
        index.remove(ids_of(13))
        index.add(ids_of(13), faces(80)[2:3])
        assert index.search(faces(80)[2:3], 1).ids.tolist() == [[13]]


@each_backend
def test_ids_are_listed_and_known(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        index.add(np.arange(70)[::-1], faces(70))
        index.add(ids_of(2**62, 500), faces(2, seed=1))
        settled(index)
        assert index.ids().tolist() == [*range(70), 500, 2**62]
        assert index.contains(ids_of(2**62, 69, 70, 499)).tolist() == [True, True, False, False]
        assert len(index) == 72


@pytest.mark.slow
@each_backend
def test_nothing_added_while_searching_is_lost_or_wrong(make_index: MakeIndex) -> None:
    """Adding, removing and searching from many threads, over the switch to lists."""
    with opened(make_index) as index:
        vectors, failures = faces(300), []
        index.add(np.arange(20), vectors[:20])

        def guarded(work: object) -> threading.Thread:
            def run() -> None:
                try:
                    work()  # type: ignore[operator]
                except BaseException as error:
                    failures.append(error)

            return threading.Thread(target=run)

        def enrol(first: int) -> None:
            for number in range(first, 300, 2):
                index.add(ids_of(number), vectors[number : number + 1])
                assert index.search(vectors[number : number + 1], 1).ids[0, 0] == number

        def erase() -> None:
            for number in range(20):
                index.remove(ids_of(number))
                assert number not in index.search(vectors[number : number + 1], 3).ids

        threads = [guarded(lambda: enrol(20)), guarded(lambda: enrol(21)), guarded(erase)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        settled(index)
        assert index.ids().tolist() == list(range(20, 300))
        assert index.search(vectors[20:], 1).ids[:, 0].tolist() == list(range(20, 300))


@each_backend
def test_vectors_of_another_model_are_not_taken(make_index: MakeIndex) -> None:
    with opened(make_index) as index:
        longer = np.full((1, 25), 0.2, np.float32)
        with pytest.raises(ModelMismatch, match=f"Not vectors of {MODEL}: .* its own {DIMENSIONS}"):
            index.add(ids_of(1), longer)
        with pytest.raises(ModelMismatch, match="have 25"):
            index.search(longer, 1)
        assert len(index) == 0


@each_backend
@pytest.mark.parametrize(
    ("ids", "vectors", "words"),
    [
        ([1, 2], faces(1), "each id: 1 for 2"),
        ([1, 1], faces(2), "comes twice"),
        ([-1], faces(1), "0 or more"),
        ([0.5], faces(1), "whole numbers"),
        ([1], faces(1)[0], "Not vectors"),
        ([1], 2 * faces(1), "of length one"),
        ([1], np.full((1, DIMENSIONS), np.nan), "of length one"),
        ([1], np.zeros((1, DIMENSIONS)), "of length one"),
    ],
)
def test_bad_rows_are_refused_and_nothing_of_them_stays(
    make_index: MakeIndex, ids: list[int], vectors: np.ndarray, words: str
) -> None:
    with opened(make_index) as index:
        with pytest.raises(InvalidRequest, match=words):
            index.add(np.array(ids), vectors)
        assert len(index) == 0


@each_backend
def test_a_search_for_no_candidate_is_refused(make_index: MakeIndex) -> None:
    with opened(make_index) as index, pytest.raises(InvalidRequest, match="Ask for 1 or more"):
        index.search(faces(1), 0)
