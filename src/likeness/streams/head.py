"""Heads of answers, which HTTP (RFC 9112) and RTSP (RFC 2326) have alike."""

import re
from dataclasses import dataclass

from likeness.errors import InvalidStream
from likeness.streams.limits import FeedLimits
from likeness.streams.wire import Wire, rubbish

_STATUS = re.compile(rb"(HTTP|RTSP)/1\.[01] ([1-5][0-9]{2})(?: .*)?")


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins; names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Give a header's value; empty where there is none."""
        return next((value for one, value in self.headers if one == name), "")

    def all_of(self, name: str) -> list[str]:
        """Give every value of a header."""
        return [value for one, value in self.headers if one == name]

    def length(self, most: int) -> int | None:
        """Give the length that the body has, if the head says.

        Raises:
            InvalidStream: it is no length, or more than `most`.
        """
        said = self.get("content-length")
        if not said:
            return None
        if not said.isascii() or not said.isdecimal() or len(said) > 18 or int(said) > most:
            raise rubbish()
        return int(said)


def read_head(wire: Wire, protocol: str, limits: FeedLimits, until_s: float) -> Head:
    """Read a status line and headers.

    Raises:
        SourceUnavailable: the source is silent, or hangs up.
        InvalidStream: it does not speak the protocol.
    """
    line = wire.line(limits.line_bytes, until_s)
    status = _STATUS.fullmatch(line)
    if status is None or status[1] != protocol.encode():
        raise InvalidStream(
            f"The source does not speak {protocol}. Check its address, above all its port."
        )
    return Head(int(status[2]), read_headers(wire, limits, until_s))


def read_headers(wire: Wire, limits: FeedLimits, until_s: float) -> tuple[tuple[str, str], ...]:
    """Read headers and the empty line after them.

    Raises:
        SourceUnavailable: the source is silent, or ended the connection.
        InvalidStream: they are none, too long or too many.
    """
    headers: list[tuple[str, str]] = []
    while line := wire.line(limits.line_bytes, until_s):
        name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
        if not colon or "\r" in value or len(headers) >= limits.headers:
            raise rubbish()
        headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def to_bytes(text: str) -> bytes:
    """Write text that may hold parts of a head, each byte of which is as it came."""
    return text.encode("utf-8", "surrogateescape")
