"""What admins change of policy: which packs are enabled, and what is stopped.

Rows, as functions over a connection. The stop switch stops uses whatever the packs say.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, insert, select, update

from likeness.errors import AlreadyExists, InvalidRequest, NotFound
from likeness.policy.engine import PolicyEngine
from likeness.policy.pack import ChosenPack, Pack, read_pack, shipped
from likeness.policy.tables import PACKS, STATE, SUSPENSIONS
from likeness.policy.words import vocabulary, within
from likeness.terms import Use

STOP_SWITCH = "stop-switch"
"""The rule that refuses what is stopped, in the pack `safeguards`."""

_LONGEST_SUBJECT = 255
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class EnabledPack:
    """A pack in force, and who last enabled it or chose of it; `by` is a principal's id."""

    chosen: ChosenPack
    at: datetime
    by: str

    @property
    def name(self) -> str:
        """What it is called."""
        return self.chosen.pack.name


def enabled_packs(connection: Connection) -> list[EnabledPack]:
    """List the enabled packs by name.

    Raises:
        InvalidRequest: one cannot be read any more.
    """
    return [
        EnabledPack(
            ChosenPack.of(_pack(row.name, row.facts, row.rules), json.loads(row.choices)),
            row.changed_at,
            row.changed_by,
        )
        for row in connection.execute(select(PACKS).order_by(PACKS.c.name))
    ]


def packs_in_force(connection: Connection) -> list[ChosenPack]:
    """List the packs in force: the enabled ones, and those that always are.

    Raises:
        InvalidRequest: one cannot be read any more.
    """
    return [*permanent_packs(), *(one.chosen for one in enabled_packs(connection))]


def permanent_packs() -> list[ChosenPack]:
    """List the packs that nobody can disable."""
    return [ChosenPack.of(pack, {}) for pack in shipped().values() if pack.facts.always]


def enable_pack(
    connection: Connection, pack: Pack, chosen: Mapping[str, str], *, by: str, now: datetime
) -> EnabledPack:
    """Enable a pack, or choose anew of one that is; what is not chosen stays as it was.

    Raises:
        InvalidRequest: a choice cannot be, or the pack does not go with those enabled.
        AlreadyExists: the pack is not shipped, and has the name of one that is.
    """
    enabled = EnabledPack(
        as_enabled([one.chosen for one in enabled_packs(connection)], pack, chosen), now, by
    )
    is_own = pack.name not in shipped()
    connection.execute(delete(PACKS).where(PACKS.c.name == pack.name))
    connection.execute(
        insert(PACKS).values(
            name=pack.name,
            choices=json.dumps(enabled.chosen.choices),
            facts=pack.facts_text if is_own else None,
            rules=pack.rules_text if is_own else None,
            changed_at=now,
            changed_by=by,
        )
    )
    count_change(connection, now)
    return enabled


def as_enabled(before: Sequence[ChosenPack], pack: Pack, chosen: Mapping[str, str]) -> ChosenPack:
    """Give a pack as it is once it is enabled beside others; nothing is changed.

    Raises:
        InvalidRequest, AlreadyExists: as `enable_pack` says.
    """
    if pack.name in shipped() and shipped()[pack.name] != pack:
        raise AlreadyExists(
            f"The pack {pack.name!r} has the name of one of Likeness's. Rename its files."
        )
    if pack.facts.always:
        raise InvalidRequest(
            f"{pack.name} is always in force and leaves nothing to choose. Nothing was changed."
            if pack.name in shipped()
            else f"{pack.name} is to be in force always, which packs of Likeness's own alone are."
            " Leave out `always`."
        )
    after = with_pack(before, pack, chosen)
    PolicyEngine([*permanent_packs(), *after])  # refuses rules of the same id
    return after[-1]


def with_pack(
    before: Sequence[ChosenPack], pack: Pack, chosen: Mapping[str, str]
) -> list[ChosenPack]:
    """Give enabled packs with this one as the last; what is not chosen stays as it was.

    Raises:
        InvalidRequest: a choice cannot be.
    """
    kept = {
        name: text
        for one in before
        if one.pack.name == pack.name
        for name, text in one.choices.items()
        if name in pack.facts.choices
    }
    others = [one for one in before if one.pack.name != pack.name]
    return [*others, ChosenPack.of(pack, {**kept, **chosen})]


def disable_pack(connection: Connection, name: str, *, now: datetime) -> None:
    """Disable a pack; what was chosen of it is forgotten.

    Raises:
        InvalidRequest: it is always in force.
        NotFound: it is not enabled.
    """
    if name in {one.pack.name for one in permanent_packs()}:
        raise InvalidRequest(f"{name} is always in force and cannot be disabled.")
    if connection.execute(delete(PACKS).where(PACKS.c.name == name)).rowcount == 0:
        raise NotFound(f"Pack {name!r} is not enabled. `likeness policy list` shows what is.")
    count_change(connection, now)


def count_change(connection: Connection, now: datetime) -> None:
    """Let servers know that something changed."""
    connection.execute(update(STATE).values(revision=STATE.c.revision + 1, changed_at=now))


def rules_changed_at(connection: Connection) -> datetime:
    """Say when rules or suspensions were changed last."""
    changed: datetime = connection.execute(select(STATE.c.changed_at)).scalar_one()
    return changed


def _pack(name: str, facts: str | None, rules: str | None) -> Pack:
    if facts is not None and rules is not None:
        return read_pack(name, facts, rules)
    if name not in shipped():
        raise InvalidRequest(
            f"The pack {name!r} is not shipped any more. `likeness policy disable {name}`."
        )
    return shipped()[name]


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


def every_suspension(connection: Connection) -> list[Suspension]:
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
    require_reason(reason)
    _check(scope, subject)
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
    return [
        one.id for one in every_suspension(connection) if one.scope is scope and one.names(subject)
    ]


def _named(scope: Scope, subject: str) -> str:
    return "all at once" if scope is Scope.ALL else f"the {scope} {subject!r}"


def require_reason(reason: str) -> None:
    """Refuse what is no reason for a suspension.

    Raises:
        InvalidRequest: it is blank, too long or more than one line.
    """
    if not _is_line(reason, _LONGEST_REASON):
        raise InvalidRequest(
            f"Not a reason of one line: {len(reason)} characters. Say why, in at most"
            f" {_LONGEST_REASON}."
        )


def _check(scope: Scope, subject: str) -> None:
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
