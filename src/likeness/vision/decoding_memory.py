"""Memory that pictures may take while they are decoded, shared by all threads of a process."""

import ctypes
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ImageTooLarge

# A picture that waits longer is refused: others may hold theirs for good, each waiting for more.
_PATIENCE_S = 60.0

# glibc keeps freed blocks of up to 32 MiB for the thread that had them; Pillow's have 16.
_WORTH_RETURNING = 32 << 20


class Lease:
    """Bytes that one picture has been given of the memory."""

    def __init__(self, memory: "DecodingMemory", size: int) -> None:
        self._memory = memory
        self._size = size

    def keep_for(self, pixels: NDArray[np.uint8]) -> None:
        """Keep what an array takes until the array is gone, and give back the rest."""
        kept = min(self._size, pixels.nbytes)
        weakref.finalize(pixels, self._memory.give_back, kept).atexit = False
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
            self._memory.give_back(size)


class DecodingMemory:
    """Gives pictures memory in turn, so that many at once take no more than one may."""

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        # Re-entrant: arrays are let go of anywhere, also by a thread that is in here.
        self._changed = threading.Condition(threading.RLock())
        self._taken = 0

    @property
    def taken(self) -> int:
        """Bytes that are given to pictures now."""
        return self._taken

    @contextmanager
    def lease(self, size: int, most: int) -> Iterator[Lease]:
        """Wait until `size` bytes are free of the `most` that all pictures may take.

        Raises:
            ImageTooLarge: others did not give enough back in time.
        """
        until = time.monotonic() + self._patience_s
        with self._changed:
            while self._taken + size > most:
                if not self._changed.wait(max(0.0, until - time.monotonic())):
                    raise ImageTooLarge(
                        f"Not enough memory: this picture needs {in_mib(size)}, and other pictures"
                        f" hold {in_mib(self._taken)} of {in_mib(most)}. Try again later, or raise"
                        " LIKENESS_DECODE_MEMORY."
                    )
            self._taken += size
        lease = Lease(self, size)
        try:
            yield lease
        finally:
            lease.end()

    def give_back(self, size: int) -> None:
        """Let other pictures have some bytes."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


def _return_what_is_free() -> None:
    """Have the C library return freed memory to the system, so that others may have it."""
    if _trim is not None:
        _trim(0)


def _c_function(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None  # another C library, which may return it itself


_trim = _c_function("malloc_trim")


def in_mib(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{-(-size // (1 << 20))} MiB"


MEMORY = DecodingMemory()
"""What this process has: pictures share it whoever decodes them."""
