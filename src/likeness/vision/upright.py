"""Find the landmarks of tilted faces again, in pictures of them that are upright.

Detectors learn from upright faces and place the landmarks of a tilted one as if it were less
tilted. Turned upright by its first landmarks, and once more by the second, a face is found where
it is: docs/quality.md says how much nearer its roll and its template come to the truth.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms.image import Image
from likeness.vision.align import DLIB_LAYOUT, ChipLayout, Chips, cut_chips, similarity_transform
from likeness.vision.detections import FaceNetwork

_SIDE = 96  # a multiple of 32, as detectors need
# Eyes come to be 24 pixels apart: with less of the surroundings in sight, landmarks drift inwards.
_ZOOM = 0.457
_LAYOUT = ChipLayout(
    "upright",
    _SIDE,
    tuple(
        (
            _SIDE / 2 + _ZOOM * (x - DLIB_LAYOUT.side / 2),
            _SIDE / 2 + _ZOOM * (y - DLIB_LAYOUT.side / 2),
        )
        for x, y in DLIB_LAYOUT.points_xy
    ),
)
_MIDDLE_XY = np.mean(_LAYOUT.points_xy, axis=0)
_ROUNDS = 2
_THRESHOLD = 0.2  # that there is a face is known already
_FARTHEST = _SIDE / 4  # pixels from the middle; beyond, it is a neighbour
_CONFIDENCE_PER_PIXEL = 0.01  # what being nearer to the middle is worth


def found_upright(
    network: FaceNetwork, image: Image, landmarks_xy: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Find the landmarks of each face again; those of a face that is not found again stay.

    Args:
        network: what finds faces; it is asked twice about each.
        image: where the faces are.
        landmarks_xy: (n, 5, 2) in the full frame, in the order of `terms.face.Landmarks`.

    Returns:
        (n, 5, 2), as given.
    """
    found = landmarks_xy.copy()
    for _ in range(_ROUNDS):
        chips = cut_chips(image, found, _LAYOUT, Chips.ONE)[:, 0]
        for face, chip in enumerate(chips):
            again_xy = _in_chip(network, chip)
            if again_xy is not None:
                found[face] = _out_of_chip(again_xy, found[face], image)
    return found


def _in_chip(network: FaceNetwork, chip: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    candidates = network.find(chip, _THRESHOLD)
    if not len(candidates):
        return None
    off_middle = np.hypot(*(candidates.landmarks_xy.mean(axis=1) - _MIDDLE_XY).T)
    best = int(np.argmax(candidates.confidences - _CONFIDENCE_PER_PIXEL * off_middle))
    return candidates.landmarks_xy[best] if off_middle[best] <= _FARTHEST else None


def _out_of_chip(
    points_xy: NDArray[np.float32], landmarks_xy: NDArray[np.float32], image: Image
) -> NDArray[np.float64]:
    """Say where points of the chip that was cut by these landmarks lie in the full frame."""
    held = landmarks_xy * np.array(image.scale_xy, np.float32)
    back = cv2.invertAffineTransform(similarity_transform(held, _LAYOUT.points_xy))
    inner = points_xy @ back[:, :2].T + back[:, 2]
    return np.asarray(inner / image.scale_xy, np.float64)
