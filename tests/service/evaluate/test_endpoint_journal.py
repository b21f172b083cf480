"""The journal of an endpoint's answers: whole lines are kept, half ones are not."""

import errno
import os
from pathlib import Path

import pytest

from likeness.errors import Conflict, InvalidRequest
from likeness.service.evaluate.systems.endpoint.journal import Journal

ONE, TWO, THREE = ("CompareFaces", "a", "b"), ("CompareFaces", "b", "c"), ("DetectFaces", "a")


def filled(folder: Path) -> Path:
    journal = Journal(folder, "there")
    journal.append(ONE, {"score": 1.5})
    journal.append(TWO, {"score": 2.5})
    journal.close()
    return journal.path


def reopened(folder: Path) -> list[object]:
    journal = Journal(folder, "there")
    journal.close()
    return list(journal)


def test_answers_outlive_the_run(tmp_path: Path) -> None:
    path = filled(tmp_path / "new" / "folder")
    assert reopened(path.parent) == [(ONE, {"score": 1.5}), (TWO, {"score": 2.5})]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_half_written_line_is_cut_off_wherever_it_ends(tmp_path: Path) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        lines = sum(end <= length for end in ends)
        assert len(reopened(tmp_path)) == max(lines - 1, 0)
        journal = Journal(tmp_path, "there")
        journal.append(THREE, {"faces": 1})
        journal.close()
        assert reopened(tmp_path)[-1] == (THREE, {"faces": 1})


def test_what_an_endpoint_failed_to_answer_last_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "there")
    journal.append(ONE, {"fault": "down"})
    journal.append(TWO, {"score": 1.0})
    journal.append(THREE, {"fault": "down"})
    assert journal.get(THREE) == {"fault": "down"}
    journal.close()
    assert reopened(tmp_path) == [(ONE, {"fault": "down"}), (TWO, {"score": 1.0})]


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"{}",
        b"[]",
        b'{"key": 3}',
        b'{"key": [3]}',
        b'{"key": []}',
        b"\xff",
        b"",
        b"[" * 100_000,
        b'{"key": ["CompareFaces", "a", "b"], "score": "99"}',
        b'{"key": ["CompareFaces", "a", "b"], "score": NaN}',
        b'{"key": ["CompareFaces", "a", "b"], "score": ' + b"9" * 400 + b"}",
        b'{"key": ["CompareFaces", "a", "b"], "s": -1}',
        b'{"key": ["SearchFacesByImage", "a"], "found": [[-1, 99]]}',
        b'{"key": ["SearchFacesByImage", "a"], "found": [[1e999, 99]]}',
        b'{"key": ["SearchFacesByImage", "a"], "found": [[1, 2, 3]]}',
        b'{"key": ["DetectFaces", "a"], "fault": {}}',
    ],
    ids=range(17),
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = filled(tmp_path)
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InvalidRequest, match="damaged at line 4"):
        Journal(tmp_path, "there")


@pytest.mark.parametrize("header", [b"x\n", b"{}\n", b"[]\n", b'{"format": "other"}\n'])
def test_another_file_is_no_journal(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "calls.jsonl"
    path.touch(0o600)
    path.write_bytes(header)
    with pytest.raises(InvalidRequest, match="Not a journal"):
        Journal(tmp_path, "there")


def test_a_journal_belongs_to_one_endpoint_and_one_run(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(InvalidRequest, match="another endpoint"):
        Journal(tmp_path, "elsewhere")
    journal = Journal(tmp_path, "there")
    with pytest.raises(Conflict, match="Another run"):
        Journal(tmp_path, "there")
    journal.close()


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match="cannot be opened"):
        Journal(tmp_path / "file", "there")


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "open to others", "not ours"])
def test_a_file_that_somebody_else_put_there_is_neither_read_nor_written(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter, path = tmp_path / "letter", tmp_path / "calls.jsonl"
    letter.touch(0o600)
    match kind:
        case "link":
            path.symlink_to(letter)
        case "hard link":
            path.hardlink_to(letter)
        case "pipe":
            os.mkfifo(path, 0o600)
        case "open to others":
            path.touch()
            path.chmod(0o666)
        case _:
            path.touch(0o600)
            monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(InvalidRequest, match=r"Remove it|cannot be opened"):
        Journal(tmp_path, "there")
    assert letter.read_bytes() == b""


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)
    journal = Journal(tmp_path, "there")
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        write(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", half)
        with pytest.raises(InvalidRequest, match="No space left on device"):
            journal.append(THREE, {"faces": 1})
    assert THREE not in journal
    journal.append(THREE, {"faces": 2})
    journal.close()
    assert path.read_bytes().count(b"\n") == 4
    assert reopened(tmp_path)[-1] == (THREE, {"faces": 2})
