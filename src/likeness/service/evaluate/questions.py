"""What is asked of an evaluation: rates, thresholds, groups, and how sure to be of answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from likeness.errors import InvalidRequest

HEADLINE_FMR = 1e-6
"""NIST's headline point of 1:1 comparisons."""
HEADLINE_FPIR = 0.003
"""NIST's headline point of searches."""
FMRS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, HEADLINE_FMR)
FPIRS = (1e-1, 1e-2, HEADLINE_FPIR)
GROUPS_FMR = 1e-4
"""The global rate at which NIST's heat maps compare groups."""
WARN_ABOVE = 10.0
MOST_GROUPS = 150
"""Every two groups are compared, so memory grows with the square: 150 take over a gigabyte."""


@dataclass(frozen=True, slots=True)
class GivenThreshold:
    """A score at which to judge; `note` says where it comes from."""

    score: float
    note: str = "Given, not chosen by these data."


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What to find out.

    `fmr` is the global rate whose threshold groups are compared at; with a `reference_group` it is
    the rate among strangers of that group, as in NIST's reports. `threshold` is one that is in
    force instead. `groups` are columns of labels, `crossed` whether they are intersected, too.
    `warn_above` is how many times the target a group's FMR may be before the report warns.

    Raises:
        InvalidRequest: a value is out of range.
    """

    fmr: float = GROUPS_FMR
    threshold: GivenThreshold | None = None
    reference_group: str = ""
    fmrs: tuple[float, ...] = FMRS
    fpirs: tuple[float, ...] = FPIRS
    groups: tuple[str, ...] = ()
    crossed: bool = True
    resamples: int = 1000
    seed: int = 0
    workers: int = 2
    warn_above: float = WARN_ABOVE

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        if not all(0 < rate < 1 for rate in (self.fmr, *self.fmrs, *self.fpirs)):
            raise InvalidRequest("A rate lies between 0 and 1, both left out. Give another.")
        if not 100 <= self.resamples <= 100_000:
            raise InvalidRequest(
                f"{self.resamples} resamples. Give 100 to 100,000: fewer make no interval of 95%."
            )
        if self.seed < 0:
            raise InvalidRequest(f"Draws cannot start from {self.seed}. Give 0 or more.")
        if self.threshold is not None and not math.isfinite(self.threshold.score):
            raise InvalidRequest(
                f"Not a threshold: {self.threshold.score}. Give a score that can be reached."
            )
        if not self.warn_above > 1:
            raise InvalidRequest("A group is warned of above a multiple of more than 1.")

    def method(self) -> Mapping[str, str]:
        """Say how figures were made, for a reader of the report."""
        return {
            "intervals": f"95%, {self.resamples:,} resamples of subjects, the threshold set anew"
            " in each; a non-mated pair weighs by both of its subjects",
            "threshold": "the lowest observed score whose own FMR is at most the target",
            "failures": "a sample without a template is a false non-match, a miss, and no match"
            " for strangers",
            "seed": str(self.seed),
        }
