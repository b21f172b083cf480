"""What the FAISS index does in the background, seen from outside."""

import logging
from pathlib import Path

import numpy as np
import pytest

from likeness.index import faiss_index
from likeness.index.faiss_index import FaissIndex
from likeness.index.inverted_lists import InvertedLists
from likeness.index.snapshot import Reached, SnapshotFolder
from tests.index.indexes import (
    DIMENSIONS,
    MODEL,
    PlainSealer,
    faces,
    listed_faiss,
    small_faiss,
)


def is_exact(index: FaissIndex) -> bool:
    """Whether every vector is compared."""
    return index._lists is None


def files_of(index: FaissIndex, path: Path, kind: str) -> set[str]:
    index.snapshot(SnapshotFolder(path, PlainSealer(), MODEL, DIMENSIONS), reached=Reached(0))
    return {file.name for file in path.glob(f"*.{kind}")}


def test_lists_are_learnt_once_there_are_enough() -> None:
    index = listed_faiss()
    index.add(np.arange(47), faces(47))
    index.settle()
    assert is_exact(index)
    index.add(np.arange(47, 48), faces(48)[47:])
    index.settle()
    assert not is_exact(index)


@pytest.mark.slow
def test_lists_are_learnt_anew_when_the_index_has_grown(tmp_path: Path) -> None:
    index = listed_faiss()
    index.add(np.arange(48), faces(48))
    index.settle()
    first = files_of(index, tmp_path, "lists")
    index.add(np.arange(48, 700), faces(700)[48:])
    index.settle()
    assert files_of(index, tmp_path, "lists") == first
    index.add(np.arange(700, 800), faces(800)[700:])
    index.settle()
    assert files_of(index, tmp_path, "lists").isdisjoint(first)
    restored = listed_faiss()
    restored.restore(SnapshotFolder(tmp_path, PlainSealer(), MODEL, DIMENSIONS))
    for one in (index, restored):
        assert one.search(faces(800), 1).ids[:, 0].tolist() == list(range(800))


@pytest.mark.parametrize("make_index", [small_faiss, listed_faiss])
def test_segments_that_are_mostly_dead_are_emptied(make_index: type, tmp_path: Path) -> None:
    index = make_index()
    index.add(np.arange(320), faces(320))
    index.settle()
    assert len(files_of(index, tmp_path, "rows")) == 10
    kept = np.arange(0, 320, 4)
    index.remove(np.setdiff1d(np.arange(320), kept))
    index.settle()
    assert len(files_of(index, tmp_path, "rows")) <= 4
    assert index.ids().tolist() == kept.tolist()
    assert index.search(faces(320)[kept], 1).ids[:, 0].tolist() == kept.tolist()
    index.remove(kept[:40])
    assert index.search(faces(320)[kept[40:]], 1).ids[:, 0].tolist() == kept[40:].tolist()


def test_what_changes_while_lists_are_learnt_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes come in the middle of the learning, between two of its steps."""
    index = listed_faiss()
    learn = InvertedLists.trained_on

    def learn_slowly(*arguments: object) -> InvertedLists:
        lists = learn(*arguments)  # type: ignore[arg-type]
        index.remove(np.arange(10))
        index.add(np.arange(500, 550), faces(550)[500:])
        index.add(np.arange(20, 21), -faces(1))
        assert is_exact(index)
        return lists

    monkeypatch.setattr(InvertedLists, "trained_on", learn_slowly)
    index.add(np.arange(200), faces(200))
    index.settle()
    assert not is_exact(index)
    assert index.ids().tolist() == [*range(10, 200), *range(500, 550)]
    assert index.search(-faces(1), 1).ids.tolist() == [[20]]
    assert not np.isin(index.search(faces(10), 8).ids, np.arange(10)).any()


def test_rows_that_die_while_lists_are_filled_are_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    index = listed_faiss()
    insert = InvertedLists.insert

    def insert_and_erase(self: InvertedLists, slots: np.ndarray, entries: object) -> None:
        insert(self, slots, entries)  # type: ignore[arg-type]
        monkeypatch.setattr(InvertedLists, "insert", insert)
        index.remove(np.arange(5))

    # A dead row would score 0, more than any living one: those all look away from the probe.
    probe, others = faces(1), faces(195, seed=1)
    vectors = np.concatenate([np.repeat(probe, 5, axis=0), -np.sign(others @ probe.T) * others])
    monkeypatch.setattr(faiss_index, "_ROWS_A_STEP", 16)
    index.add(np.arange(40), vectors[:40])
    monkeypatch.setattr(InvertedLists, "insert", insert_and_erase)
    index.add(np.arange(40, 200), vectors[40:])
    index.settle()
    assert not is_exact(index)
    assert not np.isin(index.search(probe, 8).ids, np.arange(5)).any()
    assert index.ids().tolist() == list(range(5, 200))


def test_where_learning_fails_searches_stay_exact(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(InvertedLists, "trained_on", fail)
    index = listed_faiss()
    with caplog.at_level(logging.ERROR):
        index.add(np.arange(300), faces(300))
        index.settle()
    assert "rests until the next start" in caplog.text
    assert is_exact(index)
    assert index.search(faces(300), 1).ids[:, 0].tolist() == list(range(300))


def test_closing_ends_the_learning_and_leaves_what_there_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = listed_faiss()
    learn = InvertedLists.trained_on

    def close_meanwhile(*arguments: object) -> InvertedLists:
        monkeypatch.setattr(index, "_stopped", True)
        return learn(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(InvertedLists, "trained_on", close_meanwhile)
    index.add(np.arange(200), faces(200))
    index.close()
    assert is_exact(index)
    assert len(index) == 200


def test_a_list_may_be_long() -> None:
    vectors = faces(5_000)
    lists = InvertedLists.trained_on(vectors[:500], 1, segment_rows=8_192)
    for slots in np.array_split(np.arange(5_000), 140):
        lists.insert(slots, lists.entries(vectors[slots]))
    lists.remove(np.array([4_999, 4_500, 17]))

    found = lists.nearest(vectors[[4_998, 4_999, 17]], 40, effort=1.0)

    assert 4_998 in found[0]
    assert not np.isin(found, [4_999, 4_500, 17]).any()
    assert lists.lists_of(np.arange(4_998, 5_001)).tolist() == [0, -1, -1]
