"""Both errors at any threshold: the DET, errors by threshold, and where the two are equal."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.comparisons import Comparisons
from likeness.evaluation.rates import Scores, demand


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """What each threshold does: k thresholds, descending, with FMR and FNMR at each.

    So FMR ascends and FNMR descends; each is (k,) float64.
    """

    thresholds: NDArray[np.float64]
    fmrs: NDArray[np.float64]
    fnmrs: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the points."""
        return len(self.thresholds)


class EqualError(NamedTuple):
    """The rate and the threshold at which FMR and FNMR are as equal as the scores let them be."""

    rate: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class SortedScores:
    """Scores of mated and of non-mated comparisons, ascending, failures first.

    Sorted once, they give every curve in no time, of a hundred million as of a thousand.
    """

    mated: Scores
    nonmated: Scores

    @classmethod
    def of(cls, mated: Scores, nonmated: Scores) -> "SortedScores":
        """Sort scores (m,) and (n,).

        Raises:
            InvalidRequest: there are no mated or no non-mated comparisons.
        """
        demand(mated, "mated")
        demand(nonmated, "non-mated")
        # One type, so that no search among a hundred million has to convert them.
        kind = np.result_type(mated, nonmated)
        return cls(
            np.sort(mated.astype(kind, copy=False)), np.sort(nonmated.astype(kind, copy=False))
        )

    @classmethod
    def of_comparisons(cls, comparisons: Comparisons) -> "SortedScores":
        """Sort the scores of comparisons, with no more memory than theirs.

        Raises:
            InvalidRequest: there are no mated or no non-mated comparisons.
        """
        mated, nonmated = comparisons.mated_scores, comparisons.nonmated_scores
        demand(mated, "mated")
        demand(nonmated, "non-mated")
        mated.sort()
        nonmated.sort()
        return cls(mated, nonmated)

    def det(self, most_points: int = 1000) -> ErrorCurve:
        """Give the DET: points at scores that were seen, the strictest that anybody passes first.

        FMR is never below 1/N, N the non-mated comparisons: nothing is extrapolated. Where more
        than `most_points` scores were seen, those are kept whose counts of errors are evenly spaced
        on a logarithmic axis, from both ends, so the tail, of one error and of two, stays whole.

        Raises:
            InvalidRequest: fewer than 4 points are wanted.
        """
        if most_points < 4:
            raise InvalidRequest(f"Too few points for a curve: {most_points}. Ask for 4 or more.")
        strangers, mates = _finite(self.nonmated), _finite(self.mated)
        mates = mates[: np.searchsorted(mates, strangers[-1], "right") if len(strangers) else 0]
        if len(strangers) + len(mates) > most_points:
            strangers = strangers[-_ranks(len(strangers), most_points // 2)]
            mates = mates[_ranks(len(mates), most_points // 2) - 1]
        return self._curve(np.union1d(strangers, mates))

    def by_threshold(self, points: int = 200) -> ErrorCurve:
        """Give both errors at even steps of the threshold, from the lowest score to above all."""
        both = (_finite(self.mated), _finite(self.nonmated))
        seen = np.concatenate([end for each in both for end in (each[:1], each[-1:])])
        if len(seen):
            above = np.nextafter(seen.max(), np.inf, dtype=seen.dtype)
            seen = np.unique(np.linspace(seen.min(), above, points).astype(seen.dtype))
        return self._curve(seen)

    def equal_error(self) -> EqualError:
        """Find the score at which FMR and FNMR differ least; the rate is their mean there.

        Of two such scores the higher is taken. The rate is bob.measure's.

        Raises:
            InvalidRequest: all comparisons failed.
        """
        near = []
        for scores in (_finite(self.mated), _finite(self.nonmated)):
            # From each score seen to the next, FMR - FNMR falls: only those beside its zero matter.
            above = bisect_left(range(len(scores)), 0.0, key=lambda at: -self._apart(scores[at]))
            near.append(scores[max(above - 1, 0) : above + 1])
        curve = self._curve(np.unique(np.concatenate(near)))
        if not len(curve):
            raise InvalidRequest("Every comparison failed, so there is no equal error rate.")
        best = int(np.argmin(np.abs(curve.fmrs - curve.fnmrs)))
        rate = (curve.fmrs[best] + curve.fnmrs[best]) / 2
        return EqualError(float(rate), float(curve.thresholds[best]))

    def _curve(self, seen: Scores) -> ErrorCurve:
        thresholds = seen[::-1]
        matched = len(self.nonmated) - np.searchsorted(self.nonmated, thresholds)
        missed = np.searchsorted(self.mated, thresholds)
        return ErrorCurve(
            thresholds.astype(np.float64), matched / len(self.nonmated), missed / len(self.mated)
        )

    def _apart(self, threshold: Scores) -> float:
        """Give FMR - FNMR at one threshold, ()."""
        matched = len(self.nonmated) - np.searchsorted(self.nonmated, threshold)
        missed = np.searchsorted(self.mated, threshold)
        return float(matched / len(self.nonmated) - missed / len(self.mated))


def error_curve(mated: Scores, nonmated: Scores, most_points: int = 1000) -> ErrorCurve:
    """Give the DET: `SortedScores.det`.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons, or fewer than 4 points are
            wanted.
    """
    return SortedScores.of(mated, nonmated).det(most_points)


def errors_by_threshold(mated: Scores, nonmated: Scores, points: int = 200) -> ErrorCurve:
    """Give both errors at even steps of the threshold: `SortedScores.by_threshold`.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons.
    """
    return SortedScores.of(mated, nonmated).by_threshold(points)


def equal_error(mated: Scores, nonmated: Scores) -> EqualError:
    """Find where FMR and FNMR differ least: `SortedScores.equal_error`.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons, or all of them failed.
    """
    return SortedScores.of(mated, nonmated).equal_error()


def _finite(ascending: Scores) -> Scores:
    # In the scores' own type, or all of them would be converted.
    lowest = ascending.dtype.type(-np.inf)
    return ascending[np.searchsorted(ascending, lowest, "right") :]


def _ranks(number: int, most: int) -> NDArray[np.intp]:
    """Give at most so many ranks from 1 to `number`, evenly spaced on a logarithmic axis."""
    if not number:
        return np.empty(0, np.intp)
    return np.unique(np.geomspace(1, number, most).round().astype(np.intp))
