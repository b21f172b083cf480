"""Holds the object that was opened last, so that whoever opens it again fetches nothing."""

import os
from collections.abc import Callable
from typing import BinaryIO

from likeness.buckets.buckets import Buckets
from likeness.terms import Closing


class HeldBuckets(Closing):
    """Buckets of which one object at a time is held; for one thread.

    What is opened again is the same to the byte, whatever became of the object meanwhile.
    """

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._held: tuple[tuple[str, str, str | None], BinaryIO] | None = None

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Read an object; see `Buckets`."""
        return self._buckets.read(bucket, key, version, max_bytes)

    def size(self, bucket: str, key: str, version: str | None) -> int:
        """Say how many bytes an object has; see `Buckets`."""
        return self._buckets.size(bucket, key, version)

    def open(
        self,
        bucket: str,
        key: str,
        version: str | None,
        max_bytes: int,
        require_wanted: Callable[[], object] | None = None,
    ) -> BinaryIO:
        """Open an object at its beginning, and hold it until another is opened; see `Buckets`."""
        named = bucket, key, version
        if self._held is None or self._held[0] != named:
            self.close()
            self._held = named, self._buckets.open(*named, max_bytes, require_wanted)
        # A file of its own, which stands at the beginning, though the held one has no name.
        place = f"/proc/self/fd/{self._held[1].fileno()}"
        return os.fdopen(os.open(place, os.O_RDONLY | os.O_CLOEXEC), "rb")

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List keys; see `Buckets`."""
        return self._buckets.keys(bucket, prefix)

    def close(self) -> None:
        """Let go of what is held."""
        if self._held is not None:
            self._held[1].close()
            self._held = None
