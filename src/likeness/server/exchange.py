"""One request, its answer, and their line of the log, which holds nothing that a client chose."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from starlette.types import Receive, Scope

from likeness.server.body import Body
from likeness.server.lanes import Stages
from likeness.server.metrics import Metrics
from likeness.server.signature import Claim, Head
from likeness.terms import Principal

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out; `code` is for the log and the metrics: `OK`, or what went wrong."""

    status: int
    code: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and what is known of it so far.

    `claim` and `principal` are of whoever asks, once they are proven. `began_s` is by
    `time.perf_counter`. `replayed` is whether an earlier request had the same signature. `headers`
    go out with the answer, whatever it is.
    """

    scope: Scope
    receive: Receive
    head: Head
    body: Body
    request_id: UUID = field(default_factory=uuid4)
    began_s: float = field(default_factory=time.perf_counter)
    operation: str = "unknown"
    claim: Claim | None = None
    principal: Principal | None = None
    replayed: bool = False
    stages: Stages = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def note(
    metrics: Metrics,
    answer: Answer,
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
