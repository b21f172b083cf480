"""Was this very signature seen before? Legitimate within its time, and worth counting.

Two equal calls within a second carry one signature, so that a replay cannot be told from a retry.
"""

from collections.abc import Callable
from datetime import datetime

from likeness.rekognition.signature import SKEW

_KEPT_AT_MOST = 100_000


class Replays:
    """The signatures of the last ten minutes, for which alone they are good; for one event loop."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: dict[bytes, datetime] = {}

    def seen(self, signature: str) -> bool:
        """Remember a genuine signature; say whether it is remembered already."""
        now = self._clock()
        digest = bytes.fromhex(signature)[:16]
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < _KEPT_AT_MOST and now - self._seen[oldest] <= 2 * SKEW:
                break
            del self._seen[oldest]
        if digest in self._seen:
            return True
        self._seen[digest] = now
        return False
