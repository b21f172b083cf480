"""When frames of a stream are, whatever is stamped, and where nothing goes on from what was."""

import math
from dataclasses import dataclass

# Stamps that go back, or lead on, further than this have jumped.
_BACK_S, _LEAP_S = 1.0, 10.0
# Stamps that fall so far behind the time that passes tell no time.
_MOST_BEHIND_S = 10.0
_BELIEVED = 2
_LEAST_STEP_S = 0.001
# Segments of HLS last 10 s at most, and three of them come at the beginning.
_WINDOW_S, _MOST_SOONER_S, _SLACK_S = 12.0, 30.0, 0.1


@dataclass(slots=True)
class Pace:
    """Says how long a frame is after the first of its part, and where a part begins.

    Frames are when they come where they have no stamps, and where stamps are the same again and
    again, or slower than time passes: they are believed so often.
    """

    trusts_stamps: bool = True
    _begins_s: float = 0.0
    _came_s: float = 0.0
    _stamp_s: float = 0.0
    _arrived_s: float = 0.0
    _last_s: float | None = None
    _fell_behind: int = 0

    def time_s(self, stamp_s: float | None, arrived_s: float) -> float | None:
        """Give a frame's seconds from the first of its part; None where none goes before it."""
        if not self.trusts_stamps:
            stamp_s = arrived_s
        elif stamp_s is None:
            stamp_s = self._stamp_s + arrived_s - self._arrived_s
        self._arrived_s = arrived_s
        step_s, self._stamp_s = stamp_s - self._stamp_s, stamp_s
        if self._last_s is None or not -_BACK_S < step_s < _LEAP_S:
            return None
        time_s = max(stamp_s - self._begins_s, self._last_s + _LEAST_STEP_S)
        if arrived_s - self._came_s > time_s + _MOST_BEHIND_S:
            self._fell_behind += 1
            if self._fell_behind > _BELIEVED:
                self.trusts_stamps = False
                self._stamp_s = arrived_s
            return None
        self._last_s = time_s
        return time_s

    def begin(self, arrived_s: float) -> None:
        """Begin a part with the frame that was asked about last."""
        self._begins_s, self._came_s, self._last_s = self._stamp_s, arrived_s, 0.0


@dataclass(slots=True)
class Spread:
    """Says when a frame is due that came in a burst, as frames of HLS do: at its own pace.

    It is as late as frames have to be so that one follows the other, and no later: where all of
    some seconds came earlier than they had to, those that follow are due earlier, for so many
    seconds in all. What comes faster than its own time for ever is a file.
    """

    _base_s: float | None = None
    _arrived_s: float = -math.inf
    _least_s: float = math.inf
    _since_s: float = 0.0
    _sooner_s: float = 0.0

    def due_s(self, time_s: float, arrived_s: float) -> float:
        """Say when a frame is due, by the clock of its arrival; `time_s` is within its part."""
        base_s = arrived_s - time_s
        if self._base_s is None:
            self._base_s = base_s
        elif base_s > self._base_s:  # late
            self._sooner_s = max(0.0, self._sooner_s - (base_s - self._base_s))
            self._base_s = base_s
        due_s = self._base_s + time_s
        if arrived_s > self._arrived_s > -math.inf:  # the first of what came at once
            self._least_s = min(self._least_s, due_s - arrived_s)
        self._arrived_s = arrived_s
        if time_s - self._since_s >= _WINDOW_S:
            self._come_sooner()
            self._since_s, self._least_s = time_s, math.inf
        return due_s

    def _come_sooner(self) -> None:
        if self._least_s == math.inf:
            return
        by_s = min(self._least_s - _SLACK_S, _MOST_SOONER_S - self._sooner_s)
        if self._base_s is not None and by_s > _SLACK_S:
            self._base_s -= by_s
            self._sooner_s += by_s
