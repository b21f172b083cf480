"""Figures in few digits, each with its interval, its counts and what there is to note of it."""

import math
import re
from collections.abc import Callable
from datetime import datetime

from likeness.evaluation import ERRORS_NEEDED, Estimate
from likeness.reports.blocks import Cell, Tone
from likeness.service.evaluate.findings import Rate

Form = Callable[[float], str]

UNKNOWN = "not known"
_NO_FIGURE = "The data carry no such figure."
_ONLY_RULE_OF_30 = re.compile(r"Only \d+ of the 30 errors[^.]*\(rule of 30\)\.")
_ONLY_RULE_OF_3 = re.compile(r"No error in [\d,]+ trials[^;]*\(rule of 3\)\.")
_LEAST_SCORE = 1e-30  # A threshold that every score but 0 reaches is the next number after it.
NOTHING = "\N{EN DASH}"
"""What a cell has where there was nothing to measure."""


def printable(text: object) -> str:
    r"""Write what is not printable as an escape such as `\x1b`; white space becomes one space."""
    return "".join(
        character
        if character.isprintable()
        else " "
        if character.isspace()
        else character.encode("unicode_escape").decode()
        for character in str(text)
    )


def shortened(text: str, most: int) -> str:
    """Cut a text that is longer than so many characters, with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def percent(share: float) -> str:
    """Say a share in percent: 31.4%, 2.4%, 0.042%; never 100% for what is less."""
    hundredths = 100 * share
    if 99.95 <= hundredths < 100:
        return f"{_few(math.floor(hundredths * 10_000) / 10_000, 6)}%"
    return f"{_few(hundredths, 3 if hundredths >= 10 else 2)}%"


def small(rate: float) -> str:
    """Say a rate that may be very small: 0.31, 0.012, 9.9e-3, 1e-6."""
    if rate == 0:
        return "0"
    if rate >= 0.00995:
        return _few(rate, 2)
    mantissa, exponent = f"{rate:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def number(value: float) -> str:
    """Say a number in three digits, with commas from 1,000 on."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return _few(value, 3)


def score(value: float) -> str:
    """Say a score, on whatever scale it is."""
    return "just above 0" if 0 < value < _LEAST_SCORE else f"{value:.4g}"


def seconds(value: float) -> str:
    """Say how long something took: 84 ms, 1.2 s."""
    if abs(value) < 1:
        return f"{_few(1000 * value, 2)} ms"
    return f"{_few(value, 2)} s"


def points(value: float) -> str:
    """Say a difference of two shares, in points of percent."""
    return f"{_few(100 * value, 2)} points"


def signed(form: Form) -> Form:
    """Give a form of numbers with their sign, for differences."""

    def said(value: float) -> str:
        sign = "+" if value > 0 else "-" if value < 0 else ""
        return f"{sign}{form(abs(value))}"

    return said


def minute(at: datetime) -> str:
    """Say a moment to the minute."""
    return f"{at:%Y-%m-%d %H:%M} {at.tzname() or ''}".strip()


def interval(low: float | None, high: float | None, form: Form) -> str:
    """Say the ends of an interval; nothing where there are none."""
    if high is None:
        return "" if low is None else f"at least {form(low)}"
    if low is None:
        return f"at most {form(high)}"
    first, last = form(low), form(high)
    number, _, unit = first.partition(" ")
    return f"{number if unit and last.endswith(f' {unit}') else first} to {last}"


def several(count: int, noun: str) -> str:
    """Count with a plural: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def people(count: int) -> str:
    """Count people: `1 person`, `2,000 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


def counts(rate: Rate) -> str:
    """Say how many errors there were of how many trials."""
    return f"{rate.errors:,} of {rate.trials:,}"


def rate_cell(rate: Rate, form: Form = percent, *, worst: bool = False) -> Cell:
    """Give the cell of a rate: its value, interval and counts; a note in place of a missing value.

    Fewer than 30 errors are marked as unsure.
    """
    # Below no error there is nothing.
    ends = interval(rate.low if rate.errors else rate.low or None, rate.high, form)
    detail = "; ".join(part for part in (ends, counts(rate) if rate.trials else "") if part)
    if rate.value is None:
        return Cell(UNKNOWN, detail, rate.note or _NO_FIGURE, "unsure")
    tone: Tone = "worst" if worst else "unsure" if rate.errors < ERRORS_NEEDED else ""
    return Cell(form(rate.value), detail, _rule(rate), tone)


def estimate_cell(estimate: Estimate, form: Form = number, *, worst: bool = False) -> Cell:
    """Give the cell of an estimate: its value and interval; a note in place of a missing value."""
    ends = interval(estimate.low, estimate.high, form)
    if estimate.value is None:
        return Cell(UNKNOWN, ends, estimate.note or _NO_FIGURE, "unsure")
    return Cell(form(estimate.value), ends, estimate.note, "worst" if worst else "")


def in_line(estimate: Estimate, form: Form) -> str:
    """Say an estimate with its interval in a sentence."""
    if estimate.value is None:
        return f"{UNKNOWN} ({estimate.note})" if estimate.note else UNKNOWN
    ends = interval(estimate.low, estimate.high, form)
    return form(estimate.value) + (f" ({ends})" if ends else "")


def _rule(rate: Rate) -> str:
    """Give a rate's note; one that says no more than a rule and the counts beside it is short.

    A table would have as many footnotes as cells.
    """
    if _ONLY_RULE_OF_30.fullmatch(rate.note):
        return "Fewer than 30 errors (rule of 30): look at the interval, not at the rate."
    if _ONLY_RULE_OF_3.fullmatch(rate.note):
        return "No error was seen: at 95% confidence the rate is at most so high."
    return rate.note


def _few(value: float, digits: int) -> str:
    """Write a number in so many significant digits at most, without an exponent."""
    if value == 0:
        return "0"
    if not math.isfinite(value):  # a hundred times what somebody wrote into a report
        return str(value)
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
