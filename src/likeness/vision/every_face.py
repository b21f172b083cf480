"""Finds whatever may be a face in a picture, for whoever hides faces: one too many does no harm.

1. A picture is looked at several times: as it is, in a mirror, larger, smaller, and turned. A face
   that is missed in one view is often found in another. Frames of a clip take views in turn.
2. The smaller a find is, the less sure it need be: what is no face then hides little.
3. Finds of one face become one, as large as all of them together.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Box, Image, Landmarks, Point
from likeness.vision.detect import Letterbox, averaged
from likeness.vision.detections import (
    Detections,
    FaceNetwork,
    areas,
    drop_inner,
    join,
    shared_areas,
    suppress_overlaps,
)

# Boxes of a higher intersection over union are one face.
_ONE_FACE = 0.45
_OVERLAP = 0.3
# How sure a find has to be, by its share of the picture's longer side: docs/redact.md.
_SMALL, _LARGE = 0.03, 0.07
# Faces that fill a picture are found in a small copy of it, with something around them.
# As many canvas pixels are put around every picture: a face that its edge cuts is found better.
_BORDER = 32
_AFAR_SIDE, _AFAR_BORDER, _AFAR_SHARE, _AFAR_SURE = 128, 26, 0.12, 0.6
# Pictures are enlarged to this, at most twice.
_ENLARGED_SIDE = 832
# Where faces that are looked for would be larger, a copy of half the size is looked at.
_LARGE_ENOUGH = 40
_MOST_HALVINGS = 2
_LEFT_FOR_RIGHT = [1, 0, 2, 4, 3]  # the points of a face in a mirror


@dataclass(frozen=True, slots=True)
class View:
    """A way of looking at a picture: how large it is shown, mirrored or not, turned or not.

    `zoom` is a share of the side that pictures are shown at; `turns` counts quarter turns
    anticlockwise.
    """

    zoom: float = 1.0
    mirrored: bool = False
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Closeness:
    """How closely a picture is searched: in which views, and how sure a find has to be.

    With `in_turn` each look takes one of the views, and the next look the next. A small find needs
    `sure` at least, a large one `sure_large`, and one that is turned `sure_turned`, all as scores
    of the detector, 0 to 1. `longer_side` is how many pixels of the longer side are shown in a view
    that is not zoomed.
    """

    views: tuple[View, ...]
    sure: float = 0.2
    sure_large: float = 0.5
    sure_turned: float = 0.6
    longer_side: int = 1280
    in_turn: bool = False

    def views_of(self, turn: int) -> tuple[View, ...]:
        """Say in which views the look of some turn is, which count from 0."""
        return (self.views[turn % len(self.views)],) if self.in_turn else self.views


GLANCE = Closeness((View(),), sure=0.4)
"""One look: for fast work."""

FRAME = Closeness((View(), View(0.75)), in_turn=True)
"""For one of many frames: what one misses, the next shows. A mirror adds more errors than faces."""

PICTURE = Closeness(
    (
        View(),
        View(mirrored=True),
        View(0.75, mirrored=True),
        View(1.5),
        *(View(0.35, turns=turns) for turns in (1, 2, 3)),
    ),
)
"""For a picture that nothing is known of but itself."""


@dataclass(frozen=True, slots=True)
class PossibleFace:
    """What may be a face; `confidence` is how likely it is one, 0 to 1."""

    box: Box
    landmarks: Landmarks
    confidence: float


class EveryFace:
    """Finds what may be a face; safe to share between threads.

    `likelihood` says how often what the network finds with a score is a face, 0 to 1.
    """

    def __init__(
        self,
        network: FaceNetwork,
        likelihood: Callable[[float], float],
        closeness: Closeness,
    ) -> None:
        self._network = network
        self._likelihood = likelihood
        self._closeness = closeness

    def find(self, image: Image, least: float = 0.0, turn: int = 0) -> list[PossibleFace]:
        """Find it in one picture, largest first, in pixels of the full frame.

        Faces of fewer than `least` pixels may be missed, which takes less time. `turn` counts looks
        at pictures of one scene.
        """
        side, views = self._side(image, least), self._closeness.views_of(turn)
        near = _reduced(image, side * max(view.zoom for view in views))
        found = _joined(
            join([self._from_afar(near), *(self._seen(near, side, view) for view in views)])
        )
        found = found.select(np.argsort(-areas(found.boxes_xyxy), kind="stable"))
        return [
            PossibleFace(
                Box(*sides),
                Landmarks(*(Point(*point) for point in points)),
                self._likelihood(score),
            )
            for sides, points, score in zip(
                found.boxes_xyxy.tolist(),
                found.landmarks_xy.tolist(),
                found.confidences.tolist(),
                strict=True,
            )
        ]

    def _side(self, image: Image, least: float) -> int:
        longer = max(image.width, image.height)
        side = min(self._closeness.longer_side, max(longer, min(2 * longer, _ENLARGED_SIDE)))
        # Of few sizes, which all need time once.
        for _ in range(_MOST_HALVINGS):
            if least * side / longer < 2 * _LARGE_ENOUGH:
                break
            side //= 2
        return side

    def _from_afar(self, image: Image) -> Detections:
        found = self._search(image, _AFAR_SIDE, View(), _AFAR_SURE, _AFAR_BORDER)
        shares = np.sqrt(areas(found.boxes_xyxy)) / max(image.width, image.height)
        return found.select(shares >= _AFAR_SHARE)

    def _seen(self, image: Image, side: int, view: View) -> Detections:
        asked = self._closeness
        if view.turns:
            return self._search(image, max(1, round(side * view.zoom)), view, asked.sure_turned)
        least = min(asked.sure, asked.sure_large)
        found = self._search(image, max(1, round(side * view.zoom)), view, least)
        shares = np.sqrt(areas(found.boxes_xyxy)) / max(image.width, image.height)
        return found.select(found.confidences >= _sure_enough(shares, asked))

    def _search(
        self, image: Image, side: int, view: View, threshold: float, border: int = _BORDER
    ) -> Detections:
        letterbox = Letterbox.fit(image, side, border)
        canvas = letterbox.canvas
        if view.mirrored:
            canvas = canvas[:, ::-1]
        canvas = np.ascontiguousarray(np.rot90(canvas, view.turns))
        found = suppress_overlaps(self._network.find(canvas, threshold), _OVERLAP)
        return letterbox.restore(_as_shown(drop_inner(found), view, letterbox.canvas.shape))


def _reduced(image: Image, side: float) -> Image:
    """Halve a picture as long as its longer side keeps twice the `side` that is shown of it.

    That is quick, and serves all views. An odd last row or column is dropped: places are off by
    less than a pixel of what is left.
    """
    pixels = image.pixels
    while max(pixels.shape[:2]) >= 4 * side and min(pixels.shape[:2]) > 1:
        pixels = averaged(pixels, 2)
    return Image(pixels, image.width, image.height)


def _sure_enough(shares: NDArray[np.floating], asked: Closeness) -> NDArray[np.float64]:
    """Say how sure finds have to be, by their share of the picture's longer side: (n,)."""
    size = np.log(np.maximum(shares, 1e-6) / _SMALL) / np.log(_LARGE / _SMALL)
    sure = asked.sure + (asked.sure_large - asked.sure) * np.clip(size, 0, 1)
    return np.asarray(sure, np.float64)


def _joined(found: Detections) -> Detections:
    """Make one of the finds of each face: the surest, with a box that holds the others too."""
    kept = suppress_overlaps(found, _ONE_FACE)
    boxes = kept.boxes_xyxy.copy()
    shared = shared_areas(kept.boxes_xyxy, found.boxes_xyxy)
    covered = areas(kept.boxes_xyxy)[:, None] + areas(found.boxes_xyxy) - shared
    for which, same in enumerate(shared > _ONE_FACE * covered):
        theirs = found.boxes_xyxy[same]
        boxes[which] = *theirs[:, :2].min(axis=0), *theirs[:, 2:].max(axis=0)
    return Detections(boxes, kept.landmarks_xy, kept.confidences)


def _as_shown(found: Detections, view: View, shape: tuple[int, ...]) -> Detections:
    """Take finds from a canvas that was mirrored and turned to how it was before: `shape`."""
    height, width = shape[:2]
    if view.turns % 2:
        height, width = width, height
    corners = found.boxes_xyxy.reshape(-1, 2, 2)
    points = found.landmarks_xy
    for _ in range(view.turns):
        # A quarter turn clockwise takes (x, y) to (height - y, x).
        corners, points = (
            np.stack([height - places[..., 1], places[..., 0]], axis=-1)
            for places in (corners, points)
        )
        height, width = width, height
    if view.mirrored:
        corners, points = (
            np.stack([width - places[..., 0], places[..., 1]], axis=-1)
            for places in (corners, points)
        )
        points = points[:, _LEFT_FOR_RIGHT]
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return Detections(boxes.astype(np.float32), points.astype(np.float32), found.confidences)
