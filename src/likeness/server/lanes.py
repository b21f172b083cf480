"""Runs acts on threads, in lanes that are bounded and do not block each other.

Acts that look at pictures have a lane, and all others one of their own: listing collections does
not wait for networks.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from likeness.server.errors import TooLate, TooManyRequests
from likeness.server.metrics import Metrics

T = TypeVar("T")
Stages = list[tuple[str, float]]
"""The stages of an act, each with when it began, by `time.perf_counter`."""


class Lane:
    """So many acts at a time, and so many that wait; more are refused."""

    def __init__(
        self, name: str, workers: int, waiting: int, within_s: float, metrics: Metrics
    ) -> None:
        self._at_most = workers + waiting
        self._within_s = within_s
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(workers, f"likeness-{name}")
        self._lock = threading.Lock()
        self._inside = 0
        metrics.inside.labels(name).set_function(lambda: self._inside)

    async def run(self, act: Callable[[], T], stages: Stages | None = None) -> T:
        """Run an act; one that has not begun when the time is over never will.

        Where `stages` are given, to which the act adds its own, their times are measured.

        Raises:
            TooManyRequests: too many wait.
            TooLate: it is not done in time; what has begun goes on, and keeps its place.
        """
        with self._lock:
            if self._inside >= self._at_most:
                raise TooManyRequests("Too many requests are waiting: try again.")
            self._inside += 1
        if stages is not None:
            stages.append(("queue", time.perf_counter()))
        future = self._pool.submit(self._measured, act, stages or [])
        future.add_done_callback(self._left)
        try:
            async with asyncio.timeout(self._within_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise TooLate(f"It was not done within {self._within_s:g} seconds") from error

    def close(self) -> None:
        """Finish what is inside."""
        self._pool.shutdown()

    def _measured(self, act: Callable[[], T], stages: Stages) -> T:
        try:
            return act()
        finally:
            for (stage, began_s), (_, ended_s) in pairwise([*stages, ("", time.perf_counter())]):
                self._metrics.stages.labels(stage).observe(ended_s - began_s)

    def _left(self, future: "Future[T]") -> None:
        with self._lock:
            self._inside -= 1
