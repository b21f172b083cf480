"""Cameras over RTSP: their packets come as they were sent, else there is an error that says why."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.streams import Feed, FeedLimits, connect, read_location
from tests.certificates import make_certificate
from tests.streams.feeds import (
    LIMITS,
    LOOPBACK,
    end_of_read_when_let_go_of,
    is_definite,
    read_all,
    refused,
)
from tests.streams.listening import listening
from tests.streams.packets import Packets, rtp_packets
from tests.streams.rtsp_server import Camera, filming


@pytest.fixture(scope="module")
def h264() -> Packets:
    return rtp_packets("H264", 4)


@contextmanager
def connected(
    camera: Camera, url: str | None = None, limits: FeedLimits = LIMITS
) -> Iterator[Feed]:
    with (
        filming(camera),
        closing(connect(read_location(camera.url), LOOPBACK, limits)) as feed,
    ):
        yield feed


@pytest.mark.parametrize("coding", ["H264", "H265", "JPEG"])
def test_packets_of_video_come_one_by_one_as_they_were_sent(coding: str) -> None:
    camera = Camera(rtp_packets(coding, 4))
    with connected(camera) as feed:
        assert read_all(feed) == camera.sent
        assert f"m=video 0 RTP/AVP {camera.packets.payload_type}\r\n".encode() in feed.sdp
        assert f"{coding}/90000".encode() in feed.sdp
    assert camera.asked[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


def test_sound_is_never_asked_for(h264: Packets) -> None:
    camera = Camera(h264)
    with connected(camera) as feed:
        read_all(feed)
        assert b"audio" not in feed.sdp
    assert [head.split(" ")[1].rpartition("/")[2] for head in camera.heads[2:3]] == ["track1"]


def test_camera_is_told_goodbye(h264: Packets) -> None:
    camera = Camera(h264, then="loop", every_s=0.02)
    with connected(camera) as feed:
        feed.read()
    assert camera.asked[-1] == "TEARDOWN"
    assert "Session: 12ab34" in camera.heads[-1]


def test_reading_ends_when_another_thread_lets_go(h264: Packets) -> None:
    camera = Camera(h264, then="silence")
    with connected(camera) as feed:
        for _ in camera.sent:
            feed.read()
        assert end_of_read_when_let_go_of(feed) == b""
    assert camera.asked[-1] == "TEARDOWN"


def test_what_comes_before_the_answer_to_play_is_not_lost(h264: Packets) -> None:
    camera = Camera(h264, early=3, channel=4)
    with connected(camera) as feed:
        assert read_all(feed) == camera.sent


@pytest.mark.parametrize("kind", ["basic", "md5", "md5 old", "md5-sess", "sha-256", "both"])
def test_camera_is_signed_in_to(h264: Packets, kind: str) -> None:
    camera = Camera(h264, sign_in=kind)
    with filming(camera):
        with closing(connect(read_location(camera.signed_url()), LOOPBACK, LIMITS)) as feed:
            assert read_all(feed) == camera.sent
        assert camera.asked.count("SETUP") == 1  # what it asked for once it is told again
        for head in camera.heads:
            assert camera.password not in head
            assert kind == "basic" or "Basic" not in head


def test_wrong_password_is_tried_once_so_that_no_account_is_locked(h264: Packets) -> None:
    camera = Camera(h264, sign_in="md5")
    with filming(camera):
        error = refused(camera.signed_url(password="wrong"))
    assert str(error).startswith("The source refuses the user or password.")
    assert isinstance(error, SourceUnavailable) and error.definite
    assert len([head for head in camera.heads if "Authorization" in head]) == 1


def test_password_that_is_missing_is_asked_for(h264: Packets) -> None:
    camera = Camera(h264, sign_in="md5")
    with filming(camera):
        error = refused(camera.url)
    assert str(error).startswith("The source asks for a user and password.")
    assert isinstance(error, SourceUnavailable) and error.definite


@pytest.mark.parametrize(
    "asks",
    [
        "Negotiate",
        'Digest realm="a", nonce="b", algorithm=SHA-512-256',
        'Digest realm="a", nonce="b", qop="auth-int"',
        'Digest realm="a"',
        "",
    ],
)
def test_way_to_sign_in_that_is_not_known_is_said(h264: Packets, asks: str) -> None:
    camera = Camera(h264, sign_in=asks or " ")
    with filming(camera):
        assert str(refused(camera.signed_url())).startswith("The source asks for a way to sign in")


def test_camera_that_asks_for_less_later_is_not_given_the_password(h264: Packets) -> None:
    basic = b'RTSP/1.0 401 U\r\nCSeq: {n}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'
    camera = Camera(h264, sign_in="md5", answers={"SETUP": basic})
    with filming(camera):
        refused(camera.signed_url())
    assert not any("Basic" in head for head in camera.heads)


@pytest.mark.slow
@pytest.mark.parametrize("refuses", [False, True])
def test_session_is_kept_alive(h264: Packets, refuses: bool) -> None:
    camera = Camera(
        h264, timeout_s=1, every_s=0.05, then="loop", sign_in="sha-256", refuses_keep_alive=refuses
    )
    with connected_signed(camera) as feed:
        camera.ages = True  # and what the camera knows us by does not last
        until_s = time.monotonic() + 1.4
        while time.monotonic() < until_s:
            feed.read()
    method = "OPTIONS" if refuses else "GET_PARAMETER"
    assert camera.asked[-1] == "TEARDOWN"
    assert camera.asked[-2:-1] == [method]
    kept = [head for head in camera.heads if head.startswith(method) and "Session" in head]
    assert len(kept) >= 2
    assert 'nonce="n2"' in kept[-1]


@contextmanager
def connected_signed(camera: Camera) -> Iterator[Feed]:
    with (
        filming(camera),
        closing(connect(read_location(camera.signed_url()), LOOPBACK, LIMITS)) as feed,
    ):
        yield feed


def test_camera_that_hangs_up_has_stopped(h264: Packets) -> None:
    camera = Camera(h264, then="hang up")
    with connected(camera) as feed:
        for packet in camera.sent:
            assert feed.read() == packet
        with pytest.raises(SourceUnavailable, match="ended the connection") as raised:
            feed.read()
        assert not raised.value.definite


def test_camera_that_goes_silent_has_stopped(h264: Packets) -> None:
    camera = Camera(h264, then="silence")
    with connected(camera, limits=replace(LIMITS, silence_s=0.4)) as feed:
        for packet in camera.sent:
            assert feed.read() == packet
        began_s = time.monotonic()
        with pytest.raises(SourceUnavailable, match="silent") as raised:
            feed.read()
        assert 0.3 < time.monotonic() - began_s < 5
        assert not raised.value.definite


@pytest.mark.parametrize("channel", [0, 4])
def test_what_belongs_nowhere_is_passed_over(h264: Packets, channel: int) -> None:
    other = b"$\x09\x00\x04abcd"
    rubbish = b"some rubbish" + b"$\xff\xff\xff"
    camera = Camera(h264, between=other + rubbish, channel=channel)
    with connected(camera) as feed:
        assert read_all(feed) == camera.sent


def test_packets_that_are_none_of_the_track_are_passed_over(h264: Packets) -> None:
    size = 40
    none = [b"", b"\x80", b"\x40\x60" + bytes(size), b"\x80\x61" + bytes(size)]
    framed = b"".join(b"$\x00" + len(one).to_bytes(2, "big") + one for one in none)
    camera = Camera(h264, between=framed)
    with connected(camera) as feed:
        assert read_all(feed) == camera.sent


def test_nothing_but_rubbish_is_no_stream(h264: Packets) -> None:
    camera = Camera(h264, between=b"x" * 300_000)
    with connected(camera) as feed, pytest.raises(InvalidStream, match="is no stream"):
        feed.read()


def test_questions_of_a_camera_are_answered(h264: Packets) -> None:
    asked = b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 7\r\nContent-Length: 3\r\n\r\na:b"
    camera = Camera(h264, between=asked, every_s=0.02)
    with connected(camera) as feed:
        assert read_all(feed) == camera.sent
    assert "CSeq: 7" in camera.answered[0]


@pytest.mark.parametrize("method", ["TEARDOWN", "REDIRECT"])
def test_camera_that_asks_us_to_go_is_left(h264: Packets, method: str) -> None:
    asked = f"{method} * RTSP/1.0\r\nCSeq: 7\r\nLocation: rtsp://127.0.0.9/\r\n\r\n".encode()
    camera = Camera(h264, between=asked, then="loop")
    with connected(camera) as feed:
        assert read_all(feed) == []


# What is answered to a method, and what is said of it; whether another try is no use.
ANSWERS = [
    ("DESCRIBE", b"RTSP/1.0 404 Not Found", "has no such stream", True),
    ("DESCRIBE", b"RTSP/1.0 403 Forbidden", "refuses access", True),
    ("DESCRIBE", b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.9/", "redirects", True),
    ("DESCRIBE", b"RTSP/1.0 500 Whatever <html>", "refuses (status 500)", False),
    ("SETUP", b"RTSP/1.0 461 Unsupported Transport", "does not send over TCP", True),
    ("PLAY", b"RTSP/1.0 453 Not Enough Bandwidth", "busy", False),
    ("PLAY", b"RTSP/1.0 200 OK\r\nSession: 1\r\nContent-Length: 99999999", "is no stream", True),
    ("OPTIONS", b"RTSP/1.0 200 OK\r\nContent-Length: -1", "is no stream", True),
    ("OPTIONS", b"RTSP/1.0 200 OK\r\nContent-Length: \xc2\xb2", "is no stream", True),
    ("OPTIONS", b"RTSP/1.0 200 OK\r\nno header", "is no stream", True),
    ("OPTIONS", b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * 100, "is no stream", True),
    ("OPTIONS", b"RTSP/1.0 200 OK\r\n" + b"a" * 9000, "is no stream", True),
    ("OPTIONS", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "RTSP", True),
    ("OPTIONS", b"SSH-2.0-OpenSSH_9.2", "does not speak RTSP", True),
    ("OPTIONS", b"RTSP/1.0 999 Odd", "does not speak RTSP", True),
]


@pytest.mark.parametrize(("method", "answer", "said", "definite"), ANSWERS)
def test_answer_that_is_no_use_is_said(
    h264: Packets, method: str, answer: bytes, said: str, definite: bool
) -> None:
    camera = Camera(h264, answers={method: answer + b"\r\nCSeq: {n}\r\n\r\n"})
    with filming(camera):
        error = refused(camera.url)
    assert said in str(error)
    assert is_definite(error) == definite


AVP = "m=video 0 RTP/AVP 96"
DESCRIPTIONS = [
    (("v=0", "m=audio 0 RTP/AVP 0"), "has no video"),
    (("v=0", "m=application 0 RTP/AVP 107"), "has no video"),
    (("v=0", "m=video 0 RTP/SAVP 96", "a=rtpmap:96 H264/90000"), "encrypted by itself"),
    (("v=0", AVP, "a=rtpmap:96 X-Own/90000"), "X-OWN, which is not read"),
    (("v=0", AVP), "of no known kind"),
    (("v=0", "m=video 0 RTP/AVP 196", "a=rtpmap:196 H264/90000"), "has no video"),
    (("<html>", AVP, "a=rtpmap:96 H264/90000"), "is no stream"),
]


@pytest.mark.parametrize(("lines", "said"), DESCRIPTIONS)
def test_description_without_video_that_is_read_is_said(
    h264: Packets, lines: tuple[str, ...], said: str
) -> None:
    with filming(Camera(h264, description=lines)) as camera:
        assert said in str(refused(camera.url))


def test_decoder_is_told_of_one_track_in_lines_of_ours(h264: Packets) -> None:
    lines = (
        "v=0",
        "c=IN IP4 10.0.0.1",
        "a=control:rtsp://10.0.0.1/whole",
        "m=application 9 RTP/AVP 107",
        "a=rtpmap:107 vnd.onvif.metadata/90000",
        "m=video 5004 RTP/AVP 96 97",
        "c=IN IP4 10.0.0.2",
        "a=rtpmap:97 VP8/90000",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAKeKQFge2AtwEBAaQeJEV,aM48gA==",
        "a=control:rtsp://10.0.0.1/whole/track7",
        "a=key-mgmt:mikey AAAA",
        "m=video 0 RTP/AVP 98",
        "a=rtpmap:98 H265/90000",
    )
    camera = Camera(h264, description=lines)
    with connected(camera) as feed:
        assert feed.sdp.decode().split("\r\n") == [
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 H264/90000",
            "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAKeKQFge2AtwEBAaQeJEV,aM48gA==",
            "",
        ]
        assert read_all(feed) == camera.sent
    # What a camera calls itself is said to it alone, by the connection that is there.
    assert [head.split(" ")[1] for head in camera.heads[2:]] == [
        "rtsp://10.0.0.1/whole/track7",
        "rtsp://10.0.0.1/whole",
        "rtsp://10.0.0.1/whole",
    ]


def test_nobody_listening_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = refused(f"rtsp://viewer:s%2Fcret@127.0.0.1:{port}/Streaming")
    assert "refuses connections" in str(error)


@pytest.mark.parametrize(
    ("problem", "said"), [(TimeoutError(), "silent"), (OSError(113, "No route"), "No way leads")]
)
def test_source_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, problem: OSError, said: str
) -> None:
    def fail(*_: object, **__: object) -> socket.socket:
        raise problem

    monkeypatch.setattr(socket, "create_connection", fail)
    error = refused("rtsp://viewer:s%2Fcret@127.0.0.1/")
    assert said in str(error)
    assert not is_definite(error)


def test_source_that_never_answers_is_silent() -> None:
    with listening(lambda connection: _drain(connection)) as port:
        began_s = time.monotonic()
        error = refused(f"rtsp://127.0.0.1:{port}/", replace(LIMITS, begin_s=0.3))
        assert time.monotonic() - began_s < 5
    assert "silent" in str(error)


def test_source_that_drips_is_silent() -> None:
    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"R")
            time.sleep(0.05)

    with listening(drip) as port:
        began_s = time.monotonic()
        error = refused(f"rtsp://127.0.0.1:{port}/", replace(LIMITS, begin_s=0.3))
        assert time.monotonic() - began_s < 5
    assert "silent" in str(error)


def test_address_inside_is_not_connected_to_whatever_it_is_called() -> None:
    came = threading.Event()
    with listening(lambda connection: came.set()) as port:
        location = read_location(f"rtsp://viewer:s%2Fcret@camera.example:{port}/")
        with pytest.raises(SourceUnavailable, match="LIKENESS_SOURCE_NETWORKS") as raised:
            connect(location, (), LIMITS, resolve=lambda host, port: ["127.0.0.1"])
        assert raised.value.definite
        assert not came.wait(0.05)


def test_name_that_stands_for_nothing_is_said() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(SourceUnavailable, match="stands for no address"):
        connect(read_location("rtsp://camera.example/"), (), LIMITS, resolve)


def test_name_that_is_not_looked_up_in_time_is_said() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(5)
        return ["127.0.0.1"]

    began_s = time.monotonic()
    with pytest.raises(SourceUnavailable, match="not looked up in time"):
        connect(read_location("rtsp://camera.example/"), (), replace(LIMITS, begin_s=0.2), resolve)
    assert time.monotonic() - began_s < 5
    over.set()


def test_encrypted_camera_is_read(
    h264: Packets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    camera = Camera(h264, context=context, sign_in="md5")
    with filming(camera):
        error = refused(camera.signed_url())
        assert "certificate" in str(error)
        assert isinstance(error, SourceUnavailable) and error.definite
        assert camera.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        with closing(connect(read_location(camera.signed_url()), LOOPBACK, LIMITS)) as feed:
            assert read_all(feed) == camera.sent
    assert camera.asked[-1] == "TEARDOWN"


def test_camera_that_does_not_encrypt_is_said() -> None:
    with listening(lambda connection: connection.sendall(b"RTSP/1.0 400 Bad\r\n\r\n")) as port:
        assert "does not encrypt" in str(refused(f"rtsps://127.0.0.1:{port}/"))


def test_nothing_is_logged(h264: Packets, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    camera = Camera(h264, sign_in="sha-256")
    with connected_signed(camera) as feed:
        read_all(feed)
    assert caplog.text == ""


def _drain(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass
