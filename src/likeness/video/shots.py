"""Chooses the looks that somebody is recognised by, and makes their templates.

Of each half a second of a track the best look that is fit is taken, no nearer than half a second to
the one before, and of those the best few are kept. Until it is known which is the best, what is
around each face is kept, not its frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from likeness.terms import Box, Face, Image, Landmarks, Point
from likeness.video.looks import FrameFinder, Look, Shot

APART_S = 0.5
MOST_SHOTS = 8
# Sides of the face that are kept around it, as far as the chips and pictures of any model reach.
_AROUND = 1.0
# Pixels of what is kept: more is detail that no chip has.
_MOST_PIXELS = 640
# So many times as good a look takes the place of a shot that is too near to it.
_BETTER = 1.1
# A face of this many pixels is as good as a larger one.
_LARGE = 112.0


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A look, what is around its face, and the same face where it is in that."""

    look: Look
    image: Image
    face: Face
    goodness: float


def goodness_of(face: Face, hidden: float = 0.0) -> float:
    """Say how good a face is to recognise somebody by, 0 to 1.

    `hidden` is how much of it another face may hide, 0 to 1.
    """
    size = min(face.quality.size / _LARGE, 1.0)
    sharp = 0.3 + 0.7 * face.quality.sharpness / 100
    towards = np.cos(np.radians([face.pose.yaw, face.pose.pitch])).clip(0).prod()
    return float(size * sharp * towards * face.confidence * (1 - min(hidden, 1.0)))


def cut_out(image: Image, look: Look, goodness: float) -> Cutout:
    """Copy what is around a face out of its frame."""
    box = look.face.box
    (scale_x, scale_y), (rows, columns) = image.scale_xy, image.pixels.shape[:2]
    left = _within((box.left - _AROUND * box.width) * scale_x, columns - 1)
    top = _within((box.top - _AROUND * box.height) * scale_y, rows - 1)
    right = max(left + 1, _within((box.right + _AROUND * box.width) * scale_x + 1, columns))
    bottom = max(top + 1, _within((box.bottom + _AROUND * box.height) * scale_y + 1, rows))
    part = image.pixels[top:bottom, left:right]
    width, height = round((right - left) / scale_x), round((bottom - top) / scale_y)
    shrunk = _MOST_PIXELS / max(part.shape[:2])
    if shrunk < 1:
        size = max(1, round(part.shape[1] * shrunk)), max(1, round(part.shape[0] * shrunk))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        part = part.copy()
    moved = _moved(look.face, -left / scale_x, -top / scale_y)
    return Cutout(look, Image(part, max(1, width), max(1, height)), moved, goodness)


class Choice:
    """The best looks of one track so far."""

    def __init__(self, finder: FrameFinder, most: int = MOST_SHOTS) -> None:
        self._finder = finder
        self._most = most
        self._slot = -1
        # Of this half second, the best look, and the best that is far enough from the last shot.
        self._best: Cutout | None = None
        self._best_apart: Cutout | None = None
        self._shots: list[tuple[float, Shot]] = []

    def offer(self, cutout: Cutout) -> None:
        """Consider a look; looks ascend in time."""
        slot = int(cutout.look.time_s // APART_S)
        if slot != self._slot:
            self.close()
            self._slot = slot
        if self._best is None or cutout.goodness > self._best.goodness:
            self._best = cutout
        if not self._is_near_last(cutout) and (
            self._best_apart is None or cutout.goodness > self._best_apart.goodness
        ):
            self._best_apart = cutout

    def close(self) -> None:
        """Decide on the looks offered so far: the best becomes a shot, if it is one of the best."""
        best, apart = self._best, self._best_apart
        self._best = self._best_apart = None
        if best is not None and self._is_near_last(best):
            if best.goodness > _BETTER * self._shots[-1][0]:
                self._shots.pop()
            else:
                best = apart
        if best is None:
            return
        if len(self._shots) >= self._most:
            worst = min(self._shots, key=lambda one: one[0])
            if worst[0] >= best.goodness:
                return
            self._shots.remove(worst)
        self._shots.append((best.goodness, _shot(self._finder, best)))

    def _is_near_last(self, cutout: Cutout) -> bool:
        return bool(self._shots) and (cutout.look.time_s < self._shots[-1][1].look.time_s + APART_S)

    @property
    def shots(self) -> Sequence[tuple[float, Shot]]:
        """The shots, each after its goodness, in the order of time."""
        return tuple(self._shots)


def best_of(shots: Sequence[tuple[float, Shot]], most: int = MOST_SHOTS) -> tuple[Shot, ...]:
    """Keep the best of some shots that lie at least half a second apart, in the order of time."""
    kept: list[Shot] = []
    for _, shot in sorted(shots, key=lambda one: -one[0]):
        times = [abs(shot.look.time_s - other.look.time_s) for other in kept]
        if len(kept) < most and min(times, default=APART_S) >= APART_S:
            kept.append(shot)
    return tuple(sorted(kept, key=lambda shot: shot.look.time_s))


def _shot(finder: FrameFinder, cutout: Cutout) -> Shot:
    (template,) = finder.templates(cutout.image, [cutout.face])
    return Shot(cutout.look, template, finder.crop_jpeg(cutout.image, cutout.face.box))


def _within(place: float, most: int) -> int:
    return int(np.clip(place, 0, most))


def _moved(face: Face, x: float, y: float) -> Face:
    box, marks = face.box, face.landmarks
    points = (marks.eye_left, marks.eye_right, marks.nose, marks.mouth_left, marks.mouth_right)
    return replace(
        face,
        box=Box(box.left + x, box.top + y, box.right + x, box.bottom + y),
        landmarks=Landmarks(*(Point(point.x + x, point.y + y) for point in points)),
    )
