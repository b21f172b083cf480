"""What a server writes to its log: one JSON object a line, with nothing that a client chose."""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

from likeness.server.exchange import Answer
from likeness.server.metrics import Metrics
from likeness.terms import Principal

_logger = logging.getLogger(__name__)


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
