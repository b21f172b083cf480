"""Pictures for people to look at: a copy that shows what was found, and faces that are cut out."""

from collections.abc import Sequence
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import Fault
from likeness.terms import Box, Face, Image, Point

_INK = (0, 0, 0)
# Of the longer side of the picture.
_LINE_SHARE, _TEXT_SHARE = 1 / 400, 1 / 55
_LEAST_TEXT = 11
_WEIGHT = 400
_TALL_AND_DEEP = "Ågj|"

_SIDE_PX = 256
_MARGIN = 0.35
_JPEG_QUALITY = 90
_GREY = (128, 128, 128)
# Of the longer side: what is left of a face are its colours.
_BLUR_SHARE = 1 / 8


class Mark(Enum):
    """What to say about a face in colour; the value is its RGB.

    The colours differ for every kind of colour vision (Okabe and Ito, Color universal design,
    2008), and each is light enough for black letters on it.
    """

    FOUND = (240, 228, 66)
    MATCHED = (86, 180, 233)
    UNMATCHED = (230, 159, 0)


def annotate(
    image: Image,
    faces: Sequence[Face],
    labels: Sequence[str],
    marks: Sequence[Mark] | None = None,
) -> Image:
    """Draw the box, the landmarks and the label of each face on a copy of the picture.

    Lines and letters grow with the picture. Labels stay inside it, on one line, cut short where it
    is too narrow; an empty one is left out.

    Args:
        image: the picture, which stays as it is.
        faces: what was found in it, in its full frame.
        labels: one a face, in any language that OpenCV's own font can write: Latin, Greek,
            Cyrillic, Chinese, Japanese and Korean ones; others become question marks.
        marks: one a face; `Mark.FOUND` for all without.
    """
    pen = _Pen(image)
    marks = [Mark.FOUND] * len(faces) if marks is None else marks
    # Labels last, so that no box crosses out another face's name.
    for face, mark in zip(faces, marks, strict=True):
        pen.outline(face.box, mark)
        for point in face.landmarks.points:
            pen.dot(point, mark)
    for face, label, mark in zip(faces, labels, marks, strict=True):
        pen.label(face.box, _one_line(label), mark)
    return Image(pen.pixels, image.width, image.height)


def mark_boxes(
    image: Image, boxes: Sequence[Box], labels: Sequence[str], marks: Sequence[Mark]
) -> Image:
    """Draw boxes with their labels on a copy of the picture, each in its mark's colour."""
    pen = _Pen(image)
    for box, mark in zip(boxes, marks, strict=True):
        pen.outline(box, mark)
    for box, label, mark in zip(boxes, labels, marks, strict=True):
        pen.label(box, _one_line(label), mark)
    return Image(pen.pixels, image.width, image.height)


def captioned(image: Image, text: str) -> Image:
    """Write a line into the upper left corner of a copy of the picture."""
    pen = _Pen(image)
    pen.label(Box(0, 0, 0, 0), _one_line(text), Mark.FOUND)
    return Image(pen.pixels, image.width, image.height)


class _Pen:
    """Draws on a copy of one picture, with lines and letters that suit its size."""

    def __init__(self, image: Image) -> None:
        self.pixels: NDArray[np.uint8] = image.pixels.copy()
        self._height, self._width = self.pixels.shape[:2]
        self._scale_x, self._scale_y = image.scale_xy
        longer_side = max(self._width, self._height)
        self._line = max(1, round(longer_side * _LINE_SHARE))
        self._edge = max(1, self._line // 2)
        self._text_size = max(_LEAST_TEXT, round(longer_side * _TEXT_SHARE))
        self._font = cv2.FontFace("sans")

    def outline(self, box: Box, mark: Mark) -> None:
        """Outline in the mark's colour, edged in black to stand out from anything."""
        left_top, right_bottom = self._corners(box)
        for colour, thickness in ((_INK, self._line + 2 * self._edge), (mark.value, self._line)):
            cv2.rectangle(self.pixels, left_top, right_bottom, colour, thickness)

    def dot(self, point: Point, mark: Mark) -> None:
        """Mark a point, edged in black too."""
        at = self._held(point.x, point.y)
        for colour, radius in ((_INK, self._line + 2), (mark.value, self._line + 1)):
            cv2.circle(self.pixels, at, radius, colour, cv2.FILLED, cv2.LINE_AA)

    def label(self, box: Box, text: str, mark: Mark) -> None:
        """Write above the box, below it where there is no room, inside it failing both."""
        if not text:
            return
        pad = self._line + 1
        text = self._shortened(text, self._width - 2 * pad)
        # One height for every label, whatever letters are in it.
        _, ascent, _, text_height = self._measure(_TALL_AND_DEEP)
        width, height = self._measure(text)[2] + 2 * pad, text_height + 2 * pad
        (left, above), (_, below) = self._corners(box)
        x = max(0, min(left, self._width - width))
        tops = (y for y in (above - height, below) if 0 <= y <= self._height - height)
        y = next(tops, above)
        plate = (x, y), (x + width, y + height)
        cv2.rectangle(self.pixels, *plate, mark.value, cv2.FILLED)
        cv2.rectangle(self.pixels, *plate, _INK, 1)
        baseline = x + pad, y + pad - ascent
        cv2.putText(self.pixels, text, baseline, _INK, self._font, self._text_size, _WEIGHT)

    def _corners(self, box: Box) -> tuple[tuple[int, int], tuple[int, int]]:
        """Left top and right bottom of what of a box lies inside the picture."""
        left, top = self._held(box.left, box.top)
        right, bottom = self._held(box.right, box.bottom)
        return self._inside(left, top), self._inside(right, bottom)

    def _held(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self._scale_x), round(y * self._scale_y)

    def _inside(self, x: int, y: int) -> tuple[int, int]:
        return min(max(x, 0), self._width - 1), min(max(y, 0), self._height - 1)

    def _measure(self, text: str) -> tuple[int, int, int, int]:
        """Left, top, width and height of a text whose baseline begins at 0, 0."""
        frame = (self._width, self._height)
        left, top, width, height = cv2.getTextSize(
            frame, text, (0, 0), self._font, self._text_size, _WEIGHT
        )
        return left, top, width, height

    def _shortened(self, text: str, room: int) -> str:
        if self._measure(text)[2] <= room:
            return text
        kept = len(text)
        while kept and self._measure(text[:kept] + "…")[2] > room:
            kept -= 1
        return text[:kept] + "…"


def _one_line(label: str) -> str:
    # A name may be a file's, whose bytes need not be characters.
    return " ".join(label.encode(errors="replace").decode().split())


def face_crop_jpeg(image: Image, box: Box) -> bytes:
    """Cut a face out, with a third of its size around it, as a JPEG of at most 256x256 pixels.

    `box` is in the picture's full frame. What lies beyond the picture is grey.
    """
    scale_x, scale_y = image.scale_xy
    height, width = image.pixels.shape[:2]
    half = max(box.width, box.height) * (0.5 + _MARGIN)
    centre_x, centre_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, right = round((centre_x - half) * scale_x), round((centre_x + half) * scale_x)
    top, bottom = round((centre_y - half) * scale_y), round((centre_y + half) * scale_y)
    inside = image.pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    crop = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=_GREY)
    if max(crop.shape) > _SIDE_PX:
        crop = cv2.resize(crop, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    parameters = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise Fault("OpenCV could not write a face as JPEG. Please report this.")
    return encoded.tobytes()


def blurred_jpeg(picture_jpeg: bytes) -> bytes:
    """Blur a whole picture so far that nobody has to see what it shows, as a JPEG of its size.

    It spares who looks; it is no promise that nobody can be recognised.

    Raises:
        Fault: it is no picture.
    """
    pixels = cv2.imdecode(np.frombuffer(picture_jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise Fault("A picture that was kept of a face cannot be read. Run `likeness doctor`.")
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(1.0, max(pixels.shape) * _BLUR_SHARE))
    done, encoded = cv2.imencode(".jpg", blurred, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise Fault("OpenCV could not write a face as JPEG. Please report this.")
    return encoded.tobytes()


def box_in_crop(box: Box, width: int, height: int) -> Box:
    """Say where the face with a box in its picture is in a crop of it, of some size in pixels."""
    whole = max(box.width, box.height) * (1 + 2 * _MARGIN)
    half_x, half_y = width * box.width / whole / 2, height * box.height / whole / 2
    return Box(width / 2 - half_x, height / 2 - half_y, width / 2 + half_x, height / 2 + half_y)
