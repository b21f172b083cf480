"""Clips that are no clips, that name other files and hosts, or that ask for too much."""

import socket
import struct
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from likeness.errors import ClipTooLarge, InputError, InvalidClip
from likeness.video import ClipLimits, clip_of, looks_like_clip, name_of_kind, reading
from likeness.video.kinds import HEAD_BYTES
from tests.video.clips import cut_off, every, make_clip

pytestmark = pytest.mark.slow


def refusal(path: Path, limits: ClipLimits | None = None) -> InputError:
    with (
        pytest.raises(InputError) as raised,
        path.open("rb") as file,
        reading(file, limits=limits) as reader,
    ):
        for _ in reader:
            pass
    return raised.value


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A clip that nobody gave."""
    return make_clip(tmp_path / "secret.ts")


@pytest.mark.parametrize("ending", ["m3u8", "mp4", "ts"])
def test_a_playlist_opens_nothing_that_it_names(tmp_path: Path, secret: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXTINF:1.0,\n{secret}\n#EXT-X-ENDLIST\n"
    )
    if ending == "m3u8":
        with av.open(str(path)) as followed:
            assert followed.streams.video, "FFmpeg itself follows it"

    error = refusal(path)

    assert str(error).startswith("Not a clip: the file is a playlist (M3U8)")


def test_a_playlist_of_a_host_asks_no_host(tmp_path: Path) -> None:
    asked: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)

        def wait() -> None:
            try:
                server.accept()[0].close()
            except TimeoutError:
                return
            asked.append(True)

        waiting = threading.Thread(target=wait)
        waiting.start()
        path = tmp_path / "a.mp4"
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{url}\n")
        refusal(path)
        waiting.join()
    assert not asked


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ffconcat version 1.0\nfile {secret}\n", "a list of files (ffconcat)"),
        ("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", "a description of a stream"),
        ("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{secret}</BaseURL></MPD>", "a text"),
        ("{secret}\n", "a text file"),
        ("file:{secret}\n", "a text file"),
        ("concat:{secret}|{secret}\n", "a text file"),
        ("1\n00:00:00,000 --> 00:00:02,000\n{secret}\n", "a text file"),
        ("# VobSub index file, v7\nid: {secret}, index: 0\n", "a text file"),
        ("RTSPtext\r\nrtsp://127.0.0.1/a\r\n", "a text file"),
    ],
)
def test_lists_streams_and_subtitles_are_no_clips(
    tmp_path: Path, secret: Path, text: str, kind: str
) -> None:
    path = tmp_path / "a.mp4"
    path.write_text(text.format(secret=secret))

    assert str(refusal(path)).startswith(f"Not a clip: the file is {kind}")


def test_a_name_that_counts_pictures_finds_none(tmp_path: Path) -> None:
    make_clip(tmp_path / "1.png", times_s=[0.0], codec="png", pixels="rgb24")
    path = tmp_path / "%d.png"
    path.write_bytes((tmp_path / "1.png").read_bytes())

    assert str(refusal(path)).startswith("Not a clip: the file is a picture (PNG)")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def with_outside_data(path: Path, outside: Path) -> Path:
    """Have a QuickTime clip's pictures lie in another file, by an alias of its absolute path."""
    data = path.read_bytes()
    name = str(outside).encode()
    named = struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2)
    alias = box(b"alis", bytes(4 + 10 + 28 + 12 + 64 + 16) + struct.pack(">HH", 1, 1) + bytes(16)
                + named + struct.pack(">HH", 0xFFFF, 0) + bytes(64))  # fmt: skip
    at = data.index(b"dref") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    dref = box(b"dref", struct.pack(">II", 0, 1) + alias)
    moov = data.index(b"moov") - 4
    head, tail = bytearray(data[:at]), data[at + size :]
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        where = data.index(parent, moov) - 4
        grown = struct.unpack(">I", head[where : where + 4])[0] + len(dref) - size
        head[where : where + 4] = struct.pack(">I", grown)
    path.write_bytes(
        bytes(head[:moov]).replace(b"mdat", b"free") + bytes(head[moov:]) + dref + tail
    )
    return path


def test_pictures_that_lie_in_another_file_are_not_fetched(tmp_path: Path) -> None:
    outside = make_clip(
        tmp_path / "outside.mov", draw=lambda _: np.full((96, 128, 3), 90, np.uint8)
    )
    # It has the same layout, so that its places lead to pictures in the other file.
    path = with_outside_data(
        make_clip(tmp_path / "a.mov", draw=lambda _: np.full((96, 128, 3), 90, np.uint8)), outside
    )
    data = bytearray(path.read_bytes())
    free = data.index(b"free")
    moov = data.index(b"moov")
    data[free + 4 : moov - 4] = bytes(moov - 4 - free - 4)
    path.write_bytes(data)
    lax = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(path), options=lax) as container:
        assert [*container.decode(video=0)], "FFmpeg itself would fetch them"

    assert isinstance(refusal(path), InvalidClip)


def claiming(path: Path, width: int, height: int) -> Path:
    """Have an AVI claim sides."""
    make_clip(path, codec="png", pixels="rgb24")
    data = bytearray(path.read_bytes())
    at = data.index(b"strf") + 8 + 4
    data[at : at + 8] = struct.pack("<II", width, height)
    # What the pictures say themselves
    for number in range(len(data) - 4):
        if data[number : number + 4] == b"IHDR":
            data[number + 4 : number + 12] = struct.pack(">II", width, height)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "sides", [(100_000, 100_000), (60_000, 60_000), (2**31 - 1, 1), (20_000, 20_000)]
)
def test_a_clip_that_claims_a_monstrous_size_is_refused_quickly(
    tmp_path: Path, sides: tuple[int, int]
) -> None:
    path = claiming(tmp_path / "a.avi", *sides)
    begun = time.monotonic()

    error = refusal(path)

    assert time.monotonic() - begun < 10
    assert isinstance(error, ClipTooLarge | InvalidClip)


def test_the_message_says_how_large_it_is(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")

    error = refusal(path, ClipLimits(max_pixels=10_000))

    assert str(error) == (
        "The clip's frames have 128x96 pixels, more than 0.01 million. Give a smaller version of"
        " it."
    )


def test_a_clip_that_is_longer_than_it_may_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(1.0, 20))

    assert str(refusal(path, ClipLimits(max_s=10))).startswith("The clip is longer than")


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", picture=False, sound_s=1)

    assert str(refusal(path)) == "The clip has no video. Give a file with moving pictures."


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 128, 96, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=8000)
        frame = av.VideoFrame(128, 96, "yuvj420p")
        container.mux(cover.encode(frame))
        container.mux(cover.encode(None))
        for start in range(0, 8000, 1024):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            heard.sample_rate, heard.pts = 8000, start
            container.mux(sound.encode(heard))
        container.mux(sound.encode(None))

    assert str(refusal(path)) == "The clip has no video. Give a file with moving pictures."


def test_a_clip_without_a_frame_that_is_whole_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)

    assert str(refusal(path)).startswith("Not one frame of the clip can be decoded")


def test_a_header_alone_is_no_clip(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])  # up to the first cluster

    assert isinstance(refusal(path), InvalidClip)


def test_a_clip_whose_index_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = cut_off(make_clip(tmp_path / "a.mp4"), 0.5)

    assert str(refusal(path)).startswith(
        "Not a clip: the file is a video, damaged or of a kind that is not read."
    )


def test_pixels_of_absurd_shape_are_taken_as_square(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", pixel=Fraction(1000, 1))

    with path.open("rb") as file:
        assert clip_of(file).width == 128


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "libx264", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.avi", "libx264", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.m2ts", "libx264", "yuv420p"),
        ("a.h264", "libx264", "yuv420p"),
        ("a.hevc", "libx265", "yuv420p"),
        ("a.nut", "libx264", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.ivf", "libvpx", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.m2v", "mpeg2video", "yuv420p"),
        ("a.mxf", "mpeg2video", "yuv422p"),
        ("a.wmv", "wmv2", "yuv420p"),
        ("a.flv", "flv", "yuv420p"),
    ],
)
def test_clips_are_known_by_their_content(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    ticks = 25 if codec == "mpeg2video" else None
    path = make_clip(tmp_path / name, codec=codec, pixels=pixels, ticks=ticks)

    assert looks_like_clip(path.read_bytes()[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "a picture (JPEG)"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "a picture (HEIF)"),
        (b"\0\0\0\x18ftypavif" + bytes(20), "a picture (HEIF)"),
        (b"\0\0\0\x18ftypM4A " + bytes(20), "a sound (M4A)"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a picture (WebP)"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound (WAV)"),
        (b"PK\x03\x04" + bytes(20), "an archive (ZIP, or an office document)"),
        ("Grüße".encode(), "a text file"),
        (b"get free pictures here", "a text file"),
        (b"BMW and others", "a text file"),
        (b"BM\x36\0\0\0" + bytes(20), "a picture (BMP)"),
        ("\ufeffText".encode("utf-16"), "a text file"),
        (bytes(range(256)), "something unknown"),
    ],
)
def test_other_files_are_named(head: bytes, kind: str) -> None:
    assert not looks_like_clip(head)
    assert name_of_kind(head) == kind


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts"])
def test_whatever_is_damaged_ends_in_frames_or_in_one_clear_line(
    tmp_path: Path, ending: str
) -> None:
    whole = make_clip(tmp_path / f"whole.{ending}", times_s=every(0.1, 12)).read_bytes()
    random = np.random.default_rng(5)
    path = tmp_path / f"a.{ending}"
    for _ in range(6):
        data = bytearray(whole)
        for at in random.integers(0, len(data), random.integers(1, 60)):
            data[at] = random.integers(0, 256)
        path.write_bytes(data[: random.integers(len(data) // 2, len(data) + 1)])
        with path.open("rb") as file:
            try:
                with reading(file, limits=ClipLimits(silence_s=20)) as reader:
                    for frame in reader:
                        assert frame.time_s >= 0
            except InputError as error:
                assert "\n" not in str(error)
