"""Lanes: so many acts at a time on threads, and those who wait are served fairly.

**Whose turn it is.** Of those who wait in a lane, whoever has had least of its time is next, and
their own acts come in the order in which they were asked for. What counts is time, not number: one
act that takes seconds costs as much as many that take little. Who comes back after a while has
saved up none.

**Who has much waiting** does not feel whether one act more takes a moment longer; who asks for one
at a time does. So while somebody has eight acts or more waiting, their time counts four times, one
of their threads stays free for whoever comes, and while others are about who have less waiting,
their acts begin only where three threads stay free, unless they have had less of the time.

**What one may have.** As many places to wait as are left to all others, and as many threads as
`of_one` says, so that a thread is free for somebody else; where others were here within the last
second, one fewer, so that what somebody else begins is not slowed down by more than there are
processors.

**Lanes beside lanes.** An act that comes upon long work, such as a large picture, gives up its
place in its own lane, has that part done by another (`do`), and takes its place again.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from likeness.errors import TooBusy, required
from likeness.server.errors import TooLate, TooManyRequests
from likeness.server.exchange import Stages
from likeness.server.monitoring import Metrics
from likeness.server.refusals import Refusal, Refusals
from likeness.terms import Closing

T = TypeVar("T")

MOST_ELSEWHERE = 32
"""How many acts may wait for a lane beside theirs: they keep the threads that they began on."""
_RECENTLY_S = 1.0
_TO_ANSWER_S = 2.0
_MUCH, _MUCH_COUNTS, _FREE_BESIDE_MUCH = 8, 4, 3
# Callers who are remembered though they have nothing here: whoever had more than their share.
_REMEMBERED = 1000

_LEAST_URGENT = 19

_here = threading.local()
"""Its `place` is that of the act which runs on a thread."""


def _give_way() -> None:
    """Let this thread have a processor only where no other wants it, for good."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_URGENT)


@dataclass(slots=True, eq=False)
class _Place:
    """An act in a lane, and whose it is; `began_s` is None while it does not run there."""

    lane: "Lane"
    act: Callable[[], Any]
    by: str
    due_s: float
    future: "Future[Any]" = field(default_factory=Future)
    began_s: float | None = None


class Lane(Closing):
    """So many acts at a time, and so many that wait; more are refused. `close` finishes them."""

    def __init__(
        self,
        name: str,
        workers: int,
        waiting: int,
        within_s: float,
        metrics: Metrics,
        refusals: Refusals,
        *,
        of_one: int | None = None,
        gives_way: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a lane.

        Args:
            name: what metrics call it.
            workers: how many acts it does at a time.
            waiting: how many more may wait.
            within_s: how long an act may take from when it is asked for.
            metrics: measure the lane and its acts' stages.
            refusals: count who is refused.
            of_one: how many acts of one caller it does at a time; as many as there are, without.
            gives_way: have its threads use a processor only where no other thread wants it.
            clock_s: tells how long acts take.
        """
        self._workers = workers
        self._of_one = workers if of_one is None else of_one
        self._waiting_places = waiting
        self._within_s = within_s
        self._metrics = metrics
        self._refusals = refusals
        self._clock_s = clock_s
        self._pool = ThreadPoolExecutor(
            workers + 2 * MOST_ELSEWHERE,
            f"likeness-{name}",
            initializer=_give_way if gives_way else None,
        )
        self._changed = threading.Condition()
        self._inside = 0
        # Of each caller: who waits, in order, and what runs; in the order of their turns.
        self._waiting: dict[str, deque[_Place]] = {}
        self._waiting_count = 0
        self._running: dict[str, list[_Place]] = {}
        self._running_count = 0
        # Of each caller: what they have had of the lane's time. `_least_s` is what whoever began
        # last had had.
        self._had_s: dict[str, float] = {}
        # Of each caller: when they last asked for anything.
        self._seen_s: dict[str, float] = {}
        self._least_s = 0.0
        metrics.inside.labels(name).set_function(lambda: self._inside)

    async def run(self, act: Callable[[], T], by: str, stages: Stages | None = None) -> T:
        """Run somebody's act; one that has not begun when the time is over never will.

        Where `stages` are given, to which the act adds its own, their times are measured.

        Raises:
            TooManyRequests: too many wait, or too many of theirs.
            TooLate: it is not done in time; what has begun goes on, and keeps its place.
        """
        if stages is not None:
            stages.append(("queue", time.perf_counter()))
        place = self._enter(lambda: self._measured(act, stages or []), by, self._within_s)
        try:
            async with asyncio.timeout(self._within_s):
                result: T = await asyncio.wrap_future(place.future)
                return result
        except TimeoutError as error:
            self._refusals.count(Refusal.LATE)
            raise TooLate(f"It was not done within {self._within_s:g} seconds") from error

    def do(self, act: Callable[[], T]) -> T:
        """Do a part of an act of another lane in this one; others have its place there meanwhile.

        What is no act of a lane is done at once.

        Raises:
            TooBusy: too many wait for this lane, or waited too long.
        """
        own: _Place | None = getattr(_here, "place", None)
        if own is None or own.lane is self:
            return act()
        # Who is told in time that nothing was done may ask again.
        to_answer_s = min(_TO_ANSWER_S, own.lane._within_s / 2)
        left_s = max(0.0, own.due_s - self._clock_s() - to_answer_s)
        try:
            place = self._enter(act, own.by, left_s)
        except TooManyRequests as error:
            raise TooBusy("Too many large pictures are waiting. Try again later.") from error
        with own.lane._left(own):
            try:
                result: T = place.future.result(left_s)
            except TimeoutError:
                place.future.cancel()  # unless it has begun, or is done
                try:
                    result = place.future.result()
                except CancelledError as error:
                    self._refusals.count(Refusal.LATE)
                    raise TooBusy("Large pictures took too long. Try again later.") from error
        return result

    def close(self) -> None:
        """Finish what is inside."""
        with self._changed:
            self._changed.wait_for(lambda: not self._inside)
        self._pool.shutdown()

    def _enter(self, act: Callable[[], Any], by: str, within_s: float) -> _Place:
        now_s = self._clock_s()
        place = _Place(self, act, by, now_s + within_s)
        with self._changed:
            self._seen_s[by] = now_s
            if not self._is_inside(by):
                self._had_s[by] = max(self._had_s.get(by, 0.0), self._least_s)
            if self._may_begin(by):
                self._begin(place)
                self._pool.submit(self._work, place)
            else:
                self._require_room(by)
                self._waiting.setdefault(by, deque()).append(place)
                self._waiting_count += 1
            self._inside += 1
        place.future.add_done_callback(lambda future: self._drop_if_cancelled(place))
        return place

    def _require_room(self, by: str) -> None:
        left = self._waiting_places - self._waiting_count
        if left <= 0:
            self._refusals.count(Refusal.WAITING)
            raise TooManyRequests("Too many requests are waiting. Try again.")
        if len(self._waiting.get(by, ())) >= left:
            self._refusals.count(Refusal.KEY_WAITING)
            raise TooManyRequests(
                "Too many of your requests are waiting: as many as places are left for others. Try"
                " again."
            )

    def _may_begin(self, by: str) -> bool:
        if self._running_count >= self._workers:
            return False
        running = len(self._running.get(by, ()))
        if running >= self._of_one:
            return False
        # Who else is here is asked for only where it matters: there may be very many.
        is_last = running > 0 and running == self._of_one - 1
        if is_last and (self._has_much(by) or any(self._others_here(by))):
            return False
        return not self._would_be_felt(by)

    def _others_here(self, by: str) -> Iterator[str]:
        since_s = self._clock_s() - _RECENTLY_S
        return (one for one, seen_s in self._seen_s.items() if one != by and seen_s >= since_s)

    def _would_be_felt(self, by: str) -> bool:
        """Say whether one act more of who has much waiting would slow down those who have not."""
        free = self._workers - self._running_count - 1
        if not self._has_much(by) or not self._running_count or free >= _FREE_BESIDE_MUCH:
            return False
        few = [one for one in self._others_here(by) if not self._has_much(one)]
        now_s = self._clock_s()
        had_s = [self._has_had_s(one, now_s) for one in few if self._is_inside(one)]
        return bool(few) and (not had_s or self._has_had_s(by, now_s) > min(had_s))

    def _has_much(self, by: str) -> bool:
        return len(self._waiting.get(by, ())) >= _MUCH

    def _is_inside(self, by: str) -> bool:
        return by in self._waiting or by in self._running

    def _begin(self, place: _Place) -> None:
        place.began_s = self._clock_s()
        self._least_s = max(self._least_s, self._had_s[place.by])
        self._running.setdefault(place.by, []).append(place)
        self._running_count += 1

    def _stop(self, place: _Place) -> None:
        """Count what an act has had of the lane's time."""
        began_s = required(place.began_s, "an act that runs")
        self._had_s[place.by] += (self._clock_s() - began_s) * self._counts(place.by)
        place.began_s = None
        running = self._running[place.by]
        running.remove(place)
        if not running:
            del self._running[place.by]
        self._running_count -= 1

    def _next(self) -> _Place | None:
        """Begin the act of whoever waits and has had least, if there is a place for it."""
        ready = [by for by in self._waiting if self._may_begin(by)]
        if not ready:
            return None
        now_s = self._clock_s()
        by = min(ready, key=lambda one: self._has_had_s(one, now_s))
        waiting = self._waiting.pop(by)
        place = waiting.popleft()
        if waiting:
            self._waiting[by] = waiting  # behind all others who have had as much
        self._waiting_count -= 1
        self._begin(place)
        return place

    def _has_had_s(self, by: str, now_s: float) -> float:
        running = self._running.get(by, ())
        return self._had_s[by] + self._counts(by) * sum(
            now_s - required(place.began_s, "an act that runs") for place in running
        )

    def _counts(self, by: str) -> int:
        return _MUCH_COUNTS if self._has_much(by) else 1

    def _work(self, place: _Place | None) -> None:
        """Do an act, and those that come after it."""
        while place is not None:
            # One that was cancelled while it was handed over is not begun.
            done = place.future.set_running_or_notify_cancel()
            result, error = self._done(place) if done else (None, None)
            with self._changed:
                self._stop(place)
                following = self._next()
                self._leave(place)
            # Whoever has the answer finds the place free.
            if error is not None:
                place.future.set_exception(error)
            elif done:
                place.future.set_result(result)
            place = following

    def _done(self, place: _Place) -> tuple[Any, BaseException | None]:
        _here.place = place
        try:
            return place.act(), None
        except BaseException as error:
            return None, error
        finally:
            del _here.place

    @contextmanager
    def _left(self, place: _Place) -> Iterator[None]:
        """Let others have the place of an act for a while; it is not made to wait for it again."""
        with self._changed:
            self._stop(place)
            following = self._next()
        if following is not None:
            self._pool.submit(self._work, following)
        try:
            yield
        finally:
            with self._changed:
                self._had_s.setdefault(place.by, self._least_s)
                self._begin(place)

    def _drop_if_cancelled(self, place: _Place) -> None:
        if not place.future.cancelled():
            return
        with self._changed:
            waiting = self._waiting.get(place.by)
            if waiting is None or place not in waiting:
                return  # it was handed over already
            waiting.remove(place)
            if not waiting:
                del self._waiting[place.by]
            self._waiting_count -= 1
            self._leave(place)

    def _leave(self, place: _Place) -> None:
        self._inside -= 1
        if not self._inside:
            self._had_s.clear()
            self._least_s = 0.0
        if len(self._seen_s) > _REMEMBERED:
            since_s = self._clock_s() - _RECENTLY_S
            self._seen_s = {by: at_s for by, at_s in self._seen_s.items() if at_s >= since_s}
        if len(self._had_s) > _REMEMBERED:
            self._had_s = {
                by: had_s
                for by, had_s in self._had_s.items()
                if had_s > self._least_s or self._is_inside(by)
            }
        self._changed.notify_all()

    def _measured(self, act: Callable[[], T], stages: Stages) -> T:
        try:
            return act()
        finally:
            for (stage, began_s), (_, ended_s) in pairwise([*stages, ("", time.perf_counter())]):
                self._metrics.stages.labels(stage).observe(ended_s - began_s)
