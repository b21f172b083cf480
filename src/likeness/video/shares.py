"""Shares what the machine can do among those who want it all the time, such as cameras."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic


class FairLane:
    """Lets so many at a time have a turn: first of those who wait whoever has had least time.

    Time that nobody else wanted is not counted against anybody, and whoever comes back after a
    while has saved up none. Among those who have had as much, the first who came is first.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = monotonic) -> None:
        """Begin with nobody; `clock` gives seconds, by which turns are compared.

        Raises:
            ValueError: there is no worker.
        """
        if workers < 1:
            raise ValueError(f"No lane for {workers} workers. Give 1 or more.")
        self._free = workers
        self._clock = clock
        self._changed = Condition()
        self._waiting: dict[object, Hashable] = {}  # in the order in which they came
        self._used_s: dict[Hashable, float] = {}
        self._least_s = 0.0  # what whoever had the latest turn had had before it

    @contextmanager
    def turn(self, who: Hashable, within_s: float | None = None) -> Iterator[bool]:
        """Wait for a turn, and have it until the end of the block; False if it came too late.

        Take what is newest once the turn has come, not before: it may take a while.
        """
        if not self._begin(who, within_s):
            yield False
            return
        began_s = self._clock()
        try:
            yield True
        finally:
            self._end(who, self._clock() - began_s)

    def leave(self, who: Hashable) -> None:
        """Forget somebody who neither has a turn nor waits for one any more."""
        with self._changed:
            self._used_s.pop(who, None)

    def _begin(self, who: Hashable, within_s: float | None) -> bool:
        place = object()
        with self._changed:
            self._used_s[who] = max(self._used_s.get(who, 0.0), self._least_s)
            self._waiting[place] = who
            try:
                has_come = self._changed.wait_for(
                    lambda: self._free and self._first() is place, within_s
                )
            finally:
                del self._waiting[place]
                self._changed.notify_all()
            if not has_come:
                return False
            self._free -= 1
            self._least_s = max(self._least_s, self._used_s[who])
            return True

    def _first(self) -> object:
        return min(self._waiting, key=lambda place: self._used_s[self._waiting[place]])

    def _end(self, who: Hashable, took_s: float) -> None:
        with self._changed:
            self._free += 1
            self._used_s[who] = self._used_s.get(who, self._least_s) + took_s
            self._changed.notify_all()
