"""`likeness sources`, through the real command: what is registered, and what is never shown."""

import io
import json
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from likeness.app.home import open_rows
from likeness.config import read_settings
from likeness.service.live.opening import address_of
from likeness.sources import get_source
from likeness.streams import Location
from tests.streams.packets import rtp_packets
from tests.streams.rtsp_server import Camera, filming

from .conftest import RED, InstallationWithDiscs
from .disc_clips import clip_of
from .staff import Command, home, make_home
from .test_on_record import entries

ADDRESS = "rtsp://viewer@203.0.113.7/main"
PASSWORD = "tide-and-time"


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_SOURCE_NETWORKS", "203.0.113.0/24")
    monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD)


def type_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def registered(name: str = "gate") -> Location | Path:
    """Open the address of a source as what connects to it does."""
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        source = rows.database.read(lambda c: get_source(c, rows.keyring, name))
        return address_of(rows, source.id)


def answer(likeness: Command, *arguments: object) -> Any:
    outcome = likeness("sources", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_source_is_registered_listed_shown_and_removed_while_a_gallery_is_open(
    likeness: Command,
) -> None:
    make_home()
    assert "There is no source" in likeness("sources", "list").out
    with home():
        added = likeness(
            *("sources", "add", "gate", ADDRESS, "--password-from", "CAMERA_PASSWORD"),
            *("--footage", "fixed-camera", "--place", "North gate"),
        )
        assert (added.code, added.err) == (0, "")
        assert added.out == "gate is registered: rtsp://203.0.113.7/main.\n"
        assert likeness("sources", "list").out == "gate  rtsp://203.0.113.7/main\n"
        shown = likeness("sources", "show", "gate").out
        assert "stream, fixed-camera" in shown
        assert "looks at North gate" in shown
        assert "registered by local:" in shown
        location = registered()
        assert isinstance(location, Location)
        assert (location.user, location.password) == ("viewer", PASSWORD)
        removed = likeness("sources", "remove", "gate")
        assert (removed.code, removed.out) == (0, "gate is removed.\n")
    assert answer(likeness, "list") == {"sources": []}


def test_no_answer_holds_user_password_or_token(likeness: Command) -> None:
    address = f"{ADDRESS}?token=tide-table"
    added = answer(likeness, "add", "gate", address, "--password-from=CAMERA_PASSWORD")

    assert added["address"] == "rtsp://203.0.113.7/main?token=..."
    every = [added, answer(likeness, "show", "gate"), *answer(likeness, "list")["sources"]]
    assert every == [added] * 3
    for secret in ("viewer", PASSWORD, "tide-table"):
        assert secret not in str(every)


def test_password_comes_from_standard_input(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, b"p@ss/w\xc3\xb6rd\nmore\n")
    assert likeness("sources", "add", "gate", ADDRESS, "--password-from", "-").code == 0
    location = registered()
    assert isinstance(location, Location)
    assert location.password == "p@ss/wörd"


@pytest.mark.slow
def test_password_that_is_typed_is_not_echoed(likeness: Command, tmp_path: Path) -> None:
    terminal, of_program = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "likeness", "sources", "add", "gate", ADDRESS],
        stdin=of_program,
        stdout=of_program,
        stderr=of_program,
        start_new_session=True,
        env={**os.environ, "LIKENESS_HOME": str(tmp_path / "typed")},
    )
    os.close(of_program)
    told = b""
    try:
        while b"Password: " not in told:
            told += os.read(terminal, 1024)
        os.write(terminal, PASSWORD.encode() + b"\n")
        while b"registered" not in told:
            told += os.read(terminal, 1024)
        assert program.wait(30) == 0
    finally:
        program.kill()
        program.wait()
        os.close(terminal)
    assert PASSWORD.encode() not in told


def test_password_on_the_command_line_is_warned_of(likeness: Command) -> None:
    added = likeness("sources", "add", "gate", f"rtsp://viewer:{PASSWORD}@203.0.113.7/")
    assert added.code == 0
    assert "shell's history" in added.err
    assert added.err.count("\n") == 1
    assert PASSWORD not in added.out + added.err
    location = registered()
    assert isinstance(location, Location)
    assert location.password == PASSWORD


def test_password_is_not_asked_for_without_a_terminal(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, b"")
    for options, said in (
        ((), "no terminal to ask for the password at"),
        (("--password-from", PASSWORD), "environment variable that is not set"),
    ):
        outcome = likeness("sources", "add", "gate", ADDRESS, *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert said in outcome.err
        assert PASSWORD not in outcome.err
    type_in(monkeypatch, b"\xff\xfe\n")
    outcome = likeness("sources", "add", "gate", ADDRESS, "--password-from", "-")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no text" in outcome.err


def test_file_is_registered_by_its_whole_path(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gate.mp4").write_bytes(b"a clip")

    added = answer(likeness, "add", "gate", "gate.mp4")

    assert (added["kind"], added["address"]) == ("file", str(tmp_path / "gate.mp4"))
    assert registered() == tmp_path / "gate.mp4"
    for path in (".", "none.mp4"):
        outcome = likeness("sources", "add", "other", path)
        assert outcome.code == 2
        assert "No file to watch" in outcome.err


@pytest.mark.slow
def test_what_a_source_sends_is_shown(likeness: Command, tmp_path: Path) -> None:
    clip_of(tmp_path / "clip.mp4", [(RED, 0, 2, 100)], 2.0)
    added = answer(likeness, "add", "gate", tmp_path / "clip.mp4")
    checked = answer(likeness, "check", "gate")
    assert (checked["name"], checked["codec"]) == ("gate", "h264")
    assert checked["width"] > checked["height"] > 100
    assert 3 < checked["frames_per_s"] < 60
    assert 0 < checked["first_s"] < 20
    said = likeness("sources", "check", "gate").out
    assert f"gate sends {checked['width']}x{checked['height']} (h264 in" in said
    assert "frames a second" in said

    (tmp_path / "clip.mp4").write_bytes(b"a clip that another program is about to write")
    outcome = likeness("sources", "check", "gate")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    (tmp_path / "clip.mp4").unlink()
    outcome = likeness("sources", "check", "gate")
    assert (outcome.code, outcome.out) == (2, "")
    assert "file is not there" in outcome.err
    assert added["id"] in str(entries())


@pytest.mark.slow
def test_what_a_camera_sends_is_shown_and_its_password_never(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("LIKENESS_SOURCE_NETWORKS", "127.0.0.1/32")
    packets = rtp_packets("H264", 30)
    camera = Camera(packets, sign_in="sha-256", password=PASSWORD, every_s=0.1, then="loop")
    with filming(camera):
        for name, password in (("gate", "CAMERA_PASSWORD"), ("door", "HOME")):
            address = camera.url.replace("://", "://viewer@")
            answer(likeness, "add", name, address, "--password-from", password)
        checked = answer(likeness, "check", "gate")
        wrong = likeness("sources", "check", "door")
    assert (checked["codec"], checked["width"], checked["height"]) == ("h264", 320, 240)
    assert 5 < checked["frames_per_s"] < 15
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (3, "", 1)
    assert "refuses the user or password" in wrong.err
    assert PASSWORD not in caplog.text + wrong.err + str(entries())


@pytest.mark.parametrize(
    "address", ["rtsp://10.0.0.9/", "http://127.0.0.1:8020/x", "http://169.254.169.254/"]
)
def test_address_that_may_not_be_reached_is_refused(likeness: Command, address: str) -> None:
    outcome = likeness("sources", "add", "gate", address)
    assert (outcome.code, outcome.out) == (2, "")
    assert "LIKENESS_SOURCE_NETWORKS" in outcome.err
    assert address not in outcome.err


def test_networks_that_are_none_are_refused(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_SOURCE_NETWORKS", "10.0.0.0/64")
    outcome = likeness("sources", "list")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "Not a network" in outcome.err


def test_unknown_source_is_no_answer(likeness: Command) -> None:
    make_home()
    for verb in ("show", "check", "remove"):
        outcome = likeness("sources", verb, "gate")
        assert (outcome.code, outcome.out) == (2, "")
        assert "No such source 'gate'" in outcome.err
