"""Tables of a score and its rate: between two knots the rate's logarithm is a straight line."""

import bisect
import math
from collections.abc import Sequence


def rate_at(score: float, scores: Sequence[float], rates: Sequence[float]) -> float:
    """Read the rate of a score off a table, at its ends where the score lies beyond."""
    if score <= scores[0]:
        return rates[0]
    if score >= scores[-1]:
        return rates[-1]
    right = bisect.bisect_right(scores, score)
    (s0, s1), (f0, f1) = scores[right - 1 : right + 1], rates[right - 1 : right + 1]
    share = (score - s0) / (s1 - s0)
    return math.exp(math.log(f0) + share * (math.log(f1) - math.log(f0)))


def score_at(rate: float, scores: Sequence[float], rates: Sequence[float]) -> float:
    """Read the score of a rate off a table, at its ends where the rate lies beyond."""
    right = bisect.bisect_right([-one for one in rates], -rate)
    if right == len(rates):
        return scores[-1]
    if right == 0:
        return scores[0]
    (s0, s1), (f0, f1) = scores[right - 1 : right + 1], rates[right - 1 : right + 1]
    share = (math.log(rate) - math.log(f0)) / (math.log(f1) - math.log(f0))
    return s0 + share * (s1 - s0)


def one_in(rate: float) -> str:
    """Say a rate as people say it: `1 in 48,000`, or `31 in 100` where that is clearer."""
    if rate == 0:
        return "none"
    if rate >= 0.1:
        return f"{round(100 * rate)} in 100"
    times = round(1 / rate)
    return f"1 in {round(times, 2 - len(str(times))):,}"
