"""What does a caller see when something goes wrong? One line of JSON (RFC 9457), no traceback."""

import json
import logging

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import Response

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

_logger = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[LikenessError], int], ...] = (
    (ImageTooLarge, 413),
    (InputError, 400),
    (NotFound, 404),
    (StateError, 409),
    (Refused, 403),
    (Fault, 503),
)


class Problem(HTTPException):
    """An answer that is an error: `title` is a name of the tree in `likeness.errors`."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(status, detail)
        self.title = title


def answer_with_problems(application: FastAPI) -> None:
    """Let an application answer every error with a problem."""
    application.add_exception_handler(LikenessError, _answer)
    application.add_exception_handler(RequestValidationError, _answer)
    application.add_exception_handler(AnyHTTPException, _answer)
    application.add_exception_handler(Exception, _answer)


def as_response(problem: Problem) -> Response:
    """Write a problem."""
    content = {"title": problem.title, "status": problem.status_code, "detail": problem.detail}
    return Response(json.dumps(content), problem.status_code, media_type="application/problem+json")


def problem_of(error: Exception) -> Problem:
    """Say an error as a problem; a fault keeps its reason to itself."""
    match error:
        case Problem():
            return error
        case TooBusy():
            _logger.warning("a request was turned away: %s", error)
            detail = "Too many pictures are being decoded: retry later"
            return Problem(503, type(error).__name__, detail)
        case Fault():
            # Paths and addresses are the operator's, whose log has them.
            _logger.error("a request failed", exc_info=error)
            kind = type(error).__name__
            detail = (
                f"what the server needs was expected to work and does not ({kind}): retry later"
            )
            return Problem(503, kind, detail)
        case LikenessError():
            status = next(status for kind, status in _STATUSES if isinstance(error, kind))
            return Problem(status, type(error).__name__, str(error))
        case RequestValidationError():
            first = error.errors()[0]
            # What came is not repeated: it may be a picture.
            where = ".".join(str(part) for part in first["loc"])
            detail = f"{where} is not as it must be: {first['msg']}; /v1/openapi.json says how"
            return Problem(400, "InvalidRequest", " ".join(detail.split()))
        case AnyHTTPException():
            detail = "a path and a method of /v1/openapi.json were expected: correct the request"
            return Problem(error.status_code, "NotFound", detail)
        case _:
            detail = "something unforeseen happened: the server's log says what; report it"
            return Problem(500, "Fault", detail)


def _answer(request: Request, error: Exception) -> Response:
    return as_response(problem_of(error))
