"""One request and its answer, as the server knows them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from starlette.types import Receive, Scope

from likeness.server.body import Body
from likeness.server.lanes import Stages
from likeness.server.signature import Claim, Head
from likeness.terms import Principal


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
