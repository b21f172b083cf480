"""Calibrate: what do scores mean with these models and this cohort, on pictures of known people?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import count_scores
from likeness.service.folder_gallery import FolderGallery, read_gallery
from likeness.terms.calibration import Calibration
from likeness.vision.decode import DecodeLimits
from likeness.vision.find import FaceFinder

# Rows of scores made at a time: a few megabytes for ten thousand pictures.
_ROWS = 256


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
    counts = count_scores(_scores_of_strangers(gallery, leave_out))
    scores, fmrs = counts.knots()
    return Measurement(
        Calibration(finder.model, finder.cohort_version, scores, fmrs, counts.total, measured_on),
        gallery,
    )


def _scores_of_strangers(
    gallery: FolderGallery, leave_out: frozenset[str]
) -> Iterator[NDArray[np.float64]]:
    """Score every pair once, as `terms.template.compare` does, many at a time."""
    kept = [each for each in gallery.references if each.subject not in leave_out]
    templates = [each.template for each in kept]
    subjects = np.unique([each.subject for each in kept], return_inverse=True)[1]
    vectors = np.array([template.vector for template in templates], np.float64)
    means = np.array([template.cohort.mean for template in templates])
    deviations = np.array([template.cohort.deviation for template in templates])
    for start in range(0, len(kept), _ROWS):
        rows = slice(start, start + _ROWS)
        raw = vectors[rows] @ vectors[start:].T
        by_row = (raw - means[rows, None]) / deviations[rows, None]
        by_column = (raw - means[start:]) / deviations[start:]
        later = np.triu(np.ones(raw.shape, bool), k=1)
        strangers = later & (subjects[rows, None] != subjects[start:])
        yield ((by_row + by_column) / 2)[strangers]
