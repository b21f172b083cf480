"""What C libraries write to standard error while they decode: nobody's message, so dropped.

The libjpeg inside OpenCV and the libtiff inside Pillow write lines about damage there, which name
no file and cannot be switched off. The file descriptor and Python's own stream are left alone;
where the C library is not as expected nothing is dropped.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Stream:
    """C's `stderr`, which is a variable; while anybody asks, it points to where nothing is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silenced = 0
        self._variable: ctypes.c_void_p | None = None
        self._own: int | None = None
        self._nowhere: int | None = None
        try:
            libc = ctypes.CDLL(None)
            variable = ctypes.c_void_p.in_dll(libc, "stderr")
            libc.fopen.restype = ctypes.c_void_p
            self._nowhere = libc.fopen(b"/dev/null", b"w")
        except (OSError, ValueError, AttributeError, TypeError):
            return  # another C library: its lines are seen
        if self._nowhere is not None:
            self._variable = variable

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Drop what is written meanwhile, by this thread or another."""
        if self._variable is None:
            yield
            return
        with self._lock:
            self._silenced += 1
            if self._silenced == 1:
                self._own, self._variable.value = self._variable.value, self._nowhere
        try:
            yield
        finally:
            with self._lock:
                self._silenced -= 1
                if self._silenced == 0:
                    self._variable.value = self._own


silence_c_stderr = _Stream().silent
"""Drops what C libraries write to standard error while a `with` block runs."""
