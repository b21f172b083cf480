"""What does the operator see of the load? Counts and durations, of operations and not of people."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Measures:
    """What Prometheus collects of the wire."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "likeness_requests",
            "Requests that were answered, by operation and AWS's name of what went wrong, or OK.",
            ("operation", "code"),
            registry=registry,
        )
        self._stages = Histogram(
            "likeness_stage_seconds",
            "Time that requests spent in each stage.",
            ("stage",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._replays = Counter(
            "likeness_replayed_signatures",
            "Requests that bore the signature of an earlier one.",
            registry=registry,
        )
        self._faces = Counter("likeness_faces", "Faces that were found.", registry=registry)
        self._inside = Gauge(
            "likeness_requests_inside",
            "Requests that wait for a lane's threads or run on them.",
            ("lane",),
            registry=registry,
        )
        self._held = Gauge(
            "likeness_bodies_held_bytes", "Bytes of bodies that are held.", registry=registry
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        began_s = time.perf_counter()
        try:
            yield
        finally:
            self.spent(name, time.perf_counter() - began_s)

    def spent(self, stage: str, duration_s: float) -> None:
        """Count time that was measured elsewhere."""
        self._stages.labels(stage).observe(duration_s)

    def answered(self, operation: str, code: str) -> None:
        """Count an answer."""
        self._requests.labels(operation, code).inc()

    def found(self, faces: int) -> None:
        """Count faces that were found."""
        self._faces.inc(faces)

    def replayed(self) -> None:
        """Count a signature that came again."""
        self._replays.inc()

    def watch_lane(self, lane: str, inside: Callable[[], float]) -> None:
        """Let it be read how many are in a lane."""
        self._inside.labels(lane).set_function(inside)

    def watch_bodies(self, held_bytes: Callable[[], float]) -> None:
        """Let it be read how many bytes are held."""
        self._held.set_function(held_bytes)
