"""Find the landmarks of tilted faces again, in pictures of them that are upright.

Detectors learn from upright faces and place the landmarks of a tilted one as if it were less
tilted. Turned upright by its first landmarks, and once more by the second, a face is found where
it is: docs/quality.md says how much nearer its roll and its template come to the truth. The last
time it is shown in a mirror too: what a detector places too far to one side, it then places too
far to the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detections import Detections, FaceNetwork, Floats, areas
from likeness.vision.embed import (
    DLIB_LAYOUT,
    ChipLayout,
    Chips,
    cut_chips,
    from_chip,
    onto_chip,
    similarity_transform,
)

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
_ROUNDS = _FIRST, _SECOND = (Chips.ONE, Chips.MIRRORED)
_MOST_CHIPS = 32  # at a time: crowds take no more memory than that
_THRESHOLD = 0.2  # that there is a face is known already
_FARTHEST = _SIDE / 4  # pixels from the middle; beyond, it is a neighbour
_CONFIDENCE_PER_PIXEL = 0.01  # what being nearer to the middle is worth
_LEFT_FOR_RIGHT = [1, 0, 2, 4, 3]  # the points of a face in a mirror
_BOX_WH = (0.87, 1.15)  # of an upright box whose area is one
_QUARTER_TURNS = [
    np.array([[cos, sin], [-sin, cos]], np.float32)
    for cos, sin in ((1, 0), (0, 1), (-1, 0), (0, -1))
]
_SMALLEST = 20  # pixels of the full frame; a smaller face is not fit to enrol at any angle
_MOST_DOUBTFUL = 16  # of one picture; each takes three times as long as others
# A network that is surer of a face than this sees it upright; docs/quality.md has the evidence.
_CERTAIN = 0.8
# Where the landmarks are in the square that has a box's area and middle, as the mean face has them.
_IN_BOX = (
    np.array([(0.31, 0.36), (0.69, 0.36), (0.5, 0.57), (0.34, 0.76), (0.66, 0.76)], np.float32)
    - 0.5
)


def find_upright(
    network: FaceNetwork, image: Image, found: Detections
) -> tuple[Detections, Floats]:
    """Find the landmarks of each face again; those of a face that is not found again stay.

    Where the network is not certain of what it sees upright, landmarks may be those of another
    angle: a head that stands on its head has eyes where a detector looks for a mouth. Then the face
    is looked for at four angles, and stays, with a box to match, at the one that the network is
    surest of.

    Args:
        network: what finds faces; it is shown three chips of each, and seven more of those that it
            is not certain of, at most 16.
        image: where the faces are.
        found: what it found there, in the full frame.

    Returns:
        The faces, and how sure the network is of each as it sees it upright, (n,), 0 to 1; 0 where
        it did not find it again.
    """
    boxes_xyxy = found.boxes_xyxy.copy()
    landmarks_xy, certainties = _refined(network, image, found.landmarks_xy, _ROUNDS)
    for face in _doubtful(found, certainties):
        turned_xy = _best_angle(network, image, found.boxes_xyxy[face])
        if turned_xy is None:
            continue
        again_xy, certainty = _refined(network, image, turned_xy[None], _ROUNDS)
        if certainty[0] > certainties[face]:
            if _are_turned(landmarks_xy[face], again_xy[0]):  # else the detector's box is finer
                boxes_xyxy[face] = _box_of(again_xy[0])
            landmarks_xy[face], certainties[face] = again_xy[0], certainty[0]
    return replace(found, boxes_xyxy=boxes_xyxy, landmarks_xy=landmarks_xy), certainties


def find_upright_once(
    network: FaceNetwork, image: Image, found: Detections
) -> tuple[Detections, Floats]:
    """Find the landmarks of each face again as `find_upright` does at first, from one chip of each.

    They say how a head is turned, to 2 or 3 degrees; templates want those of `find_upright_again`.
    """
    landmarks_xy, certainties = _refined(network, image, found.landmarks_xy, (_FIRST,))
    return replace(found, landmarks_xy=landmarks_xy), certainties


def find_upright_again(network: FaceNetwork, image: Image, landmarks_xy: Floats) -> Floats:
    """Go on where `find_upright_once` ended: (n, 5, 2) landmarks, found in two more chips each."""
    return _refined(network, image, landmarks_xy, (_SECOND,))[0]


def _refined(
    network: FaceNetwork, image: Image, landmarks_xy: Floats, rounds: Sequence[Chips]
) -> tuple[Floats, NDArray[np.float32]]:
    """Find landmarks again by what they say of the angle, and how sure the network is then."""
    found, certainties = landmarks_xy.copy(), np.zeros(len(landmarks_xy), np.float32)
    for views in rounds:
        for face, seen in enumerate(_seen_in_turn(network, image, found, views)):
            certainties[face] = max((sure for _, sure in seen), default=0.0)
            if seen:
                transform = onto_chip(image, found[face], _LAYOUT)
                middle_xy = np.mean([points_xy for points_xy, _ in seen], axis=0)
                found[face] = from_chip(image, middle_xy, transform)
    return found, certainties


def _seen_in_turn(
    network: FaceNetwork, image: Image, landmarks_xy: Floats, views: Chips
) -> Iterator[list[tuple[Floats, float]]]:
    """Look at the chips of each face, few at a time: networks keep the memory of the most."""
    faces = _MOST_CHIPS // views.count
    for start in range(0, len(landmarks_xy), faces):
        few = landmarks_xy[start : start + faces]
        yield from _seen(network, cut_chips(image, few, _LAYOUT, views))


def _best_angle(network: FaceNetwork, image: Image, box_xyxy: Floats) -> Floats | None:
    """Find the landmarks of the face in a box, (4,), at four angles; None where there is none."""
    middle_xy, side = (box_xyxy[:2] + box_xyxy[2:]) / 2, np.sqrt(areas(box_xyxy[None]))
    guesses_xy = np.stack([middle_xy + side * _IN_BOX @ turn for turn in _QUARTER_TURNS])
    best_xy, surest = None, 0.0
    chips = cut_chips(image, guesses_xy, _LAYOUT, Chips.ONE)
    for guess_xy, seen in zip(guesses_xy, _seen(network, chips), strict=True):
        for points_xy, sure in seen:
            if sure > surest:
                there_xy = from_chip(image, points_xy, onto_chip(image, guess_xy, _LAYOUT))
                best_xy, surest = there_xy.astype(np.float32), sure
    return best_xy


def _are_turned(a_xy: Floats, b_xy: Floats) -> bool:
    """Say whether two sets of landmarks, (5, 2) each, are of angles over 45 degrees apart."""
    into = similarity_transform(a_xy, b_xy.tolist())
    return bool(into[0, 0] < abs(into[1, 0]))


def _box_of(points_xy: Floats) -> Floats:
    """Give the box, (4,), that a detector would find around the face with these landmarks."""
    into_picture = similarity_transform(_IN_BOX, points_xy.tolist())
    (cos, sin), middle_xy = into_picture[:, 0], into_picture[:, 2]
    half = np.hypot(cos, sin) / 2 * np.array(_BOX_WH if abs(cos) >= abs(sin) else _BOX_WH[::-1])
    return np.concatenate([middle_xy - half, middle_xy + half]).astype(np.float32)


def _doubtful(found: Detections, certainties: Floats) -> list[int]:
    """Say which faces, the largest of them, may have landmarks of another angle: their indices."""
    sizes = areas(found.boxes_xyxy)
    doubtful = np.nonzero((certainties < _CERTAIN) & (sizes >= _SMALLEST**2))[0]
    return sorted(doubtful.tolist(), key=lambda face: -sizes[face])[:_MOST_DOUBTFUL]


def _seen(network: FaceNetwork, chips: NDArray[np.uint8]) -> list[list[tuple[Floats, float]]]:
    """Find the landmarks of each face, and the certainties, in those of its chips that show it.

    `chips` is (n, views, side, side, 3); a second view is a mirror's.
    """
    views = chips.shape[1]
    found = network.find_each(chips.reshape(-1, *chips.shape[2:]), _THRESHOLD) if len(chips) else []
    seen: list[list[tuple[Floats, float]]] = [[] for _ in chips]
    for chip, candidates in enumerate(found):
        in_chip = _in_middle(candidates)
        if in_chip is not None:
            points_xy, sure = in_chip
            seen[chip // views].append((_mirrored(points_xy) if chip % views else points_xy, sure))
    return seen


def _mirrored(points_xy: Floats) -> Floats:
    return (points_xy * (-1, 1) + (_SIDE, 0))[_LEFT_FOR_RIGHT].astype(np.float32)


def _in_middle(candidates: Detections) -> tuple[Floats, float] | None:
    if not len(candidates):
        return None
    off_middle = np.hypot(*(candidates.landmarks_xy.mean(axis=1) - _MIDDLE_XY).T)
    best = int(np.argmax(candidates.confidences - _CONFIDENCE_PER_PIXEL * off_middle))
    if off_middle[best] > _FARTHEST:
        return None
    return candidates.landmarks_xy[best], float(candidates.confidences[best])
