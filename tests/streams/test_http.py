"""Streams over HTTP: their bytes come as they were sent, else there is an error that says why."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.streams import connect, read_location
from tests.certificates import make_certificate
from tests.streams.feeds import (
    LIMITS,
    LOOPBACK,
    end_of_read_when_let_go_of,
    is_definite,
    numbers_in,
    read_all,
    refused,
)
from tests.streams.listening import listening
from tests.streams.packets import container
from tests.streams.web import Page, Site, hosting

STREAM = bytes(range(256)) * 1000
FORMS = ["mpegts", "flv", "matroska", "mp4", "mpjpeg"]


def got(site: Site, url: str) -> bytes:
    with closing(connect(read_location(url), LOOPBACK, LIMITS)) as feed:
        assert feed.sdp == b""
        return b"".join(read_all(feed))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["length", "chunked", "hang up"])
def test_container_comes_as_it_was_sent(form: str, end: str) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"} if form == "mp4" else {}
    content = container(form, 5, options)
    kind = "multipart/x-mixed-replace;boundary=ffmpeg" if form == "mpjpeg" else "video/any"
    with hosting(Site({"/live": Page(content, kind, end=end)})) as site:
        came = got(site, site.url("/live?token=1"))
    assert came == content
    assert numbers_in(came) == [0, 1, 2, 3, 4]


def test_pictures_in_parts_begin_with_their_boundary() -> None:
    content = container("mpjpeg", 2)
    page = Page(b"\r\n" + content, "multipart/x-mixed-replace; boundary=--ffmpeg")
    with hosting(Site({"/": page})) as site:
        assert got(site, site.url()) == content


def test_what_comes_is_given_as_it_comes() -> None:
    more = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield STREAM[:1000]
        assert more.wait(5)
        yield STREAM[1000:2000]

    with (
        hosting(Site({"/": Page(pieces, end="chunked")})) as site,
        closing(connect(read_location(site.url()), LOOPBACK, LIMITS)) as feed,
    ):
        assert feed.read() == STREAM[:1000]
        more.set()
        assert b"".join(read_all(feed)) == STREAM[1000:2000]


@pytest.mark.parametrize("kind", ["basic", "md5", "sha-256", "both"])
def test_server_is_signed_in_to(kind: str) -> None:
    with hosting(Site({"/live": Page(STREAM)}, sign_in=kind)) as site:
        assert got(site, site.url("/live?a=1", signed=True)) == STREAM
        error = refused(site.url("/live").replace("://", "://viewer:wrong@"))
        assert str(error).startswith("The source refuses the user or password.")
        assert len([head for head in site.heads if "Authorization" in head]) == 2
        error = refused(site.url("/live"))
        assert str(error).startswith("The source asks for a user and password.")


PAGES = [
    (Page(b"<!DOCTYPE html><title>Sign in</title>", "text/html"), "a web page", True),
    (Page(b"\n <html><body>", "video/mp2t"), "a web page", True),
    (Page(b"Welcome", "text/html; charset=utf-8"), "a web page", True),
    (Page(b"\xff\xd8\xff\xe0" + STREAM, "image/jpeg"), "a single picture", True),
    (Page(b"<?xml version='1.0'?><MPD>", "application/dash+xml"), "MPEG-DASH", True),
    (Page(json.dumps({"a": 1}).encode(), "application/json"), "text instead", True),
    (Page(b""), "sends nothing", False),
    (Page(b"", end="chunked"), "sends nothing", False),
    (Page(status="404 Not Found"), "has no such stream", True),
    (Page(status="403 Forbidden"), "refuses access", True),
    (Page(status="503 Busy"), "busy", False),
    (Page(status="500 Whatever"), "refuses (status 500)", False),
    (Page(status="204 No Content"), "refuses (status 204)", False),
    (Page(status="302 Found", headers={"Location": "http://127.0.0.9/"}), "redirects", True),
    (Page(status="302 Found", headers={"Location": "https://127.0.0.1/"}), "redirects", True),
    (Page(status="302 Found", headers={"Location": "file:///etc/passwd"}), "no stream", True),
    (Page(status="302 Found", headers={"Location": "http://[::1/"}), "no stream", True),
    (Page(status="302 Found"), "redirects", True),  # in circles
    (Page(STREAM, headers={"Content-Encoding": "gzip"}), "no stream", True),
    (Page(STREAM, headers={"Transfer-Encoding": "chunked"}, end="no"), "no stream", True),
    (Page(STREAM, headers={"Content-Length": "x"}, end="no"), "no stream", True),
    (Page(STREAM, headers={"Content-Length": "9" * 19}, end="no"), "no stream", True),
    (Page(STREAM, headers={f"X-{number}": "" for number in range(100)}), "no stream", True),
    (Page(STREAM, headers={"X": "y" * 9000}), "no stream", True),
]


@pytest.mark.parametrize(("page", "said", "definite"), PAGES)
def test_what_is_no_stream_is_said(page: Page, said: str, definite: bool) -> None:
    with hosting(Site({"/": page})) as site:
        error = refused(site.url("/?token=1"))
    assert said in str(error)
    assert is_definite(error) == definite


def test_redirect_on_the_same_server_is_followed() -> None:
    to_there = Page(status="302 Found", headers={"Location": "there?b=2"})
    with hosting(Site({"/live/": to_there, "/live/there": Page(STREAM)})) as site:
        assert got(site, site.url("/live/")) == STREAM
        assert site.asked == ["/live/", "/live/there?b=2"]


def test_login_page_behind_a_redirect_is_said() -> None:
    away = Page(status="302 Found", headers={"Location": "/login"})
    pages = {"/": away, "/login": Page(b"<html>", "text/html")}
    with hosting(Site(pages)) as site:
        assert "a web page" in str(refused(site.url()))


@pytest.mark.parametrize("end", ["length", "chunked"])
def test_server_that_breaks_off_has_stopped(end: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        told = "Content-Length: 99" if end == "length" else "Transfer-Encoding: chunked"
        content = b"63\r\n\0\1" if end == "chunked" else b"\0\1"
        connection.sendall(f"HTTP/1.1 200 OK\r\n{told}\r\n\r\n".encode() + content)

    with listening(serve) as port:
        assert "ended the connection" in str(refused(f"http://127.0.0.1:{port}/"))


def test_server_that_goes_silent_has_stopped() -> None:
    over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield STREAM[:1000]
        over.wait(5)

    with hosting(Site({"/": Page(pieces, end="chunked")})) as site:
        limits = replace(LIMITS, silence_s=0.2)
        with closing(connect(read_location(site.url()), LOOPBACK, limits)) as feed:
            assert feed.read() == STREAM[:1000]
            with pytest.raises(SourceUnavailable, match="silent"):
                feed.read()
        over.set()


def test_reading_ends_when_another_thread_lets_go() -> None:
    over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield STREAM[:1000]
        over.wait(5)

    with hosting(Site({"/": Page(pieces, end="chunked")})) as site:
        with closing(connect(read_location(site.url()), LOOPBACK, LIMITS)) as feed:
            feed.read()
            assert end_of_read_when_let_go_of(feed) == b""
        over.set()


@pytest.mark.parametrize("sent", [b"RTSP/1.0 200 OK\r\n\r\n", b"\0\1\2\n", b"HTTP/2 200\r\n\r\n"])
def test_what_does_not_speak_http_is_said(sent: bytes) -> None:
    with listening(lambda connection: connection.sendall(sent)) as port:
        error = refused(f"http://127.0.0.1:{port}/")
    assert "does not speak HTTP" in str(error)
    assert isinstance(error, InvalidStream)


def test_server_that_says_for_ever_that_it_goes_on_is_no_stream() -> None:
    def go_on(connection: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with listening(go_on) as port:
        assert "is no stream" in str(refused(f"http://127.0.0.1:{port}/"))


def test_server_that_drips_its_head_is_silent() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"a: b\r\n")
            time.sleep(0.05)

    with listening(drip) as port:
        began_s = time.monotonic()
        assert "silent" in str(refused(f"http://127.0.0.1:{port}/", replace(LIMITS, begin_s=0.3)))
        assert time.monotonic() - began_s < 5


def test_encrypted_stream_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with hosting(Site({"/": Page(STREAM)}, context=context)) as site:
        assert "certificate" in str(refused(site.url()))
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert got(site, site.url()) == STREAM


def test_address_inside_is_not_connected_to() -> None:
    with hosting(Site({"/": Page(STREAM)})) as site:
        with pytest.raises(SourceUnavailable, match="LIKENESS_SOURCE_NETWORKS"):
            connect(read_location(site.url()), (), LIMITS)
        assert site.heads == []
