"""How often may one key ask? A token bucket for each: a second's worth may come at once."""

import time
from collections.abc import Callable

from likeness.rekognition.faults import throttled


class Rates:
    """Buckets of all principals; for one event loop. `per_s` 0 sets no limit."""

    def __init__(self, per_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock_s = clock_s
        # Of each principal: what is left, and when that was.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, principal_id: str) -> None:
        """Count a request.

        Raises:
            AwsError: it is one too many.
        """
        if not self._per_s:
            return
        full = max(1.0, self._per_s)
        now_s = self._clock_s()
        left, then_s = self._left.get(principal_id, (full, now_s))
        left = min(full, left + (now_s - then_s) * self._per_s)
        if left < 1:
            raise throttled(
                f"At most {self._per_s:g} requests a second were expected of this key: try again."
            )
        self._left[principal_id] = (left - 1, now_s)
