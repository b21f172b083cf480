"""Make what scores stand on: cohorts, which even them out, and calibrations, what they mean.

Both are measured on pictures of known people.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, LikenessError
from likeness.evaluation import (
    DECADES,
    ERRORS_NEEDED,
    UPPER_95,
    PairScores,
    StrangerScores,
    groups_of,
    misses_of,
)
from likeness.service.enrol.sources import is_folder, picture_files
from likeness.service.evaluate.pair_scores import score_blocks
from likeness.service.search.folder_gallery import (
    FolderGallery,
    Reference,
    Rejection,
    read_gallery,
)
from likeness.terms import Calibration, in_parallel
from likeness.vision.cohorts.cohort import Cohort, crowds
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.embed import Embedder
from likeness.vision.find import FaceFinder, FaceLocator


def calibrate(
    folder: Path,
    finder: FaceFinder,
    *,
    limits: DecodeLimits,
    workers: int,
    measured_on: str,
    leave_out: frozenset[str] = frozenset(),
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Calibration, FolderGallery]:
    """Score every pair of pictures of different people against each other.

    Gives the calibration, and the pictures; those without a face are counted too.

    Args:
        folder: one folder a person; pictures of one person in two folders spoil the result.
        finder: what finds and embeds faces.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        measured_on: what the pictures are, for whoever reads the calibration.
        leave_out: people whose pictures are known to be mislabelled.
        tell: is called with how many of how many pictures are done.

    Raises:
        InvalidRequest: there are too few pairs of different people, or somebody to leave out is
            not there.
    """
    gallery = read_gallery(folder, finder, limits=limits, workers=workers, tell=tell)
    unknown = leave_out - set(gallery.subjects)
    if unknown:
        raise InvalidRequest(
            f"{min(unknown)!r}, to be left out, is not in '{folder}'. Correct the name."
        )
    kept = [each for each in gallery.references if each.subject not in leave_out]
    return _calibration(kept, finder, measured_on), gallery


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


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Some templates against those that follow: scores of strangers, and (n,) of one person's.

    `mated_raw` are the raw scores of the latter.
    """

    strangers: PairScores
    mated: NDArray[np.float64]
    mated_raw: NDArray[np.float32]


def every_pair(
    vectors: NDArray[np.floating], means: NDArray[np.floating], people: NDArray[np.integer]
) -> Iterator[Pairs]:
    """Score every pair of n templates, as `terms.template.compare` does.

    Args:
        vectors: (n, d), of length one.
        means: (n,), as a cohort gives them.
        people: (n,), whose each is.
    """
    groups = groups_of(people)
    for start, raw, scores in score_blocks(vectors, means):
        rows = slice(start, start + len(scores))
        later = np.triu(np.ones(scores.shape, bool), k=1)
        same = people[rows, None] == people[start:]
        row, column = np.nonzero(later & ~same)
        yield Pairs(
            PairScores(scores[row, column], groups[start + row], groups[start + column]),
            scores[later & same],
            raw[later & same],
        )


@dataclass(frozen=True, slots=True, eq=False)
class MadeCohort:
    """A cohort, how many people it averages, and the pictures that were of no use."""

    cohort: Cohort
    people: int
    rejections: tuple[Rejection, ...]


def make_cohort(
    folder: Path,
    locator: FaceLocator,
    embedder: Embedder,
    *,
    limits: DecodeLimits,
    workers: int,
    made_from: str,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> MadeCohort:
    """Average the foremost faces of all pictures in a folder and in the folders inside it.

    The cohort holds nobody's template. Every picture should show another person.

    Args:
        folder: the pictures, however they are sorted.
        locator: what finds faces.
        embedder: what embeds them.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        made_from: whose pictures they are, and under what terms, for whoever uses the cohort.
        tell: is called with how many of how many pictures are done.

    Raises:
        InvalidRequest: there is no such folder, or too few pictures in it have a face.
    """

    def embed(picture: Path) -> NDArray[np.float32] | Rejection:
        try:
            return _vector(picture, locator, embedder, limits)
        except LikenessError as error:
            return Rejection(picture, error)

    pictures = _pictures(folder)
    results: list[NDArray[np.float32] | Rejection] = []
    for result in in_parallel(embed, pictures, workers):
        results.append(result)
        tell(len(results), len(pictures))
    people = [each for each in results if not isinstance(each, Rejection)]
    if not people:
        raise InvalidRequest(
            f"No face in any of the {len(pictures)} files of '{folder}'. Name another folder."
        )
    return MadeCohort(
        Cohort.of(crowds(np.stack(people)), embedder.model, made_from),
        len(people),
        tuple(each for each in results if isinstance(each, Rejection)),
    )


def _vector(
    picture: Path, locator: FaceLocator, embedder: Embedder, limits: DecodeLimits
) -> NDArray[np.float32]:
    """Embed the foremost face: (d,)."""
    located = locator.locate(read_sample(picture, limits))
    landmarks_xy = located.detections.landmarks_xy[[located.foremost]]
    return np.asarray(embedder.vectors(located.image, landmarks_xy)[0], np.float32)


def _pictures(folder: Path) -> list[Path]:
    if not is_folder(folder):
        raise InvalidRequest(f"'{folder}' is not a folder. Name a folder of pictures.")
    return picture_files([folder])
