"""Captions under the group picture, which say what it is."""

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from likeness.demo.group_picture import BACKGROUND, GAP, WIDTH, Pixels

_INK, _WARNING_INK, _FAINT_INK = (235, 235, 235), (255, 196, 87), (160, 160, 160)
_TITLE_SIZE, _TEXT_SIZE = 24, 19
_STRIP_HEIGHT = 150


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
