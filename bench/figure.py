"""What is measured: a figure, its target, and the measurement that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass


class NotMeasured(Exception):
    """A figure cannot be measured here; the message says what is missing and what mends it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A limit to reach; `without_amx` goes before it where the processor has no AMX."""

    limit: float
    at_most: bool
    without_amx: float | None = None

    @property
    def bound(self) -> str:
        """Which side of the limit is the right one, in words."""
        return "at most" if self.at_most else "at least"

    def limit_for(self, has_amx: bool) -> float:
        """The limit that holds on a processor."""
        return self.limit if has_amx or self.without_amx is None else self.without_amx

    def met(self, value: float, has_amx: bool) -> bool:
        """Whether a value reaches the limit that holds."""
        limit = self.limit_for(has_amx)
        return value <= limit if self.at_most else value >= limit


def at_least(limit: float, *, without_amx: float | None = None) -> Target:
    """A target that higher values meet."""
    return Target(limit, at_most=False, without_amx=without_amx)


def at_most(limit: float) -> Target:
    """A target that lower values meet."""
    return Target(limit, at_most=True)


@dataclass(frozen=True, slots=True)
class Beside:
    """A further number that a measurement gives, without a target of its own."""

    name: str
    value: float
    unit: str
    against: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of a figure; `against` says what it was measured on and compared with."""

    value: float
    against: str
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that `make bench` promises.

    `measure` takes whether long work is asked for (`FULL=1`).
    """

    name: str
    unit: str
    target: Target | None
    measure: Callable[[bool], Measurement]
