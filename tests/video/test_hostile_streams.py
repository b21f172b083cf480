"""Streams that change, jump, send rubbish or nothing, and a process that they took over."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.video import LiveFrame, LiveStream, StreamLimits, StreamState
from likeness.video import process as processes
from tests.video.clips import number_in
from tests.video.feeds import FakeFeed, Filmed, at_once, paced

pytestmark = pytest.mark.slow

_OPENED = {
    "container": "rtp",
    "codec": "h264",
    "width": 64,
    "height": 36,
    "quarters": 0,
    "mirrored": False,
    "duration_s": None,
    "frame_rate": None,
    "stretched": False,
    "hdr": False,
    "interlaced": False,
    "full_range": False,
    "bits": 8,
}
_COUNTS = {"decoded": 1, "damaged": 0, "dropped": 0}


def line(kind: str, **values: object) -> bytes:
    return json.dumps({"kind": kind, **values}).encode() + b"\n"


_READY = line("ready")
_BEGUN = _READY + line("opened", **_OPENED)


def frame(**values: object) -> bytes:
    return line("frame", **{**_COUNTS, **values}) + bytes(64 * 36 * 3)


def shown(feed: FakeFeed, longest_s: float = 20, every_s: float = 0) -> list[LiveFrame]:
    """Give the frames of one connection."""
    with LiveStream(lambda: feed, every_s) as stream:
        ends_s = time.monotonic() + longest_s
        frames = []
        while stream.status.state is not StreamState.WAITING:
            assert time.monotonic() < ends_s, stream.status
            one = stream.next(0.1)
            if one is not None:
                frames.append(one)
        return frames


def sizes_of(frames: list[LiveFrame]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for one in frames:
        assert one.frame.image is not None
        height, width, _ = one.frame.image.pixels.shape
        if found[-1:] != [(width, height)]:
            found.append((width, height))
    return found


def renumbered(
    packets: list[list[bytes]], after: list[list[bytes]], ahead: int
) -> list[list[bytes]]:
    """Have packets follow others: by their numbers, and `ahead` of their last stamp."""
    last = after[-1][-1]
    number, stamp = int.from_bytes(last[2:4]), int.from_bytes(last[4:8]) + ahead
    first = int.from_bytes(packets[0][0][4:8])
    made = []
    for one in packets:
        made.append([])
        for data in one:
            number += 1
            moved = int.from_bytes(data[4:8]) - first + stamp
            head = (number & 0xFFFF).to_bytes(2) + (moved & 0xFFFF_FFFF).to_bytes(4)
            made[-1].append(data[:2] + head + last[8:12] + data[12:])
    return made


def test_size_that_changes_begins_a_session() -> None:
    small = Filmed(count=20)
    large = Filmed(count=20, size=(640, 360), first_number=20)
    upright = Filmed(count=20, size=(96, 128), first_number=40)
    first = small.packets()
    second = renumbered(large.packets(), first, 3000)
    third = renumbered(upright.packets(), second, 3000)
    feed = FakeFeed(paced([*first, *second, *third], 20), small.sdp())

    frames = shown(feed)

    assert sizes_of(frames) == [(128, 96), (640, 360), (96, 128)]
    assert {one.session for one in frames} == {1, 2, 3}
    numbers = [number_in(one.frame.image.pixels) for one in frames if one.frame.image]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 59
    times_s = [one.frame.time_s for one in frames]
    assert times_s == sorted(set(times_s))
    assert times_s[-1] - times_s[0] == pytest.approx((numbers[-1] - numbers[0]) / 20, abs=1.5)


def test_size_that_changes_back_and_forth_costs_no_memory() -> None:
    made = [Filmed(count=2, size=size).packets() for size in ((64, 64), (128, 96), (256, 256))]
    packets = made[0]
    for number in range(1, 60):
        packets = [*packets, *renumbered(made[number % 3], packets, 3000)]
    frames = shown(FakeFeed(paced(packets, 100), Filmed().sdp()))

    assert len({one.session for one in frames}) > 20


@pytest.mark.parametrize("ahead", [90_000 * 3600, -90_000 * 3600, 0x7000_0000])
def test_times_that_jump_begin_a_session(ahead: int) -> None:
    filmed = Filmed(count=20)
    first = filmed.packets()
    second = renumbered(Filmed(count=20, first_number=20).packets(), first, ahead)

    frames = shown(FakeFeed(paced([*first, *second], 30), filmed.sdp()))

    assert {one.session for one in frames} == {1, 2}
    times_s = [one.frame.time_s for one in frames]
    assert times_s == sorted(set(times_s))
    assert times_s[-1] < 10


def test_transport_stream_that_begins_anew_begins_a_session() -> None:
    frames = Filmed(count=30).container("mpegts")
    later = Filmed(count=30, first_number=30).container("mpegts", output_ts_offset="5000")

    given = shown(FakeFeed(paced([*frames, *later], 30)))

    assert {one.session for one in given} == {1, 2}
    assert number_in(given[-1].frame.image.pixels) == 59  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["rtp", "mpegts"])
def test_rubbish_in_between_is_passed_over(form: str) -> None:
    filmed = Filmed(count=60, size=(320, 240))
    pieces = filmed.packets() if form == "rtp" else filmed.container("mpegts")
    chance = np.random.default_rng(1)
    spoilt = [
        [chance.bytes(len(piece)) if 20 <= number < 30 else piece for piece in frame]
        for number, frame in enumerate(pieces)
    ]

    frames = shown(FakeFeed(paced(spoilt, 30), filmed.sdp() if form == "rtp" else b""))

    assert number_in(frames[-1].frame.image.pixels) == 59  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data",
    [
        bytes(200_000),
        np.random.default_rng(1).bytes(200_000),
        b"<!doctype html><title>Sign in</title>" * 100,
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n" * 100,
        b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 100,
        b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    ],
)
def test_what_is_no_stream_fails_with_one_line(data: bytes) -> None:
    with LiveStream(lambda: FakeFeed([(0, data)]), 0) as stream:
        with pytest.raises(InvalidStream, match="nothing that is read as video") as raised:
            stream.next(20)
        assert "\n" not in str(raised.value)
        assert stream.status.state is StreamState.FAILED


def test_packets_that_are_never_frames_fail() -> None:
    filmed = Filmed(count=1)
    head = filmed.packets()[0][0][:12]
    rubbish = [
        (0.0, head[:2] + number.to_bytes(2) + number.to_bytes(4) + head[8:] + b"\x65" + bytes(40))
        for number in range(3000)
    ]
    with (
        LiveStream(lambda: FakeFeed(rubbish, filmed.sdp()), 0) as stream,
        pytest.raises(InvalidStream, match="Not one frame"),
    ):
        stream.next(20)


def test_coding_that_is_not_read_fails() -> None:
    sdp = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 theora/90000\r\n"
    with (
        LiveStream(lambda: FakeFeed([(0, b"packet")] * 3, sdp, 60), 0) as stream,
        pytest.raises(InvalidStream, match="coded in a way that is not read"),
    ):
        stream.next(20)


def test_frames_beyond_the_limit_fail() -> None:
    filmed = Filmed(count=3, size=(640, 360))
    limits = StreamLimits(max_pixels=640 * 300)
    for feed in (
        lambda: FakeFeed(at_once(filmed.packets()), filmed.sdp(), 60),
        lambda: FakeFeed(at_once(filmed.container("mpegts")), b"", 60),
    ):
        with (
            LiveStream(feed, 0, limits) as stream,
            pytest.raises(InvalidStream, match="640x360 pixels, more than"),
        ):
            stream.next(20)


def test_source_that_sends_nothing_is_tried_again() -> None:
    with (
        LiveStream(lambda: FakeFeed([]), 0, StreamLimits(patience_s=3)) as stream,
        pytest.raises(SourceUnavailable, match="before it sent anything"),
    ):
        while stream.next(0.1) is None:
            pass
    assert stream.status.connects >= 2


def test_stream_that_stops_without_a_word_is_let_go() -> None:
    filmed = Filmed(count=5)
    feeds: list[FakeFeed] = []

    def connect() -> FakeFeed:
        feeds.append(FakeFeed(at_once(filmed.packets()), filmed.sdp(), 60))
        return feeds[-1]

    with LiveStream(connect, 0, StreamLimits(silence_s=1.5)) as stream:
        while stream.status.connects < 2:
            stream.next(0.1)
        assert feeds[0].closed
    assert all(feed.closed for feed in feeds)


def test_decoder_that_is_too_slow_passes_frames_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever decodes 60 frames of 1080p a second, all at once, is late for none of them long."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (1080, 1920, 3), np.uint8)
    filmed = Filmed(count=60, size=(1920, 1080), draw=lambda number: np.roll(noise, 8 * number, 1))
    packets = filmed.packets()
    feed = FakeFeed(paced(packets, 400), filmed.sdp())

    frames = shown(feed, longest_s=60)

    assert len(frames) < 60
    assert max(time_s for time_s in (one.frame.time_s for one in frames)) > 1.5


def test_closing_ends_all_that_was_begun() -> None:
    filmed = Filmed(count=10)
    feed = FakeFeed(paced(filmed.packets(), 30), filmed.sdp(), 600)
    before = {thread.ident for thread in threading.enumerate()}
    with LiveStream(lambda: feed, 0) as stream:
        while stream.next(0.2) is None:
            pass
        children = children_of_ours()
        assert children
        began_s = time.monotonic()

    assert time.monotonic() - began_s < 5
    assert stream.status.state is StreamState.ENDED
    assert not children & children_of_ours()
    time.sleep(0.2)
    assert {thread.ident for thread in threading.enumerate()} <= before
    assert feed.closed


def test_memory_stays_flat(tmp_path: Path) -> None:
    filmed = Filmed(count=100, size=(320, 240))
    packets = filmed.packets()

    def for_ever() -> Iterator[tuple[float, bytes]]:
        """Send the same frames again and again, as fast as they are taken."""
        number = 0
        for turn in range(10_000):
            for count, one in enumerate(packets):
                stamp = (3000 * (100 * turn + count) & 0xFFFF_FFFF).to_bytes(4)
                for data in one:
                    number = number + 1 & 0xFFFF
                    yield number / 1e9, data[:2] + number.to_bytes(2) + stamp + data[8:]
                time.sleep(0.002)

    with LiveStream(lambda: FakeFeed(for_ever(), filmed.sdp()), 0) as stream:
        for _ in range(1500):  # until buffers of every size were needed once
            stream.next(5)
        (child,) = children_of_ours()
        sizes = []
        for _ in range(4):
            for _ in range(400):
                stream.next(5)
            sizes.append(resident_mib(child))
    assert stream.status.frames > 2500
    assert max(sizes) - sizes[0] < 3, sizes


def children_of_ours() -> set[int]:
    """The processes that this one started and that decode."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == os.getpid() and b"decoding" in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def resident_mib(child: int) -> float:
    return (
        int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    )


def pretend(monkeypatch: pytest.MonkeyPatch, said: bytes, then: str = "time.sleep(60)") -> None:
    """Have another program run in its place, which says what a stream makes it say."""
    program = (
        "import json, os, sys, time\n"
        "task = json.loads(sys.argv[1])\n"
        "now = time.monotonic()\n"
        f"os.write(task['out'], {said!r}.replace(b'NOW', str(now).encode()))\n"
        f"{then}\n"
    )
    monkeypatch.setattr(processes, "_PROGRAM", ("-c", program))


@pytest.mark.parametrize(
    "said",
    [
        b"no JSON\n",
        b"x" * 10_000,
        line("opened", **_OPENED),
        _READY + line("opened", **{**_OPENED, "width": 10**9, "height": 10**9}),
        _READY + line("opened", **{**_OPENED, "codec": "<script>"}),
        _READY + frame(time_s=0.0, slot=0, arrived_s=1.0),
        _READY + line("failed", reason="because"),
        _READY + line("failed", reason="too_large", width="1", height=1),
        _BEGUN + line("hello", **_COUNTS),
        _BEGUN + line("passed"),
        _BEGUN + line("passed", **{**_COUNTS, "decoded": -1}),
        _BEGUN + line("passed", **{**_COUNTS, "decoded": 5}) + line("passed", **_COUNTS),
        _BEGUN + frame(time_s=0.0, slot=0, arrived_s=1.0),
        _BEGUN + frame(time_s=0.0, slot=0, arrived_s=1e8),
        _BEGUN + frame(time_s=0.0, slot=0, arrived_s="now"),
        _BEGUN + frame(time_s=0.0, slot=200, arrived_s=0.5).replace(b"0.5", b"NOW"),
        _BEGUN + frame(time_s=float("nan"), slot=0, arrived_s=0.5).replace(b"0.5", b"NOW"),
        _BEGUN + frame(time_s=-1.0, slot=0, arrived_s=0.5).replace(b"0.5", b"NOW"),
        _BEGUN + 2 * frame(time_s=1.0, slot=0, arrived_s=0.5).replace(b"0.5", b"NOW"),
        _BEGUN + line("ended"),
    ],
)
def test_what_makes_no_sense_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    pretend(monkeypatch, said)
    limits = StreamLimits(patience_s=0.1, give_up_s=0.1)

    with (
        LiveStream(lambda: FakeFeed([(0, b"some")], b"", 60), 0, limits) as stream,
        pytest.raises(SourceUnavailable, match="went astray"),
    ):
        while True:
            stream.next(5)


def test_process_that_dies_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, _READY, "os.kill(os.getpid(), 11)")
    with (
        LiveStream(
            lambda: FakeFeed([(0, b"some")], b"", 60), 0, StreamLimits(patience_s=0.1)
        ) as stream,
        pytest.raises(SourceUnavailable, match=r"ended \(Segmentation fault\)"),
    ):
        stream.next(10)


def test_process_that_works_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.video.stream_reader._MEASURED_S", 1.0)
    pretend(monkeypatch, _READY, "while True: pass")
    limits = StreamLimits(processors=0.05, patience_s=0.1)
    with (
        LiveStream(lambda: FakeFeed([(0, b"some")], b"", 60), 0, limits) as stream,
        pytest.raises(SourceUnavailable, match="too much processor time"),
    ):
        stream.next(20)


def test_process_reads_what_comes_and_sends_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = "os.read(task['feed'], 1 << 17)[8:]"
    tries = f"""
said = {heard}
try:
    os.write(task['feed'], b'hello')
    os._exit(3)
except OSError as error:
    os._exit(20 + error.errno if said == b'some' else 4)
"""
    pretend(monkeypatch, _READY, tries)
    with (
        LiveStream(
            lambda: FakeFeed([(0, b"some")], b"", 60), 0, StreamLimits(patience_s=0.1)
        ) as stream,
        pytest.raises(SourceUnavailable, match="exit code 52"),  # EPIPE
    ):
        stream.next(10)
