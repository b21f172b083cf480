"""Counts and durations for the operator, of operations and not of people; and who may read them.

They hold no person's data, but say how much a server is used, for what, and what is refused.
"""

import hmac
import ipaddress
from collections.abc import Callable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from likeness.terms import Template
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What Prometheus collects of a server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "likeness_requests",
            "Requests that were answered, by operation and AWS's name of what went wrong, or OK.",
            ("operation", "code"),
            registry=registry,
        )
        self.stages = Histogram(
            "likeness_stage_seconds",
            "Time that requests spent in each stage.",
            ("stage",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.replays = Counter(
            "likeness_replayed_signatures",
            "Requests that bore the signature of an earlier one.",
            registry=registry,
        )
        self.faces = Counter("likeness_faces", "Faces that were found.", registry=registry)
        self.inside = Gauge(
            "likeness_requests_inside",
            "Requests that wait for a lane's threads or run on them.",
            ("lane",),
            registry=registry,
        )
        self.body_bytes = Gauge(
            "likeness_bodies_held_bytes", "Bytes of bodies that are held.", registry=registry
        )


class MetricsPage:
    """`/metrics`, for Prometheus: for this machine alone, or for whoever has the token if set."""

    def __init__(self, registry: CollectorRegistry, token: str) -> None:
        self._registry = registry
        self._expected = f"Bearer {token}".encode() if token else None

    async def show(self, request: Request) -> Response:
        """Answer with all metrics, or refuse."""
        if self._expected is None:
            if not _from_this_machine(request):
                return PlainTextResponse(
                    "LIKENESS_METRICS_TOKEN was expected to be set on the server, since this"
                    " request comes from another machine\n",
                    403,
                )
        elif not hmac.compare_digest(
            request.headers.get("authorization", "").encode("latin-1"), self._expected
        ):
            return PlainTextResponse(
                "LIKENESS_METRICS_TOKEN was expected as a bearer token\n",
                401,
                {"www-authenticate": "Bearer"},
            )
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class MeasuredFinder(FaceFinder):
    """A finder that does what another does, and is measured."""

    def __init__(self, finder: FaceFinder, metrics: Metrics) -> None:
        self._finder = finder
        self._metrics = metrics

    @property
    def model(self) -> str:
        """What the templates are made with."""
        return self._finder.model

    @property
    def cohort_version(self) -> str:
        """What the templates' scores are evened out by."""
        return self._finder.cohort_version

    @property
    def cohort(self) -> Cohort:
        """What evens the templates' scores out."""
        return self._finder.cohort

    def locate(self, sample: Sample) -> Located:
        """Find every face, largest first, with its pose and its quality."""
        return self._measured(self._finder.locate, sample)

    def locate_largest(self, sample: Sample) -> Located:
        """Find the largest face alone, or none."""
        return self._measured(self._finder.locate_largest, sample)

    def templates(self, located: Located, which: Sequence[int] | None = None) -> list[Template]:
        """Make the templates of the faces with these indices; of all without."""
        with self._metrics.stages.labels("embed").time():
            return self._finder.templates(located, which)

    def _measured(self, locate: Callable[[Sample], Located], sample: Sample) -> Located:
        with self._metrics.stages.labels("locate").time():
            located = locate(sample)
        self._metrics.faces.inc(len(located.faces))
        return located


def _from_this_machine(request: Request) -> bool:
    if request.client is None:
        return False
    address = ipaddress.ip_address(request.client.host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
