"""Hides parts of a picture beyond recovery: the pixels that were there are destroyed.

What is left of a face is at most the mean colours of a few cells, coarsely rounded, or nothing.
Nothing of what was there is blended in, at no edge: what is mixed could be taken apart again.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Box

_MARGIN = 0.25
"""What is hidden beyond a box, as a share of its sides: an ellipse that holds its corners too."""

# Means of cells are rounded to so many levels: what differs by less is lost.
_LEVEL = 16
# So many pixels across a cell give its mean.
_ENOUGH_PX = 24


class Style(StrEnum):
    """What is seen where something is hidden."""

    BLUR = "blur"
    """The colours of a few cells that run into each other."""
    PIXELATE = "pixelate"
    """The same colours as squares."""
    BLACK = "black"
    """Nothing."""


# How many cells the shorter side of a box has. Recognisers tell people by five that run into each
# other more often than by chance, and by eight squares: docs/redact.md.
_CELLS = {Style.BLUR: 3, Style.PIXELATE: 5}


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture to be hidden: the ellipse around a box grown by `margin` on each side.

    `margin` is a share of the box's width and height. Cells are as large as the box asks for.
    """

    box: Box
    margin: float = _MARGIN


def hide(pixels: NDArray[np.uint8], regions: Iterable[Region], style: Style) -> None:
    """Hide regions of (height, width, 3) pixels in place; all other pixels stay as they are."""
    for region in regions:
        _hide_one(pixels, region, style)


def _hide_one(pixels: NDArray[np.uint8], region: Region, style: Style) -> None:
    box = region.box
    height, width = pixels.shape[:2]
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    across, down = box.width * (0.5 + region.margin), box.height * (0.5 + region.margin)
    left, right = _held(x - across, x + across, width)
    top, bottom = _held(y - down, y + down, height)
    if left >= right or top >= bottom:
        return
    part = pixels[top:bottom, left:right]
    # Of each pixel its nearest place counts: one that is touched is hidden whole.
    beside = np.maximum(np.abs(np.arange(left, right) + 0.5 - x) - 0.5, 0) / across
    above = np.maximum(np.abs(np.arange(top, bottom) + 0.5 - y) - 0.5, 0) / down
    inside = above[:, None] ** 2 + beside[None, :] ** 2 <= 1
    if style is Style.BLACK:
        filled = np.zeros_like(part)
    else:
        filled = _filled(part, min(box.width, box.height) / _CELLS[style], style)
    cv2.copyTo(filled, inside.view(np.uint8), part)


def _filled(part: NDArray[np.uint8], cell: float, style: Style) -> NDArray[np.uint8]:
    """Make the same picture of a few cells, each of its mean colour."""
    height, width = part.shape[:2]
    cells = max(1, math.floor(width / cell)), max(1, math.floor(height / cell))
    # Of large cells, a mean of fewer pixels is as good.
    step = max(1, int(cell // _ENOUGH_PX))
    few = np.ascontiguousarray(part[::step, ::step])
    means = cv2.resize(few, cells, interpolation=cv2.INTER_AREA)
    means = means // _LEVEL * _LEVEL + _LEVEL // 2
    how = cv2.INTER_NEAREST if style is Style.PIXELATE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(means, (width, height), interpolation=how), np.uint8)


def _held(begin: float, end: float, most: int) -> tuple[int, int]:
    """Give whole pixels of the picture, from the first that is touched to the last."""
    return max(0, math.floor(begin)), min(most, math.ceil(end))
