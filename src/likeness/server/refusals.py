"""What a server refuses so that it stays there for everybody: counted at once, logged calmly.

A flood of refusals must be no flood of lines. The first refusal for a reason is logged at once, and
those after it once a minute, with their number. Neither log nor figures say whose they were.
"""

import logging
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from likeness.server.monitoring import Metrics
from likeness.terms import Closing

_logger = logging.getLogger(__name__)
_EVERY_S = 60.0


class Refusal(StrEnum):
    """Why something was refused, or somebody let go; docs/server.md says what each means."""

    CONNECTIONS = "connections"
    ADDRESS_CONNECTIONS = "address-connections"
    IDLE_CONNECTIONS = "idle-connections"
    ADDRESS_REQUESTS = "address-requests"
    DESCRIPTORS = "descriptors"
    SILENT = "silent"
    SLOW_HANDSHAKE = "slow-handshake"
    SLOW_HEAD = "slow-head"
    BODIES = "bodies"
    BODY_SHARE = "body-share"
    SLOW_BODY = "slow-body"
    FALSE_BODY = "false-body"
    REPLAYED = "replayed"
    KEY_RATE = "key-rate"
    WAITING = "waiting"
    KEY_WAITING = "key-waiting"
    LATE = "late"


class Refusals(Closing):
    """Counts refusals by reason, from any thread; `close` logs those that no line has told yet."""

    def __init__(self, metrics: Metrics, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        for reason in Refusal:
            metrics.refusals.labels(
                reason.value
            )  # 0 until the first, so that it can be seen to rise
        self._clock_s = clock_s
        self._lock = threading.Lock()
        # Of each reason: how many no line has told yet, and when the last line was.
        self._untold: dict[Refusal, int] = {}
        self._told_s: dict[Refusal, float] = {}
        self._timer: threading.Timer | None = None

    def count(self, reason: Refusal) -> None:
        """Count a refusal, and log it if no line told of its reason within the last minute."""
        self._metrics.refusals.labels(reason.value).inc()
        with self._lock:
            self._untold[reason] = self._untold.get(reason, 0) + 1
        self.tell()

    def tell(self) -> None:
        """Log what is due; what is not yet is told later."""
        with self._lock:
            now_s = self._clock_s()
            for reason in list(self._untold):
                if now_s - self._told_s.get(reason, now_s - _EVERY_S) >= _EVERY_S:
                    self._log(reason, now_s)
            if self._untold and self._timer is None:
                due_s = min(self._told_s[reason] for reason in self._untold) + _EVERY_S
                self._timer = threading.Timer(max(0.0, due_s - now_s), self._tell_later)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Log what no line has told."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            for reason in list(self._untold):
                self._log(reason, self._clock_s())

    def _tell_later(self) -> None:
        with self._lock:
            self._timer = None
        self.tell()

    def _log(self, reason: Refusal, now_s: float) -> None:
        fields = {"reason": reason.value, "count": self._untold.pop(reason)}
        self._told_s[reason] = now_s
        _logger.warning("refused", extra={"fields": fields})
