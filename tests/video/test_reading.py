import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ClipTooLarge, InvalidClip
from likeness.video import ClipLimits, Frame, Sampling, clip_of, reading
from tests.video.clips import every, make_clip, number_in, stamp


def frames_of(path: Path, sampling: Sampling | None = None) -> list[Frame]:
    with path.open("rb") as file, reading(file, sampling) as reader:
        return list(reader)


def test_every_frame_comes_with_its_pixels_and_its_time(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10))

    frames = frames_of(path)

    assert [number_in(frame.image.pixels) for frame in frames if frame.image] == [*range(10)]
    assert [frame.number for frame in frames] == [*range(10)]
    assert [frame.time_s for frame in frames] == pytest.approx(every(0.1, 10), abs=1e-4)


def test_a_clip_says_what_it_is(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10))

    with path.open("rb") as file:
        clip = clip_of(file)

    assert (clip.container, clip.codec, clip.width, clip.height) == ("mov", "h264", 128, 96)
    assert clip.duration_s == pytest.approx(1.0, abs=0.1)
    assert clip.remarks == ()


def test_times_are_those_of_the_frames_where_the_rate_varies(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.5, 0.52, 3.25, 9.0]
    path = make_clip(tmp_path / "a.mp4", times_s=times_s)

    assert [frame.time_s for frame in frames_of(path)] == pytest.approx(times_s, abs=1e-3)


def test_only_what_the_sampling_wants_has_pixels(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 30))

    frames = frames_of(path, Sampling(every_s=0.5, from_s=1.0, to_s=2.2))

    assert [frame.time_s for frame in frames] == pytest.approx([1 + n / 10 for n in range(12)])
    seen = [number_in(frame.image.pixels) for frame in frames if frame.image]
    assert seen == [10, 15, 20]
    assert all(frame.thumbnail.shape == (36, 64, 3) for frame in frames)


@pytest.mark.parametrize(
    ("sampling", "count"),
    [
        (Sampling(every_s=1e-320), 10),
        (Sampling(every_s=1e300), 1),
        (Sampling(every_s=float("inf")), 1),
        (Sampling(from_s=1e300), 0),
        (Sampling(from_s=5.0), 0),
        (Sampling(to_s=1e300), 10),
    ],
)
def test_times_that_no_clip_has_do_no_harm(tmp_path: Path, sampling: Sampling, count: int) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10))

    assert len([frame for frame in frames_of(path, sampling) if frame.image]) == count


def test_what_is_sampled_does_not_depend_on_where_reading_begins(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(1 / 30, 90))

    def times(from_s: float) -> list[float]:
        frames = frames_of(path, Sampling(every_s=0.25, from_s=from_s))
        return [round(frame.time_s, 3) for frame in frames if frame.image]

    assert times(1.5) == [time_s for time_s in times(0) if time_s >= 1.5]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts", "mov"])
def test_reading_begins_anywhere_in_any_container(tmp_path: Path, ending: str) -> None:
    path = make_clip(tmp_path / f"a.{ending}", times_s=every(0.04, 100))

    frames = frames_of(path, Sampling(from_s=2.5))

    assert frames[0].time_s == pytest.approx(2.52, abs=0.03)
    assert frames[0].image is not None
    assert number_in(frames[0].image.pixels) == pytest.approx(63, abs=1)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_clip_that_is_turned_comes_upright(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    upright = stamp(0b10110100, 128, 96)
    # What a camera stores that is held so, for a player to turn it back.
    stored = np.rot90(np.fliplr(upright) if mirrored else upright, -rotation // 90)
    height, width, _ = stored.shape
    path = make_clip(
        tmp_path / "a.mov",
        size=(width, height),
        draw=lambda _: np.ascontiguousarray(stored),
        rotation=rotation,
        mirrored=mirrored,
    )

    frame = frames_of(path)[0]

    assert frame.image is not None
    assert frame.image.pixels.shape == upright.shape
    assert np.abs(frame.image.pixels.astype(int) - upright).mean() < 12
    assert number_in(frame.thumbnail) == 0b10110100


@pytest.mark.parametrize(("pixel", "size"), [((2, 1), (256, 96)), ((1, 2), (128, 192))])
def test_pixels_that_are_not_square_are_drawn_out(
    tmp_path: Path, pixel: tuple[int, int], size: tuple[int, int]
) -> None:
    path = make_clip(tmp_path / "a.mkv", pixel=Fraction(*pixel))

    with path.open("rb") as file:
        clip = clip_of(file)

    assert (clip.width, clip.height) == size
    assert clip.remarks == ("its pixels are not square: frames were stretched",)
    image = frames_of(path)[3].image
    assert image is not None
    assert image.pixels.shape[1::-1] == size
    assert number_in(image.pixels) == 3


def test_colours_are_right(tmp_path: Path) -> None:
    colour = np.full((96, 128, 3), (200, 120, 60), np.uint8)
    path = make_clip(tmp_path / "a.mp4", draw=lambda _: colour)

    image = frames_of(path)[0].image

    assert image is not None
    assert image.pixels.mean(axis=(0, 1)) == pytest.approx((200, 120, 60), abs=4)


def test_a_clip_that_is_not_a_file_is_copied(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")

    with reading(io.BytesIO(path.read_bytes())) as reader:
        assert len(list(reader)) == 10


def test_a_text_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("This is not a video.\n" * 100)

    with path.open("rb") as file, pytest.raises(InvalidClip) as raised:
        clip_of(file)

    assert str(raised.value).startswith("Not a clip: the file is a text file. Supported: MP4, ")


def test_a_clip_without_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()

    with path.open("rb") as file, pytest.raises(InvalidClip, match="empty"):
        clip_of(file)


def test_a_clip_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")

    with path.open("rb") as file, pytest.raises(ClipTooLarge, match="GiB"):
        clip_of(file, ClipLimits(max_bytes=1000))
