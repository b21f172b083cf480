"""Words whatever goes wrong as one line of JSON (RFC 9457), without a traceback."""

import json

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from likeness.errors import (
    Fault,
    ImageTooLarge,
    InputError,
    LikenessError,
    NotFound,
    Refused,
    StateError,
    TooBusy,
)
from likeness.server import SERVICE, Answer
from likeness.server.errors import (
    BodyTooLarge,
    BodyTooSlow,
    KeysUnavailable,
    RequestError,
    Stopped,
    TooLate,
    TooManyRequests,
    Unauthenticated,
)

_ANSWERS: tuple[tuple[type[Exception], int, str], ...] = (
    (ImageTooLarge, 413, ""),
    (InputError, 400, ""),
    (NotFound, 404, ""),
    (StateError, 409, ""),
    (Refused, 403, ""),
    (Fault, 503, ""),
    (Unauthenticated, 401, "Unauthenticated"),
    (BodyTooLarge, 413, "InvalidRequest"),
    (BodyTooSlow, 408, "InvalidRequest"),
    (TooManyRequests, 429, "TooManyRequests"),
    (RequestError, 503, "Fault"),
    (RequestValidationError, 400, "InvalidRequest"),
    (HTTPException, 404, "NotFound"),
    (ClientDisconnect, 499, ""),
    (Exception, 500, "Fault"),
)
"""The status of each error, and its title where that is not its own name; the first counts."""


def problem(error: BaseException) -> Answer:
    """Say what went wrong; a fault keeps its reason to itself."""
    if isinstance(error, KeysUnavailable) and error.__cause__:
        return problem(error.__cause__)
    status, title = next(
        (status, title) for kind, status, title in _ANSWERS if isinstance(error, kind)
    )
    match error:
        case TooBusy():
            detail = "Too many pictures are being decoded. Retry later."
        case Fault():
            # Paths and addresses are the operator's, whose log has them.
            detail = f"Something that the server needs fails ({type(error).__name__}). Retry later."
        case Unauthenticated():
            detail = (
                f"{str(error).rstrip('.')}. Sign with an access key of this server (AWS"
                f" Signature Version 4, service {SERVICE})."
            )
        case TooLate() | Stopped():
            detail = f"{error}. Look whether it was done, and ask again."
        case LikenessError() | RequestError():
            detail = str(error)
        case RequestValidationError():
            first = error.errors()[0]
            # What came is not repeated: it may be a picture.
            where = ".".join(str(part) for part in first["loc"])
            detail = f"Not valid: {where} ({first['msg']}). /v1/openapi.json says what is."
        case HTTPException():
            status = error.status_code
            detail = "No such path, or not with this method. /v1/openapi.json lists what there is."
        case _:
            detail = "Something unforeseen happened. The server's log says what; report it."
    content = {
        "title": title or getattr(error, "kind", type(error).__name__),
        "status": status,
        "detail": " ".join(detail.split()),
    }
    headers = {"content-type": "application/problem+json"}
    return Answer(status, str(status), json.dumps(content).encode(), headers)
