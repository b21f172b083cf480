"""Files and folders that a command was given: what cannot be read is a row among the others."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import columns_of
from likeness.service.move.compreface import CompreFaceDump
from likeness.service.video.asked import LocalClip
from likeness.video import ClipLimits

from .conftest import RED, Outcome
from .disc_clips import clip_of

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_odd_files(ending: str) -> set[str]:
    """Make files that cannot be read as what they are named like; gives their names."""
    os.mkfifo(f"pipe{ending}")
    Path(f"circle{ending}").symlink_to(f"circle{ending}")
    Path(f"nowhere{ending}").symlink_to("missing")
    Path(f"endless{ending}").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(f"socket{ending}")
    return {f"{name}{ending}" for name in ("pipe", "circle", "nowhere", "endless", "socket")}


def test_a_folder_and_odd_files_among_pictures_are_rows(likeness: Command, picture: Make) -> None:
    picture("good.png", RED)
    odd = make_odd_files(".png")
    Path("folder").mkdir()
    outcome = likeness("detect", "folder", *odd, "good.png", "--json")
    rows = {row["picture"]: row for row in json.loads(outcome.out)["pictures"]}
    assert outcome.code == 2
    assert {name for name, row in rows.items() if "error" in row} == {"folder", *odd}
    assert len(rows["good.png"]["faces"]) == 1
    assert "this is a folder" in rows["folder"]["error"]["message"]


@pytest.mark.slow
def test_odd_files_and_closed_folders_among_clips_are_rows(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("clips/closed").mkdir(parents=True)
    clip_of(Path("clips/good.mp4"), [(RED, 0, 1, 100)], 1.0)
    Path("empty").mkdir()
    os.chdir("clips")
    odd = {f"clips/{name}" for name in make_odd_files(".mp4")}
    os.chdir("..")
    closed_to_us(monkeypatch, "clips/closed")
    outcome = likeness("detect", "clips", "empty", "--json")
    rows = {row["clip"]: row for row in json.loads(outcome.out)["clips"]}
    assert outcome.code == 2
    assert {n for n, row in rows.items() if "error" in row} == {"clips/closed", "empty", *odd}
    assert "people" in rows["clips/good.mp4"]


def closed_to_us(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Have a folder be one that cannot be listed, for root too."""
    scan = os.scandir

    def refuse(place: str) -> object:
        if os.fspath(place) == folder:
            raise PermissionError(13, "Permission denied", folder)
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)


def test_nothing_but_folders_without_clips_is_used_wrongly(likeness: Command) -> None:
    Path("empty").mkdir()
    outcome = likeness("detect", "empty")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'empty' is a folder without a clip" in outcome.err


def test_a_clip_that_cannot_be_opened_says_why() -> None:
    for name in make_odd_files(".mp4") | {"n" * 300, "."}:
        with (
            pytest.raises(InvalidRequest, match=r"exist|read|Not a file"),
            LocalClip(Path(name)).open_here(ClipLimits()),
        ):
            pass


def test_what_is_read_twice_has_to_be_a_file() -> None:
    os.mkfifo("pipe")
    with pytest.raises(InvalidRequest, match="'pipe' is no file, and this one is read"):
        columns_of(Path("pipe"))
    for name in ("pipe", "/dev/zero"):
        with pytest.raises(InvalidRequest, match="is no file, and a dump is read twice"):
            CompreFaceDump(Path(name), 1000)
