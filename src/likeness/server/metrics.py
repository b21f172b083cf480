"""Counts and durations for the operator, of operations and not of people; and who may read them.

They hold no person's data, but say how much a server is used, for what, and what is refused.
"""

import hmac
import ipaddress

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
                    "This request comes from another machine. Set LIKENESS_METRICS_TOKEN on the"
                    " server, and send it as a bearer token.\n",
                    403,
                )
        elif not hmac.compare_digest(
            request.headers.get("authorization", "").encode("latin-1"), self._expected
        ):
            return PlainTextResponse(
                "No or another bearer token. Send LIKENESS_METRICS_TOKEN.\n",
                401,
                {"www-authenticate": "Bearer"},
            )
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


def _from_this_machine(request: Request) -> bool:
    if request.client is None:
        return False
    address = ipaddress.ip_address(request.client.host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
