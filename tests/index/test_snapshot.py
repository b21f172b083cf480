"""A snapshot is whole and right, or an error; nothing that was erased is in it."""

import json
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ModelMismatch, NotFound, SnapshotUnusable
from likeness.index.faiss_index import FaissIndex
from likeness.index.snapshot import FORMAT, Reached, SnapshotFolder
from tests.index.indexes import (
    DIMENSIONS,
    MODEL,
    MakeIndex,
    PlainSealer,
    faces,
    ids_of,
    listed_faiss,
    small_faiss,
)

each_stage = pytest.mark.parametrize("make_index", [small_faiss, listed_faiss])


def folder_at(path: Path, key: bytes = b"a key", model: str = MODEL) -> SnapshotFolder:
    return SnapshotFolder(path / "snapshot", PlainSealer(key), model, DIMENSIONS)


def files_in(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (path / "snapshot").iterdir()}


def saved(make_index: MakeIndex, path: Path, count: int = 200) -> FaissIndex:
    index = make_index()
    assert isinstance(index, FaissIndex)
    index.add(np.arange(count), faces(count))
    index.settle()
    index.snapshot(folder_at(path), reached=Reached(41))
    return index


@each_stage
def test_restored_index_answers_as_the_one_that_was_saved(
    make_index: MakeIndex, tmp_path: Path
) -> None:
    index = saved(make_index, tmp_path)
    restored = make_index()
    assert isinstance(restored, FaissIndex)
    assert restored.restore(folder_at(tmp_path)) == Reached(41)
    assert (restored._lists is None) == (index._lists is None)
    before, after = (one.search(faces(20, seed=8), 12) for one in (index, restored))
    assert (before.ids == after.ids).all()
    assert (before.scores == after.scores).all()


@each_stage
def test_restored_index_goes_on(make_index: MakeIndex, tmp_path: Path) -> None:
    saved(make_index, tmp_path)
    index = make_index()
    assert isinstance(index, FaissIndex)
    index.restore(folder_at(tmp_path))
    index.add(np.arange(200, 300), faces(300)[200:])
    index.remove(np.arange(0, 200, 2))
    index.settle()
    kept = [*range(1, 200, 2), *range(200, 300)]
    assert index.ids().tolist() == kept
    assert index.search(faces(300)[kept], 1).ids[:, 0].tolist() == kept


@each_stage
def test_what_did_not_change_is_not_written_again(make_index: MakeIndex, tmp_path: Path) -> None:
    index = saved(make_index, tmp_path)
    before = files_in(tmp_path)
    index.remove(ids_of(0))
    index.snapshot(folder_at(tmp_path), reached=Reached(42))
    after = files_in(tmp_path)
    gone = before.keys() - after.keys()
    assert {Path(name).suffix for name in gone} == {".ids", ".rows"}
    assert len(gone) == 2
    assert len(after) == len(before)


def test_a_restored_index_writes_only_what_it_changes(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path)
    before = files_in(tmp_path)
    index = small_faiss()
    index.restore(folder_at(tmp_path))
    index.snapshot(folder_at(tmp_path), reached=Reached(50))
    assert files_in(tmp_path).keys() == before.keys()


@each_stage
def test_erased_ids_are_in_no_file(make_index: MakeIndex, tmp_path: Path) -> None:
    saved(make_index, tmp_path)
    assert folder_at(tmp_path).erase(ids_of(3, 70, 999)) == 2
    index = make_index()
    assert isinstance(index, FaissIndex)
    assert index.restore(folder_at(tmp_path)) == Reached(41)
    assert index.ids().tolist() == [one for one in range(200) if one not in (3, 70)]
    plain = [
        PlainSealer().unseal(content, f"likeness index snapshot {FORMAT} {name} ".encode())
        for name, content in files_in(tmp_path).items()
        if name != "manifest.json"
    ]
    for number in (3, 70):
        assert not any(faces(200)[number].tobytes() in content for content in plain)


def test_ids_are_looked_for_without_opening_the_rows(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path)
    for rows in (tmp_path / "snapshot").glob("*.rows"):
        rows.unlink()
    assert folder_at(tmp_path).held(ids_of(999, 70, 3)).tolist() == [3, 70]
    assert folder_at(tmp_path / "elsewhere").held(ids_of(3)).tolist() == []


def test_erasing_a_whole_segment_leaves_the_others(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path, count=96)
    assert folder_at(tmp_path).erase(np.arange(32, 64)) == 1
    index = small_faiss()
    index.restore(folder_at(tmp_path))
    assert index.ids().tolist() == [*range(32), *range(64, 96)]


@pytest.mark.parametrize("with_manifest", [True, False])
def test_erasing_deletes_what_a_crash_left_behind(tmp_path: Path, with_manifest: bool) -> None:
    saved(small_faiss, tmp_path)
    if not with_manifest:
        (tmp_path / "snapshot" / "manifest.json").unlink()
    orphan = tmp_path / "snapshot" / f"{'0' * 32}.rows"
    orphan.write_bytes(b"whatever a snapshot that was never finished wrote")
    assert folder_at(tmp_path).erase(ids_of(999)) == 0
    assert not orphan.exists()


def test_erasing_without_a_snapshot_does_nothing(tmp_path: Path) -> None:
    assert folder_at(tmp_path).erase(ids_of(1)) == 0


def test_index_that_was_erased_from_disk_is_written_anew(tmp_path: Path) -> None:
    """What the folder holds decides, not what the index remembers having written."""
    index = saved(small_faiss, tmp_path)
    folder_at(tmp_path).erase(ids_of(5))
    index.snapshot(folder_at(tmp_path), reached=Reached(43))
    restored = small_faiss()
    restored.restore(folder_at(tmp_path))
    assert restored.contains(ids_of(5)).all()


def test_a_crash_before_the_manifest_leaves_the_snapshot_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = saved(small_faiss, tmp_path)
    index.add(np.arange(500, 540), faces(540)[500:])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SnapshotFolder, "commit", crash)
    with pytest.raises(KeyboardInterrupt):
        index.snapshot(folder_at(tmp_path), reached=Reached(44))
    restored = small_faiss()
    assert restored.restore(folder_at(tmp_path)) == Reached(41)
    assert len(restored) == 200


def test_no_snapshot_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="from the rows"):
        small_faiss().restore(folder_at(tmp_path))


def test_another_key_is_an_error(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path)
    with pytest.raises(SnapshotUnusable, match="changed or sealed with another key"):
        small_faiss().restore(folder_at(tmp_path, key=b"another"))


def test_another_model_is_an_error(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path)
    with pytest.raises(ModelMismatch, match=f"is of {MODEL}"):
        small_faiss().restore(folder_at(tmp_path, model="b-model"))


def test_another_version_is_an_error(tmp_path: Path) -> None:
    saved(small_faiss, tmp_path)
    manifest = tmp_path / "snapshot" / "manifest.json"
    body, _, seal = manifest.read_bytes().partition(b"\n")
    manifest.write_bytes(json.dumps(json.loads(body) | {"format": 99}).encode() + b"\n" + seal)
    with pytest.raises(SnapshotUnusable, match=f"format 99 and not {FORMAT}"):
        small_faiss().restore(folder_at(tmp_path))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "delete", "swap"])
def test_damage_to_any_file_is_an_error_and_changes_nothing(tmp_path: Path, damage: str) -> None:
    saved(listed_faiss, tmp_path)
    for name, content in files_in(tmp_path).items():
        if name.endswith(".ids"):
            continue  # read by `erase` alone; see below
        path = tmp_path / "snapshot" / name
        damaged_as(damage, path)
        index = small_faiss()
        index.add(ids_of(7), faces(1))
        with pytest.raises((SnapshotUnusable, NotFound)):
            index.restore(folder_at(tmp_path))
        assert index.search(faces(1), 1).ids.tolist() == [[7]]
        path.write_bytes(content)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "delete", "swap"])
def test_erasing_from_a_damaged_snapshot_is_an_error(tmp_path: Path, damage: str) -> None:
    saved(small_faiss, tmp_path)
    damaged_as(damage, next((tmp_path / "snapshot").glob("*.ids")))
    with pytest.raises(SnapshotUnusable):
        folder_at(tmp_path).erase(ids_of(3))


def damaged_as(damage: str, path: Path) -> None:
    content = path.read_bytes()
    if damage == "flip":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif damage == "cut":
        path.write_bytes(content[:-5])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "delete":
        path.unlink()
    else:
        others = [one for one in path.parent.iterdir() if one != path]
        path.write_bytes(others[0].read_bytes())


def test_a_damaged_snapshot_is_replaced_by_the_next(tmp_path: Path) -> None:
    index = saved(small_faiss, tmp_path)
    (tmp_path / "snapshot" / "manifest.json").write_bytes(b"{")
    index.snapshot(folder_at(tmp_path), reached=Reached(45))
    restored = small_faiss()
    assert restored.restore(folder_at(tmp_path)) == Reached(45)
    assert len(restored) == 200


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_text("a file where the folder belongs")
    index = small_faiss()
    index.add(ids_of(1), faces(1))
    with pytest.raises(SnapshotUnusable, match="cannot be read and written"):
        index.snapshot(folder_at(tmp_path), reached=Reached(1))
