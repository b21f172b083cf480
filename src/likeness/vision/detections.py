"""What detectors' networks find, and how several findings of one face become one.

A face that fills the picture is too large for a detector: it misses it, or finds parts of it that
look like faces. In a small copy it is found once. So of large faces the small copy decides which
there are, and of all others the picture itself.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.vision.networks.session import UNPREPARED, Preparation, Session

Floats = NDArray[np.float32]

# Boxes are of one face where they share so much of the smaller one; in two pictures of it, where
# they share so much of what both cover. Landmarks are, where they are so near, in sides of a box.
_WITHIN = 0.6
_SAME_BOX = 0.5
_SAME_LANDMARKS = 0.15
# What is found in the small copy alone has to be surer than what both show.
_SURE_FROM_AFAR = 0.6

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces, or candidates for them, in one picture.

    `boxes_xyxy` is (n, 4), `landmarks_xy` (n, 5, 2), both float32 pixels; `confidences` is (n,)
    float32, 0 to 1.
    """

    boxes_xyxy: Floats
    landmarks_xy: Floats
    confidences: Floats

    def __len__(self) -> int:
        """How many."""
        return len(self.boxes_xyxy)

    def select(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> "Detections":
        """Keep some, in the order given."""
        return Detections(self.boxes_xyxy[which], self.landmarks_xy[which], self.confidences[which])


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over a score.

    A detector's score orders what it finds and means nothing by itself: at 0.8 a network may be
    wrong once in 500 times. The curve says how often such a find was a face (J. Platt,
    Probabilistic Outputs for Support Vector Machines, 1999). It is fitted to the pictures of crowds
    that `make bench ONLY=face-likelihood` reads, where faces nobody labelled count as mistakes.
    """

    offset: float
    slope: float

    def at(self, score: float) -> float:
        """Give the share of finds of this score that are faces, 0 to 1."""
        return 1 / (1 + math.exp(-(self.offset + self.slope * score)))


def suppress_overlaps(found: Detections, overlap: float) -> Detections:
    """Keep of boxes with an intersection over union above `overlap` the most confident.

    The result is most confident first.
    """
    boxes_xywh = found.boxes_xyxy.copy()
    boxes_xywh[:, 2:] -= boxes_xywh[:, :2]
    kept = cv2.dnn.NMSBoxes(boxes_xywh.tolist(), found.confidences.tolist(), 0.0, overlap)
    return found.select(np.asarray(kept, np.intp).reshape(-1))


def areas(boxes_xyxy: Floats) -> Floats:
    """Give the area of each of (n, 4) boxes: (n,)."""
    return np.asarray((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(axis=1))


def sort_by_area(found: Detections) -> Detections:
    """Put findings in order of their area."""
    return found.select(np.argsort(-areas(found.boxes_xyxy), kind="stable"))


def largest(found: Detections, most: int) -> Detections:
    """Keep the findings of the largest areas, `most` of them, in the order in which they are."""
    order = np.argsort(-areas(found.boxes_xyxy), kind="stable")
    return found.select(np.sort(order[:most]))


def join(found: Sequence[Detections]) -> Detections:
    """Put several findings together."""
    return Detections(
        np.concatenate([each.boxes_xyxy for each in found]),
        np.concatenate([each.landmarks_xy for each in found]),
        np.concatenate([each.confidences for each in found]),
    )


def shared_areas(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Give the area that every box of one set shares with every box of another: (m, n)."""
    a, b = a_xyxy[:, None], b_xyxy[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=-1), np.float32)


def drop_inner(found: Detections) -> Detections:
    """Leave out what contains, or is within, a more confident finding."""
    return found.select(_distinct(found, _within(found, found)))


def distinct_by_landmarks(found: Detections) -> NDArray[np.bool_]:
    """Say which findings, (n,), have landmarks that are not those of a more confident one."""
    places = found.landmarks_xy
    apart = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0)).mean(axis=-1)
    sides = np.sqrt(areas(found.boxes_xyxy))
    return _distinct(found, apart <= _SAME_LANDMARKS * np.minimum(sides[:, None], sides))


def merge_with_afar(near: Detections, afar: Detections) -> Detections:
    """Join what is found in a picture with the large faces of its small copy.

    A face that both show keeps the finer place and the higher confidence. Several findings within
    a large face, or one that covers a part of it alone, are replaced by it.

    Args:
        near: found in the picture itself; none of them contains another.
        afar: large faces of the small copy, in the same frame.
    """
    confidences, kept, added = near.confidences.copy(), np.ones(len(near), np.bool_), []
    shared = shared_areas(afar.boxes_xyxy, near.boxes_xyxy)
    both = areas(afar.boxes_xyxy)[:, None] + areas(near.boxes_xyxy) - shared
    for one, within in enumerate(_within(afar, near)):
        inner = np.nonzero(within & kept)[0]
        if len(inner) == 1 and shared[one, inner[0]] >= _SAME_BOX * both[one, inner[0]]:
            confidences[inner] = np.maximum(confidences[inner], afar.confidences[one])
        elif len(inner) or afar.confidences[one] >= _SURE_FROM_AFAR:
            kept[inner] = False
            added.append(one)
    surer = replace(near, confidences=confidences)
    return join([surer.select(kept), afar.select(np.array(added, np.intp))])


def _distinct(found: Detections, one_face: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which to keep, (n,): of findings that are one face, (n, n), the most confident."""
    kept = np.zeros(len(found), np.bool_)
    for finding in np.argsort(-found.confidences, kind="stable"):
        kept[finding] = not (one_face[finding] & kept).any()
    return kept


def _within(a: Detections, b: Detections) -> NDArray[np.bool_]:
    """Say which of two sets of findings contain one another, (m, n)."""
    smaller = np.minimum(areas(a.boxes_xyxy)[:, None], areas(b.boxes_xyxy))
    return np.asarray(shared_areas(a.boxes_xyxy, b.boxes_xyxy) >= _WITHIN * smaller)


class FaceNetwork(Protocol):
    """A network that finds candidates for faces; one class for each kind of output maps."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find every candidate of at least `threshold`, overlapping ones too.

        `canvas` is (h, w, 3) uint8 RGB, sides multiples of 32; findings are in its pixels.
        """
        ...

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        """Find the candidates of each of (n, h, w, 3) canvases, one after the other."""
        return [self.find(canvas, threshold) for canvas in canvases]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorForm:
    """All that is particular to one form of detector.

    `network` makes what reads the outputs of a loaded graph. `check` refuses a graph, by the shapes
    of its outputs (None for one unknown) for so many canvases of some height and width.
    `takes_many` says whether its graph takes several canvases at a time. `preparation` is how it
    wants its pixels, unless a card says otherwise. `likelihood` says how often what it finds with a
    score is a face; the score itself where nobody measured it.
    """

    network: Callable[[Session], FaceNetwork]
    check: Callable[[Sequence[Shape | None], int, int, int], None]
    takes_many: bool = False
    preparation: Preparation = UNPREPARED
    likelihood: Callable[[float], float] = float
