"""Where the faces of a picture are: how a detector's network is shown it, and how often.

Detectors learn from upright faces and find those turned by up to 60 degrees or so. A picture that
is turned by 90, 180 and 270 degrees brings every other face within that.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detections import (
    Detections,
    FaceNetwork,
    Floats,
    areas,
    distinct_by_landmarks,
    drop_inner,
    join,
    merge_with_afar,
    sort_by_area,
    suppress_overlaps,
)
from likeness.vision.upright import find_upright, find_upright_again, find_upright_once

# Pictures are enlarged to this, at most twice; more finds nothing new.
_ENLARGED_SIDE = 832
# Boxes of a higher intersection over union are one face.
_OVERLAP = 0.3
# A glance at a small copy misses smaller faces, in pixels of what is shown, and doubts what is less
# confident. The largest has so many times the area of the next, whatever a box is off by.
# docs/quality.md has how often it is the one that a closer look finds. `_GLANCE_SIDE` is what is
# shown where a smaller copy leaves a doubt.
_GLANCE_SIDE = 320
_SEEN_AT_A_GLANCE = 32
_SURE_AT_A_GLANCE = 0.7
_CLEARLY_LARGER = 1.4

# The small copy in which large faces are looked for, and the border around it: a face that reaches
# the picture's edges is found better with something around it. Faces are large from so many pixels
# of the picture as it is shown on.
_AFAR_SIDE, _AFAR_BORDER = 128, 26
_LARGE = 200
# Of faces of so many pixels, as they are shown, 99 in 100 are found: `make bench ONLY=small-faces`.
_FOUND = 24
# So many are enough to see a face again in the next frame: `make bench ONLY=small-in-clips`.
_FOUND_AGAIN = 27
# Where no face is upright, others are looked for in at most so many pixels a side. Three more looks
# are three more chances to be wrong, so they have to be surer.
_TURNED_SIDE = 448
_TURNED_SURE = 0.6
_QUARTER_TURNS = (1, 2, 3)
# Of a canvas: what networks want its sides to be multiples of, and what is beyond the picture.
_MULTIPLE = 32
_BLACK, _GREY = 0, 128


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How a picture is searched.

    `longer_side`: pixels along the longer side of what the network is shown, at most; at 1152 it
    finds faces of 40 pixels in 1920x1080. `threshold`: the least confidence, 0 to 1.
    """

    longer_side: int = 1152
    threshold: float = 0.5

    def shown_side(self, width: int, height: int) -> int:
        """Pixels along the longer side of what the network is shown of a picture."""
        longer = max(width, height)
        return min(self.longer_side, max(longer, min(2 * longer, _ENLARGED_SIDE)))


@dataclass(frozen=True, slots=True)
class SearchDetail:
    """How closely a picture was searched.

    It was shown as `width` times `height` pixels; faces of fewer than `smallest_face` pixels of the
    full frame may be missed.
    """

    width: int
    height: int
    smallest_face: int


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture, resized, at the top left of a canvas whose sides are multiples of 32.

    `canvas` is (h, w, 3) uint8 RGB; `zoom_xy` is canvas pixels per pixel of the full frame, and
    `border` the canvas pixels to the left of the picture and above it.
    """

    canvas: NDArray[np.uint8]
    zoom_xy: tuple[float, float]
    border: int = 0

    @classmethod
    def fit(cls, image: Image, longer_side: int, border: int = 0) -> "Letterbox":
        """Resize so that the picture's longer side has `longer_side` pixels.

        A border of at least so many pixels is put around it, grey; without one, what the canvas has
        beyond the picture is black.
        """
        zoom = longer_side / max(image.width, image.height)
        width = max(1, round(image.width * zoom))
        height = max(1, round(image.height * zoom))
        factor = max(1, int(image.pixels.shape[1] / width))
        near = averaged(image.pixels, factor)
        resized = cv2.resize(near, (width, height), interpolation=cv2.INTER_LINEAR)
        shape = (_up(height + 2 * border), _up(width + 2 * border), 3)
        canvas = np.full(shape, _GREY if border else _BLACK, np.uint8)
        canvas[border : border + height, border : border + width] = resized
        # What did not fill a square at the right and the bottom is not shown.
        held_h, held_w = (
            min(n * factor, m) for n, m in zip(near.shape[:2], image.pixels.shape[:2], strict=True)
        )
        scale_x, scale_y = image.scale_xy
        return cls(canvas, (width * scale_x / held_w, height * scale_y / held_h), border)

    def restore(self, found: Detections) -> Detections:
        """Take findings on the canvas to the full frame."""
        zoom = np.array(self.zoom_xy, np.float32)
        return Detections(
            (found.boxes_xyxy - self.border) / np.concatenate([zoom, zoom]),
            (found.landmarks_xy - self.border) / zoom,
            found.confidences,
        )


class Detector:
    """Finds faces with any network, in the full frame of any picture."""

    def __init__(self, network: FaceNetwork, settings: DetectorSettings) -> None:
        self._network = network
        self.settings = settings

    def search_of(self, image: Image, least: float = 0.0) -> SearchDetail:
        """Say how closely a picture is searched, once for faces of `least` pixels if given."""
        width, height = image.width, image.height
        side, longer = self._side_for(image, least), max(width, height)
        shown_w, shown_h = (max(1, round(one * side / longer)) for one in (width, height))
        return SearchDetail(shown_w, shown_h, math.ceil(_FOUND * longer / side))

    def detect(self, image: Image) -> Detections:
        """Find the faces of one picture, most confident first, in pixels of the full frame.

        Where none is found, the picture is searched at half its size too, and then for heads that
        lie on their side or stand on their head.
        """
        return self._detect(image, self._from_afar(image))

    def detect_once(self, image: Image, least: float = 0.0) -> Detections:
        """Find the faces of one picture as `detect` does, but search it once, faces or none.

        Faces of fewer than `least` pixels may be missed: for large ones a small copy is enough.
        """
        side = self._side_for(image, least)
        found = self._detect_near(image, self._from_afar(image), side)
        return found.select(np.argsort(-found.confidences, kind="stable"))

    def detect_largest(self, image: Image) -> Detections:
        """Find the largest face alone, or none.

        It is looked for in small copies first, which show large faces as well as a large one does,
        and take a fraction of the time.
        """
        afar = sort_by_area(self._from_afar(image))
        if _is_likely_largest(afar, _AFAR_SIDE / max(image.width, image.height)):
            found = afar
        else:
            glanced = self._glance(image)
            found = sort_by_area(self._detect(image, afar)) if glanced is None else glanced
        return found.select(np.arange(min(1, len(found))))

    def _glance(self, image: Image) -> Detections | None:
        """Find faces in a small copy, the largest first; None where a larger may be missed."""
        if self._shown_side(image) <= _GLANCE_SIDE:
            return None
        found = sort_by_area(self._search(image, _GLANCE_SIDE))
        sure = _is_likely_largest(found, _GLANCE_SIDE / max(image.width, image.height))
        return found if sure else None

    def _detect(self, image: Image, afar: Detections) -> Detections:
        """Find every face, given what is found from afar."""
        side = self._shown_side(image)
        found = self._detect_near(image, afar, side)
        if not len(found):
            found = self._search(image, max(1, side // 2))
        if not len(found):
            found = self._search_turned(image, min(side, _TURNED_SIDE))
        return found.select(np.argsort(-found.confidences, kind="stable"))

    def _detect_near(self, image: Image, afar: Detections, side: int) -> Detections:
        near = self._search(image, side)
        return merge_with_afar(near, _large(afar, side / max(image.width, image.height)))

    def _from_afar(self, image: Image) -> Detections:
        return self._search(image, _AFAR_SIDE, _AFAR_BORDER)

    def _shown_side(self, image: Image) -> int:
        return self.settings.shown_side(image.width, image.height)

    def _side_for(self, image: Image, least: float) -> int:
        """Pixels along the longer side of a copy in which faces of `least` pixels are found."""
        side = self._shown_side(image)
        # A copy that averages whole squares is sharp, and soon made.
        factor = int(least // _FOUND_AGAIN)
        return min(side, max(image.width, image.height) // factor) if factor > 1 else side

    def upright(
        self, image: Image, found: Detections, *, closely: bool = True
    ) -> tuple[Detections, Floats]:
        """Find the landmarks of each face again, in a picture of it that is upright.

        Without `closely` they are found once, in a third of the time or less.

        Returns:
            The faces, largest first, without those that turn out to be one with another, and how
            sure the network is of each as it sees it upright: (n,), 0 to 1; 0 where it does not
            find it again.
        """
        find = find_upright if closely else find_upright_once
        again, certainties = find(self._network, image, found)
        distinct = np.nonzero(distinct_by_landmarks(again))[0]
        # One that is found at another angle has another box.
        order = distinct[np.argsort(-areas(again.boxes_xyxy[distinct]), kind="stable")]
        return again.select(order), certainties[order]

    def refined(self, image: Image, landmarks_xy: Floats) -> Floats:
        """Find the landmarks of faces, (n, 5, 2), as closely as they ever are: for templates."""
        return find_upright_again(self._network, image, landmarks_xy)

    def _search(self, image: Image, side: int, border: int = 0) -> Detections:
        letterbox = Letterbox.fit(image, side, border)
        candidates = self._network.find(letterbox.canvas, self.settings.threshold)
        found = suppress_overlaps(candidates, _OVERLAP)
        return letterbox.restore(drop_inner(found))

    def _search_turned(self, image: Image, side: int) -> Detections:
        """Find faces that are upright once the picture is turned by 90, 180 or 270 degrees."""
        letterbox = Letterbox.fit(image, side)
        threshold = max(_TURNED_SURE, self.settings.threshold)
        found = []
        for turns in _QUARTER_TURNS:
            canvas = np.ascontiguousarray(np.rot90(letterbox.canvas, turns))
            found.append(_turned_back(self._network.find(canvas, threshold), turns, canvas.shape))
        return letterbox.restore(drop_inner(suppress_overlaps(join(found), _OVERLAP)))


def _large(found: Detections, zoom: float) -> Detections:
    """Keep faces that are large, or too large, for the network in a picture shown at `zoom`."""
    return found.select(areas(found.boxes_xyxy) * zoom**2 >= _LARGE**2)


def _is_likely_largest(found: Detections, zoom: float) -> bool:
    """Say whether the first is larger than faces that are missed at a glance, and than the next.

    `zoom` is pixels that were shown for one of the full frame.
    """
    if not len(found) or found.confidences[0] < _SURE_AT_A_GLANCE:
        return False
    largest, *others = areas(found.boxes_xyxy).tolist()
    return bool(
        largest * zoom**2 >= _SEEN_AT_A_GLANCE**2
        and largest >= _CLEARLY_LARGER * max(others, default=0.0)
    )


def _turned_back(found: Detections, turns: int, shown: tuple[int, ...]) -> Detections:
    """Take findings from a canvas that was turned anticlockwise so many times to how it was."""
    height, width = shown[:2]
    boxes, points = found.boxes_xyxy, found.landmarks_xy
    for _ in range(turns):
        points = _clockwise(points, height)
        corners = _clockwise(boxes.reshape(-1, 2, 2), height)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        height, width = width, height
    return Detections(boxes, points, found.confidences)


def _clockwise(places_xy: Floats, height: int) -> Floats:
    """Turn places in a picture of some height by 90 degrees, clockwise: (..., 2)."""
    turned = np.stack([height - places_xy[..., 1], places_xy[..., 0]], axis=-1)
    return np.asarray(turned, np.float32)


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def averaged(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average squares of so many pixels a side: interpolation looks at two, and would leave gaps.

    Averaging whole squares takes a tenth of the time that averaging parts of pixels does.
    """
    if factor == 1:
        return pixels
    height, width = (max(1, side // factor) for side in pixels.shape[:2])
    whole = pixels[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
