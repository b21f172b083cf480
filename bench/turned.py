"""Is a head found, and known, at whatever angle it lies? Photographs turned by 24 angles.

A turned picture is made larger to hold all of the photograph; its corners are black. Photographs in
which no face is found upright are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.detection import Floats, Pixels
from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, at_least
from bench.portrayed import portrayed
from bench.workplace import data, pictures_in, sample_of
from likeness.terms import compare, in_parallel
from likeness.vision.decode import read_sample
from likeness.vision.detections import areas

_PICTURES = 60
_ANGLES = range(0, 360, 15)
_FMR = 1e-3
# What is found so near to where the face is, in sides of its box, is meant to be it.
_NEAR = 0.6


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of a turned face; `wrong_but_fit` counts fit templates of nobody upright."""

    angle: int
    known: bool
    wrong_but_fit: int


def _turned(full: bool) -> Measurement:
    pictures = pictures_in(data("lfw_view1"))
    sample = np.random.default_rng(0).permutation(len(pictures))[:_PICTURES]
    tried = in_parallel(_tried, [pictures[number] for number in sample], likeness().workers)
    upright = [each for each in tried if each]
    seen = [one for each in upright for one in each]
    by_angle = {
        angle: float(np.mean([one.known for one in seen if one.angle == angle]))
        for angle in _ANGLES
    }
    worst = min(_ANGLES, key=by_angle.__getitem__)
    return Measurement(
        float(np.mean([one.known for one in seen])),
        f"{len(upright)} pictures of LFW View 1 whose face is found upright, of {_PICTURES} drawn,"
        f" each turned by {len(_ANGLES)} angles; found, and its score with the upright face reaches"
        f" the threshold for FMR {_FMR:g}",
        (
            Beside(
                "wrong-but-fit",
                sum(one.wrong_but_fit for one in seen),
                "templates",
                "called fit to enrol, where the face is, that match no face of the upright picture",
            ),
            Beside("worst-angle", by_angle[worst], "of 1", f"turned by {worst} degrees"),
        ),
    )


FIGURES = (Figure("turned", "found and known", at_least(0.98), _turned),)


def _tried(picture: Path) -> Sequence[_Seen]:
    """Try a picture at every angle; nothing where no face is found upright."""
    finder, calibration = likeness().finder, likeness().calibration
    sample = read_sample(picture)
    upright = finder.locate(sample)
    if not upright.faces:
        return ()
    which = portrayed(upright)
    references = finder.templates(upright)
    box = upright.detections.boxes_xyxy[which]
    reach = _NEAR * float(np.sqrt(areas(box[None])[0]))
    threshold = calibration.point(_FMR).threshold
    seen = []
    for angle in _ANGLES:
        pixels, middle = turned(sample.decode().pixels, (box[:2] + box[2:]) / 2, angle)
        located = finder.locate(sample_of(pixels))
        boxes = located.detections.boxes_xyxy
        off = np.hypot(*((boxes[:, :2] + boxes[:, 2:]) / 2 - middle).T)
        near = np.flatnonzero(off < reach).tolist()
        fit = [located.faces[one].quality.fit_to_enrol for one in near]
        known = [
            [compare(reference, one).score >= threshold for reference in references]
            for one in finder.templates(located, near)
        ]
        wrong = sum(good and not any(as_whom) for good, as_whom in zip(fit, known, strict=True))
        seen.append(_Seen(angle, any(as_whom[which] for as_whom in known), wrong))
    return seen


def turned(pixels: Pixels, place_xy: Floats, degrees: float) -> tuple[Pixels, Floats]:
    """Turn a picture clockwise, and with it a place in it, (2,)."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    reach = np.abs(turn[:, :2]) @ (width, height)
    turn[:, 2] += np.asarray((reach - (width, height)) / 2, np.float64)
    canvas = cv2.warpAffine(pixels, turn, np.ceil(reach - 1e-6).astype(int).tolist())
    return np.asarray(canvas, np.uint8), np.asarray(turn @ (*place_xy, 1), np.float32)
