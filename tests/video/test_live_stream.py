"""A file at its own pace, and what comes over a connection, as they happen."""

import itertools
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from likeness.errors import Fault, InvalidClip, InvalidStream, NotFound, SourceUnavailable
from likeness.video import (
    Feed,
    LiveFrame,
    LiveStream,
    PacedFile,
    StreamLimits,
    StreamState,
    live_stream,
)
from likeness.video.stream_reader import StreamReader
from tests.video.clips import every, make_clip, number_in
from tests.video.feeds import FakeFeed, Filmed, at_once, paced

pytestmark = pytest.mark.slow

_CONTAINERS = {
    "mpegts": {},
    "flv": {},
    "matroska": {},
    "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "mpjpeg": {},
}


def frames_of(stream: LiveStream, longest_s: float = 20) -> list[LiveFrame]:
    """Take frames as fast as they come, up to the end."""
    ends_s = time.monotonic() + longest_s
    frames = []
    while time.monotonic() < ends_s:
        frame = stream.next(0.5)
        if frame is not None:
            frames.append(frame)
        elif stream.status.state is StreamState.ENDED:
            return frames
    raise AssertionError("it does not end")


def number_of(frame: LiveFrame) -> int:
    assert frame.frame.image is not None
    return number_in(frame.frame.image.pixels)


def test_file_is_shown_at_its_own_pace(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10))
    began_s = time.monotonic()

    with LiveStream(PacedFile(path), 0) as stream:
        frames = frames_of(stream)

    assert [number_of(frame) for frame in frames] == list(range(10))
    assert {frame.session for frame in frames} == {1}
    assert time.monotonic() - began_s >= 0.9
    apart = [b.arrived_s - a.arrived_s for a, b in itertools.pairwise(frames)]
    assert 0.05 < median(apart) < 0.15
    assert abs((datetime.now(UTC) - frames[-1].at).total_seconds()) < 2
    assert stream.status.frames == 10
    assert stream.status.dropped == 0
    assert stream.status.clip is not None
    assert stream.status.clip.codec == "h264"


def test_whoever_is_slow_gets_the_newest_frame(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.04, 50))

    with LiveStream(PacedFile(path), 0) as stream:
        assert stream.next(10) is not None
        while stream.status.frames < 25:
            time.sleep(0.02)
        frame = stream.next(0)

    assert frame is not None
    assert number_of(frame) >= 20
    assert stream.status.dropped >= 15


def test_pixels_are_given_as_often_as_asked(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.05, 20))

    with LiveStream(PacedFile(path), 0.2) as stream:
        frames = frames_of(stream)

    assert [number_of(frame) for frame in frames] == [0, 4, 8, 12, 16]
    assert stream.status.frames == 20


def test_closing_ends_it_at_once(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=[0, 20])
    with LiveStream(PacedFile(path), 0) as stream:
        assert stream.next(10) is not None
        began_s = time.monotonic()

    assert time.monotonic() - began_s < 5
    assert stream.status.state is StreamState.ENDED
    assert stream.next(5) is None


def test_missing_file_and_no_clip_fail(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("nothing")

    with LiveStream(PacedFile(tmp_path / "none.mp4"), 0) as stream, pytest.raises(NotFound):
        stream.next(10)
    with LiveStream(PacedFile(text), 0) as stream:
        with pytest.raises(InvalidClip, match="Not a clip"):
            stream.next(10)
        assert stream.status.state is StreamState.FAILED
        assert "Not a clip" in (stream.status.reason or "")


def taken(stream: LiveStream, count: int, longest_s: float = 30) -> list[LiveFrame]:
    """Take so many frames."""
    ends_s = time.monotonic() + longest_s
    frames: list[LiveFrame] = []
    while len(frames) < count:
        assert time.monotonic() < ends_s, stream.status
        frame = stream.next(0.5)
        if frame is not None:
            frames.append(frame)
    return frames


def one_after_the_other(*feeds: Feed | Exception) -> Callable[[], Feed]:
    """Connect to one feed after the other."""
    rest = iter(feeds)

    def connect() -> Feed:
        feed = next(rest)
        if isinstance(feed, Exception):
            raise feed
        return feed

    return connect


def until(stream: LiveStream, state: StreamState, longest_s: float = 20) -> list[LiveFrame]:
    """Take frames until it is in a state."""
    ends_s = time.monotonic() + longest_s
    frames: list[LiveFrame] = []
    while stream.status.state is not state:
        assert time.monotonic() < ends_s, stream.status
        frame = stream.next(0.1)
        if frame is not None:
            frames.append(frame)
    while (frame := stream.next(0)) is not None:
        frames.append(frame)
    return frames


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg", "mpeg4", "mpeg2video", "libvpx"])
def test_packets_of_a_camera_are_decoded_as_they_come(codec: str) -> None:
    filmed = Filmed(codec=codec, count=60)
    feed = FakeFeed(paced(filmed.packets(), 30), filmed.sdp())

    with LiveStream(lambda: feed, 0) as stream:
        frames = until(stream, StreamState.WAITING)

    numbers = [number_of(frame) for frame in frames]
    assert len(numbers) > 20
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 59
    assert {frame.session for frame in frames} == {1}
    times_s = [frame.frame.time_s for frame in frames]
    begins_s = times_s[-2] - numbers[-2] / 30
    expected_s = [begins_s + number / 30 for number in numbers]
    assert times_s[:-1] == pytest.approx(expected_s[:-1], abs=0.05)
    late_s = [frame.arrived_s - feed.given_s[number_of(frame) / 30] for frame in frames[-9:-1]]
    assert all(-0.001 < late < 0.5 for late in late_s)
    clip = stream.status.clip
    assert clip is not None
    assert (clip.container, clip.width, clip.height) == ("rtp", 128, 96)
    assert stream.status.frames == 60
    assert feed.closed


@pytest.mark.parametrize("container", _CONTAINERS)
def test_containers_are_decoded_as_they_come(container: str) -> None:
    codec = "mjpeg" if container == "mpjpeg" else "libx264"
    frames = Filmed(codec=codec, count=60).container(container, **_CONTAINERS[container])

    with LiveStream(lambda: FakeFeed(paced(frames, 30)), 0) as stream:
        given = until(stream, StreamState.WAITING)

    numbers = [number_of(frame) for frame in given]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 59
    assert len(numbers) > 20
    assert {frame.session for frame in given} == {1}
    assert given[-1].frame.time_s - given[0].frame.time_s == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("end", [None, 20.0], ids=["ends", "falls silent"])
@pytest.mark.parametrize("packed", [True, False], ids=["packets", "container"])
def test_the_newest_frame_is_given_however_slowly_pictures_are_taken(
    end: float | None, packed: bool
) -> None:
    filmed = Filmed(count=20)
    sent = paced(filmed.packets() if packed else filmed.container("matroska"), 60)
    feed = FakeFeed(sent, filmed.sdp() if packed else b"", end)

    with StreamReader(feed, 0, StreamLimits(), lambda: None) as reader:
        numbers = []
        for picture in reader:
            if not numbers:
                time.sleep(1)  # all others come in the meantime
            numbers.append(number_in(picture.image.pixels))
            if end is not None and numbers[-1] == 19:
                break  # before it ends

    assert numbers[-1] == 19
    assert len(numbers) < 20
    assert reader.counts.dropped == 20 - len(numbers)


def test_what_comes_in_a_burst_is_shown_at_its_own_pace() -> None:
    frames = Filmed(count=60).container("mpegts")

    with LiveStream(lambda: FakeFeed(at_once(frames)), 0.2) as stream:
        given = until(stream, StreamState.WAITING)

    # A busy machine may drop some of them.
    numbers = [number_of(frame) for frame in given]
    assert set(numbers) <= set(range(0, 60, 6))
    assert len(numbers) >= 5
    pace = np.diff([frame.arrived_s for frame in given]) / np.diff(numbers)
    assert all(0.15 < 6 * step < 0.3 for step in pace)


def test_pixels_of_a_stream_are_given_as_often_as_asked() -> None:
    filmed = Filmed(count=60)
    feed = FakeFeed(paced(filmed.packets(), 30), filmed.sdp())

    with LiveStream(lambda: feed, 0.2) as stream:
        frames = until(stream, StreamState.WAITING)

    assert [number_of(frame) for frame in frames][-5:] == [30, 36, 42, 48, 54]
    assert stream.status.frames == 60


def test_process_that_decodes_a_stream_has_no_rights_and_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A camera that took it over has the stream, and a way to give back pictures."""
    monkeypatch.setenv("LIKENESS_KEY", "hunter2")
    filmed = Filmed(count=60)
    feed = FakeFeed(paced(filmed.packets(), 10), filmed.sdp())

    with LiveStream(lambda: feed, 0) as stream:
        taken(stream, 1)
        process = Path("/proc") / max(
            (
                one
                for one in _children()
                if b"decoding" in Path(f"/proc/{one}/cmdline").read_bytes()
            ),
            key=int,
        )
        status = dict(
            line.split(":\t", 1) for line in (process / "status").read_text().splitlines()
        )
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        assert b"hunter2" not in (process / "environ").read_bytes()
        kinds = sorted(
            re.split(r"[:(]", str(one.readlink()))[0].strip() for one in (process / "fd").iterdir()
        )
        assert kinds == ["/dev/null"] * 3 + ["/memfd", "pipe", "pipe", "socket"]


def _children() -> list[str]:
    """Processes that any thread of this one began."""
    tasks = Path("/proc/self/task").iterdir()
    return [child for one in tasks for child in (one / "children").read_text().split()]


def test_stream_that_breaks_off_is_connected_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_stream, "_FIRST_WAIT_S", 0.05)
    filmed = Filmed(count=15)
    packets = paced(filmed.packets(), 30)
    broke = SourceUnavailable("The source is silent.")
    connect = one_after_the_other(
        SourceUnavailable("It does not answer."),
        FakeFeed(packets, filmed.sdp(), broke),
        SourceUnavailable("It does not answer."),
        FakeFeed(packets, filmed.sdp(), 60),
    )

    with LiveStream(connect, 0) as stream:
        frames = until(stream, StreamState.WAITING)
        while True:
            frames += taken(stream, 1)
            if number_of(frames[-1]) == 14 and frames[-1].session == 2:
                break
        status = stream.status

    assert {frame.session for frame in frames} == {1, 2}
    times_s = [frame.frame.time_s for frame in frames]
    assert times_s == sorted(set(times_s))
    assert status.state is StreamState.RECEIVING
    assert status.connects == 2
    assert status.frames == 30
    numbers = [frame.frame.number for frame in frames]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "error",
    [
        SourceUnavailable("The source refuses the password.", definite=True),
        InvalidStream("The source sends a web page."),
        NotFound("No such source."),
    ],
)
def test_definite_answers_fail_at_once(error: Exception) -> None:
    with LiveStream(one_after_the_other(error), 0) as stream:
        with pytest.raises(type(error), match=str(error)):
            stream.next(10)
        assert stream.status.state is StreamState.FAILED
        assert stream.status.reason == str(error)


def test_source_that_never_answers_is_given_up() -> None:
    def connect() -> Feed:
        raise SourceUnavailable("The source does not answer.")

    began_s = time.monotonic()
    with (
        LiveStream(connect, 0, StreamLimits(patience_s=2)) as stream,
        pytest.raises(SourceUnavailable, match="does not answer"),
    ):
        while True:
            assert stream.next(0.1) is None
    assert time.monotonic() - began_s < 3


def test_source_that_stopped_for_good_is_given_up() -> None:
    filmed = Filmed(count=5)
    connect = one_after_the_other(
        FakeFeed(at_once(filmed.packets()), filmed.sdp()),
        SourceUnavailable("No longer there.", definite=True),
        *[SourceUnavailable("The source does not answer.") for _ in range(9)],
    )
    with (
        LiveStream(connect, 0, StreamLimits(give_up_s=3)) as stream,
        pytest.raises(SourceUnavailable, match=r"does not answer|No longer there"),
    ):
        taken(stream, 1)
        while True:
            stream.next(0.1)


def test_large_frames_are_decoded_several_at_a_time() -> None:
    filmed = Filmed(count=30, size=(2688, 1520), keyframe_every=5)
    feed = FakeFeed(paced(filmed.packets(), 10), filmed.sdp())

    with LiveStream(lambda: feed, 0) as stream:
        frames = until(stream, StreamState.WAITING, 60)

    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 29
    assert {frame.session for frame in frames} == {1}


def test_interlaced_and_turned_streams_are_made_whole_and_upright(tmp_path: Path) -> None:
    interlaced = make_clip(
        tmp_path / "a.ts",
        times_s=every(0.04, 50),
        options={"x264-params": "interlaced=1"},
    ).read_bytes()
    turned = make_clip(
        tmp_path / "b.mp4",
        times_s=every(0.04, 50),
        rotation=90,
        container_options=_CONTAINERS["mp4"],
    ).read_bytes()

    with LiveStream(lambda: FakeFeed([(0, interlaced)]), 0) as stream:
        frames = until(stream, StreamState.WAITING)
        clip = stream.status.clip
    assert len(frames) > 25
    assert clip is not None
    assert clip.remarks == ("its interlaced frames were made whole",)

    with LiveStream(lambda: FakeFeed([(0, turned)]), 0) as stream:
        (first,) = taken(stream, 1)
        clip = stream.status.clip
    assert clip is not None
    assert (clip.width, clip.height) == (96, 128)
    assert first.frame.image is not None
    assert first.frame.image.pixels.shape == (128, 96, 3)
    assert first.frame.thumbnail.shape == (36, 64, 3)


def test_transport_streams_in_packets_are_taken_out_of_them() -> None:
    data = b"".join(piece for frame in Filmed(count=40).container("mpegts") for piece in frame)
    sdp = b"v=0\r\nm=video 0 RTP/AVP 33\r\n"
    head = b"\x80\x21" + bytes(10)
    pieces = [(0.0, head + data[at : at + 1316]) for at in range(0, len(data), 1316)]

    with LiveStream(lambda: FakeFeed(pieces, sdp), 0) as stream:
        frames = until(stream, StreamState.WAITING)

    assert number_of(frames[-1]) == 39


def test_what_goes_wrong_in_our_own_code_fails_with_one_line() -> None:
    def connect() -> Feed:
        raise TypeError("a mistake")

    class Broken(FakeFeed):
        def read(self) -> bytes:
            raise ValueError("a mistake")

    with LiveStream(connect, 0) as stream, pytest.raises(Fault, match=r"unforeseen way \(Type"):
        stream.next(5)
    with (
        LiveStream(lambda: Broken([]), 0, StreamLimits(patience_s=0.1)) as stream,
        pytest.raises(SourceUnavailable, match=r"unforeseen way \(Value"),
    ):
        stream.next(10)


@pytest.mark.parametrize("what", ["folder", "pipe", "device", "nothing"])
def test_file_that_is_none_any_more_fails_and_nobody_learns_its_path(
    tmp_path: Path, what: str
) -> None:
    path = tmp_path / "secret-path.mp4"
    match what:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
    with (
        LiveStream(PacedFile(path), 0) as stream,
        pytest.raises((InvalidStream, NotFound), match="The source's file") as raised,
    ):
        stream.next(5)
    assert "secret-path" not in str(raised.value)
