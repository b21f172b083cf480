"""Clips as cameras, phones and editors make them."""

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.video import ClipReader, Frame, Sampling, clip_of, reading
from tests.video.clips import (
    appended,
    cut_off,
    damage,
    every,
    in_hlg,
    in_pq,
    make_clip,
    number_in,
    replaced,
)

pytestmark = pytest.mark.slow

Coded = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def read(path: Path, sampling: Sampling | None = None) -> tuple[ClipReader, list[Frame]]:
    with path.open("rb") as file, reading(file, sampling) as reader:
        return reader, list(reader)


def pixels_of(frame: Frame) -> NDArray[np.uint8]:
    assert frame.image is not None
    return frame.image.pixels


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx265", "yuv420p"),
        ("a.mp4", "mpeg4", "yuv420p"),
        ("a.mp4", "libsvtav1", "yuv420p"),
        ("a.mov", "prores", "yuv422p10le"),
        ("a.mov", "mjpeg", "yuvj420p"),
        ("a.mov", "png", "rgb24"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.mkv", "ffv1", "gray"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj422p"),
        ("a.avi", "rawvideo", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.mxf", "mpeg2video", "yuv422p"),
        ("a.flv", "flv", "yuv420p"),
        ("a.wmv", "wmv2", "yuv420p"),
        ("a.3gp", "h263", "yuv420p"),
        ("a.nut", "ffv1", "yuv420p"),
        ("a.ivf", "libvpx", "yuv420p"),
        ("a.h264", "libx264", "yuv420p"),
    ],
)
def test_containers_and_codecs_are_read(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    path = make_clip(
        tmp_path / name,
        times_s=every(0.04, 8),
        size=(176, 144),
        codec=codec,
        pixels=pixels,
        ticks=25 if codec in ("mpeg4", "mpeg2video") else None,
    )

    reader, frames = read(path)

    assert [number_in(pixels_of(frame)) for frame in frames] == [*range(8)]
    gaps_s = np.diff([frame.time_s for frame in frames])
    assert gaps_s == pytest.approx(0.04, abs=0.002)
    assert reader.clip.height == 144
    assert reader.damaged.frames == 0


def test_a_single_frame_is_a_clip(tmp_path: Path) -> None:
    _, frames = read(make_clip(tmp_path / "a.mp4", times_s=[0.0]))

    assert [number_in(pixels_of(frame)) for frame in frames] == [0]


def test_sides_may_be_odd(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", codec="ffv1", pixels="yuv444p", size=(127, 95))

    _, frames = read(path)

    assert pixels_of(frames[5]).shape == (95, 127, 3)
    assert number_in(pixels_of(frames[5])) == 5


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_ten_minutes_of_sound_alone_come_first(tmp_path: Path, ending: str) -> None:
    path = make_clip(tmp_path / f"a.{ending}", times_s=[600.0, 600.04, 600.08], sound_s=601)

    _, frames = read(path)

    assert [frame.time_s for frame in frames] == pytest.approx([600, 600.04, 600.08], abs=0.2)
    assert [number_in(pixels_of(frame)) for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize(("transfer", "coded"), [(16, in_pq), (18, in_hlg)])
def test_hdr_looks_as_usual(tmp_path: Path, transfer: int, coded: Coded) -> None:
    skin = np.full((96, 128, 3), (224, 172, 138), np.uint8)
    path = make_clip(
        tmp_path / "a.mp4",
        times_s=[0.0],
        pixels="yuv420p10le",
        transfer=transfer,
        draw=lambda _: coded(skin),
    )

    reader, frames = read(path)

    assert pixels_of(frames[0]).mean(axis=(0, 1)) == pytest.approx((224, 172, 138), abs=16)
    assert reader.remarks == ("its HDR light was brought to the usual range",)


@pytest.mark.parametrize(("pixels", "full"), [("yuv420p", False), ("yuvj420p", True)])
def test_the_range_of_light_is_told(tmp_path: Path, pixels: str, full: bool) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 3), pixels=pixels)
    with path.open("rb") as file:
        assert clip_of(file).full_range is full


def test_interlaced_frames_lose_their_comb(tmp_path: Path) -> None:
    def combed(number: int) -> NDArray[np.uint8]:
        pixels = np.zeros((96, 128, 3), np.uint8)
        pixels[0::2, : 20 + 8 * number] = 220
        pixels[1::2, : 24 + 8 * number] = 220
        return pixels

    path = make_clip(
        tmp_path / "a.mkv",
        times_s=every(0.04, 8),
        draw=combed,
        options={"x264-params": "interlaced=1"},
    )

    reader, frames = read(path)

    assert any("interlaced" in remark for remark in reader.remarks)
    assert [frame.time_s for frame in frames] == pytest.approx(every(0.04, 8), abs=0.002)
    drawn, got = (comb_of(pixels) for pixels in (combed(4), pixels_of(frames[4])))
    assert got < drawn / 4


def comb_of(pixels: NDArray[np.uint8]) -> float:
    """How much lines differ from both of their neighbours."""
    rows = pixels.astype(int).mean(axis=2)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def test_a_changing_resolution_is_fitted_into_the_first(tmp_path: Path) -> None:
    first = make_clip(tmp_path / "1.ts", times_s=every(0.04, 10))
    tall = make_clip(tmp_path / "2.ts", times_s=[1 + t for t in every(0.04, 10)], size=(96, 192))
    path = appended(tmp_path / "a.ts", first, tall)

    reader, frames = read(path)

    assert {pixels_of(frame).shape for frame in frames} == {(96, 128, 3)}
    last = pixels_of(frames[-1])
    assert last[:, :38].max() < 30, "black beside it"
    assert number_in(last[:, 40:88]) == 9
    assert any("its resolution changes at" in remark for remark in reader.remarks)


def test_times_that_jump_back_are_counted_on(tmp_path: Path) -> None:
    times_s = [5 + time_s for time_s in every(0.04, 25)]
    later = make_clip(tmp_path / "1.ts", times_s=times_s)
    earlier = make_clip(tmp_path / "2.ts", times_s=every(0.04, 25))
    path = appended(tmp_path / "a.ts", later, earlier)

    reader, frames = read(path)

    times = [frame.time_s for frame in frames]
    assert all(after > before for before, after in pairwise(times))
    assert times[-1] - times[0] == pytest.approx(49 * 0.04, abs=0.1)
    assert any("its times jump at 1.0 s" in remark for remark in reader.remarks)


def test_an_hour_between_two_frames_is_kept(tmp_path: Path) -> None:
    _, frames = read(make_clip(tmp_path / "a.mkv", times_s=[0.0, 0.1, 3600.0, 3600.1, 3600.2]))

    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 3600, 3600.1, 3600.2])


def test_a_duration_that_is_wrong_is_believed_by_nobody(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", times_s=every(0.1, 10))
    with path.open("rb") as file:
        true_s = clip_of(file).duration_s
    assert true_s is not None
    replaced(path, struct.pack(">d", true_s * 1000), struct.pack(">d", 1e11))

    reader, frames = read(path)

    assert len(frames) == 10
    assert reader.clip.duration_s == pytest.approx(1e8)
    assert reader.remarks == ("it says that it lasts 100000000.0 s; its last frame is at 0.9 s",)
    # Nobody saw the last frame, then.
    behind, none = read(path, Sampling(from_s=20.0))
    assert (behind.remarks, none) == ((), [])


def test_damaged_frames_are_skipped_counted_and_named(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", times_s=every(0.1, 60), draw=noise)
    damage(path, [0.5, 0.6])

    reader, frames = read(path)

    assert 1 <= reader.damaged.frames <= 12
    assert len(frames) >= 48
    assert reader.damaged.first_s == pytest.approx(3.0, abs=1.0)
    assert any("skipped, the first at about" in remark for remark in reader.remarks)


def noise(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8)


def test_what_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", times_s=every(0.1, 100), draw=noise)
    cut_off(path, 0.5)

    reader, frames = read(path)

    assert 40 <= len(frames) <= 55
    assert any("it says that it lasts" in remark for remark in reader.remarks)


def test_8k_is_read_in_the_memory_that_there_is(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.04, 3), size=(7680, 4320))

    _, frames = read(path, Sampling(every_s=0.05))

    assert pixels_of(frames[2]).shape == (4320, 7680, 3)
    assert number_in(pixels_of(frames[2])) == 2


def test_memory_stays_flat_over_an_hour(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.5, 7200), size=(64, 48))
    resident = []

    with path.open("rb") as file, reading(file) as reader:
        decoder = Path(f"/proc/{reader._process._process.pid}/statm")
        for frame in reader:
            if frame.number % 1000 == 500:
                resident.append(int(decoder.read_text().split()[1]))

    assert frame.time_s == pytest.approx(3599.5)
    assert max(resident) <= 1.05 * resident[0]


def test_a_recording_that_begins_between_keyframes_is_read_from_the_next(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.ts", times_s=every(0.04, 60))
    packets = path.read_bytes()
    middle = len(packets) // 188 // 3 * 188
    path.write_bytes(packets[: 188 * 3] + packets[middle:])  # with its tables

    _, frames = read(path)

    assert 25 <= len(frames) <= 50
    assert [number_in(pixels_of(frame)) for frame in frames][-1] == 59
