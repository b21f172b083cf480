"""What an operator sees of a server: one line of log for each request, and figures for Prometheus.

Neither has anything that a client chose, or a person's data: they count operations and not people.
The figures say how much a server is used, for what, and what is refused, so not everybody may read
them.
"""

import hmac
import ipaddress
import json
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from likeness.terms import Principal

if TYPE_CHECKING:  # it counts refusals, which are measured here
    from likeness.server.exchange import Answer

_logger = logging.getLogger(__name__)
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
        self.refusals = Counter(
            "likeness_refusals",
            "What was refused, or let go, so that the server stays there for others, by reason.",
            ("reason",),
            registry=registry,
        )
        self.damaged_rows = Gauge(
            "likeness_damaged_rows",
            "Rows that could not be read since the start, and were left out of answers.",
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

    def read(self) -> "Figures":
        """Give what was counted so far."""
        sums = _values(self.stages, "_sum")
        counts = _values(self.stages, "_count")
        return Figures(
            requests={
                (operation, code): int(n)
                for (operation, code), n in _values(self.requests, "_total").items()
            },
            stages={
                stage: (int(count), sums[(stage,)] / count)
                for (stage,), count in counts.items()
                if count
            },
            refusals={reason: int(n) for (reason,), n in _values(self.refusals, "_total").items()},
            inside={lane: int(n) for (lane,), n in _values(self.inside).items()},
            faces=int(_values(self.faces, "_total")[()]),
            replays=int(_values(self.replays, "_total")[()]),
            damaged_rows=int(_values(self.damaged_rows)[()]),
            body_bytes=int(_values(self.body_bytes)[()]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was counted of a server since its start, and what it holds now.

    `requests` are by operation and code. `stages` say how often each was gone through, and in how
    many seconds on average. `inside` says how many requests each lane has now.
    """

    requests: Mapping[tuple[str, str], int]
    stages: Mapping[str, tuple[int, float]]
    refusals: Mapping[str, int]
    inside: Mapping[str, int]
    faces: int
    replays: int
    damaged_rows: int
    body_bytes: int


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


def note(
    metrics: Metrics,
    answer: "Answer",
    *,
    request_id: UUID,
    began_s: float,
    bytes_in: int,
    operation: str = "unknown",
    principal: Principal | None = None,
    replayed: bool = False,
) -> None:
    """Count a request that has its answer, or whose client has left, and log a line of it."""
    metrics.requests.labels(operation, answer.code).inc()
    fields = {
        "request_id": str(request_id),
        "operation": operation,
        "principal": principal and principal.id,
        "status": answer.status,
        "code": answer.code,
        "ms": round((time.perf_counter() - began_s) * 1000, 1),
        "bytes_in": bytes_in,
        "bytes_out": len(answer.content),
    }
    if replayed:
        fields["replayed"] = True
    _logger.info("request", extra={"fields": fields})


class JsonLines(logging.Formatter):
    """Writes a record, and the fields it was given, as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line; of an exception its type alone, for its text may hold anything."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line)


def log_json_lines() -> None:
    """Log what happens to stderr, from INFO on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("likeness", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def _values(metric: MetricWrapperBase, suffix: str = "") -> dict[tuple[str, ...], float]:
    """Give the values of a metric by their labels, of the samples whose names end so."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in metric.collect()
        for sample in family.samples
        if sample.name == f"{family.name}{suffix}"
    }


def _from_this_machine(request: Request) -> bool:
    if request.client is None:
        return False
    address = ipaddress.ip_address(request.client.host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
