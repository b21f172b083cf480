"""The stop switch: what is stopped, as functions over a connection."""

import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, insert, select

from likeness.errors import AlreadyExists, InvalidRequest, NotFound
from likeness.policy.enabled import count_change
from likeness.policy.tables import SUSPENSIONS
from likeness.policy.vocabulary import vocabulary, within
from likeness.terms import Use

STOP_SWITCH = "stop-switch"
"""The rule that refuses what is stopped, in the pack `safeguards`."""

_LONGEST_SUBJECT = 255
_LONGEST_REASON = 1000


class Scope(StrEnum):
    """How much a suspension stops."""

    ALL = "all"
    ORGANISATION = "organisation"
    PURPOSE = "purpose"
    """A purpose and all that are part of it."""
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Something that is stopped; `subject` says which, a collection by its id."""

    id: UUID
    scope: Scope
    subject: str
    reason: str
    since: datetime
    by: str

    def stops(self, use: Use) -> bool:
        """Whether a use is among what is stopped."""
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.ORGANISATION:
                return self.names(use.principal.organisation)
            case Scope.PURPOSE:
                purposes = vocabulary().purposes
                return any(
                    self.subject in within(purposes, purpose)
                    for purpose in (use.purpose, use.collection.purpose)
                )
            case Scope.COLLECTION:
                return str(use.collection_id) == self.subject

    def names(self, subject: str) -> bool:
        """Whether it is of this subject, however that is spelt: a stop reaches whom it means."""
        return _spelt(subject) == _spelt(self.subject)


def every(connection: Connection) -> list[Suspension]:
    """List what is stopped, oldest first."""
    rows = connection.execute(select(SUSPENSIONS).order_by(SUSPENSIONS.c.since))
    return [
        Suspension(row.id, Scope(row.scope), row.subject, row.reason, row.since, row.by)
        for row in rows
    ]


def suspend(
    connection: Connection, scope: Scope, subject: str, reason: str, *, by: str, now: datetime
) -> Suspension:
    """Stop something.

    Raises:
        InvalidRequest: nothing could be meant by it.
        AlreadyExists: it is stopped.
    """
    _check(scope, subject, reason)
    if _ids(connection, scope, subject):
        raise AlreadyExists(f"Already suspended: {_named(scope, subject)}. Nothing was changed.")
    made = Suspension(uuid4(), scope, subject, reason, now, by)
    connection.execute(insert(SUSPENSIONS).values(asdict(made)))
    count_change(connection, now)
    return made


def resume(connection: Connection, scope: Scope, subject: str, *, now: datetime) -> None:
    """Let something go on.

    Raises:
        NotFound: it is not stopped.
    """
    ids = _ids(connection, scope, subject)
    if not ids:
        raise NotFound(
            f"Not suspended: {_named(scope, subject)}. `likeness policy list` shows what is."
        )
    connection.execute(delete(SUSPENSIONS).where(SUSPENSIONS.c.id.in_(ids)))
    count_change(connection, now)


def _ids(connection: Connection, scope: Scope, subject: str) -> list[UUID]:
    """Find what is suspended, however it is spelt."""
    return [one.id for one in every(connection) if one.scope is scope and one.names(subject)]


def _named(scope: Scope, subject: str) -> str:
    return "all at once" if scope is Scope.ALL else f"the {scope} {subject!r}"


def _check(scope: Scope, subject: str, reason: str) -> None:
    if not _is_line(reason, _LONGEST_REASON):
        raise InvalidRequest(
            f"Not a reason of one line: {len(reason)} characters. Say why, in at most"
            f" {_LONGEST_REASON}."
        )
    if scope is Scope.ALL:
        return
    if not _is_line(subject, _LONGEST_SUBJECT):
        raise InvalidRequest(
            f"Not a name of one line: {len(subject)} characters. Give at most {_LONGEST_SUBJECT}."
        )
    if scope is Scope.PURPOSE and subject not in vocabulary().purposes:
        raise InvalidRequest(f"No such purpose {subject!r}. docs/policy.md lists what there is.")
    if scope is Scope.COLLECTION:
        try:
            right = str(UUID(subject)) == subject
        except ValueError:
            right = False
        if not right:
            raise InvalidRequest(
                f"Not a collection's id: {subject!r}. `likeness collections list` shows them."
            )


def _spelt(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _is_line(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and text.isprintable()
