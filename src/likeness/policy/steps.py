"""Which moments, similarities and ages rules tell apart, so that Cedar is asked about few."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from likeness.policy.cedar import SMALLEST

_NONE = Decimal("0.0")
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)

# Facts are read by `context.NAME`, as written: by an index, as a whole or with an escape they could
# be read unseen.
_UNSEEN = re.compile(r"\bcontext\b(?!\.\w)|\\")
_MOMENT_READ = re.compile(r"\.\s*now\b")
_SIMILARITY_READ = re.compile(r"\.\s*similarity\b")
_SIMILARITY_COMPARED = re.compile(
    r"context\.similarity\.(?:lessThan|greaterThan)(?:OrEqual)?\(decimal\(\"([0-9.]+)\"\)\)"
)
_AGE_READ = re.compile(r"\.\s*sinceUse\b")
_AGE_COMPARED = re.compile(r"context\.sinceUse (?:[<>]=?|==) duration\(\"([0-9]+)(ms|s|m|h|d)\"\)")
_UNITS = {
    "ms": _MILLISECOND,
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": _DAY,
}


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments, similarities and ages that rules name, in order: all between two are one.

    Hence a use that differs from an earlier one in these alone is decided as that was. Where a rule
    does anything else with a fact than compare it with a value that it names, every value stands by
    itself: None.
    """

    moments: Sequence[datetime] | None
    similarities: Sequence[Decimal] | None
    ages: Sequence[timedelta] | None

    @classmethod
    def of(cls, texts: Sequence[str], days: Iterable[date]) -> "Steps":
        """Find them in the texts of rules and the first and last days that these have."""
        whole = "\n".join(texts)
        if _UNSEEN.search(whole):
            return cls(None, None, None)
        compared = _SIMILARITY_COMPARED.findall(whole)
        ages = _AGE_COMPARED.findall(whole)
        return cls(
            None
            if _MOMENT_READ.search(whole)
            else sorted({datetime.combine(day, time(), UTC) for day in days}),
            None
            if len(_SIMILARITY_READ.findall(whole)) > len(compared)
            else sorted({Decimal(one) for one in compared}),
            None
            if len(_AGE_READ.findall(whole)) > len(ages)
            else sorted({int(count) * _UNITS[unit] for count, unit in ages}),
        )

    def moment(self, now: datetime) -> datetime:
        """Give the moment that stands for all that rules hold to be the same as this."""
        if not self.moments:
            return now
        place = bisect_right(self.moments, now)
        return self.moments[place - 1] if place else self.moments[0] - _DAY

    def similarity(self, percent: Decimal) -> Decimal:
        """Give the similarity that stands for all that rules hold to be the same as this.

        It has four decimals, as Cedar's have.
        """
        if self.similarities is None:
            return percent
        place = bisect_right(self.similarities, percent)
        if not place:
            return _NONE
        named = self.similarities[place - 1]
        return named if named == percent else named + SMALLEST

    def age(self, since: timedelta) -> timedelta:
        """Give the time since a use began that stands for all that rules hold to be the same.

        It has whole milliseconds, as Cedar's have.
        """
        whole = since // _MILLISECOND * _MILLISECOND
        if self.ages is None:
            return whole
        place = bisect_right(self.ages, whole)
        if not place:
            return self.ages[0] - _MILLISECOND if self.ages else timedelta(0)
        named = self.ages[place - 1]
        return named if named == whole else named + _MILLISECOND
