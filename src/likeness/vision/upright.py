"""Find the landmarks of tilted faces again, in pictures of them that are upright.

Detectors learn from upright faces and place the landmarks of a tilted one as if it were less
tilted. Turned upright by its first landmarks, and once more by the second, a face is found where
it is: docs/quality.md says how much nearer its roll and its template come to the truth. The last
time it is shown in a mirror too: what a detector places too far to one side, it then places too
far to the other.
"""

import numpy as np
from numpy.typing import NDArray

from likeness.terms.image import Image
from likeness.vision.align import (
    DLIB_LAYOUT,
    ChipLayout,
    Chips,
    cut_chips,
    from_chip,
    onto_chip,
)
from likeness.vision.detections import FaceNetwork

_SIDE = 96  # a multiple of 32, as detectors need
# Eyes come to be 24 pixels apart: with less of the surroundings in sight, landmarks drift inwards.
_ZOOM = 0.431
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
_ROUNDS = (Chips.ONE, Chips.MIRRORED)
_THRESHOLD = 0.2  # that there is a face is known already
_FARTHEST = _SIDE / 4  # pixels from the middle; beyond, it is a neighbour
_CONFIDENCE_PER_PIXEL = 0.01  # what being nearer to the middle is worth
_LEFT_FOR_RIGHT = [1, 0, 2, 4, 3]  # the points of a face in a mirror


def found_upright(
    network: FaceNetwork, image: Image, landmarks_xy: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Find the landmarks of each face again; those of a face that is not found again stay.

    Args:
        network: what finds faces; it is asked three times about each.
        image: where the faces are.
        landmarks_xy: (n, 5, 2) in the full frame, in the order of `terms.face.Landmarks`.

    Returns:
        (n, 5, 2), as given.
    """
    found = landmarks_xy.copy()
    for views in _ROUNDS:
        for face, chips in enumerate(cut_chips(image, found, _LAYOUT, views)):
            seen = _seen(network, chips)
            if seen:
                transform = onto_chip(image, found[face], _LAYOUT)
                found[face] = from_chip(image, np.mean(seen, axis=0), transform)
    return found


def _seen(network: FaceNetwork, chips: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Find the landmarks in one chip, and in the one that shows it in a mirror if there is one."""
    seen = []
    for chip, mirrored in zip(chips, (False, True), strict=False):
        points_xy = _in_chip(network, chip)
        if points_xy is not None:
            seen.append(_mirrored(points_xy) if mirrored else points_xy)
    return seen


def _mirrored(points_xy: NDArray[np.float32]) -> NDArray[np.float32]:
    return (points_xy * (-1, 1) + (_SIDE, 0))[_LEFT_FOR_RIGHT].astype(np.float32)


def _in_chip(network: FaceNetwork, chip: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    candidates = network.find(np.ascontiguousarray(chip), _THRESHOLD)
    if not len(candidates):
        return None
    off_middle = np.hypot(*(candidates.landmarks_xy.mean(axis=1) - _MIDDLE_XY).T)
    best = int(np.argmax(candidates.confidences - _CONFIDENCE_PER_PIXEL * off_middle))
    return candidates.landmarks_xy[best] if off_middle[best] <= _FARTHEST else None
