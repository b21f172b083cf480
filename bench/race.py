"""Let runners take turns on one machine, and compare their times round by round."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Runner = Callable[[], float]
"""Does its work once and says how many seconds that took."""


@dataclass(frozen=True, slots=True)
class Race:
    """The seconds of every runner in every round."""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        """The median seconds of one runner."""
        return statistics.median(self.seconds[name])

    def times_faster(self, name: str, than: str) -> float:
        """The median, over the rounds, of how many times faster one runner was than another."""
        pairs = zip(self.seconds[than], self.seconds[name], strict=True)
        return statistics.median(slow / fast for slow, fast in pairs)


def race(runners: Mapping[str, Runner], rounds: int) -> Race:
    """Run each in turn, never two at once, so that a slow spell of the machine hits all alike."""
    laps = [{name: run() for name, run in runners.items()} for _ in range(rounds)]
    return Race({name: tuple(lap[name] for lap in laps) for name in runners})
