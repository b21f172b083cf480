"""A rewritten clip has every frame at its time, as edited, and nothing else of the old one."""

import io
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import Fault, InvalidClip
from likeness.video import Frame, Rewritten, Sampling, reading, rewrite
from likeness.video.sound import ClipSound, Samples
from tests.video.clips import (
    appended,
    clicks_in,
    every,
    make_clip,
    no_room_for,
    number_in,
    replaced,
)


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


def copied(source: Path, sampling: Sampling | None = None) -> tuple[Path, Rewritten]:
    """Rewrite a clip with nothing changed."""
    out = source.with_name("out.mp4")
    with source.open("rb") as file:
        return out, rewrite(file, out, unchanged, sampling)


def test_sound_stays_where_it_was(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 30), clicks_s=[0.5, 1.25, 2.75])
    out, done = copied(source)
    assert done.sound
    assert done.remarks == ()
    assert clicks_in(out) == pytest.approx([0.5, 1.25, 2.75], abs=0.005)


def test_a_clip_without_sound_gets_none(tmp_path: Path) -> None:
    out, done = copied(make_clip(tmp_path / "a.mp4"))
    assert not done.sound
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mp4", "aac", 48_000, "stereo"),
        ("a.mp4", "libmp3lame", 44_100, "mono"),
        ("a.mov", "pcm_s16le", 16_000, "mono"),
        ("a.mkv", "flac", 96_000, "stereo"),
        ("a.mkv", "libopus", 48_000, "mono"),
        ("a.mkv", "ac3", 48_000, "5.1(side)"),
        ("a.ts", "aac", 48_000, "stereo"),
        ("a.ts", "mp2", 48_000, "mono"),
        ("a.avi", "libmp3lame", 22_050, "stereo"),
        ("a.avi", "pcm_u8", 11_025, "mono"),
        ("a.mp4", "aac", 7350, "mono"),
    ],
)
def test_sound_of_all_sorts_stays_in_step(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str
) -> None:
    """Clicks are heard in the frames in which they were, by any player that plays the original."""
    source = make_clip(
        tmp_path / name,
        times_s=every(0.04, 100),
        clicks_s=[0.5, 1.25, 3.75],
        sound_codec=codec,
        sound_rate=rate,
        sound_layout=layout,
    )
    out, done = copied(source)
    expected = clicks_in(source)
    assert len(expected) == 3
    assert clicks_in(out) == pytest.approx(expected, abs=0.03)
    assert frames_of(out) == [
        (pytest.approx(time_s, abs=0.001), number) for time_s, number in frames_of(source)
    ]
    with av.open(str(out)) as container:
        sound = container.streams.audio[0]
        assert sound.codec.canonical_name == "aac"
        assert sound.layout.nb_channels == min(2, av.AudioLayout(layout).nb_channels)
        assert sound.rate == {96_000: 48_000, 7350: 8000}.get(rate, rate)
    mixed = ("its sound of many channels was mixed down to two",)
    assert done.remarks == (mixed if layout.startswith("5.1") else ())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("begins_s", [(0.7, 0.0), (0.0, 0.7)])
def test_pictures_and_sound_that_begin_apart_stay_apart(
    tmp_path: Path, name: str, begins_s: tuple[float, float]
) -> None:
    pictures_s, sound_s = begins_s
    source = make_clip(
        tmp_path / name,
        times_s=[pictures_s + time_s for time_s in every(0.04, 50)],
        sound_from_s=sound_s,
        sound_s=2.0,
        clicks_s=[1.0, 1.9],
        sound_rate=48_000,
    )
    out, _ = copied(source)
    assert clicks_in(out) == pytest.approx(clicks_in(source), abs=0.03)
    assert frames_of(out)[0] == (pytest.approx(pictures_s, abs=0.03), 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_a_part_has_its_own_sound(tmp_path: Path, name: str) -> None:
    source = make_clip(
        tmp_path / name, times_s=every(0.04, 250), clicks_s=[1.0, 5.0, 6.5, 9.0], sound_rate=16_000
    )
    # A transport stream, and sound in AVI, may be a little late from the beginning.
    late_s = clicks_in(source)[0] - 1.0
    out, _ = copied(source, Sampling(from_s=4.0, to_s=8.0))
    assert clicks_in(out) == pytest.approx([1.0 + late_s, 2.5 + late_s], abs=0.03)
    assert frames_of(out) == [
        (pytest.approx(time_s - 4.0, abs=0.002), number)
        for time_s, number in frames_of(source)
        if 4.0 <= time_s < 8.0
    ]
    with av.open(str(out)) as container:
        assert float(container.duration or 0) / 1e6 == pytest.approx(4.0, abs=0.1)


@pytest.mark.slow
def test_sound_goes_on_behind_the_last_frame(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10), sound_s=5, clicks_s=[4.5])
    out, _ = copied(source)
    assert clicks_in(out) == pytest.approx([4.5], abs=0.005)


@pytest.mark.slow
def test_sound_jumps_with_its_pictures(tmp_path: Path) -> None:
    """Recordings are joined by putting transport streams one after the other."""
    pieces = [
        make_clip(
            tmp_path / f"{number}.ts",
            times_s=every(0.04, 60),
            sound_s=2.4 + number * 0.3,  # sound that is longer than its pictures
            clicks_s=[1.0],
            sound_rate=48_000,
        )
        for number in range(4)
    ]
    source = appended(tmp_path / "a.ts", *pieces)
    out, done = copied(source)
    assert clicks_in(out) == pytest.approx([1.0, 3.4, 5.8, 8.2], abs=0.08)
    assert [number for _, number in frames_of(out)] == [*range(60)] * 4
    assert any("times jump" in one for one in done.remarks)


@pytest.mark.slow
def test_of_several_soundtracks_one_is_kept_and_it_is_said(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", clicks_s=[0.5], soundtracks=3)
    out, done = copied(source)
    assert done.remarks == ("only one of its 3 soundtracks was kept",)
    assert clicks_in(out) == pytest.approx([0.5], abs=0.005)


@pytest.mark.slow
def test_a_clip_whose_sound_is_damaged_is_rewritten_all_the_same(tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / "a.mkv", times_s=every(0.1, 100), clicks_s=[0.5, 9.5], sound_codec="flac"
    )
    with av.open(str(source)) as container:
        places = [one.pos for one in container.demux(audio=0) if one.pos and one.pts]
    data = bytearray(source.read_bytes())
    for at in places[20:30]:
        data[at + 9 : at + 14] = bytes(5)
    source.write_bytes(data)
    out, done = copied(source)
    assert clicks_in(out) == pytest.approx([0.5, 9.5], abs=0.03)
    assert "damaged pieces of its sound were left out" in done.remarks
    assert len(frames_of(out)) == 100


@pytest.mark.slow
def test_sound_that_nothing_decodes_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", clicks_s=[0.5], sound_codec="pcm_s16le")
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    replaced(source, form, struct.pack("<HHIIHH", 0x7777, 1, 8000, 16000, 2, 16))
    out, done = copied(source)
    assert not done.sound
    assert done.remarks == ("its sound cannot be decoded: it was left out",)
    assert len(frames_of(out)) == 10


@pytest.mark.slow
def test_nothing_of_the_old_container_is_in_the_new_one(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    secret = "Ada Lovelace, 51.5007 N 0.1246 W"
    make_clip(tmp_path / "plain.mkv", times_s=every(0.1, 10), clicks_s=[0.5])
    with av.open(str(tmp_path / "plain.mkv")) as old, av.open(str(source), "w") as new:
        new.metadata["title"] = secret
        streams = {one.index: new.add_stream_from_template(one) for one in old.streams}
        for stream in streams.values():
            stream.metadata["title"] = stream.metadata["language"] = secret
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    source.write_bytes(source.read_bytes() + secret.encode())
    assert source.read_bytes().count(secret.encode()) >= 3

    out, _ = copied(source)

    data = out.read_bytes()
    assert secret.encode() not in data
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert not container.chapters()
        kept = {"major_brand", "minor_version", "compatible_brands", "encoder"}
        assert set(container.metadata) <= kept
        for stream in container.streams:
            assert set(stream.metadata) <= {"language", "handler_name", "vendor_id", "encoder"}
            assert stream.metadata.get("language") == "und"


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", times_s=every(0.04, 100), size=(640, 480), clicks_s=[1])
    folder = tmp_path / "out"
    folder.mkdir()
    with ExitStack() as full, source.open("rb") as file:

        def edit(frame: Frame) -> NDArray[np.uint8]:
            if not frame.number:
                full.enter_context(no_room_for(1000))
            return unchanged(frame)

        with pytest.raises(Fault, match=r"out\.mp4' cannot be written \(File too large\)"):
            rewrite(file, folder / "out.mp4", edit)
    assert [*folder.iterdir()] == []
    assert not [one for one in threading.enumerate() if one.name == "recording"]


@pytest.mark.slow
def test_whoever_stops_it_does_not_wait_for_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Sound that takes for ever holds nobody up who wants no more."""
    source = make_clip(tmp_path / "a.mp4", clicks_s=[0.5])
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr(ClipSound, "until", lambda sound, time_s: sound._process.hear() and ())
    begun = time.monotonic()

    def edit(frame: Frame) -> NDArray[np.uint8]:
        if frame.number:
            raise KeyboardInterrupt
        return unchanged(frame)

    with source.open("rb") as file, pytest.raises(KeyboardInterrupt):
        rewrite(file, folder / "out.mp4", edit)
    assert time.monotonic() - begun < 20
    assert [*folder.iterdir()] == []


@pytest.mark.slow
def test_a_stream_is_copied_once_and_rewritten(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", clicks_s=[0.5])
    out = tmp_path / "out.mp4"
    done = rewrite(io.BytesIO(source.read_bytes()), out, unchanged)
    assert (done.frames, done.sound) == (10, True)


@pytest.mark.slow
def test_memory_stays_flat_where_sound_is_silent_for_long(tmp_path: Path) -> None:
    """A gap of an hour takes no hour's samples at once."""
    source = make_clip(tmp_path / "a.mkv", times_s=[0.0, 0.1, 3600.0, 3600.1], sound_s=0.3)
    largest = 0
    given = ClipSound.until

    def until(sound: ClipSound, time_s: float) -> Iterator[Samples]:
        nonlocal largest
        for piece in given(sound, time_s):
            largest = max(largest, len(piece))
            yield piece

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ClipSound, "until", until)
        out, _ = copied(source)
    assert largest <= 8000
    assert [number for _, number in frames_of(out)] == [0, 1, 2, 3]
