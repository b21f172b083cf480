"""What RTP packets of one frame hold, by how the video is coded.

Each coding's RFC says how a frame is cut into packets, and what a decoder needs before the first.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_START = b"\0\0\0\1"


class Missing(Exception):
    """A frame is not whole: a packet of it is missing, or makes no sense."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How packets are coded: the name after RFC 4855, ticks a second, and the format's values."""

    name: str
    rate: int
    values: dict[str, str] = field(default_factory=dict)


class Payload:
    """Takes the packets of one frame after the other; this is how most codings do it.

    Whatever makes no sense raises `Missing`, an `IndexError` or a `ValueError`.
    """

    decoder = ""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def add(self, payload: bytes) -> None:
        """Take what a packet holds.

        Raises:
            Missing: it makes no sense after what was before.
        """
        self.parts.append(payload)

    def whole(self) -> tuple[bytes, bool]:
        """Give the frame, and whether it stands alone."""
        return b"".join(self.parts), False

    def clear(self) -> None:
        """Begin the next frame."""
        self.parts.clear()


class _Units(Payload):
    """H.264 and H.265: frames are units, of which packets hold one, several, or a piece of one."""

    sets: tuple[str, ...] = ()

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        self._sets = list(_parameter_sets(values, self.sets))
        self._pieces: list[bytes] = []
        self._stands_alone = False

    def stands_alone(self, unit: bytes) -> bool:
        """Whether a unit is of a frame that needs none before it."""
        raise NotImplementedError

    def unit(self, unit: bytes) -> None:
        """Take a whole unit."""
        self._stands_alone = self._stands_alone or self.stands_alone(unit)
        self.parts.append(unit)

    def units(self, payload: bytes, at: int) -> None:
        """Take several units, each after its size."""
        while at < len(payload):
            size = int.from_bytes(payload[at : at + 2])
            at += 2 + size
            if not size or at > len(payload):
                raise Missing
            self.unit(payload[at - size : at])

    def piece(self, flags: int, first: bytes, piece: bytes) -> None:
        """Take a piece of a unit; `flags` say whether it is the first or last of them."""
        if flags & 0x80:
            self._pieces = [first]
        elif not self._pieces:
            raise Missing
        self._pieces.append(piece)
        if flags & 0x40:
            self.unit(b"".join(self._pieces))
            self._pieces = []

    def whole(self) -> tuple[bytes, bool]:
        """Give the frame's units as a file has them, each with a start code."""
        if self._pieces:
            raise Missing
        sets, self._sets = self._sets, []
        return b"".join(_START + unit for unit in (*sets, *self.parts)), self._stands_alone

    def clear(self) -> None:
        """Begin the next frame."""
        super().clear()
        self._pieces = []
        self._stands_alone = False


class H264(_Units):
    """H.264 (RFC 6184), without interleaving."""

    decoder = "h264"
    sets = ("sprop-parameter-sets",)

    def stands_alone(self, unit: bytes) -> bool:
        """Whether it is a slice of an IDR picture."""
        return unit[0] & 0x1F == 5

    def add(self, payload: bytes) -> None:
        """Take a packet's units."""
        kind = payload[0] & 0x1F
        if kind == 28:
            first = bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            self.piece(payload[1], first, payload[2:])
        elif kind == 24:
            self.units(payload, 1)
        elif 0 < kind < 24:
            self.unit(payload)


class H265(_Units):
    """H.265 (RFC 7798), without interleaving."""

    decoder = "hevc"
    sets = ("sprop-vps", "sprop-sps", "sprop-pps")

    def stands_alone(self, unit: bytes) -> bool:
        """Whether it is a slice of a picture at which decoding may begin."""
        return 16 <= unit[0] >> 1 & 0x3F <= 21

    def add(self, payload: bytes) -> None:
        """Take a packet's units."""
        kind = payload[0] >> 1 & 0x3F
        if kind == 49:
            first = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
            self.piece(payload[2], first, payload[3:])
        elif kind == 48:
            self.units(payload, 2)
        elif kind < 48:
            self.unit(payload)


def _parameter_sets(values: dict[str, str], names: tuple[str, ...]) -> Iterator[bytes]:
    for name in names:
        for coded in values.get(name, "").split(","):
            try:
                unit = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue
            if unit:
                yield unit


class Mpeg4(Payload):
    """MPEG-4 Visual (RFC 6416)."""

    decoder = "mpeg4"

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        try:
            self._config = bytes.fromhex(values.get("config", ""))
        except ValueError:
            self._config = b""

    def whole(self) -> tuple[bytes, bool]:
        """Give the frame; the first has the settings before it."""
        config, self._config = self._config, b""
        data, _ = super().whole()
        at = data.find(b"\0\0\1\xb6")
        return config + data, 0 <= at < len(data) - 4 and data[at + 4] >> 6 == 0


class Mpeg2(Payload):
    """MPEG-1 and MPEG-2 video (RFC 2250)."""

    decoder = "mpeg2video"

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        self._stands_alone = False

    def add(self, payload: bytes) -> None:
        """Take a packet's slices, behind a header of 4 or 8 bytes."""
        self._stands_alone = payload[2] & 0x07 == 1
        self.parts.append(payload[8 if payload[0] & 0x04 else 4 :])

    def whole(self) -> tuple[bytes, bool]:
        """Give the frame."""
        return b"".join(self.parts), self._stands_alone


class Vp8(Payload):
    """VP8 (RFC 7741)."""

    decoder = "vp8"

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()

    def add(self, payload: bytes) -> None:
        """Take a packet, behind a header of up to 6 bytes."""
        at = 1
        if payload[0] & 0x80:
            more = payload[1]
            at = 2
            if more & 0x80:
                at += 2 if payload[2] & 0x80 else 1
            at += bool(more & 0x40) + bool(more & 0x30)
        begins = payload[0] & 0x10 and not payload[0] & 0x0F
        if bool(begins) != (not self.parts) or at >= len(payload):
            raise Missing
        self.parts.append(payload[at:])

    def whole(self) -> tuple[bytes, bool]:
        """Give the frame."""
        data, _ = super().whole()
        return data, bool(data) and not data[0] & 1


class Jpeg(Payload):
    """JPEG (RFC 2435): packets leave out the tables that every such picture has."""

    decoder = "mjpeg"

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        self._tables: dict[int, bytes] = {}
        self._head = b""
        self._size = 0

    def add(self, payload: bytes) -> None:
        """Take a piece of a picture's scan."""
        offset = int.from_bytes(payload[1:4])
        kind, quality, width, height = payload[4:8]
        at = 8
        restart = 0
        if kind & 0x40:
            restart = int.from_bytes(payload[8:10])
            at = 12
        if offset != self._size or kind & 0x3F > 1 or not quality or 0 in (width, height):
            raise Missing
        if not offset:
            tables, at = self._tables_of(payload, quality, at)
            self._head = _jpeg_head(kind & 0x3F, 8 * width, 8 * height, tables, restart)
        self.parts.append(payload[at:])
        self._size += len(payload) - at

    def _tables_of(self, payload: bytes, quality: int, at: int) -> tuple[bytes, int]:
        if quality < 128:
            return _scaled_tables(quality), at
        length = int.from_bytes(payload[at + 2 : at + 4])
        tables = payload[at + 4 : at + 4 + length]
        if length:
            if payload[at + 1] or len(tables) != length or length not in (64, 128):
                raise Missing
            self._tables[quality] = tables
        elif quality not in self._tables:
            raise Missing
        return self._tables[quality], at + 4 + length

    def whole(self) -> tuple[bytes, bool]:
        """Give the picture as a file has it."""
        if not self._head:
            raise Missing
        return b"".join((self._head, *self.parts, b"\xff\xd9")), True

    def clear(self) -> None:
        """Begin the next picture."""
        super().clear()
        self._head = b""
        self._size = 0


def _scaled_tables(quality: int) -> bytes:
    quality = min(max(quality, 1), 99)
    factor = 5000 // quality if quality < 50 else 200 - 2 * quality
    return bytes(min(max((one * factor + 50) // 100, 1), 255) for one in _QUANTIZERS)


def _jpeg_head(kind: int, width: int, height: int, tables: bytes, restart: int) -> bytes:
    """Write what stands before the scan (RFC 2435, appendix B)."""
    head = [b"\xff\xd8"]
    for number in range(len(tables) // 64):
        head.append(b"\xff\xdb\0\x43" + bytes([number]) + tables[64 * number : 64 * number + 64])
    if restart:
        head.append(b"\xff\xdd\0\4" + restart.to_bytes(2))
    second = 1 if len(tables) > 64 else 0
    sampling = 0x22 if kind else 0x21
    head.append(
        b"\xff\xc0\0\x11\x08"
        + height.to_bytes(2)
        + width.to_bytes(2)
        + bytes([3, 1, sampling, 0, 2, 0x11, second, 3, 0x11, second])
    )
    head.append(b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0")
    return b"".join(head)


# The tables of ITU-T T.81, annex K, in zigzag order. Those of Huffman's codes every decoder knows.
_LUMA = (
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933"
    "383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMA = "1112121815182f1a1a2f63423842" + "63" * 50
_QUANTIZERS = bytes.fromhex(_LUMA + _CHROMA)

_PAYLOADS: dict[str, Callable[[dict[str, str]], Payload]] = {
    "H264": H264,
    "H265": H265,
    "HEVC": H265,
    "JPEG": Jpeg,
    "MP4V-ES": Mpeg4,
    "MPV": Mpeg2,
    "VP8": Vp8,
}


def payload_of(coding: Coding) -> Payload | None:
    """Give what reads packets of a coding; None where nothing here does."""
    make = _PAYLOADS.get(coding.name)
    return None if make is None else make(coding.values)
