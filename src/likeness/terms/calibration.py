"""What a score means: its false match rate, and the similarity shown for it."""

import bisect
import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from likeness.errors import InvalidRequest

SIMILARITY_EXPONENT = math.log10(20) / 2


def similarity(fmr: float) -> float:
    """Similarity, 0 to 100, for a false match rate: 80 is 1e-3, 99 is 1e-5 (floored at 0)."""
    return max(0.0, 100.0 * (1.0 - math.sqrt(320.0) * math.pow(fmr, SIMILARITY_EXPONENT)))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and the false match rate that it was chosen for.

    `calibrated` is false where the rate asked for lies beyond what was measured: then nothing may
    be called a match.
    """

    threshold: float
    fmr: float
    calibrated: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What share of pairs of strangers reaches a score, as it was measured for one model.

    `scores` ascend and `fmrs` descend with them, from 1 at or below the lowest score seen to the
    least rate that so many pairs can show. Between two knots log FMR is a straight line. `pairs` is
    how many pairs of strangers were compared, `measured_on` whose.

    Raises:
        InvalidRequest: the knots do not make such a table.
    """

    model: str
    cohort_version: str
    scores: tuple[float, ...]
    fmrs: tuple[float, ...]
    pairs: int
    measured_on: str

    def __post_init__(self) -> None:
        """Refuse a table that is none."""
        if (
            len(self.scores) < 2
            or len(self.scores) != len(self.fmrs)
            or any(a >= b for a, b in pairwise(self.scores))
            or any(a <= b for a, b in pairwise(self.fmrs))
            or not 0 < self.fmrs[-1] < self.fmrs[0] <= 1
        ):
            raise InvalidRequest(
                f"a calibration of {self.model} needs scores that ascend and rates that descend"
                " between 1 and 0, and has others: make it again with `likeness models calibrate`"
            )

    @property
    def lowest_fmr(self) -> float:
        """The least rate that was measured; of what lies beyond nothing is known."""
        return self.fmrs[-1]

    def fmr(self, score: float) -> float:
        """How often two strangers score as high, never said to be less than was measured."""
        if score <= self.scores[0]:
            return self.fmrs[0]
        if score >= self.scores[-1]:
            return self.fmrs[-1]
        right = bisect.bisect_right(self.scores, score)
        (s0, s1), (f0, f1) = self.scores[right - 1 : right + 1], self.fmrs[right - 1 : right + 1]
        share = (score - s0) / (s1 - s0)
        return math.exp(math.log(f0) + share * (math.log(f1) - math.log(f0)))

    def similarity(self, score: float) -> float:
        """Similarity, 0 to 100, of a score; at most that of the least rate measured."""
        return similarity(self.fmr(score))

    def threshold(self, fmr: float) -> float:
        """The score that strangers reach with this rate.

        Raises:
            InvalidRequest: the rate lies outside of what was measured.
        """
        if not self.fmrs[-1] <= fmr <= self.fmrs[0]:
            raise InvalidRequest(
                f"a false match rate from {self.fmrs[-1]:.2g} to {self.fmrs[0]:.2g} was measured"
                f" for {self.model}, {fmr:.2g} was asked for: ask for one between"
            )
        right = bisect.bisect_right([-rate for rate in self.fmrs], -fmr)
        if right == len(self.fmrs):
            return self.scores[-1]
        (s0, s1), (f0, f1) = self.scores[right - 1 : right + 1], self.fmrs[right - 1 : right + 1]
        share = (math.log(fmr) - math.log(f0)) / (math.log(f1) - math.log(f0))
        return s0 + share * (s1 - s0)

    def point(self, fmr: float) -> OperatingPoint:
        """Choose the threshold for a rate; the strictest known where the rate is beyond."""
        reachable = max(fmr, self.lowest_fmr)
        return OperatingPoint(self.threshold(reachable), fmr, calibrated=fmr >= self.lowest_fmr)

    def point_for_gallery(self, subjects: int, fpir: float, *, at_most: float) -> OperatingPoint:
        """Choose the threshold at which a stranger is named somebody with a rate of `fpir`.

        A search compares with every subject, so the rate of one comparison has to be about fpir /
        subjects: 1 - (1 - fpir)^(1 / subjects). It is never more than `at_most`.
        """
        fmr = -math.expm1(math.log1p(-fpir) / max(1, subjects))
        return self.point(min(fmr, at_most))

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Calibration":
        """Make one of what `as_json` gave.

        Raises:
            InvalidRequest: the knots do not make a table.
            TypeError, ValueError: something is missing, unknown or no number.
        """
        scores = tuple(float(score) for score in value["scores"])
        fmrs = tuple(float(rate) for rate in value["fmrs"])
        return cls(**{**value, "scores": scores, "fmrs": fmrs})
