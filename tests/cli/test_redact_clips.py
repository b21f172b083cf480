"""`likeness redact` on clips, through the real command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.video import Frame, reading

from .conftest import BLUE, GREEN, RED, Outcome
from .disc_clips import HEIGHT, WIDTH, clip_of

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


def test_only_those_of_a_folder_are_hidden(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    options = "--only-folder", gallery, "--style", "black", "-o", out
    outcome = likeness("redact", clip, *options)
    assert outcome.code == 0, outcome.err
    assert seen_at(out, 25) == (False, True)
