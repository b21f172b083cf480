"""Intervals of a rate, and how many trials a rate needs.

Wilson's and Clopper and Pearson's are of independent trials. Comparisons that share people are not
independent, so their intervals come from resampling people; these here are then too narrow.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import ERRORS_NEEDED

RULE_OF_THREE = 3.0
"""No error in n independent trials bounds the rate by 3/n at 95% (Hanley, Lippman-Hand 1983)."""


class Interval(NamedTuple):
    """The two ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95% interval; no value where the data carry none, and then a note."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


def wilson(errors: float, trials: float, confidence: float = 0.95) -> Interval:
    """Give the score interval of a share (Wilson 1927).

    Of trials that are worth fewer independent ones, give those and as large a share of errors.

    Raises:
        InvalidRequest: there are no trials, or more errors than trials.
    """
    _check(errors, trials)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, z2 = errors / trials, z * z / trials
    middle = share + z2 / 2
    spread = math.sqrt(z2 * (share * (1 - share) + z2 / 4))
    low, high = (middle - spread) / (1 + z2), (middle + spread) / (1 + z2)
    # Rounding would leave a trace of zero and of one.
    return Interval(low if errors else 0.0, high if errors < trials else 1.0)


def clopper_pearson(errors: float, trials: float, confidence: float = 0.95) -> Interval:
    """Give the exact interval of a share (Clopper and Pearson 1934), which is never too narrow.

    Raises:
        InvalidRequest: there are no trials, or more errors than trials.
    """
    # Whoever searches a gallery imports this package, and should not wait for SciPy.
    from scipy.special import betaincinv

    _check(errors, trials)
    beyond = (1 - confidence) / 2
    low = betaincinv(errors, trials - errors + 1, beyond) if errors else 0.0
    high = betaincinv(errors + 1, trials - errors, 1 - beyond) if errors < trials else 1.0
    return Interval(float(low), float(high))


def rule_of_three(trials: float) -> float:
    """Bound at 95% the rate of which no error was seen in n independent trials: 3/n.

    Comparisons that share people are worth fewer: `CellRates.independent` says how many.
    """
    return min(RULE_OF_THREE / trials, 1.0) if trials > 0 else 1.0


def trials_needed(rate: float) -> int:
    """Give how many independent trials a rate needs, by the rule of 30 (Doddington).

    30 errors give a rate to within 30% at 90% confidence: FMR 1e-4 needs 300,000.

    Raises:
        InvalidRequest: the rate is not above 0.
    """
    if not rate > 0:
        raise InvalidRequest(
            f"No number of trials carries a rate of {rate:g}. Ask for one above 0."
        )
    # The quotient is rounded: 30 / 3e-5 is a little more than a million.
    return math.ceil(ERRORS_NEEDED / rate * (1 - 1e-12))


def carries(rate: float, trials: int) -> bool:
    """Say whether so many trials can carry a rate, by the rule of 30."""
    return rate > 0 and trials >= trials_needed(rate)


def rate_name(rate: float) -> str:
    """Write a rate that somebody chose as they would write it: 0.01, 1e-6."""
    return f"{rate:g}".replace("e-0", "e-")


def caution(errors: int, trials: int, independent: float | None = None) -> str:
    """Say in words why a rate has to be read with care; nothing where it has not.

    `independent` is how many independent trials they are worth; all of them where it is not given.
    """
    if not trials:
        return "No trials, so there is no rate."
    if not errors:
        independent = trials if independent is None else independent
        worth = f", worth {round(independent):,} independent ones" if independent < trials else ""
        bound = rule_of_three(independent)
        return (
            f"No error in {trials:,} trials{worth}: at 95% confidence the rate is at most"
            f" {bound:.2g} (rule of 3)."
        )
    if errors < ERRORS_NEEDED:
        return f"Only {errors} of the {ERRORS_NEEDED} errors that a rate needs (rule of 30)."
    return ""


def _check(errors: float, trials: float) -> None:
    if trials <= 0:
        raise InvalidRequest("There are no trials, so there is no interval.")
    if not 0 <= errors <= trials:
        raise InvalidRequest(f"Not a number of errors in {trials:g} trials: {errors:g}.")
