"""The group picture: portraits side by side, with captions that say what it is."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from likeness.terms import Box, Image

Pixels = NDArray[np.uint8]

# What `altered` does, for captions.
ALTERATIONS = "mirrored, turned, darker, warmer, grainy"

WIDTH, HEIGHT, GAP = 480, 600, 12
BACKGROUND = 24
# A portrait is this many times as high as the face, and the face is this far down in it.
_FACE_HEIGHTS, _FACE_CENTRE = 2.6, 0.45
_TURN_DEGREES = 6.0
_WARM_AND_DARK_RGB = (0.80, 0.68, 0.52)
_GRAIN = 9.0
_INK, _WARNING_INK, _FAINT_INK = (235, 235, 235), (255, 196, 87), (160, 160, 160)
_TITLE_SIZE, _TEXT_SIZE = 24, 19
_STRIP_HEIGHT = 150


def portrait(image: Image, box: Box) -> Pixels:
    """Cut a face out with its surroundings: (600, 480, 3) RGB."""
    height = min(_FACE_HEIGHTS * box.height, image.height, image.width * HEIGHT / WIDTH)
    width = height * WIDTH / HEIGHT
    left = _within((box.left + box.right) / 2 - width / 2, image.width - width)
    top = _within((box.top + box.bottom) / 2 - height * _FACE_CENTRE, image.height - height)
    cut = image.pixels[round(top) : round(top + height), round(left) : round(left + width)]
    shrinks = cut.shape[0] > HEIGHT
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (WIDTH, HEIGHT), interpolation=method), np.uint8)


def altered(pixels: Pixels) -> Pixels:
    """Alter a portrait so that anybody sees it, always in the same way."""
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), _TURN_DEGREES, 1.12)
    turned = cv2.warpAffine(pixels[:, ::-1], turn, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, _GRAIN, turned.shape[:2])[..., None]
    return np.asarray(np.clip(turned * _WARM_AND_DARK_RGB + grain, 0, 255), np.uint8)


def side_by_side(portraits: list[Pixels]) -> Pixels:
    """Put portraits next to each other, with a frame around each."""
    count = len(portraits)
    shape = (HEIGHT + 2 * GAP, count * (WIDTH + GAP) + GAP, 3)
    group = np.full(shape, BACKGROUND, np.uint8)
    for place, pixels in enumerate(portraits):
        left = GAP + place * (WIDTH + GAP)
        group[GAP : GAP + HEIGHT, left : left + WIDTH] = pixels
    return group


def captioned(group: Pixels, titles: list[tuple[str, str, bool]], footer: str) -> Pixels:
    """Put a strip below a group picture.

    Args:
        group: (h, w, 3) RGB, from `side_by_side`.
        titles: of each portrait a title, a line below it, and whether it is a warning.
        footer: what the whole is.
    """
    height, width = group.shape[:2]
    picture = Pillow.new("RGB", (width, height + _STRIP_HEIGHT), (BACKGROUND,) * 3)
    picture.paste(Pillow.fromarray(group))
    pen = ImageDraw.Draw(picture)
    title_font = ImageFont.load_default(_TITLE_SIZE)
    font = ImageFont.load_default(_TEXT_SIZE)
    for place, (title, line, warns) in enumerate(titles):
        left = GAP + place * (WIDTH + GAP)
        ink = _WARNING_INK if warns else _INK
        pen.text((left, height + 4), title, _INK, title_font)
        pen.multiline_text((left, height + 38), line, ink, font, spacing=6)
    pen.text((GAP, height + _STRIP_HEIGHT - _TEXT_SIZE - 14), footer, _FAINT_INK, font)
    return np.asarray(picture)


def place_of(box: Box) -> int:
    """Say which portrait of a group picture a face is in, from 0."""
    return int((box.left + box.right) / 2 - GAP / 2) // (WIDTH + GAP)


def _within(start: float, most: float) -> float:
    return min(max(start, 0.0), max(most, 0.0))
