"""Chooses the looks that somebody is recognised by, and makes their templates.

Of each second and a half of a track those looks are taken that are best together, at least half a
second apart, and of all that are taken the best few are kept, from all of a long track. Until it is
known which they are, what is around each face is kept, not its frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import (
    Box,
    Face,
    Image,
    Landmarks,
    Point,
    QualityReason,
    relative_scores,
)
from likeness.video.looks import FrameFinder, Look, Shot

APART_S = 0.5
MOST_SHOTS = 8
# Sides of the face that are kept around it, as far as the chips and pictures of any model reach.
_AROUND = 1.0
# Pixels of what is kept: more is detail that no chip has.
_MOST_PIXELS = 640
# As long as looks are kept before it is decided which are taken.
_CHOSEN_FROM_S = 1.5
# So many times as good a look takes the place of the shot before it, where that is too near.
_BETTER = 1.5
# A face that is blurred or dark is so much worse than one that is not, and better than none.
_POOR = 0.25
_MAY_BE = {QualityReason.LOW_SHARPNESS, QualityReason.LOW_BRIGHTNESS}
_LEAST_SHARPNESS = 5.0
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
    """Say how good a face is to recognise somebody by, 0 to 1; 0 where it is no good.

    `hidden` is how much of it another face may hide, 0 to 1.
    """
    quality = face.quality
    if not _MAY_BE.issuperset(quality.reasons) or quality.sharpness < _LEAST_SHARPNESS:
        return 0.0
    fit = 1.0 if quality.fit_to_enrol else _POOR
    size = min(quality.size / _LARGE, 1.0)
    sharp = 0.3 + 0.7 * quality.sharpness / 100
    yaw, pitch = (max(0.0, math.cos(math.radians(a))) for a in (face.pose.yaw, face.pose.pitch))
    return fit * size * sharp * yaw * pitch * face.confidence * (1 - min(hidden, 1.0))


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
        # The longer a track is, the further apart its shots are.
        self._apart_s = APART_S
        self._offered: list[Cutout] = []
        self._shots: list[tuple[float, Shot]] = []

    def offer(self, cutout: Cutout) -> None:
        """Consider a look; looks ascend in time."""
        slot = int(cutout.look.time_s // _CHOSEN_FROM_S)
        if slot != self._slot:
            self.close()
            self._slot = slot
        self._offered.append(cutout)

    def close(self) -> None:
        """Decide on the looks offered so far: the best become shots, if they are of the best."""
        offered, self._offered = self._offered, []
        if offered and self._shots:
            best = max(offered, key=lambda one: one.goodness)
            goodness, last = self._shots[-1]
            if best.look.time_s < last.look.time_s + self._apart_s and (
                best.goodness > _BETTER * goodness
            ):
                self._shots.pop()
        taken_s = self._shots[-1][1].look.time_s if self._shots else -np.inf
        free = [one for one in offered if one.look.time_s >= taken_s + self._apart_s]
        for cutout in _best_together(free, self._apart_s):
            self._shots.append((cutout.goodness, _shot(self._finder, cutout)))
        while len(self._shots) > self._most:
            self._apart_s *= 2
            self._shots = _best_apart(self._shots, self._apart_s)

    @property
    def shots(self) -> Sequence[tuple[float, Shot]]:
        """The shots, each after its goodness, in the order of time."""
        return tuple(self._shots)


class LiveChoice:
    """The best looks of one face so far, where each is decided on when it comes."""

    def __init__(
        self, shots: Sequence[tuple[float, Shot]] = (), most: int = MOST_SHOTS, apart_s: float = 0.0
    ) -> None:
        self._most = most
        self._apart_s = max(apart_s, APART_S)
        self._shots = list(shots)

    def wants(self, time_s: float, goodness: float, *, soon: bool = False) -> bool:
        """Whether a look is to become a shot; looks ascend in time.

        The more shots there are the longer it is until the next, unless it is wanted `soon`.
        """
        if not self._shots or goodness <= 0:
            return goodness > 0
        last_goodness, last = self._shots[-1]
        since_s = time_s - last.look.time_s
        if since_s < APART_S:
            return goodness > _BETTER * last_goodness
        least = min(one for one, _ in self._shots)
        gap_s = max(self._apart_s, APART_S * 2 ** ((len(self._shots) - 1) // 2))
        return goodness > (least / _BETTER if soon or since_s >= gap_s else least * _BETTER)

    def add(self, goodness: float, shot: Shot) -> None:
        """Take a shot; the better of it and the one before, where that is too near."""
        if self._shots and shot.look.time_s < self._shots[-1][1].look.time_s + APART_S:
            if goodness <= self._shots[-1][0]:
                return
            self._shots.pop()
        self._shots.append((goodness, shot))
        while len(self._shots) > self._most:
            self._apart_s *= 2
            self._shots = _best_apart(self._shots, self._apart_s)

    def split(self, first: int) -> "LiveChoice":
        """Give away the shots from one on."""
        later = LiveChoice(self._shots[first:], self._most, self._apart_s)
        del self._shots[first:]
        return later

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The shots, in the order of time."""
        return tuple(shot for _, shot in self._shots)


def _best_together(cutouts: Sequence[Cutout], apart_s: float) -> list[Cutout]:
    """Choose looks so far apart that are best in all, a good one before two poor ones.

    Squares of goodness are summed.
    """
    # Of each look: the most that a choice comes to that ends with it, and the look before it there.
    sums: list[float] = []
    befores: list[int] = []
    for cutout in cutouts:
        earlier = [
            (sums[which], -which)
            for which in range(len(sums))
            if cutouts[which].look.time_s <= cutout.look.time_s - apart_s
        ]
        most, before = max(earlier, default=(0.0, 1))
        sums.append(most + cutout.goodness**2)
        befores.append(-before)
    which = int(np.argmax(sums)) if sums else -1
    chosen: list[Cutout] = []
    while which >= 0:
        chosen.append(cutouts[which])
        which = befores[which]
    return chosen[::-1]


def best_of(shots: Sequence[tuple[float, Shot]], most: int = MOST_SHOTS) -> tuple[Shot, ...]:
    """Keep the best of some shots that lie at least half a second apart, in the order of time."""
    apart = _best_apart(shots, APART_S)
    best = sorted(apart, key=lambda one: -one[0])[:most]
    return tuple(sorted((shot for _, shot in best), key=lambda shot: shot.look.time_s))


def _best_apart(shots: Sequence[tuple[float, Shot]], apart_s: float) -> list[tuple[float, Shot]]:
    """Keep the best of some shots that lie so far apart, in the order of time."""
    kept: list[tuple[float, Shot]] = []
    for one in sorted(shots, key=lambda one: -one[0]):
        times = [abs(one[1].look.time_s - other.look.time_s) for _, other in kept]
        if min(times, default=apart_s) >= apart_s:
            kept.append(one)
    return sorted(kept, key=lambda one: one[1].look.time_s)


def mean_score(some: Sequence[Shot], others: Sequence[Shot]) -> float | None:
    """Give the mean score of shots compared with others; None where one of both has none."""
    if not some or not others:
        return None
    (vectors, means), (their_vectors, their_means) = _stacked(some), _stacked(others)
    return float(relative_scores(vectors @ their_vectors.T, means[:, None], their_means).mean())


def _stacked(shots: Sequence[Shot]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    templates = [shot.template for shot in shots]
    vectors = np.stack([template.vector for template in templates])
    return vectors, np.array([template.cohort.mean for template in templates])


def _shot(finder: FrameFinder, cutout: Cutout) -> Shot:
    (template,) = finder.templates(cutout.image, [cutout.face])
    return Shot(cutout.look, template, finder.crop_jpeg(cutout.image, cutout.face.box))


def _within(place: float, most: int) -> int:
    return int(min(max(place, 0), most))


def _moved(face: Face, x: float, y: float) -> Face:
    box, marks = face.box, face.landmarks
    points = (marks.eye_left, marks.eye_right, marks.nose, marks.mouth_left, marks.mouth_right)
    return replace(
        face,
        box=Box(box.left + x, box.top + y, box.right + x, box.bottom + y),
        landmarks=Landmarks(*(Point(point.x + x, point.y + y) for point in points)),
    )
