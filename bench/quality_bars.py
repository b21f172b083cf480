"""What quality bars leave out, against what they keep: mated pairs whose probe was made worse.

A photograph of each person of View 1 is the reference. Another, made worse at random in one of six
ways and to any degree, is the probe. An error is a probe without a face, or one that does not reach
the threshold for FMR 1e-3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, at_least
from bench.portrayed import portrayed
from bench.workplace import data, sample_of
from likeness.service.search.faces import BEST, FIT, GOOD, QualityBar
from likeness.terms import Face, Template, compare, in_parallel
from likeness.vision.decode import Sample, read_sample

Pixels = NDArray[np.uint8]

_FMR = 1e-3
_PEOPLE = 700
_DISCARDED = (0.05, 0.1, 0.2, 0.3)
_BANDS = ((0, 16), (16, 20), (20, 24), (24, 32), (32, 48), (48, 64), (64, 999))


@dataclass(frozen=True, slots=True)
class _Probe:
    """What was made worse how, the face that was found in it, and whether that was an error."""

    kind: str
    face: Face | None
    error: bool


def _blur(pixels: Pixels, degree: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.3 + 5 * degree), np.uint8)


def _darken(pixels: Pixels, degree: float) -> Pixels:
    return _lit(pixels, 1.0 - 0.98 * degree)


def _overexpose(pixels: Pixels, degree: float) -> Pixels:
    return _lit(pixels, 1.0 + 4.0 * degree)


def _lit(pixels: Pixels, gain: float) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 1.5, pixels.shape)
    return np.clip(pixels * gain + noise, 0, 255).astype(np.uint8)


def _fade(pixels: Pixels, degree: float) -> Pixels:
    return np.asarray(110 + (pixels - 110.0) * (1.0 - 0.97 * degree), np.uint8)


def _shrink(pixels: Pixels, degree: float) -> Pixels:
    side = max(24, round(250 * (1.0 - 0.9 * degree)))
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _compress(pixels: Pixels, degree: float) -> Pixels:
    quality = [cv2.IMWRITE_JPEG_QUALITY, max(1, round(40 * (1.0 - degree)))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR))


_WAYS: dict[str, Callable[[Pixels, float], Pixels]] = {
    "blur": _blur,
    "dark": _darken,
    "glare": _overexpose,
    "faded": _fade,
    "small": _shrink,
    "compressed": _compress,
}


def _auto(full: bool) -> Measurement:
    kept, left_out = _errors(FIT)
    return Measurement(
        left_out.mean() / kept.mean(),
        f"FNMR at FMR {_FMR:g} of {len(left_out)} probes that AUTO leaves out (those without a face"
        f" too), {left_out.mean():.3f}, over {kept.mean():.3f} of {len(kept)} that it keeps",
        (
            *(_of_bar(name, bar) for name, bar in (("medium", GOOD), ("high", BEST))),
            *_reasons(),
            *_sizes(),
            *_curves(),
        ),
    )


def _errors(bar: QualityBar) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which of the probes that a bar keeps, and of those that it leaves out, were errors."""
    kept = [one.error for one in _probes() if _is_kept(one.face, bar)]
    left_out = [one.error for one in _probes() if not _is_kept(one.face, bar)]
    return np.array(kept), np.array(left_out)


def _is_kept(face: Face | None, bar: QualityBar) -> bool:
    return face is not None and not bar.speaks_against(face)


def _of_bar(name: str, bar: QualityBar) -> Beside:
    kept, left_out = _errors(bar)
    against = f"times the FNMR of what it keeps, {kept.mean():.4f} of {len(kept)} probes"
    return Beside(name, left_out.mean() / kept.mean(), "FNMR left out over kept", against)


def _reasons() -> list[Beside]:
    by_reason: dict[str, list[bool]] = {}
    for one in _probes():
        for reason in () if one.face is None else one.face.quality.reasons:
            by_reason.setdefault(reason.value, []).append(one.error)
    return [
        Beside(f"reason-{name}", float(np.mean(errors)), "FNMR", f"{len(errors)} probes")
        for name, errors in sorted(by_reason.items())
    ]


def _sizes() -> list[Beside]:
    small = [one for one in _probes() if one.kind == "small" and one.face is not None]
    rows = []
    for low, high in _BANDS:
        errors = [one.error for one in small if one.face and low <= one.face.quality.size < high]
        share = float(np.mean(errors)) if errors else float("nan")
        rows.append(Beside(f"size-{low}-{high}", share, "FNMR", f"{len(errors)} shrunk probes"))
    return rows


def _curves() -> list[Beside]:
    """The FNMR of what is left once the worst by one measure are discarded."""
    seen = [one for one in _probes() if one.face is not None]
    errors = np.array([one.error for one in seen])
    rows = [Beside("discard-nothing", float(errors.mean()), "FNMR", f"{len(seen)} probes")]
    for name, measure in _MEASURES.items():
        order = np.argsort([measure(one.face) for one in seen if one.face], kind="stable")
        for share in _DISCARDED:
            left = errors[order[round(share * len(order)) :]]
            rows.append(Beside(f"discard-{share:g}-{name}", float(left.mean()), "FNMR", ""))
    return rows


_MEASURES: dict[str, Callable[[Face], float]] = {
    "sharpness": lambda face: face.quality.sharpness,
    "brightness": lambda face: face.quality.brightness,
    "size": lambda face: face.quality.size,
    "yaw": lambda face: -abs(face.pose.yaw),
    "pitch": lambda face: -abs(face.pose.pitch),
    "confidence": lambda face: face.confidence,
}


@cache
def _probes() -> tuple[_Probe, ...]:
    people = [each for each in _people() if len(each) >= 2][:_PEOPLE]
    random = np.random.default_rng(0)
    ways = list(_WAYS)
    tasks = [
        (pictures[0], pictures[1], ways[n % len(ways)], float(random.uniform()))
        for n, pictures in enumerate(people)
    ]
    return tuple(in_parallel(_tried, tasks, likeness().workers))


def _tried(task: tuple[Path, Path, str, float]) -> _Probe:
    reference, probe, way, degree = task
    pixels = _WAYS[way](read_sample(probe).decode().pixels, degree)
    seen = _seen(sample_of(pixels))
    if seen is None:
        return _Probe(way, None, True)
    face, template = seen
    sought = _seen(read_sample(reference))
    threshold = likeness().calibration.point(_FMR).threshold
    missed = sought is None or compare(sought[1], template).score < threshold
    return _Probe(way, face, missed)


def _seen(sample: Sample) -> tuple[Face, Template] | None:
    """Find the face portrayed and make its template; None where there is no face."""
    finder = likeness().finder
    located = finder.locate(sample)
    if not located.faces:
        return None
    which = portrayed(located)
    return located.faces[which], finder.templates(located, [which])[0]


def _people() -> Sequence[list[Path]]:
    return [sorted(folder.glob("*.jpg")) for folder in sorted(data("lfw_view1").glob("images/*"))]


FIGURES = (Figure("auto-errors", "times the FNMR", at_least(5), _auto),)
