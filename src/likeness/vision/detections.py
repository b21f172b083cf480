"""What a detector finds, and how findings that overlap become one face."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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


class FaceNetwork(Protocol):
    """A network that finds candidates for faces; one class for each kind of output maps."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find every candidate of at least `threshold`, overlapping ones too.

        `canvas` is (h, w, 3) uint8 RGB, sides multiples of 32; findings are in its pixels.
        """

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        """Find the candidates of each of (n, h, w, 3) canvases, as `find` does of one."""


class OneAtATime(ABC):
    """A network that is shown one canvas at a time."""

    @abstractmethod
    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find every candidate of at least `threshold`, as `FaceNetwork` says."""

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        """Find the candidates of each canvas, one after the other."""
        return [self.find(canvas, threshold) for canvas in canvases]


def suppressed(found: Detections, overlap: float) -> Detections:
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


def largest_first(found: Detections) -> Detections:
    """Put findings in order of their area."""
    return found.select(np.argsort(-areas(found.boxes_xyxy), kind="stable"))


def joined(found: Sequence[Detections]) -> Detections:
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
