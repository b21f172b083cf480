"""What a score means: its false match rate, and the similarity shown for it."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from likeness.errors import InvalidRequest
from likeness.terms.group_rates import GroupRates, GroupWarning, warn_of_groups
from likeness.terms.rate_tables import rate_at, score_at
from likeness.terms.template import IDENTICAL

SIMILARITY_EXPONENT = math.log10(20) / 2


def similarity(fmr: float) -> float:
    """Similarity, 0 to 100, for a false match rate: 80 is 1e-3, 99 is 1e-5 (floored at 0)."""
    return max(0.0, 100.0 * (1.0 - math.sqrt(320.0) * math.pow(fmr, SIMILARITY_EXPONENT)))


def rate_of(similarity: float) -> float:
    """Give the false match rate that a similarity, 0 to 100, stands for; all reach 0."""
    if similarity <= 0.0:
        return 1.0
    return float(((1.0 - similarity / 100.0) / math.sqrt(320.0)) ** (1.0 / SIMILARITY_EXPONENT))


def rate_for_search(references: int, fpir: float) -> float:
    """Give the rate of one comparison at which a search of many names a stranger with `fpir`."""
    return -math.expm1(math.log1p(-fpir) / max(1, references))


def rate_of_any(comparisons: int, fmr: float) -> float:
    """Give the rate at which any of many comparisons reaches what one does with `fmr`."""
    if comparisons == 1 or fmr >= 1.0:
        return fmr
    return -math.expm1(comparisons * math.log1p(-fmr))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and the false match rate that it was chosen for.

    `calibrated` is false where the rate asked for lies beyond what is known: then nothing may be
    called a match, but a picture with itself. `extrapolated` is whether the rate lies beyond what
    was counted, so that the tail says it.
    """

    threshold: float
    fmr: float
    calibrated: bool
    extrapolated: bool = False

    def is_reached(self, score: float) -> bool:
        """Whether a score is a match here; that of a picture with itself always is."""
        return score >= IDENTICAL or (self.calibrated and score >= self.threshold)


@dataclass(frozen=True, slots=True)
class TailRates:
    """Rates that were too rare to be counted, by the tail of those that were.

    `scores` ascend. `fmrs` descend: they decide, and are an upper bound. `lows` and `highs` are the
    95% interval, `estimates` what is most likely.
    """

    scores: tuple[float, ...]
    fmrs: tuple[float, ...]
    lows: tuple[float, ...]
    estimates: tuple[float, ...]
    highs: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a tail that is none."""
        columns = (self.scores, self.fmrs, self.lows, self.estimates, self.highs)
        if (
            len(self.scores) < 2
            or len({len(column) for column in columns}) > 1
            or any(a >= b for a, b in pairwise(self.scores))
            or any(a <= b for a, b in pairwise(self.fmrs))
            or not all(0 < rate <= 1 for column in columns[1:] for rate in column)
        ):
            raise InvalidRequest(
                "The tail of a calibration has scores that do not ascend, or rates that do not"
                " descend. Make the calibration again with `likeness models calibrate`."
            )


@dataclass(frozen=True, slots=True)
class Calibration:
    """What share of pairs of strangers reaches a score, as it was measured for one model.

    `scores` ascend and `fmrs` descend with them, from 1 at or below the lowest score seen to the
    least rate that so many pairs can show. Between two knots log FMR is a straight line. `pairs` is
    how many pairs of strangers were compared, `measured_on` whose.

    Beyond the least rate counted, `tail` says what is known. `misses` are (score, FNMR) with
    ascending scores: the share of pairs of one person that do not reach it. `alike` is the same
    table for strangers of one sex, race and age, who match far more often. Two pictures whose raw
    score reaches `one_person` are taken for one person's, whatever names they have. `groups` say
    how often strangers of one group match, where that was measured; they are kept by themselves.

    Raises:
        InvalidRequest: the knots do not make such a table.
    """

    model: str
    cohort_version: str
    scores: tuple[float, ...]
    fmrs: tuple[float, ...]
    pairs: int
    measured_on: str
    tail: TailRates | None = None
    misses: tuple[tuple[float, float], ...] = ()
    alike: "Calibration | None" = None
    one_person: float = 1.0
    groups: tuple[GroupRates, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table that is none."""
        if (
            len(self.scores) < 2
            or len(self.scores) != len(self.fmrs)
            or any(a >= b for a, b in pairwise(self.scores))
            or any(a <= b for a, b in pairwise(self.fmrs))
            or not 0 < self.fmrs[-1] < self.fmrs[0] <= 1
            or any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(self.misses))
        ):
            raise InvalidRequest(
                f"The calibration of {self.model} has scores that do not ascend, or rates that do"
                " not descend between 1 and 0. Make it again with `likeness models calibrate`."
            )

    @property
    def least_counted(self) -> float:
        """The least rate that was counted; rates below it are the tail's."""
        return self.fmrs[-1]

    @property
    def lowest_fmr(self) -> float:
        """The least rate that is known; of what lies beyond nothing is."""
        return self.fmrs[-1] if self.tail is None else min(self.tail.fmrs[-1], self.fmrs[-1])

    def fmr(self, score: float) -> float:
        """How often two strangers score as high, never said to be less than is known."""
        if score <= self.scores[-1] or self.tail is None:
            return rate_at(score, self.scores, self.fmrs)
        return min(rate_at(score, self.tail.scores, self.tail.fmrs), self.fmrs[-1])

    def is_extrapolated(self, score: float) -> bool:
        """Whether a score's rate is the tail's."""
        return self.tail is not None and score > self.scores[-1]

    def rates_at(
        self, similarity: float, among: "Calibration | None"
    ) -> tuple[float, float | None, bool]:
        """Give how often any strangers reach a similarity, 0 to 100, and how often some others do.

        `among` says what scores mean among those others. The last value says whether one of the two
        rates is too low to have been counted.
        """
        score = self.point(rate_of(similarity)).threshold
        known = (self,) if among is None else (self, among)
        return (
            self.fmr(score),
            None if among is None else among.fmr(score),
            any(one.is_extrapolated(score) for one in known),
        )

    def rests_on_tail(self, score: float) -> bool:
        """Whether a score's rate is the tail's, among any strangers or those who are alike."""
        among = (self,) if self.alike is None else (self, self.alike)
        return any(one.is_extrapolated(score) for one in among)

    def interval(self, score: float) -> tuple[float, float] | None:
        """Give the ends of the 95% interval of a rate that is the tail's; None for others."""
        if self.tail is None or score <= self.scores[-1]:
            return None
        tail = self.tail
        return rate_at(score, tail.scores, tail.lows), rate_at(score, tail.scores, tail.highs)

    def similarity(self, score: float) -> float:
        """Similarity, 0 to 100, of a score: 100 for a picture with itself."""
        return 100.0 if score >= IDENTICAL else similarity(self.fmr(score))

    def fnmr(self, score: float) -> float | None:
        """How often two pictures of one person score less; None where nobody measured it."""
        if not self.misses:
            return None
        scores, rates = zip(*self.misses, strict=True)
        if score <= scores[0]:
            return float(rates[0])
        if score >= scores[-1]:
            return float(rates[-1])
        right = bisect.bisect_right(scores, score)
        share = (score - scores[right - 1]) / (scores[right] - scores[right - 1])
        return float(rates[right - 1] + share * (rates[right] - rates[right - 1]))

    def score_missed_by(self, fnmr: float) -> float | None:
        """Give the score that this share of pairs of one person do not reach; None if unmeasured.

        It is the highest score whose rate of misses is at most `fnmr`.
        """
        reached = [score for score, rate in self.misses if rate <= fnmr]
        return reached[-1] if reached else None

    def threshold(self, fmr: float) -> float:
        """The score that strangers reach with this rate.

        Raises:
            InvalidRequest: the rate lies outside of what is known.
        """
        if not self.lowest_fmr <= fmr <= self.fmrs[0]:
            raise InvalidRequest(
                f"A false match rate of {fmr:.2g} was not measured for {self.model}. Give one from"
                f" {self.lowest_fmr:.2g} to {self.fmrs[0]:.2g}."
            )
        if fmr >= self.fmrs[-1] or self.tail is None:
            return score_at(fmr, self.scores, self.fmrs)
        return max(score_at(fmr, self.tail.scores, self.tail.fmrs), self.scores[-1])

    def point(self, fmr: float) -> OperatingPoint:
        """Choose the threshold for a rate; the strictest known where the rate is beyond."""
        reachable = min(max(fmr, self.lowest_fmr), self.fmrs[0])
        return OperatingPoint(
            self.threshold(reachable),
            fmr,
            calibrated=fmr >= self.lowest_fmr,
            extrapolated=fmr < self.least_counted,
        )

    def point_for_gallery(
        self, references: int, fpir: float, *, at_most: float = 1.0
    ) -> OperatingPoint:
        """Choose the threshold at which a stranger is named somebody with a rate of `fpir`.

        A search compares with every reference, so the rate of one comparison has to be about fpir /
        references: 1 - (1 - fpir)^(1 / references). It is never more than `at_most`.
        """
        return self.point(min(rate_for_search(references, fpir), at_most))

    def group_warning(self, point: OperatingPoint, warn_from: float) -> GroupWarning | None:
        """Warn of groups whose strangers reach a threshold far more often than was asked for.

        Where nothing is called a match there is nothing to warn of.
        """
        if not point.calibrated:
            return None
        return warn_of_groups(self.groups, point.threshold, point.fmr, warn_from)

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold, without those of groups."""
        value = asdict(replace(self, groups=()))
        del value["groups"]
        return {**value, "alike": None if self.alike is None else self.alike.as_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Calibration":
        """Make one of what `as_json` gave; older ones know no tail, misses and alike strangers.

        Raises:
            InvalidRequest: the knots do not make a table.
            TypeError, ValueError, KeyError: something is missing, unknown or no number.
        """
        tail, alike = value.get("tail"), value.get("alike")
        read = cls(
            **{
                **value,
                "scores": _numbers(value["scores"]),
                "fmrs": _numbers(value["fmrs"]),
                "tail": None,
                "misses": tuple((float(a), float(b)) for a, b in value.get("misses", ())),
                "alike": None,
            }
        )
        return replace(
            read,
            tail=None
            if tail is None
            else TailRates(**{name: _numbers(column) for name, column in tail.items()}),
            alike=None if alike is None else cls.from_json(alike),
        )


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(float(one) for one in values)
