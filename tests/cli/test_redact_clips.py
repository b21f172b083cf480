"""`likeness redact` on clips, through the real command."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from likeness.cli.redact_report import report_to
from likeness.service.redact import clips
from likeness.terms import Box
from likeness.video import Frame, Moment, Shown, reading
from tests.video.clips import every, make_clip

from .conftest import BLUE, GREEN, RED, Outcome
from .disc_clips import HEIGHT, WIDTH, clip_of, frame

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Red for three seconds; blue joins for the last two of four."""
    return clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 2, 4, 330)])


def frames_of(path: Path) -> list[Frame]:
    with path.open("rb") as file, reading(file) as reader:
        return list(reader)


def pixels_of(frame: Frame) -> NDArray[np.int16]:
    assert frame.image is not None
    return frame.image.pixels.astype(np.int16)


def strong(frame: Frame) -> float:
    """Say which share of a frame has strong colours: discs have, what is around them has not."""
    return float((np.ptp(pixels_of(frame), axis=2) > 60).mean())


def test_every_face_is_hidden_in_every_frame_at_its_time(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    outcome = likeness("redact", clip, "--all", "--style", "black", "-o", out)
    assert outcome.code == 0, outcome.err
    assert "2 faces followed and hidden in 40 frames" in outcome.out
    before, after = frames_of(clip), frames_of(out)
    assert [one.time_s for one in after] == pytest.approx([one.time_s for one in before], abs=1e-3)
    assert min(map(strong, before)) > 0.05
    assert max(map(strong, after)) < 0.001
    # The corners are as they were, as far as coding leaves them.
    for a, b in zip(before, after, strict=True):
        assert np.abs(pixels_of(a)[:20, :20] - pixels_of(b)[:20, :20]).max() < 12


def test_what_is_hidden_reaches_beyond_the_sights_of_a_face(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    assert likeness("redact", clip, "--all", "--style", "black", "-o", out).code == 0
    after = frames_of(out)
    dark = [float((pixels_of(one).max(axis=2) < 24).mean()) for one in after]
    # Blue comes at 2.0 s, and the place where it will be is dark before.
    assert dark[18] > 1.5 * dark[5]


@pytest.mark.parametrize("touched", ["grows", "is changed"])
def test_a_clip_that_is_written_to_meanwhile_is_refused(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touched: str
) -> None:
    """Nobody has looked for faces in what came behind the end, or in place of what was there."""
    discs = [(RED, 0, 2, 100), (BLUE, 0, 2, 330)]
    whole = clip_of(tmp_path / "whole.ts", discs).read_bytes()
    clip, out = tmp_path / "clip.ts", tmp_path / "out.mp4"
    clip.write_bytes(whole[: len(whole) // 188 // 2 * 188] if touched == "grows" else whole)
    found = clips.find_faces

    def find_faces(*given: Any, **more: Any) -> clips.FacesOfClip:
        faces = found(*given, **more)
        with clip.open("r+b") as file:
            file.write(whole)
        return faces

    monkeypatch.setattr("likeness.cli.clips.redact.find_faces", find_faces)
    outcome = likeness("redact", clip, "--all", "-o", out)
    assert outcome.code != 0
    assert "The clip changed while its faces were looked for." in outcome.err
    assert not out.exists()


def test_a_part_of_a_clip_is_written_alone(likeness: Command, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    outcome = likeness(
        "redact", clip, "--all", "--fast", "--from", "1", "--to", "2", "-o", out, "--json"
    )
    assert outcome.code == 0, outcome.err
    (document,) = json.loads(outcome.out)["clips"]
    assert (document["frames"], document["sound"], document["tracks"]) == (10, False, 1)
    assert len(frames_of(out)) == 10
    frame = frames_of(out)[0]
    assert frame.image is not None
    assert (frame.image.width, frame.image.height) == (WIDTH, HEIGHT)


def test_a_clip_that_is_none_leaves_one_line_and_no_file(likeness: Command, tmp_path: Path) -> None:
    bad, out = tmp_path / "bad.mp4", tmp_path / "out.mp4"
    bad.write_bytes(b"no clip at all" * 100)
    outcome = likeness("redact", bad, "--all", "-o", out)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert [one.name for one in tmp_path.iterdir() if "out" in one.name] == []


def test_a_copy_never_replaces_its_clip(likeness: Command, clip: Path) -> None:
    before = clip.read_bytes()
    outcome = likeness("redact", clip, "--all", "-o", clip)
    assert outcome.code == 2
    assert "would replace a clip by its redacted copy" in outcome.err
    assert clip.read_bytes() == before


@pytest.fixture
def gallery(picture: Make, tmp_path: Path) -> Path:
    picture("gallery/Rosa/one.png", RED)
    picture("gallery/Rosa/two.png", RED)
    picture("gallery/Greta.png", GREEN)
    return tmp_path / "gallery"


def seen_at(path: Path, number: int) -> tuple[bool, bool]:
    """Say whether a disc is seen in the left and the right half of a frame."""
    colours = np.ptp(pixels_of(frames_of(path)[number]), axis=2) > 60
    return bool(colours[:, : WIDTH // 2].mean() > 0.05), bool(
        colours[:, WIDTH // 2 :].mean() > 0.05
    )


def test_all_but_those_of_a_folder_are_hidden(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    options = "--keep-folder", gallery, "--style", "black", "-o", out
    outcome = likeness("redact", clip, *options)
    assert outcome.code == 0, outcome.err
    assert seen_at(clip, 25) == (True, True)
    assert seen_at(out, 25) == (True, False)
    assert seen_at(out, 10) == (True, False)
    assert "2 faces followed in 40 frames" in outcome.out
    assert "s: Rosa\n" in outcome.out


def test_that_nobody_is_kept_visible_is_said(
    likeness: Command, clip: Path, picture: Make, tmp_path: Path
) -> None:
    picture("strangers/Greta.png", GREEN)
    report = tmp_path / "report.html"
    options = "--keep-folder", tmp_path / "strangers", "-o", tmp_path / "out.mp4"
    outcome = likeness("redact", clip, *options, "--report", report)
    assert outcome.code == 0, outcome.err
    assert "nobody is recognised, so nobody is kept visible" in outcome.out
    assert f"that a person should look at: see {report}." in outcome.out


def test_only_those_of_a_folder_are_hidden(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    options = "--only-folder", gallery, "--style", "black", "-o", out
    outcome = likeness("redact", clip, *options)
    assert outcome.code == 0, outcome.err
    assert seen_at(out, 25) == (False, True)


def test_reports_say_frame_by_frame_what_is_hidden_and_why(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    table, out = tmp_path / "report.csv", tmp_path / "out.mp4"
    assert likeness("redact", clip, "--all", "-o", out, "--report", table).code == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = sorted({float(row["time_s"]) for row in rows})
    assert times == pytest.approx([number / 10 for number in range(40)], abs=0.01)
    assert {row["reason"] for row in rows} == {"every face is hidden"}
    sights = {row["sight"] for row in rows}
    assert sights == {"seen", "before it is first seen", "after it is last seen"}
    assert table.stat().st_mode & 0o777 == 0o600


def test_a_report_in_json_and_a_page_list_who_stays_visible(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    document, page = tmp_path / "report.json", tmp_path / "report.html"
    for report in (document, page):
        options = "--keep-folder", gallery, "-o", tmp_path / "out.mp4", "--report", report
        assert likeness("redact", clip, *options).code == 0
    said = json.loads(document.read_text())
    assert len(said["frames"]) == 40
    (source,) = said["sources"]
    assert {one["called"] for one in source["visible"]} == {"Rosa"}
    html = page.read_text()
    assert "Who stays visible" in html and "Rosa" in html
    assert "Places to look at" in html or "No place stands out" in html


def test_a_preview_shows_what_would_stay_visible_and_writes_no_copy(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    outcome = likeness("redact", clip, "--all", "--style", "black", "--preview", sheet)
    assert outcome.code == 0, outcome.err
    assert "no copy written" in outcome.out
    with Image.open(sheet) as image:
        assert image.size[0] == 4 * 486 + 6
        colours = np.asarray(image.convert("RGB")).astype(np.int16)
    # The lines of text are on yellow; no disc is seen.
    red = (colours[..., 0] > 150) & (colours[..., 1] < 90)
    assert not red.any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Nothing is to be written"),
        (("--report", "r.csv", "--preview", "p.png"), "Give --out, too"),
        (("-o", "out.mp4", "--report", "r.txt"), "no name for a report"),
        (("--preview", "p.txt"), "no name for a picture"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(
    likeness: Command, clip: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    placed = [tmp_path / one if "." in one else one for one in options]
    outcome = likeness("redact", clip, "--all", *placed)
    assert outcome.code == 2
    assert said in outcome.err
    assert [one.name for one in tmp_path.iterdir() if one.suffix in (".csv", ".txt")] == []


def test_no_face_hides_among_frames_of_nearly_one_time(likeness: Command, tmp_path: Path) -> None:
    """Who steps through a clip sees each of them, however short it is shown."""
    there = range(35, 40)

    def draw(number: int) -> NDArray[np.uint8]:
        return frame(*([(RED, 100.0, HEIGHT / 2)] if number in there else []))

    clip, out = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    make_clip(clip, times_s=every(0.001, 60), size=(WIDTH, HEIGHT), draw=draw)
    assert likeness("redact", clip, "--all", "--style", "black", "-o", out).code == 0
    assert max(map(strong, frames_of(clip))) > 0.05
    after = frames_of(out)
    assert len(after) == 60
    assert max(map(strong, after)) < 0.001


def test_cells_of_a_report_are_no_formulas(tmp_path: Path) -> None:
    table = tmp_path / "report.csv"
    with report_to(table) as told:
        assert told is not None
        told.frame("=1+1.mp4", 0.0, Moment(shown=(Shown(Box(0, 0, 9, 9), "@SUM(A1)"),)))
    with table.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["source"], row["called"]) == ("'=1+1.mp4", "'@SUM(A1)")
    assert (row["left"], row["track"]) == ("0", "")


@pytest.mark.parametrize(
    ("report", "preview"),
    [("r.csv", "in.jpg"), ("r.csv", "out.jpg"), ("r.csv", "link.jpg")],
)
def test_a_report_and_a_sheet_replace_nothing_else(
    likeness: Command, tmp_path: Path, report: str, preview: str
) -> None:
    given = tmp_path / "in.jpg"
    given.write_bytes(b"precious")
    (tmp_path / "link.jpg").symlink_to(given)
    options = "--all", "-o", tmp_path / "out.jpg", "--report", tmp_path / report
    outcome = likeness("redact", given, *options, "--preview", tmp_path / preview)
    assert outcome.code != 0
    assert given.read_bytes() == b"precious"
    assert "would be written over" in outcome.err
