"""From a camera or server over a real connection, through the decoder's process, to frames."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from likeness.errors import InvalidStream, LikenessError, SourceUnavailable
from likeness.streams import connect, read_location
from likeness.video import LiveFrame, LiveStream, StreamState
from tests.streams.feeds import LIMITS, LOOPBACK
from tests.streams.listening import listening
from tests.streams.packets import HEIGHT, RATE, WIDTH, container, rtp_packets
from tests.streams.rtsp_server import Camera, filming
from tests.streams.test_hls import recorded
from tests.streams.web import Page, Site, hosting
from tests.video.clips import number_in

pytestmark = pytest.mark.slow


@contextmanager
def watching(url: str, every_s: float = 0.0) -> Iterator[LiveStream]:
    with closing(
        LiveStream(partial(connect, read_location(url), LOOPBACK, LIMITS), every_s)
    ) as live:
        yield live


def frames_of(live: LiveStream, count: int) -> list[LiveFrame]:
    """Wait for so many frames."""
    frames, until_s = [], time.monotonic() + 20
    while len(frames) < count:
        assert time.monotonic() < until_s, (len(frames), live.status)
        if (frame := live.next(0.5)) is not None:
            frames.append(frame)
    return frames


def number_of(live: LiveFrame) -> int:
    assert live.frame.image is not None
    pixels = live.frame.image.pixels
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    return number_in(pixels)


def failure(live: LiveStream) -> LikenessError:
    with pytest.raises((SourceUnavailable, InvalidStream)) as raised:
        frames_of(live, 1)
    return raised.value


@pytest.mark.parametrize("coding", ["H264", "H265", "JPEG"])
def test_frames_of_a_camera_are_seen_as_it_films_them(coding: str) -> None:
    camera = Camera(rtp_packets(coding, 30), sign_in="sha-256", every_s=1 / RATE, then="loop")
    with filming(camera), watching(camera.signed_url()) as live:
        frames = frames_of(live, 12)
        status = live.status
    numbers = [number_of(one) for one in frames]
    steps = [(after - before) % 30 for before, after in pairwise(numbers)]
    assert all(0 < step < 15 for step in steps), numbers  # in order; a slow machine misses some
    assert status.state == StreamState.RECEIVING
    assert status.connects == 1
    assert status.clip is not None and (status.clip.width, status.clip.height) == (WIDTH, HEIGHT)
    assert camera.asked[-1] == "TEARDOWN"


@pytest.mark.parametrize("form", ["mpegts", "flv", "matroska", "mp4", "mpjpeg"])
def test_frames_of_a_server_are_seen_as_they_come(form: str) -> None:
    options = {"movflags": "frag_every_frame+empty_moov"} if form == "mp4" else {}
    content = container(form, 40, options)

    def slowly() -> Iterator[bytes]:
        size = len(content) // 40
        for begin in range(0, len(content), size):
            yield content[begin : begin + size]
            time.sleep(1 / RATE)

    kind = "multipart/x-mixed-replace;boundary=ffmpeg" if form == "mpjpeg" else "video/any"
    with (
        hosting(Site({"/live": Page(slowly, kind, end="chunked")})) as site,
        watching(site.url("/live")) as live,
    ):
        frames = frames_of(live, 8)
    numbers = [number_of(one) for one in frames]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
def test_frames_of_hls_are_seen_at_their_pace(kind: str, tmp_path: Path) -> None:
    site = recorded(tmp_path, {"hls_segment_type": kind}, faster=1)
    with hosting(site), watching(site.url("/live.m3u8")) as live:
        began_s = time.monotonic()
        frames = frames_of(live, 15)
        assert time.monotonic() - began_s > 0.8
    numbers = [number_of(one) for one in frames]
    assert numbers == sorted(set(numbers))


def test_camera_that_hangs_up_is_connected_to_again() -> None:
    camera = Camera(rtp_packets("H264", 10), every_s=1 / RATE, then="hang up")
    with filming(camera), watching(camera.url) as live:
        frames = frames_of(live, 5)
        while frames[-1].session == frames[0].session:
            frames += frames_of(live, 1)
        assert live.status.connects == 2
    times = [one.frame.time_s for one in frames]
    assert times == sorted(times)


def test_what_trying_again_does_not_help_is_said_at_once() -> None:
    camera = Camera(rtp_packets("H264", 2), sign_in="md5")
    page = Page(b"<html>", "text/html")
    with filming(camera), hosting(Site({"/": page})) as site:
        for url, said in [
            (camera.signed_url(password="wrong"), "refuses the user or password"),
            (site.url("/"), "a web page"),
            (site.url("/gone"), "has no such stream"),
        ]:
            began_s = time.monotonic()
            with watching(url) as live:
                assert said in str(failure(live))
                assert live.status.state == StreamState.FAILED
            assert time.monotonic() - began_s < 10
        with closing(LiveStream(partial(connect, read_location(camera.url), ()), 0)) as live:
            assert "LIKENESS_SOURCE_NETWORKS" in str(failure(live))


def test_camera_that_does_not_answer_is_let_go_of_within_a_second() -> None:
    came, over = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        came.set()
        over.wait(20)

    with listening(serve) as port:
        with watching(f"rtsp://127.0.0.1:{port}/") as live:
            assert came.wait(10)
            began_s = time.monotonic()
            live.close()
            assert time.monotonic() - began_s < 5
            assert live.status.state == StreamState.ENDED
        over.set()
        # Whoever still connects lets go as well.
        until_s = time.monotonic() + 10
        while [one for one in threading.enumerate() if one.name == "connect"]:
            assert time.monotonic() < until_s
            time.sleep(0.05)


def test_camera_is_let_go_of_within_a_second() -> None:
    camera = Camera(rtp_packets("H264", 10), every_s=1 / RATE, then="silence")
    with filming(camera), watching(camera.url) as live:
        frames_of(live, 1)
        began_s = time.monotonic()
        live.close()
        assert time.monotonic() - began_s < 5
    assert camera.asked[-1] == "TEARDOWN"
