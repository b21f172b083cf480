"""Acts that a page begins and looks at later: whose they are, and what came of them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from likeness.console.background import Tell, Work
from likeness.console.problems import said_of
from likeness.console.visit import Visit

_SHOWN_AT_ONCE_S = 1.5
"""What is done so soon is shown at once."""


@dataclass(frozen=True, slots=True)
class LastAct:
    """The last act of a kind that somebody began: its answer, or why there is none.

    `work` is how far it is while it runs (`waiting.html`).
    """

    answer: Any = None
    work: Work | None = None
    failed: str | None = None


def begin(visit: Visit, kind: str, act: Callable[[Tell], Any], about: Hashable = None) -> None:
    """Begin an act on something, unless it runs already; what is done soon is shown at once."""
    work = visit.offered.background.begin(_key(visit, kind, about), act, visit.principal.id)
    work.wait(_SHOWN_AT_ONCE_S)


def last_act(visit: Visit, kind: str, about: Hashable = None) -> LastAct:
    """Say what came of the last such act that this person began on something, if they did."""
    work = visit.offered.background.find(_key(visit, kind, about))
    if work is None:
        return LastAct()
    if not work.has_ended:
        return LastAct(work=work)
    return LastAct(work.answer, None, None if work.error is None else said_of(work.error, visit))


def _key(visit: Visit, kind: str, about: Hashable) -> Hashable:
    return kind, visit.principal.id, about
