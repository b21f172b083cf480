"""Packs that are enabled, and what was chosen of them: rows, as functions over a connection."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from likeness.errors import AlreadyExists, InvalidRequest, NotFound
from likeness.policy.engine import PolicyEngine
from likeness.policy.pack import ChosenPack, Pack, read_pack, shipped
from likeness.policy.tables import PACKS, STATE


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


def every(connection: Connection) -> list[EnabledPack]:
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


def in_force(connection: Connection) -> list[ChosenPack]:
    """List the packs in force: the enabled ones, and those that always are.

    Raises:
        InvalidRequest: one cannot be read any more.
    """
    return [*always(), *(one.chosen for one in every(connection))]


def always() -> list[ChosenPack]:
    """List the packs that nobody can disable."""
    return [ChosenPack.of(pack, {}) for pack in shipped().values() if pack.facts.always]


def enable(
    connection: Connection, pack: Pack, chosen: Mapping[str, str], *, by: str, now: datetime
) -> EnabledPack:
    """Enable a pack, or choose anew of one that is; what is not chosen stays as it was.

    Raises:
        InvalidRequest: a choice cannot be, or the pack does not go with those enabled.
        AlreadyExists: the pack is not shipped, and has the name of one that is.
    """
    enabled = EnabledPack(
        as_enabled([one.chosen for one in every(connection)], pack, chosen), now, by
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
        InvalidRequest, AlreadyExists: as `enable` says.
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
    after = choosing(before, pack, chosen)
    PolicyEngine([*always(), *after])  # refuses rules of the same id
    return after[-1]


def choosing(
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


def disable(connection: Connection, name: str, *, now: datetime) -> None:
    """Disable a pack; what was chosen of it is forgotten.

    Raises:
        InvalidRequest: it is always in force.
        NotFound: it is not enabled.
    """
    if name in {one.pack.name for one in always()}:
        raise InvalidRequest(f"{name} is always in force and cannot be disabled.")
    if connection.execute(delete(PACKS).where(PACKS.c.name == name)).rowcount == 0:
        raise NotFound(f"Pack {name!r} is not enabled. `likeness policy list` shows what is.")
    count_change(connection, now)


def count_change(connection: Connection, now: datetime) -> None:
    """Let servers know that something changed."""
    connection.execute(update(STATE).values(revision=STATE.c.revision + 1, changed_at=now))


def changed_at(connection: Connection) -> datetime:
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
