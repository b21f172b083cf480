"""Rekognition's wire, as a door of the server: POST / in, AWS's shapes out, whatever comes.

    open -> (server: authenticate) -> read_call -> lane [ parse -> operation -> serialise ]

Operations are synchronous and run on threads.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from uuid import UUID

from likeness.rekognition.call import (
    Call,
    Contract,
    Request,
    Response,
    contract,
    operation_called,
    read_call,
)
from likeness.rekognition.documents import parse, serialise
from likeness.rekognition.faults import AwsError, in_aws_words
from likeness.rekognition.not_offered import not_offered
from likeness.server import Answer, Door, Exchange, Gate, Repeats

Operation = Callable[[Call, Request], Response]


class Application(Door):
    """Answers AWS's clients with the operations that there are."""

    def __init__(self, operations: Mapping[str, Operation], gate: Gate) -> None:
        super().__init__(gate, gate.limits.body)
        self._operations = operations

    def open(self, exchange: Exchange) -> bool:
        """Name the operation that is called; whoever calls one has to be known."""
        head = exchange.head
        if (head.method, head.path) != ("POST", "/"):
            raise AwsError(
                "UnknownOperationException",
                "Another method or path than POST /. Send operations there, in X-Amz-Target.",
                404,
            )
        exchange.operation = operation_called(head) or exchange.operation
        called = contract(exchange.operation)
        changes = called is not None and called.changes
        exchange.repeats = Repeats.SOON if changes else Repeats.ALWAYS
        return True

    def answer(self, exchange: Exchange) -> Awaitable[Answer]:
        """Do the operation that is called, on a thread of its lane."""
        wanted = contract(exchange.operation)
        if wanted is None:
            raise AwsError(
                "UnknownOperationException",
                "X-Amz-Target names no operation. Send RekognitionService.OPERATION, once.",
            )
        operation = self._operations.get(wanted.name)
        if operation is None:
            raise AwsError("UnknownOperationException", not_offered(wanted.name))
        call = read_call(exchange)
        act = partial(self._act, exchange, wanted, operation, call)
        lane = self.gate.pictures if wanted.takes_media else self.gate.rows
        return self.gate.run(call.caller.principal, lane, act, exchange.stages)

    def word(self, error: Exception, request_id: UUID, operation: str) -> Answer:
        """Say in AWS's words what went wrong."""
        called = contract(operation)
        worded = in_aws_words(error, called.errors if called else frozenset())
        content = {
            "__type": worded.code,
            "Code": worded.code,
            "Logref": str(request_id),
            "Message": worded.message,
        }
        return _answer(worded.status, worded.code, json.dumps(content).encode(), request_id)

    def _act(
        self, exchange: Exchange, wanted: Contract, operation: Operation, call: Call
    ) -> Answer:
        """Parse, do and serialise, on a thread of its lane."""
        exchange.stages.append(("parse", time.perf_counter()))
        request = parse(wanted, exchange.body.content)
        exchange.stages.append(("act", time.perf_counter()))
        try:
            response = operation(call, request)
        finally:
            call.tell_proof()
        exchange.stages.append(("serialise", time.perf_counter()))
        return _answer(200, "OK", serialise(wanted, response), exchange.request_id)


def _answer(status: int, code: str, content: bytes, request_id: UUID) -> Answer:
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-requestid": str(request_id),
        "cache-control": "no-store",
    }
    return Answer(status, code, content, headers)
