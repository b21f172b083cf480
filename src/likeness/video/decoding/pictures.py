"""Turns decoded frames into RGB or planes of one size, whatever they are made of."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.sidedata.sidedata import SideDataContainer, Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)

from . import messages

_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
_BLACK, _GREY = 16, 128  # of brightness, and of both colours
_HD_FROM = 720  # lines: what says nothing of its colours is of BT.709 from here on
# Pixels are at most so much wider than high, or higher than wide; else nobody meant it.
_LONGEST_PIXEL = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """What all frames of a clip are brought to.

    `width` and `height` are pixels before the turn. `quarters` is by how many quarters of a turn a
    frame is turned counter-clockwise to be upright, after it was mirrored left to right where
    `mirrored`.
    """

    width: int
    height: int
    quarters: int
    mirrored: bool


def shape_of(frame: VideoFrame, pixel: Fraction | None) -> Shape:
    """Say what a clip's first frame asks for; `pixel` is how wide a pixel is for its height."""
    width, height = frame.width, frame.height
    if pixel and Fraction(1, _LONGEST_PIXEL) <= pixel <= _LONGEST_PIXEL:
        if pixel > 1:
            width = round(width * pixel)
        else:
            height = round(height / pixel)
    return Shape(width, height, *_turn(frame))


def _turn(frame: VideoFrame) -> tuple[int, bool]:
    """Read the display matrix: 3 x 3 numbers of 32 bits, of which four turn and mirror."""
    try:
        # `frame.side_data` would keep the frame, and be kept by it, until Python searches for
        # garbage: hundreds of frames. PyAV's types do not know the container's argument.
        carried: Any = SideDataContainer
        matrix = bytes(carried(frame)[Type.DISPLAYMATRIX])
    except (KeyError, ValueError):  # none, or PyAV does not know what else the frame carries
        return round(frame.rotation / 90) % 4, False
    if len(matrix) != 36:
        return 0, False
    # A place is moved from (x, y) to (ax + cy, bx + dy), y pointing down.
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a >= 0 else 2), mirrored
    return (3 if b > 0 else 1), mirrored


def is_hdr(frame: VideoFrame) -> bool:
    """Whether its light is coded for high dynamic range (PQ or HLG)."""
    return frame.color_trc in _HDR


def told_of(first: VideoFrame, shape: Shape) -> dict[str, object]:
    """Say what a first frame says of all."""
    return {
        "width": shape.width,
        "height": shape.height,
        "quarters": shape.quarters,
        "mirrored": shape.mirrored,
        "stretched": (shape.width, shape.height) != (first.width, first.height),
        "hdr": is_hdr(first),
        "interlaced": first.interlaced_frame,
        "full_range": int(first.color_range) == _FULL_RANGE,
        "bits": bits_of(first.format),
    }


def bits_of(form: VideoFormat) -> int:
    """Say how many bits a sample has."""
    return form.components[0].bits if form.components else 8


class Converter:
    """Converts frames, with a scaler for each kind of picture: what it works out serves the next.

    `first` is the clip's first frame, of which the shape was made.
    """

    def __init__(self, shape: Shape, first: VideoFrame) -> None:
        self._shape = shape
        self._first = first.width, first.height
        self._pictures = VideoReformatter()
        self._thumbnails = VideoReformatter()
        self._planes = VideoReformatter()
        self.resized_s: float | None = None

    def picture(self, frame: VideoFrame, time_s: float, into: memoryview) -> None:
        """Write a frame as RGB; one of another shape is fitted in, with black beside it."""
        width, height = self._fitted(frame, time_s)
        left, top = (self._shape.width - width) // 2, (self._shape.height - height) // 2
        if (width, height) != (self._shape.width, self._shape.height):
            into[:] = bytes(len(into))
        rgb = _rgb(self._pictures, frame, width, height, Interpolation.BICUBIC, hdr=is_hdr(frame))
        place = (top * self._shape.width + left) * 3
        _copy(rgb.planes[0], (width * 3, height), into[place:], self._shape.width * 3)

    def planes(self, frame: VideoFrame, time_s: float, into: memoryview) -> None:
        """Write a frame as YCbCr 4:2:0 (BT.709, narrow range), plane by plane.

        One of another shape is fitted in, with black beside it.
        """
        width, height = self._fitted(frame, time_s)
        # Both colours have a sample for two pixels each way: places are even.
        left, top = (self._shape.width - width) // 4, (self._shape.height - height) // 4
        most = self._shape.width, self._shape.height
        coded = self._coded(frame, width, height)
        at = 0
        for plane, step, empty in zip(coded.planes, (1, 2, 2), (_BLACK, _GREY, _GREY), strict=True):
            row, rows = (-(-side // step) for side in most)
            whole = into[at : at + row * rows]
            if (width, height) != most:
                whole[:] = bytes([empty]) * len(whole)
            used = -(-width // step), -(-height // step)
            place = top * 2 // step * row + left * 2 // step
            _copy(plane, used, whole[place:], row)
            at += row * rows

    def _coded(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        """Convert one frame to how clips are written; most are so already, and stay as they are."""
        hdr = is_hdr(frame)
        # Rows may lie from the last to the first: no plane of PyAV's says where those begin.
        if hdr or any(plane.line_size < 0 for plane in frame.planes):
            frame = _rgb(self._pictures, frame, width, height, Interpolation.BICUBIC, hdr=hdr)
        return self._planes.reformat(
            frame,
            width=width,
            height=height,
            format="yuv420p",
            src_colorspace=_colours(frame),
            src_color_range=_range(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )

    def _fitted(self, frame: VideoFrame, time_s: float) -> tuple[int, int]:
        most = self._shape.width, self._shape.height
        if (frame.width, frame.height) == self._first:
            return most
        if self.resized_s is None:
            self.resized_s = time_s
        # Its pixels are as wide for their height as those of the first frame.
        width = frame.width * most[0] / self._first[0]
        height = frame.height * most[1] / self._first[1]
        scale = min(most[0] / width, most[1] / height)
        return max(1, min(most[0], round(width * scale))), max(
            1, min(most[1], round(height * scale))
        )

    def thumbnail(self, frame: VideoFrame) -> bytes:
        """Make the small picture of the whole frame."""
        width, height = messages.THUMBNAIL_WH
        if self._shape.quarters % 2:
            width, height = height, width
        # To bring HDR down takes seconds once for each scaler, and a thumbnail is not looked at.
        rgb = _rgb(self._thumbnails, frame, width, height, Interpolation.AREA, hdr=False)
        small = bytearray(messages.THUMBNAIL_BYTES)
        _copy(rgb.planes[0], (width * 3, height), memoryview(small), width * 3)
        return bytes(small)


def _rgb(
    scaler: VideoReformatter,
    frame: VideoFrame,
    width: int,
    height: int,
    how: Interpolation,
    *,
    hdr: bool,
) -> VideoFrame:
    """Convert one frame; where `hdr`, its light comes down to what screens usually show."""
    colours = _colours(frame)
    return scaler.reformat(
        frame,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=colours,
        dst_colorspace=colours,
        interpolation=how,
        dst_color_trc=ColorTrc.BT709 if hdr else None,
        dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
        threads=1,
    )


def _colours(frame: VideoFrame) -> Colorspace | None:
    """Say of which colours a frame is that says nothing of them; None where it does."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= _HD_FROM else Colorspace.ITU601


def _range(frame: VideoFrame) -> ColorRange | None:
    """Say of which range a frame is that says nothing of it; None where it does."""
    says_nothing = int(frame.color_range) == ColorRange.UNSPECIFIED
    narrow = frame.format.name.startswith("yuv") and not frame.format.name.startswith("yuvj")
    return ColorRange.MPEG if says_nothing and narrow else None


def _copy(plane: VideoPlane, used: tuple[int, int], into: memoryview, row: int) -> None:
    """Copy a plane, of which so many bytes of so many rows are used, to rows of `row` bytes."""
    samples, line, (width, rows) = memoryview(plane), plane.line_size, used
    if line == width == row:
        into[: line * rows] = samples[: line * rows]
        return
    for number in range(rows):
        into[number * row : number * row + width] = samples[number * line : number * line + width]
