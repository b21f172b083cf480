"""Where the faces of a picture are."""

import math
from dataclasses import dataclass

import numpy as np

from likeness.terms import Image
from likeness.vision.detections import (
    Detections,
    FaceNetwork,
    Floats,
    areas,
    largest_first,
    suppressed,
)
from likeness.vision.letterbox import Letterbox
from likeness.vision.one_face import distinct_by_landmarks, each_once, without_inner
from likeness.vision.turned import found_turned
from likeness.vision.upright import found_upright


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How a picture is searched.

    `longer_side`: pixels along the longer side of what the network is shown, at most; at 1152 it
    finds faces of 40 pixels in 1920x1080. `enlarged_side`: smaller pictures are enlarged to this,
    at most twice; more finds nothing new. `threshold`: the least confidence, 0 to 1. `overlap`:
    boxes of a higher intersection over union are one face. `glance_side`: the same pixels where
    the largest face alone is wanted and a smaller copy leaves a doubt.
    """

    longer_side: int = 1152
    enlarged_side: int = 832
    threshold: float = 0.5
    overlap: float = 0.3
    glance_side: int = 320

    def shown_side(self, width: int, height: int) -> int:
        """Pixels along the longer side of what the network is shown of a picture."""
        longer = max(width, height)
        return min(self.longer_side, max(longer, min(2 * longer, self.enlarged_side)))


# A glance at a small copy misses smaller faces, in pixels of what is shown, and doubts what is less
# confident. The largest has so many times the area of the next, whatever a box is off by.
# docs/quality.md has how often it is the one that a closer look finds.
_SEEN_AT_A_GLANCE = 32
_SURE = 0.7
_CLEARLY_LARGER = 1.4

# The small copy in which large faces are looked for, and the border around it: a face that reaches
# the picture's edges is found better with something around it. Faces are large from so many pixels
# of the picture as it is shown on.
_AFAR_SIDE, _AFAR_BORDER = 128, 26
_LARGE = 200
# Of faces of so many pixels, as they are shown, 99 in 100 are found: `make bench ONLY=small-faces`.
_FOUND = 24
# Where no face is upright, others are looked for in at most so many pixels a side. Three more looks
# are three more chances to be wrong, so they have to be surer.
_TURNED_SIDE = 448
_TURNED_SURE = 0.6


@dataclass(frozen=True, slots=True)
class SearchDetail:
    """How closely a picture was searched.

    It was shown as `width` times `height` pixels; faces of fewer than `smallest_face` pixels of the
    full frame may be missed.
    """

    width: int
    height: int
    smallest_face: int


class Detector:
    """Finds faces with any network, in the full frame of any picture."""

    def __init__(self, network: FaceNetwork, settings: DetectorSettings) -> None:
        self._network = network
        self.settings = settings

    def search_of(self, width: int, height: int) -> SearchDetail:
        """Say how closely a picture of some size is searched."""
        side, longer = self.settings.shown_side(width, height), max(width, height)
        shown_w, shown_h = (max(1, round(one * side / longer)) for one in (width, height))
        return SearchDetail(shown_w, shown_h, math.ceil(_FOUND * longer / side))

    def detect(self, image: Image) -> Detections:
        """Find the faces of one picture, most confident first, in pixels of the full frame.

        Where none is found, the picture is searched at half its size too, and then for heads that
        lie on their side or stand on their head.
        """
        return self._detect(image, self._from_afar(image))

    def detect_largest(self, image: Image) -> Detections:
        """Find the largest face alone, or none.

        It is looked for in small copies first, which show large faces as well as a large one does,
        and take a fraction of the time.
        """
        afar = largest_first(self._from_afar(image))
        if _is_likely_largest(afar, _AFAR_SIDE / max(image.width, image.height)):
            found = afar
        else:
            glanced = self._glance(image)
            found = largest_first(self._detect(image, afar)) if glanced is None else glanced
        return found.select(np.arange(min(1, len(found))))

    def _glance(self, image: Image) -> Detections | None:
        """Find faces in a small copy, the largest first; None where a larger may be missed."""
        side = self.settings.glance_side
        if side >= self._shown_side(image):
            return None
        found = largest_first(self._search(image, side))
        sure = _is_likely_largest(found, side / max(image.width, image.height))
        return found if sure else None

    def _detect(self, image: Image, afar: Detections) -> Detections:
        """Find every face, given what is found from afar."""
        side = self._shown_side(image)
        near = self._search(image, side)
        found = each_once(near, _large(afar, side / max(image.width, image.height)))
        if not len(found):
            found = self._search(image, max(1, side // 2))
        if not len(found):
            found = self._search_turned(image, min(side, _TURNED_SIDE))
        return found.select(np.argsort(-found.confidences, kind="stable"))

    def _from_afar(self, image: Image) -> Detections:
        return self._search(image, _AFAR_SIDE, _AFAR_BORDER)

    def _shown_side(self, image: Image) -> int:
        return self.settings.shown_side(image.width, image.height)

    def upright(self, image: Image, found: Detections) -> tuple[Detections, Floats]:
        """Find the landmarks of each face again, in a picture of it that is upright.

        Returns:
            The faces, largest first, without those that turn out to be one with another, and how
            sure the network is of each as it sees it upright: (n,), 0 to 1; 0 where it does not
            find it again.
        """
        again, certainties = found_upright(self._network, image, found)
        distinct = np.nonzero(distinct_by_landmarks(again))[0]
        # One that is found at another angle has another box.
        order = distinct[np.argsort(-areas(again.boxes_xyxy[distinct]), kind="stable")]
        return again.select(order), certainties[order]

    def _search(self, image: Image, side: int, border: int = 0) -> Detections:
        letterbox = Letterbox.fit(image, side, border)
        candidates = self._network.find(letterbox.canvas, self.settings.threshold)
        found = suppressed(candidates, self.settings.overlap)
        return letterbox.restore(without_inner(found))

    def _search_turned(self, image: Image, side: int) -> Detections:
        letterbox = Letterbox.fit(image, side)
        threshold = max(_TURNED_SURE, self.settings.threshold)
        found = found_turned(self._network, letterbox.canvas, threshold, self.settings.overlap)
        return letterbox.restore(without_inner(found))


def _large(found: Detections, zoom: float) -> Detections:
    """Keep faces that are large, or too large, for the network in a picture shown at `zoom`."""
    return found.select(areas(found.boxes_xyxy) * zoom**2 >= _LARGE**2)


def _is_likely_largest(found: Detections, zoom: float) -> bool:
    """Say whether the first is larger than faces that are missed at a glance, and than the next.

    `zoom` is pixels that were shown for one of the full frame.
    """
    if not len(found) or found.confidences[0] < _SURE:
        return False
    largest, *others = areas(found.boxes_xyxy).tolist()
    return bool(
        largest * zoom**2 >= _SEEN_AT_A_GLANCE**2
        and largest >= _CLEARLY_LARGER * max(others, default=0.0)
    )
