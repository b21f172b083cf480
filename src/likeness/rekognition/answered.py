"""What does the operator see of a request? A line and a count, of nothing that a client chose."""

import logging
import time
from dataclasses import dataclass

from likeness.rekognition.measures import Measures

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that has its answer, or whose client has left.

    `principal_id` is our id of who asked, None where that is not known. `began_s` is by
    `time.perf_counter`. `replayed` is whether an earlier request had the same signature.
    """

    request_id: str
    operation: str
    principal_id: str | None
    status: int
    code: str
    began_s: float
    bytes_in: int
    bytes_out: int
    replayed: bool = False

    def note(self, measures: Measures) -> None:
        """Count it, and write its line of the log."""
        measures.answered(self.operation, self.code)
        fields = {
            "request_id": self.request_id,
            "operation": self.operation,
            "principal": self.principal_id,
            "status": self.status,
            "code": self.code,
            "ms": round((time.perf_counter() - self.began_s) * 1000, 1),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }
        if self.replayed:
            fields["replayed"] = True
        _logger.info("request", extra={"fields": fields})
