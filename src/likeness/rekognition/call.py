"""What is called: an operation of Rekognition's service model, by whom, and why.

The model is the one that botocore ships. Its shapes are botocore's own objects; `Any` stands for
them here and in `documents`, and nowhere else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from botocore.loaders import Loader
from botocore.model import ServiceModel

from likeness.errors import InvalidRequest
from likeness.rekognition.faults import AwsError
from likeness.server import Exchange, Head
from likeness.server.errors import NotSigned
from likeness.service.uses import Caller, Stated
from likeness.terms import LiveStatement, Principal

API_VERSION = "2016-06-27"
TARGET_PREFIX = "RekognitionService"
_HEADERS = {
    "x-likeness-purpose": "purpose",
    "x-likeness-case": "case",
    "x-likeness-warrant": "warrant",
    # Whether people are looked for in pictures of this moment; it needs no grant.
    "x-likeness-live": "live",
    # What sort of source pictures come from; it needs no grant either, since it allows nothing.
    "x-likeness-footage": "footage",
}
# What is stated of a search of a source that goes on; rules know that it was, not what it says.
_LIVE_HEADERS = {
    "x-likeness-place": "place",
    "x-likeness-authority": "authority",
    "x-likeness-criteria": "criteria",
    "x-likeness-until": "until",
}
_MEDIA = {"Image", "Video"}
_READING = ("Compare", "Describe", "Detect", "Get", "List", "Recognize", "Search")
_STATEMENT = re.compile(r"[\x20-\x7e]{1,256}")
_RECEIPT_HEADER, _CASE_HEADER = "X-Likeness-Receipt", "X-Likeness-Case"
_MOST_CASES = 20

Request = Mapping[str, Any]
"""Members by the names of the service model, validated against it: bytes for blobs, `str`, `int`,
`float`, `bool`, lists and mappings; what the caller left out is absent."""

Response = dict[str, Any]
"""Members by the names of the service model; timestamps are aware `datetime`s, and members that
are None are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """What one operation takes, gives and may answer instead.

    `errors` are the codes that its model lists. `takes_media` says that it is
    given a picture or a clip: it may wait for a bucket, and for networks.
    """

    name: str
    input: Any
    output: Any
    errors: frozenset[str]
    takes_media: bool

    @property
    def changes(self) -> bool:
        """Whether it changes anything that is kept: AWS names those that do not by these verbs."""
        return not self.name.startswith(_READING)


def contract(operation: str) -> Contract | None:
    """Look up an operation of the 75; None where the name is not among them."""
    return contracts().get(operation)


@cache
def contracts() -> Mapping[str, Contract]:
    """Read all operations that the service model has, by their names."""
    # What is in the user's own ~/.aws/models is no contract of ours.
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    service = ServiceModel(loader.load_service_model("rekognition", "service-2", API_VERSION))
    return {
        name: _contract(name, service.operation_model(name)) for name in service.operation_names
    }


def _contract(name: str, model: Any) -> Contract:
    return Contract(
        name,
        model.input_shape,
        model.output_shape,
        frozenset(shape.name for shape in model.error_shapes),
        any(member.name in _MEDIA for member in model.input_shape.members.values()),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls which operation; what an operation puts into `headers` goes out with the answer."""

    caller: Caller
    region: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def operation(self) -> str:
        """Which operation."""
        return self.caller.operation

    @property
    def principal(self) -> Principal:
        """Who calls it."""
        return self.caller.principal

    def tell_cases(self, case_ids: Sequence[UUID]) -> None:
        """Say in a header which cases an answer waits for; of many, the first."""
        if case_ids:
            self.headers[_CASE_HEADER] = ", ".join(map(str, case_ids[:_MOST_CASES]))

    def tell_proof(self) -> None:
        """Say in headers what proves the call."""
        proof = self.caller.proof
        for name, said in ((_RECEIPT_HEADER, proof.receipt), (_CASE_HEADER, proof.case_id)):
            if said is not None:
                self.headers.setdefault(name, str(said))


def operation_called(head: Head) -> str | None:
    """Name the operation that a request calls; None where it calls none that AWS knows."""
    targets = head.values("x-amz-target")
    prefix, _, operation = targets[0].partition(".") if len(targets) == 1 else ("", "", "")
    return operation if prefix == TARGET_PREFIX and operation in contracts() else None


def read_call(exchange: Exchange) -> Call:
    """Say who calls what, and why: of the headers, only what is signed counts.

    Raises:
        AwsError: a statement is not signed, or not readable.
    """
    claim, principal = exchange.claim, exchange.principal
    if claim is None or principal is None:
        raise NotSigned("Missing Authentication Token")
    stated: dict[str, str] = {}
    for header, text in exchange.head.headers:
        name = _HEADERS.get(header) or _LIVE_HEADERS.get(header)
        if name is None:
            continue
        if header not in claim.signed_headers:
            raise AwsError(
                "AccessDeniedException",
                f"The header {header} is not signed. Add it before the request is signed (with"
                " boto3, in a handler of the event before-sign).",
            )
        if name in stated or not _STATEMENT.fullmatch(text):
            raise AwsError(
                "ValidationException",
                f"The header {header} comes twice or has a value that is not allowed. Send it once,"
                " with 1 to 256 printable ASCII characters.",
            )
        stated[name] = text
    live = stated.pop("live", "false")
    if live not in ("true", "false"):
        raise AwsError(
            "ValidationException", "The header x-likeness-live is neither true nor false. Send one."
        )
    live_search = _live_statement(
        {name: stated.pop(name) for name in _LIVE_HEADERS.values() if name in stated}
    )
    caller = Caller(
        principal,
        exchange.operation,
        Stated(
            stated.get("purpose"),
            stated.get("case"),
            stated.get("warrant"),
            live == "true",
            stated.get("footage"),
            live_search,
        ),
        exchange.request_id,
        exchange.replayed,
    )
    return Call(caller, claim.region, exchange.headers)


def _live_statement(said: dict[str, str]) -> LiveStatement | None:
    """Read what is stated of a live search; None where nothing is.

    Raises:
        AwsError: the end is no moment, or a text says nothing.
    """
    if not said:
        return None
    until, ends_at = said.pop("until", None), None
    try:
        if until is not None:
            ends_at = datetime.fromisoformat(until)
        return LiveStatement(**said, ends_at=ends_at)
    except ValueError as error:
        raise AwsError(
            "ValidationException",
            "The header x-likeness-until is no moment. Send one such as 2027-05-01T18:00:00Z.",
        ) from error
    except InvalidRequest as error:
        raise AwsError("ValidationException", str(error)) from error
