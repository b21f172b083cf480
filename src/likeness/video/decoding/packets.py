"""Puts frames together of RTP packets (RFC 3550), as cameras send them one by one.

A frame is whole with the packet that is marked as its last, not only when the next one begins:
nobody waits for the time between two. Frames of which a packet is missing are left out, and
counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .payloads import Coding, Missing, Payload

_HEADER_BYTES = 12
_FIELDS = (2, 4), (4, 8), (8, 12)
# So many may be missing at once; so many that follow each other are a line (RFC 3550, A.1).
_MOST_MISSING, _SETTLED = 3000, 5
_REPORTS = range(192, 224)  # packets of RTCP (RFC 5761)
_MOST_BYTES = 32 << 20  # of one frame
_CODING = re.compile(r"^a=rtpmap:[0-9]+ +([A-Za-z0-9-]+)/([0-9]+)", re.MULTILINE)
_STATIC = re.compile(r"^m=video [0-9]+ RTP/AVPF? (26|32|33)\b", re.MULTILINE)
_STATIC_NAMES = {"26": "JPEG", "32": "MPV", "33": "MP2T"}
_FORM = re.compile(r"^a=fmtp:[0-9]+ +(.*)$", re.MULTILINE)
_RATE = 90_000


def read_coding(sdp: str) -> Coding | None:
    """Read what the first video of a description is; None where it does not say so."""
    values: dict[str, str] = {}
    form = _FORM.search(sdp)
    if form is not None:
        for pair in form[1].strip().split(";"):
            name, _, value = pair.strip().partition("=")
            values[name.lower()] = value
    coding = _CODING.search(sdp)
    if coding is not None:
        rate = int(coding[2])
        return Coding(coding[1].upper(), rate if 0 < rate < 1 << 31 else _RATE, values)
    static = _STATIC.search(sdp)
    return None if static is None else Coding(_STATIC_NAMES[static[1]], _RATE, values)


@dataclass(frozen=True, slots=True)
class Unit:
    """A frame as it is coded. `ticks` ascend without end where the stream's stamps turn over.

    `stands_alone` says that it needs no frame before it.
    """

    data: bytes
    ticks: int
    stands_alone: bool


class Frames:
    """Puts frames together; `damaged` counts those that were not whole."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self._source = 0
        self._number: int | None = None
        self._strays = 0
        self._next_stray = 0, 0
        self._stamp: int | None = None
        self._ticks = 0
        self._size = 0
        self._is_damaged = False
        self.damaged = 0

    def take(self, packet: bytes) -> Iterator[Unit]:
        """Take a packet, and give the frames that are whole with it: none, one or two."""
        read = _read(packet)
        if read is None:
            return
        source, number, stamp, is_last, payload = read
        ahead = self._ahead(source, number)
        if ahead is None:
            return
        if stamp != self._stamp and self._stamp is not None and self._size:
            # The end of the frame before was not marked, or is missing.
            self._is_damaged = self._is_damaged or ahead > 0
            yield from self._end()
        self._is_damaged = self._is_damaged or ahead > 0
        self._go_to(stamp)
        self._add(payload)
        if is_last:
            yield from self._end()

    def _ahead(self, source: int, number: int) -> int | None:
        """Say how many packets are missing before one; None where it is off the line.

        So are those that come again or too late, and those that somebody else sends. A few that
        follow each other are another line, on which it goes on.
        """
        ahead = 0
        if self._number is not None:
            ahead = (number - self._number - 1) & 0xFFFF
            if source != self._source or ahead > _MOST_MISSING:
                self._strays = self._strays + 1 if self._next_stray == (source, number) else 1
                self._next_stray = source, (number + 1) & 0xFFFF
                if self._strays < _SETTLED:
                    return None
                ahead = 1
        self._source, self._number, self._strays = source, number, 0
        return ahead

    def _add(self, payload: bytes) -> None:
        self._size += len(payload)
        if self._is_damaged:
            return
        try:
            if self._size > _MOST_BYTES:
                raise Missing
            self._payload.add(payload)
        except (Missing, IndexError, ValueError):
            self._is_damaged = True

    def _go_to(self, stamp: int) -> None:
        if self._stamp is not None:
            ahead = (stamp - self._stamp) & 0xFFFF_FFFF
            self._ticks += ahead - (ahead >> 31 << 32)
        self._stamp = stamp

    def _end(self) -> Iterator[Unit]:
        data, stands_alone = b"", False
        try:
            if not self._is_damaged:
                data, stands_alone = self._payload.whole()
        except (Missing, IndexError, ValueError):
            self._is_damaged = True
        self.damaged += self._is_damaged
        self._payload.clear()
        self._is_damaged = False
        self._size = 0
        if data:
            yield Unit(data, self._ticks, stands_alone)


def _read(packet: bytes) -> tuple[int, int, int, bool, bytes] | None:
    """Read a packet: its source, number, and stamp, whether it is a frame's last, and content."""
    if len(packet) < _HEADER_BYTES or packet[0] >> 6 != 2 or packet[1] in _REPORTS:
        return None
    begin = _HEADER_BYTES + 4 * (packet[0] & 0x0F)
    end = len(packet)
    if packet[0] & 0x10:  # an extension
        if end < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4])
    if packet[0] & 0x20:  # padding
        end -= packet[-1]
    if begin >= end:
        return None
    number, stamp, source = (int.from_bytes(packet[at:to]) for at, to in _FIELDS)
    return source, number, stamp, bool(packet[1] & 0x80), packet[begin:end]


def content_of(packet: bytes) -> bytes:
    """Give what a packet holds, where that is just bytes of a container (RFC 2250: MP2T)."""
    read = _read(packet)
    return b"" if read is None else read[4]
