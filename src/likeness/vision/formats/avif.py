"""AVIF (AOMedia's AV1 Image File Format), decoded by the libavif inside Pillow.

How large and how deep its frames are is read here, of its AV1 data: sequence headers are of the AV1
specification (5.3, 5.5), the av1C box of its binding to ISO media files (2.3). The sides in the
file's own header are a claim: a decoder makes frames as large as the data asks for, and only then
sees that another size was claimed.
"""

import io
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import features
from PIL.AvifImagePlugin import AvifImageFile

from likeness.errors import UnsupportedImageFormat
from likeness.vision.formats.header import (
    ALPHA,
    SIXTEEN_BITS,
    Decoder,
    Format,
    Header,
    boxes_in,
    brands,
    exif_orientation,
    refuse_animation,
)
from likeness.vision.formats.rgb import from_pillow

_SEQUENCE = b"avis"
_BRANDS = (b"avif", _SEQUENCE)
_GENERAL = (b"mif1", b"miaf", b"mif2", b"msf1")
_DECODER_BYTES = 16.0  # bytes for each pixel of the largest frame

_FULL_BOX = 4  # bytes of version and flags, before the content of some boxes
_SEQUENCE_HEADER, _HAS_EXTENSION, _HAS_SIZE = 1, 0x04, 0x02
_HIGH, _TWELVE = 0x40, 0x20  # of av1C: samples of 10 bits, or of 12
_MAX_EXTENTS, _MAX_UNITS = 4096, 256


def _accepts(data: bytes) -> bool:
    major, *others = brands(data) or (b"",)
    return major in _BRANDS or (major in _GENERAL and any(one in _BRANDS for one in others))


def _header(data: bytes) -> Header:
    if not features.check("avif"):
        raise UnsupportedImageFormat(
            "AVIF pictures are not read here: this Pillow was built without their decoder."
            " Save the picture as a JPEG or a PNG."
        )
    with AvifImageFile(io.BytesIO(data)) as picture:
        # The frames of a sequence lie elsewhere than those of a picture, even where there is one.
        if picture.n_frames > 1 or data[8:12] == _SEQUENCE:
            raise refuse_animation("AVIF")
        sides = picture.size
        largest = max((width * height for width, height in frame_sides(data)), default=0)
        exif = picture.info.get("exif", b"")
        return Header(
            *sides,
            exif_orientation(exif.removeprefix(b"Exif\0\0")),
            remarks=(
                *((SIXTEEN_BITS,) if sample_bits(data) > 8 else ()),
                *((ALPHA,) if picture.mode == "RGBA" else ()),
            ),
            decoder_bytes=_DECODER_BYTES * max(1.0, largest / max(1, sides[0] * sides[1])),
        )


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with AvifImageFile(io.BytesIO(data)) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


def frame_sides(data: bytes) -> list[tuple[int, int]]:
    """Give the width and height in every sequence header of a file's AV1 items.

    Raises:
        ValueError, IndexError: the file is damaged.
    """
    boxes = _in_meta(data)
    others = _of_another_kind(boxes.get(b"iinf", b""))
    places = {False: memoryview(data), True: memoryview(boxes.get(b"idat", b""))}
    found: list[tuple[int, int]] = []
    joined = 0
    for item, in_meta, extents in _items(boxes.get(b"iloc", b"")):
        if item in others:
            continue
        parts = [places[in_meta][at : at + length if length else None] for at, length in extents]
        if len(parts) > 1:
            joined += sum(map(len, parts))
            if joined > len(data):
                raise ValueError("parts of its items share bytes")
            parts = [memoryview(b"".join(parts))]
        for part in parts:
            found.extend(_in_units(part))
    return found


def sample_bits(data: bytes) -> int:
    """Give the bits of a sample, 8 to 12: the most that its AV1 items are configured for.

    Raises:
        ValueError, IndexError: the file is damaged.
    """
    properties = _in_meta(data).get(b"iprp", b"")
    return max(
        (
            8
            + (2 if properties[at + 2] & _HIGH else 0)
            + (2 if properties[at + 2] & _TWELVE else 0)
            for outer, start, stop in boxes_in(properties, 0)
            if outer == b"ipco"
            for kind, at, _ in boxes_in(properties[:stop], start)
            if kind == b"av1C"
        ),
        default=8,
    )


def _in_meta(data: bytes) -> dict[bytes, bytes]:
    """The content of the boxes in a file's meta box, by their kind."""
    meta = next((data[at:end] for kind, at, end in boxes_in(data, 0) if kind == b"meta"), b"")
    return {kind: meta[at:end] for kind, at, end in boxes_in(meta, _FULL_BOX)}


class _Numbers(io.BytesIO):
    """Numbers of so many bytes, one after the other."""

    def take(self, size: int) -> int:
        taken = self.read(size)
        if len(taken) < size:
            raise ValueError("a box ends too early")
        return int.from_bytes(taken)


def _of_another_kind(iinf: bytes) -> set[int]:
    """Which items hold no AV1, such as EXIF."""
    others = set()
    for kind, at, end in boxes_in(iinf, 8 if iinf[:1] > b"\0" else 6):
        version = iinf[at]
        if kind == b"infe" and version >= 2:
            numbers = _Numbers(iinf[at + _FULL_BOX : end])
            item, _ = numbers.take(2 if version == 2 else 4), numbers.take(2)
            if numbers.take(4).to_bytes(4) != b"av01":
                others.add(item)
    return others


def _items(iloc: bytes) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Where items lie: their number, whether in the meta box, and start and length of their parts.

    A length of 0 is all that follows.
    """
    if not iloc:
        return
    numbers = _Numbers(iloc)
    version, _, sizes, more = (numbers.take(size) for size in (1, 3, 1, 1))
    most = _MAX_EXTENTS
    for _ in range(numbers.take(2 if version < 2 else 4)):
        item = numbers.take(2 if version < 2 else 4)
        method = numbers.take(2) & 15 if version else 0
        numbers.take(2)
        base, count = numbers.take(more >> 4), numbers.take(2)
        most -= max(1, count)
        if most < 0:
            raise ValueError(f"its items have more than {_MAX_EXTENTS} parts")
        extents = []
        for _ in range(count):
            numbers.take(more & 15 if version else 0)
            extents.append((base + numbers.take(sizes >> 4), numbers.take(sizes & 15)))
        yield item, method == 1, extents


def _in_units(data: memoryview) -> Iterator[tuple[int, int]]:
    """The sides in the sequence headers among the units (OBUs) of an item; none in what is none."""
    at = 0
    for _ in range(_MAX_UNITS):
        if at >= len(data) or data[at] & 0x81:  # bits that are zero in a unit
            return
        first, at = data[at], at + (2 if data[at] & _HAS_EXTENSION else 1)
        size = len(data) - at
        if first & _HAS_SIZE:
            size, at = _leb128(data, at)
        if first >> 3 & 15 == _SEQUENCE_HEADER:
            yield _sides(data[at : at + size])
        at += size
    raise ValueError(f"an item has more than {_MAX_UNITS} units")


def _leb128(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for n, byte in enumerate(islice(data[at : at + 8], 8)):
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return value, at + n + 1
    raise ValueError("a number has no end")


def _sides(header: memoryview) -> tuple[int, int]:
    """The largest frame that a sequence header of a still picture allows."""
    bits = iter(f"{int.from_bytes(header):0{8 * len(header)}b}")

    def take(count: int) -> int:
        taken = "".join(islice(bits, count))
        if len(taken) < count:
            raise ValueError("a sequence header ends too early")
        return int(taken or "0", 2)

    take(3)  # profile
    take(1)  # still picture
    if take(1):  # reduced header
        take(5)
    else:
        if take(1):
            raise ValueError("its frames have times")  # no still picture has
        has_delay = take(1)
        for _ in range(take(5) + 1):
            take(12)
            if take(5) > 7:
                take(1)
            if has_delay and take(1):
                take(4)
    width_bits, height_bits = take(4) + 1, take(4) + 1
    return take(width_bits) + 1, take(height_bits) + 1


AVIF = Format(_accepts, _header, Decoder("AVIF", _pixels))
