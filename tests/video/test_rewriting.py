"""A rewritten clip has every frame at its time, as edited, and nothing else of the old one."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidClip
from likeness.video import Frame, Sampling, reading, rewrite
from tests.video.clips import clicks_in, every, make_clip, number_in


def unchanged(frame: Frame) -> NDArray[np.uint8]:
    assert frame.image is not None
    return frame.image.pixels


def frames_of(path: Path) -> list[tuple[float, int]]:
    with path.open("rb") as file, reading(file) as reader:
        return [(one.time_s, number_in(one.image.pixels)) for one in reader if one.image]


def test_every_frame_is_at_its_time_whatever_the_rate(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.08, 0.5, 0.51, 3.0, 3.3]
    source = make_clip(tmp_path / "a.mkv", times_s=times_s)
    out = tmp_path / "out.mp4"
    with source.open("rb") as file:
        told: list[float] = []
        done = rewrite(file, out, unchanged, tell=told.append)
    written = frames_of(out)
    assert [number for _, number in written] == [*range(7)]
    assert [time_s for time_s, _ in written] == pytest.approx(times_s, abs=0.001)
    assert (done.frames, done.seconds) == (7, pytest.approx(3.3, abs=0.001))
    assert told == pytest.approx(times_s, abs=0.001)


def test_a_part_without_sound_begins_with_its_first_frame(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    with source.open("rb") as file:
        rewrite(file, out, unchanged, Sampling(from_s=0.25, to_s=0.65))
    assert frames_of(out) == [
        (pytest.approx((number - 3) * 0.1, abs=0.001), number) for number in range(3, 7)
    ]


def test_a_turned_clip_is_written_upright(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", rotation=90)
    out = tmp_path / "out.mp4"
    with source.open("rb") as file:
        rewrite(file, out, unchanged)
    with source.open("rb") as file, reading(file) as one, out.open("rb") as written:
        assert (one.clip.width, one.clip.height) == (96, 128)
        expected = next(one).image
        with reading(written) as other:
            assert (other.clip.width, other.clip.height) == (96, 128)
            found = next(other).image
    assert expected is not None
    assert found is not None
    difference = np.abs(expected.pixels.astype(int) - found.pixels)
    assert difference.mean() < 4


def test_nothing_is_left_where_an_edit_fails(tmp_path: Path) -> None:
    source, folder = make_clip(tmp_path / "a.mp4"), tmp_path / "out"
    folder.mkdir()

    def fail(frame: Frame) -> NDArray[np.uint8]:
        raise KeyError("editing")

    with source.open("rb") as file, pytest.raises(KeyError):
        rewrite(file, folder / "out.mp4", fail)
    assert [*folder.iterdir()] == []


def test_a_part_without_frames_is_not_written(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    with source.open("rb") as file, pytest.raises(InvalidClip, match="No frame"):
        rewrite(file, out, unchanged, Sampling(from_s=100))
    assert not out.exists()


def test_sound_stays_where_it_was(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 30), clicks_s=[0.5, 1.25, 2.75])
    out = tmp_path / "out.mp4"
    with source.open("rb") as file:
        done = rewrite(file, out, unchanged)
    assert done.sound
    assert done.remarks == ()
    assert clicks_in(out) == pytest.approx([0.5, 1.25, 2.75], abs=0.005)
