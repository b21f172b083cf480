"""Many pictures on one, each with a line of text, for somebody to look over."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.draw import captioned

_COLUMNS, _TILE_WIDTH, _GAP = 4, 480, 6
_MOST_HIGH = 640
_PAPER = 32


def contact_sheet(pictures: Sequence[tuple[Image, str]]) -> NDArray[np.uint8]:
    """Put pictures beside and below each other, in their order; (h, w, 3) uint8 RGB.

    There is one at least. They keep their proportions, and are no wider than 480 pixels.
    """
    tiles = [captioned(shrunk(image), line).pixels for image, line in pictures]
    columns = min(_COLUMNS, len(tiles))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = columns * (_TILE_WIDTH + _GAP) + _GAP
    heights = [max(tile.shape[0] for tile in row) for row in rows]
    sheet = np.full((sum(heights) + _GAP * (len(rows) + 1), width, 3), _PAPER, np.uint8)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for place, tile in enumerate(row):
            left = _GAP + place * (_TILE_WIDTH + _GAP)
            sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        top += height + _GAP
    return sheet


def shrunk(image: Image) -> Image:
    """Make a picture as small as it is on a sheet."""
    height, width = image.pixels.shape[:2]
    zoom = min(1.0, _TILE_WIDTH / width, _MOST_HIGH / height)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    pixels = cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA)
    return Image(np.asarray(pixels, np.uint8), image.width, image.height)
