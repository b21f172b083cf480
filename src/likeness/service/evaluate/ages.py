"""Ages as people and systems write them (34, 20-29, 70+, more than 70), and groups in order."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likeness.evaluation import Axis

_NUMBER = r"(\d{1,3}(?:\.\d{1,6})?)"
_FORMS = (
    (re.compile(_NUMBER), "{0}-{0}"),
    (re.compile(rf"{_NUMBER}\s*(?:-|\u2013|\u2014|to)\s*{_NUMBER}"), "{0}-{1}"),
    (re.compile(rf"(?:more than|over|above|>=?)\s*{_NUMBER}"), "{0}-150"),
    (re.compile(rf"{_NUMBER}\s*(?:\+|and over|or more|and older)"), "{0}-150"),
    (re.compile(rf"(?:less than|under|below|<=?)\s*{_NUMBER}"), "0-{0}"),
)
_OLDEST = 150.0
# As FairFace has them (Karkkainen and Joo, 2021).
_BANDS = (0, 3, 10, 20, 30, 40, 50, 60, 70)
# Fewer different whole numbers may be codes of something else.
_FEWEST_AGES = 6


class Years(NamedTuple):
    """An age, from and to; both are one where it is a single number."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Half-way between both."""
        return (self.low + self.high) / 2


def years_of(text: str) -> Years | None:
    """Read an age or a band of ages; None where it is neither."""
    text = " ".join(text.casefold().split())
    for form, meaning in _FORMS:
        if found := form.fullmatch(text):
            low, high = map(float, meaning.format(*found.groups()).split("-"))
            return Years(low, high) if low <= high <= _OLDEST else None
    return None


def band_of(years: Years) -> str:
    """Name the band of ages that an age belongs to; a band of ages names itself."""
    if years.low != years.high:
        return f"{years.low:g}+" if years.high == _OLDEST else f"{years.low:g}-{years.high:g}"
    start = max(start for start in _BANDS if start <= years.low)
    later = [band for band in _BANDS if band > start]
    return f"{start}-{later[0] - 1}" if later else f"{start}+"


def are_ages(values: Sequence[str]) -> bool:
    """Say whether these are ages: all read as such, with bands or many different numbers."""
    read = [years_of(value) for value in set(values)]
    known = [years for years in read if years is not None]
    if not read or len(known) < len(read):
        return False
    return any(years.low < years.high for years in known) or len(known) >= _FEWEST_AGES


def banded(values: Sequence[str]) -> tuple[str, ...]:
    """Put single ages into bands, where all values that are not empty are ages; else as it was."""
    if not are_ages([value for value in values if value]):
        return tuple(values)
    return tuple(
        band_of(years) if value and (years := years_of(value)) else value for value in values
    )


def in_order(labels: Sequence[str]) -> list[str]:
    """Sort groups: ages by their years, whatever else by its letters."""
    return sorted(labels, key=lambda label: (years_of(label) or (_OLDEST, 0.0), label))


def axis_of(name: str, values: Sequence[str], order: Sequence[str] = ()) -> Axis:
    """Number values in the order given, or that of ages and letters; empty ones are unknown."""
    present = set(values) - {""}
    labels = tuple(label for label in order if label in present) or tuple(in_order(list(present)))
    numbers = {label: number for number, label in enumerate(labels)}
    return Axis(name, labels, np.array([numbers.get(value, -1) for value in values], np.int32))
