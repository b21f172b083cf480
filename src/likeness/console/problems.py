"""What goes wrong at a page: its status, and what is said of it. A fault keeps its reason."""

from starlette.requests import ClientDisconnect

from likeness.console.visit import Visit
from likeness.errors import (
    DatabaseInUse,
    Fault,
    InputError,
    LikenessError,
    LimitReached,
    NotFound,
    Refused,
    StateError,
    TooBusy,
)
from likeness.server.errors import (
    BodyTooLarge,
    BodyTooSlow,
    RequestError,
    Stopped,
    TooLate,
    TooManyRequests,
)
from likeness.service.uses import NoSuchCollection, NoSuchSubject


class PageRefused(Exception):
    """Whatever keeps a page from being shown, or a form from being done."""


class SessionOver(PageRefused):
    """Nobody is signed in, or not any more."""


class NotFromHere(PageRefused):
    """A form came from somewhere else, or from a page of another session."""


class NotAllowed(PageRefused):
    """The role of whoever is signed in does not allow this."""


class NoSuchPage(PageRefused):
    """There is no page of this path."""


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NoSuchPage, 404),
    (NotAllowed, 403),
    (NotFromHere, 403),
    (SessionOver, 401),
    (InputError, 400),
    (NotFound, 404),
    (LimitReached, 429),
    (StateError, 409),
    (Refused, 403),
    (Fault, 503),
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (TooManyRequests, 429),
    (RequestError, 503),
    (ClientDisconnect, 499),
    (Exception, 500),
)
"""The status of each error; the first counts."""


def status_of(error: Exception) -> int:
    """Give the status with which an error is answered."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def code_of(error: Exception) -> str:
    """Name an error for log and metrics."""
    if status_of(error) == 500:
        return "500"
    return str(getattr(error, "kind", type(error).__name__))


def said_of(error: Exception, visit: Visit) -> str:
    """Say what went wrong, in the words of the error or of the texts."""
    match error:
        case NotAllowed():
            return visit.t("problem.not_allowed", role=visit.principal.role.value)
        case NotFromHere():
            return visit.t("problem.not_from_here")
        case NoSuchPage():
            return visit.t("problem.no_such_page")
        case NoSuchCollection():
            return visit.t("problem.no_such_collection", name=error.name)
        case NoSuchSubject():
            return visit.t("problem.no_such_subject", name=error.name)
        case TooBusy():
            return visit.t("problem.too_busy")
        case DatabaseInUse():
            return visit.t("problem.in_use")
        case Fault():
            return visit.t("problem.fault", kind=type(error).__name__)
        case TooLate() | Stopped():
            return visit.t("problem.too_late")
        case LikenessError() | RequestError():
            return str(error)
        case _:
            return visit.t("problem.unforeseen")
