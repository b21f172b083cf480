"""One request and its answer, as all doors pass them on."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID, uuid4

from starlette.types import Receive, Scope

from likeness.server.bodies import Body
from likeness.server.signature import Claim, Head
from likeness.terms import Principal

Stages = list[tuple[str, float]]
"""The stages of an act, each with when it began, by `time.perf_counter`."""


Stream = Callable[[asyncio.Event], AsyncGenerator[bytes, None]]
"""Gives what goes out piece by piece, until it ends by itself or the event says that it is over."""

OVER = "likeness.over"
"""Where the state of a scope holds an event: the server stops, or the client will send no more."""


CUT = "likeness.cut"
"""Where the state of a scope holds what ends its connection at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out; `code` is for the log and the metrics: `OK`, or what went wrong.

    With a `stream` that comes in place of `content`, for as long as somebody listens; `length` is
    how many bytes it has, None where nobody knows.
    """

    status: int
    code: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Stream | None = None
    length: int | None = None


class Repeats(Enum):
    """When a request may be served again that comes with the signature of an earlier one."""

    ALWAYS = "it changes nothing"
    SOON = "it changes something, and its door's clients may make it twice within a second"
    NEVER = "it changes something"


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and what is known of it so far.

    `address` is the one that shares go by (`addresses.py`). `claim` and `principal` are of whoever
    asks, once they are proven. `began_s` is by
    `time.perf_counter`. `replayed` is whether an earlier request had the same signature, `repeats`
    when it may, and `let_in` whether it counts among those that were done with its signature.
    `headers` go out with the answer, whatever it is.
    """

    scope: Scope
    receive: Receive
    head: Head
    body: Body
    address: str = "unknown"
    request_id: UUID = field(default_factory=uuid4)
    began_s: float = field(default_factory=time.perf_counter)
    operation: str = "unknown"
    claim: Claim | None = None
    principal: Principal | None = None
    repeats: Repeats = Repeats.NEVER
    replayed: bool = False
    let_in: bool = False
    stages: Stages = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
