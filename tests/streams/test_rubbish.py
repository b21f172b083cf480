"""Whatever comes is a stream, or an error of ours: nothing else is raised, and nothing hangs."""

import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.streams import FeedLimits
from likeness.streams.description import video_track
from likeness.streams.head import read_head
from likeness.streams.http import Body, begin_of
from likeness.streams.location import read_location
from likeness.streams.playlist import read_playlist
from likeness.streams.rtsp import RtspFeed, _Conversation
from likeness.streams.sign_in import SignIn
from likeness.streams.wire import Wire

LIMITS = FeedLimits(begin_s=2, silence_s=2, description_bytes=1000)
LOCATION = read_location("rtsp://viewer:secret@camera.example/")
SDP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "v=0",
                "m=video 0 RTP/AVP 96",
                "m=audio 0 RTP/AVP 0",
                "a=rtpmap:96 H264/90000",
                "a=fmtp:96 x",
                "a=control:*",
                "a=control:a",
            ]
        ),
        st.text(max_size=40),
    ),
    max_size=12,
).map(lambda lines: "\r\n".join(["v=0", *lines]).encode("utf-8", "replace"))
TAGS = ["#EXTINF:", "#EXT-X-KEY:", "#EXT-X-MAP:", "#EXT-X-BYTERANGE:", "#EXT-X-STREAM-INF:", ""]
LISTED = st.lists(
    st.tuples(st.sampled_from(TAGS), st.text(max_size=30)).map("".join), max_size=12
).map(lambda lines: "\n".join(["#EXTM3U", *lines]).encode("utf-8", "replace"))
HEADERS = st.sampled_from(
    [
        b"Content-Length: 3\r\n",
        b"Content-Length: x\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"WWW-Authenticate: Digest nonce=",
        b"\r\n",
        b"2\r\nab\r\n",
        b"0\r\n",
    ]
)
ANSWERS = st.lists(st.one_of(HEADERS, st.binary(max_size=20)), max_size=8).map(b"".join)
FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=40).map(lambda one: b"$\0" + len(one).to_bytes(2, "big") + one),
        st.sampled_from(
            [b"RTSP/1.0 200 OK\r\n\r\n", b"OPTIONS * RTSP/1.0\r\n\r\n", b"$\1\0\4\x80\xcb"]
        ),
    ),
    max_size=12,
).map(b"".join)


def over_a_wire(content: bytes, use: Callable[[Wire], None]) -> None:
    here, there = socket.socketpair()
    with there, closing(Wire(here)) as wire:
        there.sendall(content)
        there.shutdown(socket.SHUT_WR)
        with suppress(InvalidStream, SourceUnavailable):
            use(wire)


@given(SDP)
def test_description(content: bytes) -> None:
    with suppress(InvalidStream):
        told = video_track(content, "rtsp://camera.example/").sdp
        assert told.startswith(b"v=0\r\n") and told.isascii()
        assert len(told) < 16 << 10  # what a decoder takes


@given(LISTED)
def test_playlist(content: bytes) -> None:
    with suppress(InvalidStream):
        read_playlist(content)


@given(ANSWERS)
def test_answer_over_http(content: bytes) -> None:
    until_s = time.monotonic() + 2

    def use(wire: Wire) -> None:
        head = read_head(wire, "HTTP", LIMITS, until_s)
        SignIn(LOCATION).take(head.all_of("www-authenticate"))
        body = Body(wire, head, LOCATION.endpoint, LIMITS, 1000)
        begin = begin_of(body, until_s)
        body.whole(1000, until_s, begin)

    over_a_wire(b"HTTP/1.1 200 OK\r\n" + content, use)
    over_a_wire(content, use)


@given(FRAMES)
def test_packets_over_rtsp(content: bytes) -> None:
    def use(wire: Wire) -> None:
        conversation = _Conversation(wire, LOCATION, LIMITS)
        conversation.begin_session("1")
        track = video_track(b"v=0\nm=video 0 RTP/AVP 26", LOCATION.url())
        feed = RtspFeed(conversation, track)
        while packet := feed.read():
            assert len(packet) > 12

    over_a_wire(content, use)


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_challenge(content: bytes) -> None:
    sign_in = SignIn(LOCATION)
    text = content.decode("utf-8", "surrogateescape").replace("\n", "")
    if sign_in.take([f'Digest nonce="{text}", realm="{text}"', f"Basic {text}"]):
        ((name, value),) = sign_in.header("GET", "/")
        assert name == "Authorization"
        assert "secret" not in value and "\n" not in value


def test_closing_twice_and_reading_after_it_is_no_error() -> None:
    here, there = socket.socketpair()
    with there:
        wire = Wire(here)
        wire.close()
        wire.close()
        assert wire.some(10, time.monotonic() + 1) == b""
        with pytest.raises(SourceUnavailable):
            wire.send(b"x", time.monotonic() + 1)
