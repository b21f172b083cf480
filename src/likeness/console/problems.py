"""What goes wrong at a page: its status, and what is said of it. A fault keeps its reason.

Messages are the same at every door, and name commands that help. Whoever reads a page is led to
the page that shows the same, or to an admin where they may not see that.
"""

import re

from markupsafe import Markup, escape
from starlette.requests import ClientDisconnect

from likeness.console.visit import Visit, link
from likeness.errors import (
    DatabaseInUse,
    Denied,
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
from likeness.service.enrol.browse import SubjectsGone
from likeness.service.uses import NoSuchCollection, NoSuchSubject
from likeness.terms import Action

_COMMAND = re.compile(r"(?P<first>\A|\. )?`likeness (?P<what>[a-z]+(?: [a-z-]+)?)[^`]*`")
_RULES = (("in-force",), "nav.in-force", Action.AUDIT)
_COLLECTIONS = (("collections",), "nav.collections", Action.READ)
_JOBS = (("video",), "nav.video", Action.READ)
_KEYS = (("people",), "nav.people", Action.GOVERN)
_LEDGER = (("in-force", "ledger"), "in_force.pages.ledger", Action.AUDIT)
_SHOWN_AT: dict[str, tuple[tuple[str, ...], str, Action]] = {
    "policy list": _RULES,
    "policy explain": _RULES,
    "policy resume": _RULES,
    "collections list": _COLLECTIONS,
    "collections certificates": (("certificates",), "certificates.title", Action.AUDIT),
    "review list": (("review",), "nav.review", Action.REVIEW),
    "jobs list": _JOBS,
    "jobs show": _JOBS,
    "keys list": _KEYS,
    "keys rotate": _KEYS,
    "ledger show": _LEDGER,
    "ledger verify": _LEDGER,
    "doctor": (("in-force", "health"), "in_force.pages.health", Action.AUDIT),
}
"""Which page shows what a command does: its path, the text of its name, and who may see it."""
_MAKES_ONE = ", `likeness collections create` makes one"
"""What the page that lists collections says by itself."""


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


def _for_pages(message: str, visit: Visit) -> Markup:
    """Give a message with pages in place of the commands that do the same."""
    message = message.replace(_MAKES_ONE, "")
    said, end = Markup(), 0
    for found in _COMMAND.finditer(message):
        if (shown := _SHOWN_AT.get(found["what"])) is None:
            continue
        path, name, needs = shown
        page = visit.t("problem.an_admin")
        if visit.may(needs):
            page = visit.t("problem.page", link=link(*path), name=visit.t(name))
        first = found["first"]
        if first is not None:
            page = page[0].upper() + page[1:]
        said += escape(message[end : found.start()] + (first or "")) + page
        end = found.end()
    return said + escape(message[end:])


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
        case SubjectsGone():
            return visit.t("problem.subjects_gone")
        case Denied() if error.is_stopped and visit.may(Action.AUDIT):
            return visit.t("problem.stopped_see", link=link("in-force"))
        case Denied() if error.is_stopped:
            return visit.t("problem.stopped")
        case TooBusy():
            return visit.t("problem.too_busy")
        case DatabaseInUse():
            return visit.t("problem.in_use")
        case Fault():
            return visit.t("problem.fault", kind=type(error).__name__)
        case TooLate() | Stopped():
            return visit.t("problem.too_late")
        case LikenessError() | RequestError():
            said = next(iter(error.args), "")
            return said if isinstance(said, Markup) else _for_pages(str(error), visit)
        case _:
            return visit.t("problem.unforeseen")
