"""Calibrate: what do scores mean with these models and this cohort, on pictures of known people?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import DECADES, ERRORS_NEEDED, UPPER_95, StrangerScores, misses_of
from likeness.service.models.every_pair import every_pair
from likeness.service.search.folder_gallery import FolderGallery, Reference, read_gallery
from likeness.terms import Calibration
from likeness.vision.decode import DecodeLimits
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Measurement:
    """A calibration, and the pictures it was made from; those without a face are counted too."""

    calibration: Calibration
    gallery: FolderGallery


def calibrate(
    folder: Path,
    finder: FaceFinder,
    *,
    limits: DecodeLimits,
    workers: int,
    measured_on: str,
    leave_out: frozenset[str] = frozenset(),
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Measurement:
    """Score every pair of pictures of different people against each other.

    Args:
        folder: one folder a person; pictures of one person in two folders spoil the result.
        finder: what finds and embeds faces.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        measured_on: what the pictures are, for whoever reads the calibration.
        leave_out: people whose pictures are known to be mislabelled.
        tell: is told how many of how many pictures are done.

    Raises:
        InvalidRequest: there are too few pairs of different people, or somebody to leave out is
            not there.
    """
    gallery = read_gallery(folder, finder, limits=limits, workers=workers, tell=tell)
    unknown = leave_out - set(gallery.subjects)
    if unknown:
        raise InvalidRequest(
            f"people to leave out have to be in '{folder}', {min(unknown)!r} is not: correct the"
            " name"
        )
    kept = [each for each in gallery.references if each.subject not in leave_out]
    return Measurement(_calibration(kept, finder, measured_on), gallery)


def _calibration(kept: list[Reference], finder: FaceFinder, measured_on: str) -> Calibration:
    """Say what scores mean, by all pairs of references.

    Raises:
        InvalidRequest: there are too few pairs of different people.
    """
    people = np.unique([each.subject for each in kept], return_inverse=True)[1]
    templates = [each.template for each in kept]
    counts, mated, mated_raw = StrangerScores(), [], []
    for some in every_pair(
        np.array([template.vector for template in templates]),
        np.array([template.cohort.mean for template in templates]),
        people,
    ):
        counts.add(some.strangers)
        mated.append(some.mated)
        mated_raw.append(some.mated_raw)
    scores, fmrs = counts.knots()
    return Calibration(
        finder.model,
        finder.cohort_version,
        scores,
        fmrs,
        counts.total,
        measured_on,
        counts.tail(scores[-1], fmrs[-1] / 10**DECADES, UPPER_95),
        misses_of(np.concatenate(mated)),
        one_person=_one_person(np.concatenate(mated_raw)),
    )


def _one_person(mated_raw: NDArray[np.float32]) -> float:
    """Give the raw score that a third of the pairs of one person reach; 1 where there are few."""
    return 1.0 if len(mated_raw) < ERRORS_NEEDED else float(np.quantile(mated_raw, 2 / 3))
