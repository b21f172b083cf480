"""Which operation is called, and what do headers say of the use? Only what is signed counts."""

import re
from uuid import UUID

from likeness.rekognition.call import Call, Stated
from likeness.rekognition.contract import TARGET_PREFIX
from likeness.rekognition.faults import AwsError
from likeness.rekognition.signature import Claim, Head
from likeness.terms import Principal

_HEADERS = {
    "purpose": "x-likeness-purpose",
    "case": "x-likeness-case",
    "warrant": "x-likeness-warrant",
}
_LIVE_HEADER = "x-likeness-live"
_STATEMENT = re.compile(r"[\x20-\x7e]{1,256}")


def target(head: Head) -> str:
    """Name the operation that a request calls; empty where it calls none of this service."""
    targets = head.values("x-amz-target")
    prefix, _, operation = targets[0].partition(".") if len(targets) == 1 else ("", "", "")
    return operation if prefix == TARGET_PREFIX else ""


def read_call(
    operation: str, head: Head, claim: Claim, principal: Principal, request_id: UUID
) -> Call:
    """Say who calls what, and why.

    Raises:
        AwsError: a statement is not signed, or not readable.
    """
    words = {name: _signed(header, head, claim) for name, header in _HEADERS.items()}
    stated = Stated(**words, live=_live(head, claim))
    return Call(operation, principal, claim.region, request_id, stated)


def _live(head: Head, claim: Claim) -> bool:
    """Read whether people are looked for in pictures of this moment; it needs no grant."""
    said = _signed(_LIVE_HEADER, head, claim)
    if said not in (None, "true", "false"):
        raise AwsError(
            "ValidationException", f"The header {_LIVE_HEADER} was expected to be true or false."
        )
    return said == "true"


def _signed(header: str, head: Head, claim: Claim) -> str | None:
    values = head.values(header)
    if not values:
        return None
    if header not in claim.signed_headers:
        raise AwsError(
            "AccessDeniedException",
            f"The header {header} was expected to be signed and is not: add it before the request"
            " is signed (with boto3, in a handler of the event before-sign).",
        )
    if len(values) > 1 or not _STATEMENT.fullmatch(values[0]):
        raise AwsError(
            "ValidationException",
            f"The header {header} was expected once, with 1 to 256 printable ASCII characters.",
        )
    return values[0]
