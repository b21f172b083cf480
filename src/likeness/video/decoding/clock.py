"""When frames are: seconds from a clip's first moment that always ascend, whatever is stamped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Moment = TypeVar("Moment")

# A stamp that leads further ahead than this is believed where the next one goes on from there.
_LEAP_S = 10.0
# So many frames in a row on another line of time, and it is the one that holds.
_SETTLED = 3
_LEAST_STEP_S = 0.001


@dataclass(slots=True)
class Clock(Generic[Moment]):
    """Reads stamps into ascending seconds.

    `origin_s` is the stamp of the clip's first moment, `step_s` how long a frame usually lasts and
    `longest_s` what no clip exceeds: a first stamp beyond it is no time. Where stamps jump back,
    time is counted on from there; a single one that is out of line is passed over.
    `jumped_s` is when that happened first.
    """

    origin_s: float
    step_s: float
    longest_s: float
    jumped_s: float | None = None
    _last_s: float | None = None
    _off_line: list[float] = field(default_factory=list)

    def timed(
        self, stamped: Iterable[tuple[float | None, Moment]]
    ) -> Iterator[tuple[float, Moment]]:
        """Give each with its time, one behind: whether a leap is true is known by what follows."""
        held: tuple[float | None, Moment] | None = None
        for stamp_s, moment in stamped:
            if held is not None:
                yield self._time(held[0], stamp_s), held[1]
            held = stamp_s, moment
        if held is not None:
            yield self._time(held[0], None), held[1]

    def _time(self, stamp_s: float | None, next_s: float | None) -> float:
        if self._last_s is None:
            time_s = self._first(stamp_s)
        elif stamp_s is None:
            time_s = self._last_s + self.step_s
        else:
            time_s = self._following(self._last_s, stamp_s, next_s)
        self._last_s = time_s
        return time_s

    def _first(self, stamp_s: float | None) -> float:
        if stamp_s is None:
            return 0.0
        if not self.origin_s <= stamp_s <= self.origin_s + self.longest_s:
            self.origin_s = stamp_s
        return stamp_s - self.origin_s

    def _following(self, last_s: float, stamp_s: float, next_s: float | None) -> float:
        time_s = stamp_s - self.origin_s
        if time_s > last_s and not self._leaps_astray(last_s, stamp_s, next_s):
            self._off_line.clear()
            return max(time_s, last_s + _LEAST_STEP_S / 1000)
        if 0 <= last_s - time_s < self.step_s:  # the same moment again, or nearly
            return last_s + _LEAST_STEP_S
        return self._off_the_line(last_s, stamp_s)

    def _off_the_line(self, last_s: float, stamp_s: float) -> float:
        """Count on from the last frame; after a few such, their own line of time holds."""
        if self.jumped_s is None:
            self.jumped_s = last_s
        step_s = self.step_s
        if self._off_line and 0 < stamp_s - self._off_line[-1] <= _LEAP_S:
            step_s = stamp_s - self._off_line[-1]
        else:
            self._off_line.clear()
        self._off_line.append(stamp_s)
        time_s = last_s + max(step_s, _LEAST_STEP_S)
        if len(self._off_line) >= _SETTLED:
            self.origin_s = stamp_s - time_s
            self._off_line.clear()
        return time_s

    def _leaps_astray(self, last_s: float, stamp_s: float, next_s: float | None) -> bool:
        """Whether it leads far ahead, and the next frame goes back or no clip is as long."""
        time_s = stamp_s - self.origin_s
        if time_s - last_s <= _LEAP_S:
            return False
        return time_s > self.longest_s or (next_s is not None and next_s < stamp_s)
