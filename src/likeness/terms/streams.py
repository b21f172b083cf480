"""Work on items as they come, with little held at a time: in batches, or on several threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import get_ident
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items each, the last of what is left."""
    coming = iter(items)
    while batch := list(islice(coming, size)):
        yield batch


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in the order of the items.

    At most twice as many results as workers wait to be taken, so memory does not grow with the
    number of items. What `work` raises is raised here; unfinished work is then abandoned.
    """
    own_threads = set[int]()
    pool = ThreadPoolExecutor(workers, initializer=lambda: own_threads.add(get_ident()))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        # Whoever leaves off may leave this to be collected as garbage, in whatever thread that
        # happens: one of the pool's own cannot wait for itself.
        pool.shutdown(wait=get_ident() not in own_threads)
