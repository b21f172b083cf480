"""What is measured: a figure, its target, and the measurement that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass


class NotMeasured(Exception):
    """A figure cannot be measured here; the message says what is missing and what mends it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A limit to reach; those without AMX or bf16 go before it where the processor lacks that."""

    limit: float
    at_most: bool
    without_amx: float | None = None
    without_bf16: float | None = None

    @property
    def bound(self) -> str:
        """Which side of the limit is the right one, in words."""
        return "at most" if self.at_most else "at least"

    def limit_for(self, has_amx: bool, has_bf16: bool) -> float:
        """The limit that holds on a processor."""
        if self.without_bf16 is not None and not has_bf16:
            return self.without_bf16
        if self.without_amx is not None and not has_amx:
            return self.without_amx
        return self.limit

    @property
    def assumes(self) -> str:
        """What a processor has to have for the limit itself to hold."""
        return "AMX" if self.without_amx is not None else "bf16"

    def met(self, value: float, limit: float) -> bool:
        """Whether a value reaches the limit that holds."""
        return value <= limit if self.at_most else value >= limit


def at_least(
    limit: float, *, without_amx: float | None = None, without_bf16: float | None = None
) -> Target:
    """A target that higher values meet."""
    return Target(limit, at_most=False, without_amx=without_amx, without_bf16=without_bf16)


def at_most(limit: float, *, without_bf16: float | None = None) -> Target:
    """A target that lower values meet."""
    return Target(limit, at_most=True, without_bf16=without_bf16)


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
