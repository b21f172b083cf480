"""Streams over HTTP (RFC 9112): what answers a GET, for as long as it comes."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from likeness.errors import InvalidRequest, InvalidStream, SourceUnavailable
from likeness.reachable import Endpoint, Network, Resolve, read_endpoint
from likeness.streams.head import Head, read_head, read_headers, to_bytes
from likeness.streams.limits import FeedLimits
from likeness.streams.playlist import FIRST_LINE
from likeness.streams.sign_in import SignIn, require_success
from likeness.streams.wire import Wire, open_wire, rubbish, stopped

PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_MOST_HEADS = 10
_PIECE = 64 << 10
_LOOKED_AT = 512
_LENGTH_OF_PIECE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM")
_BOUNDARY = b"--"


class Body:
    """What follows a head, for as long as it comes."""

    def __init__(
        self, wire: Wire, head: Head, at: Endpoint, limits: FeedLimits, most_bytes: int
    ) -> None:
        self.head = head
        self.at = at  # where redirects led
        self._wire = wire
        self._limits = limits
        self._in_pieces = head.get("transfer-encoding").lower() == "chunked"
        # What is left of the body, or of its piece; None where the end of the connection ends it.
        self._left = 0 if self._in_pieces else head.length(most_bytes)
        self._is_first = True
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether it was let go of."""
        return self._wire.ended

    def some(self, until_s: float) -> bytes:
        """Wait for more, and give it; empty at the end.

        Raises:
            SourceUnavailable: the server is silent, or broke off.
            InvalidStream: what comes is not HTTP.
        """
        if self._in_pieces and not self._left and not self._over:
            self._begin_piece(until_s)
        if self._over or self._left == 0:
            return b""
        most = _PIECE if self._left is None else min(self._left, _PIECE)
        content = self._wire.some(most, until_s)
        if self._left is not None:
            if not content:
                raise stopped()
            self._left -= len(content)
        return content

    def whole(self, most_bytes: int, until_s: float, begin: bytes = b"") -> bytes:
        """Give all of it, of which `begin` was given already.

        Raises:
            InvalidStream: it is longer than `most_bytes`.
        """
        content = bytearray(begin)
        while len(content) <= most_bytes:
            piece = self.some(until_s)
            if not piece:
                return bytes(content)
            content += piece
        raise rubbish()

    def close(self) -> None:
        """Let go of the connection; a read in another thread ends at once."""
        self._wire.close()

    def _begin_piece(self, until_s: float) -> None:
        if not self._is_first and self._wire.line(2, until_s):
            raise rubbish()
        self._is_first = False
        length = _LENGTH_OF_PIECE.fullmatch(self._wire.line(self._limits.line_bytes, until_s))
        if length is None:
            raise rubbish()
        self._left = int(length[1], 16)
        if not self._left:
            self._over = True
            with suppress(SourceUnavailable):
                read_headers(self._wire, self._limits, until_s)


@dataclass(frozen=True, slots=True)
class Getter:
    """Asks servers for what lies at an address, and follows them to no other server.

    `opened` is told each connection, so that somebody else can end it.
    """

    limits: FeedLimits
    resolve: Resolve | None
    opened: Callable[[Wire], object] = lambda wire: None

    def get(
        self,
        endpoint: Endpoint,
        networks: tuple[Network, ...],
        sign_in: SignIn | None,
        until_s: float,
        *,
        part: tuple[int, int] | None = None,
        most_bytes: int = 1 << 60,
    ) -> Body:
        """Give what is answered; `part` is where it begins and how many bytes it has.

        Raises:
            SourceUnavailable: it refuses, does not answer, or may not be connected to.
            InvalidStream: it does not speak HTTP.
        """
        target, signed, redirects = endpoint.target, False, 0
        while True:
            there = Endpoint(endpoint.scheme, endpoint.host, endpoint.port, target)
            wire = open_wire(there, networks, until_s, self.resolve)
            try:
                self.opened(wire)
                self._ask(wire, there, sign_in, part, until_s)
                head = self._head(wire, until_s)
                if head.status == 401 and sign_in is not None and not signed:
                    signed = sign_in.take(head.all_of("www-authenticate"))
                    if not signed:
                        raise sign_in.refusal()
                elif head.status in _REDIRECTS and redirects < _MOST_REDIRECTS:
                    redirects += 1
                    target = _within(there, head)
                else:
                    require_success(head, sign_in)
                    if head.get("content-encoding").lower() not in ("", "identity"):
                        raise rubbish()
                    if part is not None and head.status != 206:
                        raise rubbish()  # all of it, from the beginning
                    return Body(wire, head, there, self.limits, most_bytes)
            except BaseException:
                wire.close()
                raise
            wire.close()

    def _ask(
        self,
        wire: Wire,
        there: Endpoint,
        sign_in: SignIn | None,
        part: tuple[int, int] | None,
        until_s: float,
    ) -> None:
        host = f"[{there.host}]" if ":" in there.host else there.host
        port = "" if there.port == PORTS[there.scheme] else f":{there.port}"
        headers = [
            ("Host", host + port),
            ("User-Agent", "likeness"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        if part is not None:
            headers.append(("Range", f"bytes={part[0]}-{part[0] + part[1] - 1}"))
        if sign_in is not None:
            headers += sign_in.header("GET", there.target)
        lines = [f"GET {there.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        wire.send(to_bytes("".join(f"{line}\r\n" for line in [*lines, ""])), until_s)

    def _head(self, wire: Wire, until_s: float) -> Head:
        for _ in range(_MOST_HEADS):
            head = read_head(wire, "HTTP", self.limits, until_s)
            if head.status >= 200:
                return head
        raise rubbish()


class HttpFeed:
    """The bytes of a container, as a server sends them."""

    def __init__(self, body: Body, begin: bytes, limits: FeedLimits) -> None:
        self._body = body
        self._begin = begin
        self._limits = limits

    @property
    def sdp(self) -> bytes:
        """Nothing: these are no packets."""
        return b""

    def read(self) -> bytes:
        """Wait for more, and give it; empty at the end.

        Raises:
            SourceUnavailable: the server is silent for too long, or broke off.
            InvalidStream: what comes is not HTTP.
        """
        if self._begin:
            begin, self._begin = self._begin, b""
            return begin
        try:
            return self._body.some(time.monotonic() + self._limits.silence_s)
        except SourceUnavailable:
            if self._body.ended:
                return b""
            raise

    def close(self) -> None:
        """Let go of the connection; a `read` in another thread ends at once."""
        self._body.close()


def join(base: Endpoint, reference: str) -> Endpoint:
    """Give where a reference leads that stands in what lies at `base`.

    Raises:
        InvalidStream: it leads to nothing that HTTP speaks of.
    """
    host = f"[{base.host}]" if ":" in base.host else base.host
    url = f"{base.scheme}://{host}:{base.port}{base.target}"
    try:
        joined = urljoin(url, quote(reference, safe="!#$%&'()*+,/:;=?@[]~"))
        return read_endpoint(joined.partition("#")[0], PORTS, "an address")
    except (InvalidRequest, ValueError) as error:
        raise rubbish() from error


def begin_of(body: Body, until_s: float) -> bytes:
    """Wait for the first bytes of a stream, of which something can be told.

    Raises:
        SourceUnavailable: nothing comes.
        InvalidStream: it is told to be no stream.
    """
    begin = b""
    while len(begin) < _LOOKED_AT and (piece := body.some(until_s)):
        begin += piece
        if not _may_be_text(begin):
            break
    if body.head.get("content-type").lower().startswith("multipart/"):
        begin = begin.lstrip(b"\r\n")  # FFmpeg knows them by their first line
    require_stream(begin, body.head.get("content-type"))
    return begin


def require_stream(begin: bytes, kind: str = "") -> None:
    """Refuse what begins as no stream does; `kind` is what its server calls it.

    Raises:
        SourceUnavailable: there is nothing.
        InvalidStream: it is something else.
    """
    kind = kind.partition(";")[0].strip().lower()
    text = begin[:_LOOKED_AT].lstrip().lower()
    if not begin:
        raise SourceUnavailable("The source sends nothing. Check that its stream is switched on.")
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or (
        kind in ("text/html", "application/xhtml+xml") and _may_be_text(begin)
    ):
        raise InvalidStream(
            "The source sends a web page instead of a stream, maybe to sign in. Check its address,"
            " and give its user and password."
        )
    if begin.startswith(_PICTURES) and kind.startswith("image/"):
        raise InvalidStream(
            "The source sends a single picture instead of a stream. Give the address of its stream."
        )
    if text.startswith((b"<?xml", b"<mpd", b"<smil")):
        raise InvalidStream(
            "The source sends a description in XML instead of a stream (MPEG-DASH is not read)."
            " Give its address for HLS or RTSP."
        )
    if _may_be_text(begin) and not begin.startswith((_BOUNDARY, FIRST_LINE)):
        raise InvalidStream(
            "The source sends text instead of a stream. Check its address in a browser."
        )


def _may_be_text(begin: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in begin[:_LOOKED_AT])


def _within(there: Endpoint, head: Head) -> str:
    """Give the target that a redirect leads to, on the same server."""
    to = join(there, head.get("location"))
    if (to.scheme, to.host, to.port) != (there.scheme, there.host, there.port):
        require_success(head, None)
    return to.target
