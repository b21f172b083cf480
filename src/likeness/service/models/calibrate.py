"""Measure what scores mean, by all pairs of pictures of known people: calibrations.

The same pairs say more, for whoever reads them: likelihood ratios, thresholds with intervals, and
how often strangers of one group match.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, LikenessError
from likeness.evaluation import (
    DECADES,
    ERRORS_NEEDED,
    UPPER_95,
    Axis,
    PairScores,
    Samples,
    StrangerScores,
    groups_of,
    misses_of,
)
from likeness.service.evaluate.calibrating import group_rates, meaning_of
from likeness.service.evaluate.findings import CalibrationFindings, RowProblem
from likeness.service.evaluate.measure import comparable_axes
from likeness.service.evaluate.readers import plan_of_manifest
from likeness.service.evaluate.systems.pair_scores import (
    Templates,
    compare_every_pair,
    score_blocks,
)
from likeness.service.search.folder_gallery import Rejection, read_gallery
from likeness.terms import Calibration, MeasuredGroups, Template, in_parallel
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

_GROUP_RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""At thresholds for these rates among any strangers, groups are measured."""


@dataclass(frozen=True, slots=True)
class Person:
    """A picture of somebody that has a template, and what a manifest says of it."""

    subject: str
    template: Template
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class People:
    """Pictures of known people; those of no use are `rejections`, rows of no use `problems`."""

    pictures: tuple[Person, ...]
    rejections: tuple[Rejection, ...]
    problems: tuple[RowProblem, ...] = ()

    @property
    def subjects(self) -> frozenset[str]:
        """Everybody's name."""
        return frozenset(one.subject for one in self.pictures)

    def without(self, names: frozenset[str]) -> tuple[Person, ...]:
        """Give the pictures of all but some.

        Raises:
            InvalidRequest: one of them is not there.
        """
        unknown = names - self.subjects
        if unknown:
            raise InvalidRequest(
                f"{min(unknown)!r}, to be left out, is nobody's name here. Correct the name."
            )
        return tuple(one for one in self.pictures if one.subject not in names)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, what else the same pairs say, and what was measured of groups.

    `groups` is None where nobody asked; it may be without any, where no group has enough pairs.
    """

    calibration: Calibration
    meaning: CalibrationFindings
    groups: MeasuredGroups | None


def read_people(
    source: Path,
    finder: FaceFinder,
    *,
    limits: DecodeLimits,
    workers: int,
    root: Path | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> People:
    """Find and embed the foremost face of every picture.

    Args:
        source: one folder a person; or a manifest, CSV with `path`, `subject` and labels.
        finder: what finds and embeds faces.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        root: the folder that a manifest's paths start from; its own without.
        tell: is called with how many of how many pictures are done.

    Raises:
        InvalidRequest: there is no such folder or file, or nothing in it.
    """
    if source.suffix.lower() == ".csv":
        return _of_manifest(source, finder, limits, workers, root, tell)
    gallery = read_gallery(source, finder, limits=limits, workers=workers, tell=tell)
    pictures = tuple(Person(one.subject, one.template) for one in gallery.references)
    return People(pictures, gallery.rejections)


def calibrate(
    pictures: Sequence[Person],
    finder: FaceFinder,
    *,
    measured_on: str,
    groups: Sequence[str] = (),
    workers: int = 2,
) -> Calibrated:
    """Score every pair of pictures of different people against each other.

    Args:
        pictures: of people; those of one person under two names spoil the result.
        finder: what embedded them.
        measured_on: what the pictures are, for whoever reads the calibration.
        groups: labels that say in which groups of people to count, too; of several also crossed.
        workers: how many threads resample people.

    Raises:
        InvalidRequest: there are too few pairs of different people, or nobody has such a label.
    """
    people = np.unique([one.subject for one in pictures], return_inverse=True)[1]
    vectors = np.array([one.template.vector for one in pictures], np.float32)
    means = np.array([one.template.cohort.mean for one in pictures], np.float64)
    axes = _axes(pictures, groups)
    calibration = _calibration(vectors, means, people, finder, measured_on)
    nobody = np.zeros(len(pictures), np.bool_)
    samples = Samples(people.astype(np.int32), nobody, axes)
    try:
        comparisons = compare_every_pair(Templates(vectors, means, nobody), samples)
    except InvalidRequest as error:  # more than fit into memory; a calibration needs none of it
        if axes:
            raise
        nothing = CalibrationFindings((), (), None, (), (str(error),))
        return Calibrated(calibration, nothing, None)
    measured = None
    if axes:
        known = [rate for rate in _GROUP_RATES if rate >= calibration.lowest_fmr]
        thresholds = [calibration.threshold(min(rate, calibration.fmrs[0])) for rate in known]
        rates = group_rates(comparisons, samples, axes, thresholds, workers=workers)
        measured = MeasuredGroups(finder.model, finder.cohort_version, measured_on, rates)
    return Calibrated(calibration, meaning_of(comparisons, samples, workers=workers), measured)


def _axes(pictures: Sequence[Person], groups: Sequence[str]) -> tuple[Axis, ...]:
    labels = list(dict.fromkeys(name for one in pictures for name in one.labels))
    for name in groups:
        if name not in labels:
            there = ", ".join(labels) or "none"
            raise InvalidRequest(f"No such column of groups {name!r}. There is: {there}.")
    axes = [
        Axis.of(name, [one.labels.get(name, "") for one in pictures])
        for name in dict.fromkeys(groups)
    ]
    return comparable_axes(axes)


def _of_manifest(
    manifest: Path,
    finder: FaceFinder,
    limits: DecodeLimits,
    workers: int,
    root: Path | None,
    tell: Callable[[int, int], None],
) -> People:
    plan = plan_of_manifest(manifest, root=root)

    def embed(number: int) -> Person | Rejection:
        one = plan.samples[number]
        try:
            located = finder.locate(read_sample(one.path, limits))
            (template,) = finder.templates(located, [located.foremost])
        except LikenessError as error:
            return Rejection(one.path, error)
        return Person(one.subject, template, one.labels)

    made: list[Person | Rejection] = []
    for each in in_parallel(embed, range(len(plan.samples)), workers):
        made.append(each)
        tell(len(made), len(plan.samples))
    return People(
        tuple(one for one in made if isinstance(one, Person)),
        tuple(one for one in made if isinstance(one, Rejection)),
        plan.problems,
    )


def _calibration(
    vectors: NDArray[np.float32],
    means: NDArray[np.float64],
    people: NDArray[np.integer],
    finder: FaceFinder,
    measured_on: str,
) -> Calibration:
    """Say what scores mean, by all pairs.

    Raises:
        InvalidRequest: there are too few pairs of different people.
    """
    counts, mated, mated_raw = StrangerScores(), [], []
    for some in _every_pair(vectors, means, people):
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
class _Pairs:
    """Some templates against those that follow: scores of strangers, and (n,) of one person's.

    `mated_raw` are the raw scores of the latter.
    """

    strangers: PairScores
    mated: NDArray[np.float64]
    mated_raw: NDArray[np.float32]


def _every_pair(
    vectors: NDArray[np.floating], means: NDArray[np.floating], people: NDArray[np.integer]
) -> Iterator[_Pairs]:
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
        yield _Pairs(
            PairScores(scores[row, column], groups[start + row], groups[start + column]),
            scores[later & same],
            raw[later & same],
        )
