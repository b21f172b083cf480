"""Memory that pictures may take while they are decoded, shared by all threads of a process."""

import ctypes
import math
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import TooBusy

# A picture that waits longer is refused: others may hold theirs for good, each waiting for more.
_PATIENCE_S = 60.0
# Where nobody who holds pixels is at work with them. Somebody else may be: who was handed them.
_PATIENCE_WHEN_STUCK_S = 3.0

# What the memory is divided by: for what a small picture takes at most, and for what is kept free
# for those.
_SMALL, _RESERVED = 16, 8

# glibc keeps freed blocks of up to 32 MiB for the thread that had them; Pillow's have 16.
_WORTH_RETURNING = 32 << 20


class Lease:
    """Bytes that a thread has been given of the memory, for one picture."""

    def __init__(self, memory: "DecodingMemory", size: int, thread: object) -> None:
        self._memory = memory
        self._size = size
        self._thread = thread

    def keep_for(self, pixels: NDArray[np.uint8]) -> None:
        """Keep what an array takes until the array is gone, and give back the rest."""
        kept = min(self._size, pixels.nbytes)
        end = weakref.finalize(pixels, self._memory.give_back, kept, self._thread)
        end.atexit = False
        self._give_back(self._size - kept)
        self._size = 0

    def end(self) -> None:
        """Give back what is not kept for an array."""
        self._give_back(self._size)
        self._size = 0

    def _give_back(self, size: int) -> None:
        if size >= _WORTH_RETURNING:
            _return_what_is_free()
        if size:
            self._memory.give_back(size, self._thread)


class DecodingMemory:
    """Gives pictures memory in turn, so that many at once take no more than one may.

    An eighth is for small pictures alone, so that they need not wait for large ones; a picture that
    needs more than the rest has it all.

    Threads that hold pixels while they wait for more may wait for one another. Where all that hold
    any do, one of them is refused after `patience_when_stuck_s`, and the others go on.
    """

    def __init__(
        self,
        patience_s: float = _PATIENCE_S,
        patience_when_stuck_s: float = _PATIENCE_WHEN_STUCK_S,
    ) -> None:
        self._patience_s = patience_s
        self._patience_when_stuck_s = patience_when_stuck_s
        # Re-entrant: arrays are let go of anywhere, also by a thread that is in here.
        self._changed = threading.Condition(threading.RLock())
        self._taken = 0
        self._taken_by: dict[object, int] = {}
        self._waiting: set[object] = set()
        self._own = threading.local()

    @property
    def taken(self) -> int:
        """Bytes that are given to pictures now."""
        return self._taken

    @contextmanager
    def lease(self, size: int, most: int) -> Iterator[Lease]:
        """Wait until `size` bytes are free of the `most` that all pictures may take.

        Raises:
            TooBusy: others did not give enough back in time.
        """
        thread = self._this_thread()
        if size > most // _SMALL:
            most = max(size, most - most // _RESERVED)
        with self._changed:
            if self._taken + size > most:
                self._wait(size, most, thread)
            self._taken += size
            self._taken_by[thread] = self._taken_by.get(thread, 0) + size
        lease = Lease(self, size, thread)
        try:
            yield lease
        finally:
            lease.end()

    def give_back(self, size: int, thread: object) -> None:
        """Let other pictures have some bytes that a thread was given."""
        with self._changed:
            self._taken -= size
            self._taken_by[thread] -= size
            if not self._taken_by[thread]:
                del self._taken_by[thread]
            self._changed.notify_all()

    def _wait(self, size: int, most: int, thread: object) -> None:
        now = time.monotonic()
        until, stuck_until = now + self._patience_s, math.inf
        self._waiting.add(thread)
        self._changed.notify_all()  # those that wait already may be stuck by it
        try:
            while self._taken + size > most:
                is_stuck = self._taken_by.keys() <= self._waiting
                stuck_until = min(stuck_until, now + self._patience_when_stuck_s)
                stuck_until = stuck_until if is_stuck else math.inf
                left = min(until, stuck_until) - now
                if left <= 0:
                    raise TooBusy(
                        f"Not enough memory now: this picture needs {in_mib(size)}, and other"
                        f" pictures hold {in_mib(self._taken)} of {in_mib(most)}. Try again later,"
                        " or raise LIKENESS_DECODE_MEMORY."
                    )
                self._changed.wait(left)
                now = time.monotonic()
        finally:
            self._waiting.discard(thread)

    def _this_thread(self) -> object:
        """What stands for the running thread; its number may be another's when it has ended."""
        if not hasattr(self._own, "thread"):
            self._own.thread = object()
        return self._own.thread


def _return_what_is_free() -> None:
    """Have the C library return freed memory to the system, so that others may have it."""
    if _trim is not None:
        _trim(0)


_trim: Any = None
with suppress(OSError, TypeError, AttributeError):  # another C library may return it itself
    _trim = ctypes.CDLL(None).malloc_trim


def in_mib(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{-(-size // (1 << 20))} MiB"


MEMORY = DecodingMemory()
"""What this process has: pictures share it whoever decodes them."""
