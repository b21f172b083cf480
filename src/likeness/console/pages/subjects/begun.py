"""Acts that a page begins and looks at later: whose they are, and what came of them."""

from collections.abc import Callable
from typing import Any

from likeness.console.background import Tell, Work
from likeness.console.visit import Visit
from likeness.errors import Fault, LikenessError

SHOWN_AT_ONCE_S = 1.5
"""What is done so soon is shown at once."""


def begin(visit: Visit, kind: str, act: Callable[[Tell], Any]) -> None:
    """Begin an act on the collection of a page; what is done soon is shown at once."""
    begun = visit.offered.background.begin(_key(visit, kind), act, visit.principal.id)
    begun.wait(SHOWN_AT_ONCE_S)


def find(visit: Visit, kind: str) -> Work | None:
    """Find the last such act that this person began on the collection of a page."""
    return visit.offered.background.find(_key(visit, kind))


def said_of(visit: Visit, error: Exception | None) -> str | None:
    """Say why an act failed; None where it did not. A fault keeps its reason to itself."""
    match error:
        case None:
            return None
        case Fault():
            return visit.t("problem.fault", kind=error.kind)
        case LikenessError():
            return str(error)
        case _:
            return visit.t("problem.unforeseen")


def _key(visit: Visit, kind: str) -> tuple[str, str, str]:
    return kind, visit.principal.id, visit.params["name"]
