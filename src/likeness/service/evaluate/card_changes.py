"""What changed between two report cards: a re-audit is read so."""

from collections.abc import Mapping
from dataclasses import dataclass

from likeness.errors import InvalidRequest
from likeness.service.evaluate.cards import Card, SystemOnCard
from likeness.service.evaluate.findings import Estimate


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two cards; `old` or `new` is None where only the other has it.

    `apart` says whether their 95% intervals have nothing in common: a change that chance alone
    would seldom make. It is False where either has no interval.
    """

    figure: str
    old: Estimate | None
    new: Estimate | None
    apart: bool

    @property
    def difference(self) -> float | None:
        """New less old; None where either has no value."""
        if self.old is None or self.new is None:
            return None
        if self.old.value is None or self.new.value is None:
            return None
        return self.new.value - self.old.value


@dataclass(frozen=True, slots=True)
class SystemChange:
    """What changed of one system: facts as (name, old, new), and every figure of either."""

    old: SystemOnCard
    new: SystemOnCard
    facts: tuple[tuple[str, str, str], ...]
    figures: tuple[Change, ...]

    @property
    def same_data(self) -> bool:
        """Whether both were tested on the same data, to the byte."""
        return self.old.data_digest == self.new.data_digest

    @property
    def changed(self) -> tuple[Change, ...]:
        """The figures that are not as they were."""
        return tuple(one for one in self.figures if one.old != one.new)

    @property
    def new_warnings(self) -> tuple[str, ...]:
        """What is warned of now and was not before."""
        return tuple(one for one in self.new.warnings if one not in self.old.warnings)

    @property
    def warnings_gone(self) -> tuple[str, ...]:
        """What was warned of before and is not now."""
        return tuple(one for one in self.old.warnings if one not in self.new.warnings)


def changes_of(old: Card, new: Card) -> tuple[SystemChange, ...]:
    """Compare two cards, system by system in their order.

    Raises:
        InvalidRequest: one is of more systems than the other.
    """
    if len(old.systems) != len(new.systems):
        raise InvalidRequest(
            f"One report is of {len(old.systems)} and the other of {len(new.systems)} systems."
            " Give two of as many."
        )
    return tuple(
        SystemChange(was, is_, _facts(was.facts, is_.facts), _figures(was.figures, is_.figures))
        for was, is_ in zip(old.systems, new.systems, strict=True)
    )


def _facts(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    both = ((name, old.get(name, ""), new.get(name, "")) for name in _names(old, new))
    return tuple((name, was, is_) for name, was, is_ in both if was != is_)


def _figures(old: Mapping[str, Estimate], new: Mapping[str, Estimate]) -> tuple[Change, ...]:
    return tuple(
        Change(name, old.get(name), new.get(name), _apart(old.get(name), new.get(name)))
        for name in _names(old, new)
    )


def _names(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Give the names of both in the old one's order; those that only the new has come last."""
    return [*old, *(name for name in new if name not in old)]


def _apart(old: Estimate | None, new: Estimate | None) -> bool:
    if old is None or new is None:
        return False
    if old.low is None or old.high is None or new.low is None or new.high is None:
        return False
    return old.high < new.low or new.high < old.low
