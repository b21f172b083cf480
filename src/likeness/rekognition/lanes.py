"""Who waits for whom? Acts run on threads, in lanes that are bounded and do not block each other.

Acts that look at pictures have a lane, and all others one of their own: listing collections does
not wait for networks.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from likeness.rekognition.faults import failure, throttled

T = TypeVar("T")


class Lane:
    """So many acts at a time, and so many that wait; more are refused."""

    def __init__(self, name: str, workers: int, waiting: int) -> None:
        self.name = name
        self._at_most = workers + waiting
        self._pool = ThreadPoolExecutor(workers, f"likeness-{name}")
        self._lock = threading.Lock()
        self.inside = 0

    async def run(self, act: Callable[[], T], within_s: float) -> T:
        """Run an act; one that has not begun when the time is over never will.

        Raises:
            AwsError: too many wait, or it is not done in time; what has begun goes on, and keeps
                its place.
        """
        with self._lock:
            if self.inside >= self._at_most:
                raise throttled("Too many requests are waiting: try again.")
            self.inside += 1
        future = self._pool.submit(act)
        future.add_done_callback(self._left)
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise failure(f"It was not done within {within_s:g} seconds") from error

    def close(self) -> None:
        """Finish what is inside."""
        self._pool.shutdown()

    def _left(self, future: "Future[T]") -> None:
        with self._lock:
            self.inside -= 1
