"""What changed between two report cards: a re-audit is read so."""

from collections.abc import Mapping
from dataclasses import dataclass

from likeness.errors import InvalidRequest
from likeness.evaluation import Estimate
from likeness.service.evaluate.cards.card import Card, SystemOnCard


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
        """The figures whose value is not as it was, or that only one of the cards has."""
        return tuple(one for one in self.figures if _value(one.old) != _value(one.new))

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
        SystemChange(was, is_, _facts(was, is_), _figures(was, is_))
        for was, is_ in zip(old.systems, new.systems, strict=True)
    )


def _facts(old_one: SystemOnCard, new_one: SystemOnCard) -> tuple[tuple[str, str, str], ...]:
    old, new = dict(old_one.facts), dict(new_one.facts)
    both = ((name, old.get(name, ""), new.get(name, "")) for name in _names(old, new))
    return tuple((name, was, is_) for name, was, is_ in both if was != is_)


def _figures(old_one: SystemOnCard, new_one: SystemOnCard) -> tuple[Change, ...]:
    old, new = (
        {figure.name: figure.estimate for figure in one.figures} for one in (old_one, new_one)
    )
    return tuple(
        Change(name, old.get(name), new.get(name), _apart(old.get(name), new.get(name)))
        for name in _names(old, new)
    )


def _names(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Give the names of both in the old one's order; those that only the new has come last."""
    return [*old, *(name for name in new if name not in old)]


def _value(figure: Estimate | None) -> float | str | None:
    return "not reported" if figure is None else figure.value


def _apart(old: Estimate | None, new: Estimate | None) -> bool:
    if old is None or new is None or old.value is None or new.value is None:
        return False
    # A ratio may have one end alone.
    return _below(old.high, new.low) or _below(new.high, old.low)


def _below(high: float | None, low: float | None) -> bool:
    return high is not None and low is not None and high < low
