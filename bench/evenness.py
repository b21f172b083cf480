"""Does one threshold mean one false match rate for everybody? UTKFace, by sex and race.

`utk_balanced` has 100 crops for each of two sexes and five races; every picture counts as another
subject, once duplicates are removed by a rule that knows no label: dlib's raw score. Rates are
those of comparisons within a group, at thresholds for a false match rate over all pairs;
Max/GeoMean is NIST's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import lfw
from bench.embedded import Embedded, Scores, embed
from bench.figure import Beside, Figure, Measurement, at_most
from bench.workplace import data, pictures_in, sample_of
from likeness.evaluation import (
    Axis,
    Comparisons,
    GroupCounts,
    Samples,
    count_by_group,
    max_over_geomean,
    threshold_at_fmr,
)
from likeness.vision.decode import Sample, read_sample

PADDING = 60
# Of two pictures that score as much with dlib the second is a duplicate.
_DUPLICATE_RAW_SCORE = 0.985
# Pairs that reach both were looked at: nearly all are one person twice.
_SAME_RAW_RETAIL, _SAME_RAW_DLIB = 0.75, 0.965
RETAIL, DLIB = "face-reidentification-retail-0095", "dlib-resnet-v1"
_RESAMPLES = 100
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """The scores, (n, n), of n subjects who are strangers to each other, and their n groups.

    A subject's score with itself is the lowest of all, so it never counts as a match.
    """

    scores: Scores
    groups: tuple[str, ...]

    def threshold(self, fmr: float) -> float:
        """The threshold for a false match rate over all pairs."""
        return threshold_at_fmr(_pairs(self.scores), fmr)

    def threshold_of_worst(self, fmr: float) -> float:
        """The lowest threshold at which no group's own rate exceeds `fmr`."""
        return max(
            threshold_at_fmr(_pairs(self.scores[np.ix_(members, members)]), fmr)
            for members in self._members()
        )

    def counts(self, fmr: float) -> GroupCounts:
        """The false matches by group at the threshold for a rate over all pairs."""
        return count_strangers(self.scores, self.groups, self.threshold(fmr))

    def unevenness(self, fmr: float) -> float:
        """Max/GeoMean of those; a group without a false match is given one, which bounds it."""
        counts = self.counts(fmr)
        bounds = np.maximum(counts.within_errors, 1) / counts.within_trials
        return float(max_over_geomean(bounds))

    def half(self, which: int) -> "Strangers":
        """Every second subject of each group: the even ones or the odd ones."""
        return self._only(np.concatenate([members[which::2] for members in self._members()]))

    def interval(self, fmr: float) -> tuple[float, float]:
        """The 90% interval of the unevenness: subjects are drawn anew within their groups."""
        random = np.random.default_rng(_SEED)
        drawn = [
            self._only(np.concatenate([random.choice(each, len(each)) for each in self._members()]))
            for _ in range(_RESAMPLES)
        ]
        low, high = np.quantile([each.unevenness(fmr) for each in drawn], (0.05, 0.95))
        return low, high

    def _members(self) -> list[NDArray[np.intp]]:
        groups = np.array(self.groups)
        return [np.flatnonzero(groups == group) for group in np.unique(groups)]

    def _only(self, subjects: NDArray[np.intp]) -> "Strangers":
        groups = tuple(self.groups[subject] for subject in subjects)
        return Strangers(self.scores[np.ix_(subjects, subjects)], groups)


def count_strangers(scores: Scores, groups: Sequence[str], threshold: float) -> GroupCounts:
    """Count false matches by group, of (n, n) scores of n people who are all strangers."""
    ones, others = np.triu_indices(len(scores), 1)
    axis = Axis.of("group", groups)
    people = Samples(np.arange(len(scores), dtype=np.int32), np.zeros(len(scores), np.bool_))
    comparisons = Comparisons(
        scores[ones, others],
        ones.astype(np.int32),
        others.astype(np.int32),
        np.zeros(len(ones), np.bool_),
    )
    return count_by_group(comparisons, people, axis, threshold)


def _evenness(exponent: int, target: float) -> Figure:
    fmr = 10.0**-exponent

    def measure(full: bool) -> Measurement:
        deciding, raw, notes = strangers()
        rates = deciding.counts(fmr).fmrs
        low, high = deciding.interval(fmr)
        drawn = f"of {_RESAMPLES} resamples of the subjects"
        worst = f"LFW View 1, where no group's own FMR exceeds {fmr:g}"
        return Measurement(
            deciding.unevenness(fmr),
            f"Max/GeoMean of the FMR within ten groups at global FMR {fmr:g}, utk_balanced,"
            f" {notes}; deciding score, FMR {rates.min():.1e} to {rates.max():.1e}",
            (
                Beside("raw", raw.unevenness(fmr), "times", "raw score"),
                Beside("low", low, "times", f"5% {drawn}"),
                Beside("high", high, "times", f"95% {drawn}"),
                *(
                    Beside(
                        f"half-{which}",
                        deciding.half(which).unevenness(fmr),
                        "times",
                        "every second subject of each group",
                    )
                    for which in (0, 1)
                ),
                Beside(
                    "fnmr-at-worst",
                    lfw.deciding_pairs().fnmr(deciding.threshold_of_worst(fmr)),
                    "FNMR",
                    worst,
                ),
                Beside(
                    "fnmr-at-worst-raw",
                    lfw.raw_pairs().fnmr(raw.threshold_of_worst(fmr)),
                    "FNMR",
                    f"{worst}, raw score",
                ),
            ),
        )

    return Figure(f"even-1e-{exponent}", "times", at_most(target), measure)


def _lfw_fnmr(full: bool) -> Measurement:
    deciding, raw, notes = strangers()
    threshold, raw_threshold = deciding.threshold(1e-3), raw.threshold(1e-3)
    pairs, raw_pairs = lfw.deciding_pairs(), lfw.raw_pairs()
    return Measurement(
        pairs.fnmr(threshold),
        f"LFW View 1 at the threshold for FMR 1e-3 over all pairs of utk_balanced, {notes};"
        f" threshold {threshold:.3f}, FMR on LFW {pairs.fmr(threshold):.1e}",
        (
            Beside(
                "raw",
                raw_pairs.fnmr(raw_threshold),
                "FNMR",
                f"raw score, threshold {raw_threshold:.3f}; FMR {raw_pairs.fmr(raw_threshold):.1e}",
            ),
        ),
    )


def _by_age(full: bool) -> Measurement:
    deciding, raw, notes = strangers(by_age=True)
    rates = deciding.counts(1e-2).fmrs
    return Measurement(
        deciding.unevenness(1e-2),
        f"Max/GeoMean of the FMR within five age bands at global FMR 0.01, utk_balanced, {notes};"
        f" deciding score, FMR {rates.min():.1e} to {rates.max():.1e}",
        (
            Beside("raw", raw.unevenness(1e-2), "times", "raw score"),
            Beside(
                "fnmr-at-worst",
                lfw.deciding_pairs().fnmr(deciding.threshold_of_worst(1e-2)),
                "FNMR",
                "LFW View 1, where no age band's own FMR exceeds 0.01",
            ),
        ),
    )


def _at_worst(full: bool) -> Measurement:
    deciding, raw, notes = strangers()
    return Measurement(
        lfw.deciding_pairs().fnmr(deciding.threshold_of_worst(1e-2)),
        f"LFW View 1 FNMR where no group of utk_balanced has an FMR above 0.01; {notes}",
        (Beside("raw", lfw.raw_pairs().fnmr(raw.threshold_of_worst(1e-2)), "FNMR", "raw score"),),
    )


FIGURES = (
    _evenness(2, 2.5),
    _evenness(3, 3.6),
    Figure("even-age", "times", at_most(2.0), _by_age),
    Figure("even-worst-group", "FNMR", at_most(0.056), _at_worst),
    Figure("even-lfw-fnmr", "FNMR", None, _lfw_fnmr),
)


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """The pictures of utk_balanced that count, their templates by each model, and what is known."""

    pictures: tuple[Path, ...]
    deciding: Embedded
    notes: str

    @property
    def groups(self) -> tuple[str, ...]:
        """Sex and race of each."""
        return tuple(map(_group, self.pictures))

    @property
    def ages(self) -> tuple[str, ...]:
        """The age band of each."""
        return tuple(map(age_band, self.pictures))


def age_band(picture: Path) -> str:
    """Say how old somebody looks: under 13, 13-19, 20-39, 40-59, or 60 and over."""
    bands = ("under 13", "13-19", "20-39", "40-59", "60 and over")
    return bands[int(np.digitize(int(picture.name.split("_")[0]), (13, 20, 40, 60)))]


@cache
def crops(recogniser: str = "auto") -> Crops:
    """Embed utk_balanced and leave out duplicates."""
    pictures = pictures_in(data("utk_balanced"))
    embedded, by_dlib = (_embedded(name) for name in (recogniser, DLIB))
    distinct = _distinct(by_dlib)
    kept = np.flatnonzero(distinct & ~embedded.failed)
    notes = (
        f"{len(kept)} subjects; {embedded.failed.sum()} pictures without a face and"
        f" {(~distinct).sum()} duplicates (dlib's raw score of at least {_DUPLICATE_RAW_SCORE})"
        " left out"
    )
    return Crops(tuple(pictures[number] for number in kept), embedded.only(kept), notes)


@cache
def _embedded(recogniser: str) -> Embedded:
    return embed(pictures_in(data("utk_balanced")), padded, recogniser)


@cache
def distinct(recogniser: str = "auto") -> tuple[tuple[Path, ...], Embedded]:
    """Give all pictures that are no duplicates, those without a face among them."""
    kept = np.flatnonzero(_distinct(_embedded(DLIB)))
    pictures = pictures_in(data("utk_balanced"))
    return tuple(pictures[number] for number in kept), _embedded(recogniser).only(kept)


@cache
def one_person_twice_of_all() -> NDArray[np.bool_]:
    """Which pairs of those, (n, n), both recognisers call one person's."""
    both = [
        distinct(name)[1].raw_scores() >= raw
        for name, raw in ((RETAIL, _SAME_RAW_RETAIL), (DLIB, _SAME_RAW_DLIB))
    ]
    return np.asarray(both[0] & both[1], np.bool_)


@cache
def one_person_twice(recogniser: str = "auto") -> NDArray[np.bool_]:
    """Which pairs of the crops, (n, n), both recognisers call one person's: people repeat."""
    both = [
        crops(name).deciding.raw_scores() >= raw
        for name, raw in ((RETAIL, _SAME_RAW_RETAIL), (DLIB, _SAME_RAW_DLIB))
    ]
    return np.asarray(both[0] & both[1], np.bool_)


@cache
def strangers(by_age: bool = False, recogniser: str = "auto") -> tuple[Strangers, Strangers, str]:
    """The pairs of utk_balanced by deciding and by raw score, and what was left out."""
    known = crops(recogniser)
    both = []
    for scores in (known.deciding.scores(), known.deciding.raw_scores()):
        np.fill_diagonal(scores, -np.inf)
        both.append(Strangers(scores, known.ages if by_age else known.groups))
    return both[0], both[1], known.notes


def _distinct(embedded: Embedded) -> NDArray[np.bool_]:
    """Which pictures have no like among those before them that are kept."""
    alike = np.triu(embedded.raw_scores() >= _DUPLICATE_RAW_SCORE, 1)
    distinct = np.ones(len(alike), np.bool_)
    for number, others in enumerate(alike):
        if distinct[number]:
            distinct[others] = False
    return distinct


def padded(picture: Path) -> Sample:
    """A tight crop with its border repeated outwards, as a detector wants to see a face."""
    pixels = read_sample(picture).decode().pixels
    sides = (PADDING,) * 4
    return sample_of(np.asarray(cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_REPLICATE), np.uint8))


def _group(picture: Path) -> str:
    """Sex and race, from `age_sex_race_date`."""
    return "_".join(picture.name.split("_")[1:3])


def _pairs(scores: Scores) -> Scores:
    """Every pair once, of an (n, n) matrix."""
    return scores[np.triu_indices(len(scores), 1)]
