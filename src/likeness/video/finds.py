"""What a frame is searched for, and what is found in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Face, Image
from likeness.video.looks import FrameFinder
from likeness.video.shots import goodness_of

SURE = 0.6
"""What a detector is less sure of goes on with a track and begins none."""
# Of the smallest face in view: smaller ones need not be found between looks for faces of any size.
_SHRUNK = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class Finds:
    """The faces of one frame, and how good each is to recognise somebody by, 0 to 1."""

    faces: Sequence[Face]
    goodness: Sequence[float]

    def sides(self) -> NDArray[np.float64]:
        """Give the (n, 4) boxes of the faces: left, top, right, bottom."""
        return _sides(self.faces)

    def sure(self, sure_from: float = SURE) -> NDArray[np.bool_]:
        """Say of each face whether it may be the first look at somebody: (n,)."""
        return np.array([face.confidence >= sure_from for face in self.faces], np.bool_)


def find_in(image: Image, finder: FrameFinder, least: float | None, turn: int = 0) -> Finds:
    """Search a frame for faces of at least so many pixels (`FrameFinder`)."""
    faces = tuple(finder.locate(image, least, turn))
    hidden = (2 * _most_overlaps(_sides(faces))).tolist()
    return Finds(faces, [goodness_of(*one) for one in zip(faces, hidden, strict=True)])


@dataclass(frozen=True, slots=True)
class HowOften:
    """How often a stream of frames is searched more closely than is needed for those in view.

    After `any_size_s` faces of any size are looked for again, where something moved; after
    `any_angle_s` they are so anyway, and while nobody is in view, heads that lie on their side are.
    Between, where nobody is in view, faces are looked for that have `entering` of the frame's
    longer side.
    """

    any_size_s: float = 0.25
    any_angle_s: float = 1.0
    entering: float = 0.0


class Closeness:
    """Says how closely the next frame is searched, by what those before showed.

    A face as large as those in view is seen in every look, a smaller one in every so many. Heads
    that lie on their side are looked for where nobody else is in view.
    """

    def __init__(self, often: HowOften = HowOften()) -> None:
        self._often = often
        self._any_size_s = self._any_angle_s = -np.inf
        self._smallest = 0.0
        self._lying = False

    @property
    def nobody(self) -> bool:
        """Whether nobody was in view in the last look."""
        return not self._smallest and not self._lying

    def least_at(self, time_s: float, longer_side: int, *, moved: bool = True) -> float | None:
        """Say what size of a face to look for at a moment: None looks closest (`FrameFinder`).

        `moved` is whether something moved since faces of any size were looked for, beside those in
        view.
        """
        if self.nobody and time_s >= self._any_angle_s + self._often.any_angle_s:
            self._any_angle_s = time_s
            return None
        after_s = self._often.any_size_s if moved else self._often.any_angle_s
        if time_s >= self._any_size_s + after_s:
            self._any_size_s = time_s
            return 0.0
        if self._lying:
            return None
        return _SHRUNK * self._smallest or self._often.entering * longer_side

    def is_due(self, time_s: float) -> bool:
        """Whether an empty frame is searched again though nothing moves."""
        return time_s >= self._any_angle_s + self._often.any_angle_s

    def learn(self, least: float | None, faces: Sequence[Face]) -> None:
        """Take what a look showed."""
        if least is None or faces:
            self._lying = least is None and bool(faces)
        sizes = () if self._lying else (face.box.area**0.5 for face in faces)
        self._smallest = min(sizes, default=0.0)


def _sides(faces: Sequence[Face]) -> NDArray[np.float64]:
    boxes = [face.box for face in faces]
    return np.array([(b.left, b.top, b.right, b.bottom) for b in boxes], np.float64).reshape(-1, 4)


def _most_overlaps(boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say of each box how much it overlaps the one that it overlaps most, 0 to 1."""
    low = np.maximum(boxes_xyxy[:, None, :2], boxes_xyxy[None, :, :2])
    high = np.minimum(boxes_xyxy[:, None, 2:], boxes_xyxy[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(axis=1)
    np.fill_diagonal(shared, 0)
    covered = areas[:, None] + areas[None] - shared
    return np.asarray((shared / np.maximum(covered, 1e-9)).max(axis=1, initial=0.0))
