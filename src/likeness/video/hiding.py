"""Hides parts of a picture beyond recovery: the pixels that were there are destroyed.

What is left of a face is at most the mean colours of a few cells, coarsely rounded, or nothing.
Nothing of what was there is blended in, at no edge: what is mixed could be taken apart again.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Box
from likeness.video.planes import BLACK, NO_COLOUR, Planes

Picture = NDArray[np.uint8] | Planes
"""What is hidden in: (height, width, 3) RGB pixels, or the planes of a frame."""

_MARGIN = 0.25
"""What is hidden beyond a box, as a share of its sides: an ellipse that holds its corners too."""

# Means of cells are rounded to so many levels: what differs by less is lost.
_LEVEL = 16
# So many samples across a cell give its mean.
_ENOUGH_PX = 24
# Of a pixel: what an ellipse touches by a rounding error is in it.
_A_HAIR = 1e-6


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


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """Samples of a picture, `step` of its pixels apart, and what is black in them."""

    samples: NDArray[np.uint8]
    step: int
    black: int


class Hiding:
    """Hides regions of a picture, or of one frame after the other, in place.

    All other pixels stay as they are. Of frames, each face has the colours of when it came.

    Cells lie a little differently over a face in every frame, so that the means of many frames tell
    more of it together than one frame does: they are taken once for each face that is followed.
    """

    def __init__(self, style: Style) -> None:
        self._style = style
        self._means: dict[int, Sequence[NDArray[np.uint8]]] = {}

    def hide(self, picture: Picture, regions: Iterable[tuple[int, Region]]) -> None:
        """Hide regions of a picture, each with the number of what was followed."""
        layers = _layers_of(picture)
        for track, region in regions:
            means = _hide_one(layers, region, self._style, self._means.get(track))
            if means is not None:
                self._means[track] = means


@contextmanager
def sparing(picture: Picture, boxes: Sequence[Box]) -> Iterator[None]:
    """Leave the ellipses within boxes as they are, whatever is hidden meanwhile."""
    places = [
        place
        for layer in _layers_of(picture)
        for box in boxes
        if (place := _place_of(layer, Region(box, 0.0))) is not None
    ]
    before = [part.copy() for part, _ in places]
    yield
    for (part, inside), as_it_was in zip(places, before, strict=True):
        cv2.copyTo(as_it_was, inside, part)


def _layers_of(picture: Picture) -> Sequence[_Layer]:
    if isinstance(picture, Planes):
        colours = (_Layer(one, 2, NO_COLOUR) for one in (picture.blue, picture.red))
        return _Layer(picture.luma, 1, BLACK), *colours
    return (_Layer(picture, 1, 0),)


def _hide_one(
    layers: Sequence[_Layer],
    region: Region,
    style: Style,
    means: Sequence[NDArray[np.uint8]] | None,
) -> Sequence[NDArray[np.uint8]] | None:
    """Hide a region by `means` of cells, or by its own; give those, where there are any."""
    places = [_place_of(layer, region) for layer in layers]
    found = [(layer, *place) for layer, place in zip(layers, places, strict=True) if place]
    if len(found) < len(layers):
        return None
    if style is Style.BLACK:
        for layer, part, inside in found:
            cv2.copyTo(np.full_like(part, layer.black), inside, part)
        return None
    if means is None:
        cell = min(region.box.width, region.box.height) / _CELLS[style]
        means = [_means_of(part, cell / layer.step) for layer, part, _ in found]
    how = cv2.INTER_NEAREST if style is Style.PIXELATE else cv2.INTER_LINEAR
    for (_, part, inside), mean in zip(found, means, strict=True):
        filled = np.asarray(cv2.resize(mean, part.shape[1::-1], interpolation=how), np.uint8)
        cv2.copyTo(filled, inside, part)
    return means


def _place_of(layer: _Layer, region: Region) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Give the part of a layer that holds a region, and 1 where that is: None outside of it."""
    box, step = region.box, layer.step
    height, width = layer.samples.shape[:2]
    x, y = (box.left + box.right) / 2 / step, (box.top + box.bottom) / 2 / step
    across, down = (side / step * (0.5 + region.margin) for side in (box.width, box.height))
    left, right = _held(x - across, x + across, width)
    top, bottom = _held(y - down, y + down, height)
    if left >= right or top >= bottom:
        return None
    # Of each sample its nearest place counts: one that is touched is hidden whole.
    above = np.maximum(np.abs(np.arange(top, bottom) + 0.5 - y) - 0.5, 0) / down
    reach = across * np.sqrt(np.maximum(1 - above**2, 0)) + _A_HAIR
    first = np.ceil(np.maximum(x - 1 - reach, left)).astype(np.int32)
    last = np.floor(np.minimum(x + reach, right)).astype(np.int32)
    columns = np.arange(left, right, dtype=np.int32)
    inside = (columns >= first[:, None]) & (columns <= last[:, None])
    return layer.samples[top:bottom, left:right], inside.view(np.uint8)


def _means_of(part: NDArray[np.uint8], cell: float) -> NDArray[np.uint8]:
    """Give the means of cells that are so many samples wide, coarsely rounded."""
    height, width = part.shape[:2]
    cells = max(1, math.floor(width / cell)), max(1, math.floor(height / cell))
    # Of large cells, a mean of fewer pixels is as good.
    step = max(1, int(cell // _ENOUGH_PX))
    few = np.ascontiguousarray(part[::step, ::step])
    means = cv2.resize(few, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(means // _LEVEL * _LEVEL + _LEVEL // 2, np.uint8)


def _held(begin: float, end: float, most: int) -> tuple[int, int]:
    """Give whole pixels of the picture, from the first that is touched to the last."""
    return max(0, math.floor(begin)), min(most, math.ceil(end))
