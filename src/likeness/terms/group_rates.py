"""How often strangers of one group of people match, and a warning where that is far too often."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from likeness.errors import InvalidRequest
from likeness.terms.rate_tables import one_in, rate_at

WARN_FROM = 10.0
"""A group's false match rate is warned of from so many times the rate asked for on.

That is a whole decade: where 1 in 1,000 is asked for, similarity 80 then means no more to two
strangers of that group than 10 does to any two.
"""


@dataclass(frozen=True, slots=True)
class GroupPoint:
    """Among strangers of one group the rate of those who reach a score, and its 95% interval."""

    score: float
    fmr: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupRates:
    """How often two strangers of one group reach a score.

    `axis` is what the group is one of, such as `sex x race`. `points` ascend by score; beyond the
    last nothing is known. `pairs` is how many pairs of strangers were compared.

    Raises:
        InvalidRequest: the points do not make such a table.
    """

    axis: str
    group: str
    pairs: int
    points: tuple[GroupPoint, ...]

    def __post_init__(self) -> None:
        """Refuse a table that is none."""
        if (
            not self.points
            or any(a.score >= b.score or a.fmr < b.fmr for a, b in pairwise(self.points))
            or not all(0 < one.low <= one.fmr <= one.high <= 1 for one in self.points)
        ):
            raise InvalidRequest(
                f"The rates of {self.group!r} have scores that do not ascend, or rates outside of"
                " their intervals. Measure the groups again with `likeness models calibrate`."
            )

    def at(self, score: float) -> GroupPoint | None:
        """Give the rate at a score, at least; None beyond the last that was measured."""
        if score > self.points[-1].score:
            return None
        scores = [one.score for one in self.points]
        columns = zip(*((one.fmr, one.low, one.high) for one in self.points), strict=True)
        return GroupPoint(score, *(rate_at(score, scores, column) for column in columns))


@dataclass(frozen=True, slots=True)
class GroupWarning:
    """Strangers of a group match far more often at the threshold in force than was asked for.

    `group` is the worst of the `groups` whose rate is at least `warn_from` times `asked_for`;
    `fmr` is its rate with a 95% interval.
    """

    group: str
    fmr: float
    low: float
    high: float
    asked_for: float
    warn_from: float
    groups: int

    @property
    def times(self) -> float:
        """How many times as often as was asked for."""
        return self.fmr / self.asked_for

    @property
    def in_words(self) -> str:
        """Which group's strangers match how much more often than was asked for.

        It stands below comparisons of any two people, so it says that it is of the model.
        """
        others = self.groups - 1
        also = (
            f" So do {others} more group{'' if others == 1 else 's'}, {self.warn_from:g} times or"
            " more."
        )
        return (
            f"Warning: the model errs far more often for some groups, most for {self.group}."
            f" Among them {one_in(self.fmr)} pairs of strangers ({one_in(self.low)} to"
            f" {one_in(self.high)}) reach this threshold, {self.times:.0f} times as many as the"
            f" {one_in(self.asked_for)} asked for.{also if others else ''} This was measured of"
            " the model, and says nothing of who is in the picture."
        )


def warn_of_groups(
    groups: Sequence[GroupRates], threshold: float, asked_for: float, warn_from: float
) -> GroupWarning | None:
    """Warn of groups whose rate at a threshold is so many times what was asked for, or more.

    Nothing is warned of where `warn_from` is 0, nor of groups that were not measured so far.
    """
    if not warn_from:
        return None
    reached = ((one.group, one.at(threshold)) for one in groups)
    exceeding = [
        (point.fmr, group, point)
        for group, point in reached
        if point is not None and point.fmr >= warn_from * asked_for
    ]
    if not exceeding:
        return None
    _, group, worst = max(exceeding, key=lambda one: one[0])
    return GroupWarning(
        group, worst.fmr, worst.low, worst.high, asked_for, warn_from, len(exceeding)
    )


@dataclass(frozen=True, slots=True)
class MeasuredGroups:
    """The rates of groups by a model's scores, evened out by a cohort, and whose pictures."""

    model: str
    cohort_version: str
    measured_on: str
    groups: tuple[GroupRates, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "MeasuredGroups":
        """Make one of what `as_json` gave.

        Raises:
            InvalidRequest: the points of a group do not make a table.
            TypeError, ValueError, KeyError: something is missing, unknown or no number.
        """
        groups = tuple(
            GroupRates(
                **{
                    **one,
                    "points": tuple(
                        GroupPoint(**{name: float(number) for name, number in point.items()})
                        for point in one["points"]
                    ),
                }
            )
            for one in value["groups"]
        )
        return cls(**{**value, "groups": groups})
