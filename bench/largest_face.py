"""Is the largest face that is found at a glance the one that a closer look finds, and how soon?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.detection import overlaps
from bench.figure import Beside, Figure, Measurement, at_least
from bench.workplace import data, installation, pictures_in
from likeness.app import Workload
from likeness.vision.decode import Sample, read_sample
from likeness.vision.find import FaceFinder, Located

_SETS = ("deepface_pairs", "fairface540", "lfw_view1", "wider_mini")
_OF_EACH = 200
_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class _Looked:
    """A picture, looked at both ways; `raw` is how alike the two templates are, a cosine."""

    group: str
    same: bool
    raw: float
    glance_s: float
    close_s: float


def _largest(full: bool) -> Measurement:
    looked = _looked()
    apart = [1 - one.raw for one in looked if one.same]
    return Measurement(
        float(np.mean([one.same for one in looked])),
        f"of {len(looked)} pictures with a face, the largest found at a glance is (intersection"
        f" over union of at least {_OVERLAP}) the largest of all that are found",
        (
            *(
                Beside(
                    name,
                    float(np.mean([one.same for one in looked if one.group == name])),
                    "of 1",
                    f"{sum(one.group == name for one in looked)} pictures",
                )
                for name in _SETS
            ),
            Beside(
                "templates-apart",
                float(np.median(apart)),
                "1 - cosine",
                f"median; nine in ten at most {np.quantile(apart, 0.9):.5f}",
            ),
        ),
    )


def _speed(full: bool) -> Measurement:
    looked = _looked()
    return Measurement(
        float(np.median([one.close_s / one.glance_s for one in looked])),
        f"median of {len(looked)} pictures, landmarks found again and templates made both times,"
        " without other work",
        tuple(
            Beside(
                name,
                float(np.median([x.close_s / x.glance_s for x in looked if x.group == name])),
                "times faster",
                "",
            )
            for name in _SETS
        ),
    )


@cache
def _looked() -> tuple[_Looked, ...]:
    likeness = installation()
    finder = likeness.finder(likeness.engine(Workload.ONE))
    paths = [(name, path) for name in _SETS for path in _some(pictures_in(data(name)))]
    each = [_look(name, finder, read_sample(path)) for name, path in paths]
    return tuple(one for one in each if one is not None)


def _look(group: str, finder: FaceFinder, sample: Sample) -> _Looked | None:
    close, close_s = _timed(finder.locate, finder, sample)
    glance, glance_s = _timed(finder.locate_largest, finder, sample)
    if not close.faces and not glance.faces:
        return None
    boxes = [one.detections.boxes_xyxy[:1] for one in (glance, close)]
    same = bool((overlaps(*boxes) >= _OVERLAP).any())
    raw = 0.0
    if same:
        a, b = (finder.templates(one, [0])[0].vector for one in (glance, close))
        raw = float(a @ b)
    return _Looked(group, same, raw, glance_s, close_s)


def _timed(
    locate: Callable[[Sample], Located], finder: FaceFinder, sample: Sample
) -> tuple[Located, float]:
    began = time.perf_counter()
    located = locate(sample)
    if located.faces:
        finder.templates(located, [0])
    return located, time.perf_counter() - began


def _some(paths: list[Path]) -> list[Path]:
    """Pick pictures at even distances."""
    return paths[:: max(1, len(paths) // _OF_EACH)][:_OF_EACH]


FIGURES = (
    Figure("largest-face", "of 1", at_least(0.99), _largest),
    Figure("largest-face-speed", "times faster", at_least(1.5), _speed),
)
