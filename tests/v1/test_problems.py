"""What is said of whatever keeps a request from being answered."""

import json

import pytest

from likeness.errors import Conflict, DatabaseInUse, DatabaseUnavailable
from likeness.server import errors
from likeness.v1.application import problem


def caused(cause: Exception) -> Exception:
    error = errors.KeysUnavailable(type(cause).__name__)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (errors.NotSigned("x"), 401, "Unauthenticated"),
        (errors.SignatureInvalid("x"), 401, "Unauthenticated"),
        (errors.UnknownKey("x"), 401, "Unauthenticated"),
        (errors.BodyTooLarge("x"), 413, "InvalidRequest"),
        (errors.BodyTooSlow("x"), 408, "InvalidRequest"),
        (errors.NoRoom("x"), 503, "Fault"),
        (errors.TooManyRequests("x"), 429, "TooManyRequests"),
        (errors.TooLate("x"), 503, "Fault"),
        (errors.Stopped("x"), 503, "Fault"),
        (caused(DatabaseUnavailable("/secret/path")), 503, "DatabaseUnavailable"),
        (caused(Conflict("x")), 409, "Conflict"),
        (caused(DatabaseInUse("/secret/path is held")), 409, "DatabaseInUse"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_keeps_a_request_from_being_answered_is_a_problem(
    error: Exception, status: int, title: str
) -> None:
    answer = problem(error)
    said = json.loads(answer.content)
    assert (answer.status, said["status"], said["title"]) == (status, status, title)
    assert "/secret/path" not in said["detail"]
