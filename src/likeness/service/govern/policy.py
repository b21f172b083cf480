"""Rules: look at them, ask other ones, and change them, each change on record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness import policy
from likeness.access import AccessKey, keys
from likeness.errors import InvalidRequest
from likeness.policy import (
    Circumstances,
    EnabledPack,
    Evidence,
    ModelOf,
    Pack,
    PolicyEngine,
    Scope,
    Suspension,
    enabled_packs,
    every_evidence,
    every_suspension,
    is_set_back,
    least_true_positives,
    permanent_packs,
    rules_changed_at,
    with_pack,
)
from likeness.service.govern.simulation import Simulation, simulate_policy
from likeness.service.uses import Caller, Outcome, Rows, use_in
from likeness.terms import Action, Decision, Use

# Characters of a choice that an entry holds; the next decisions' digest covers all of it.
_RECORDED = 200


@dataclass(frozen=True, slots=True, eq=False)
class RulesNow:
    """The rules and the stop switch as they are at this moment, and when they were changed last."""

    packs: tuple[EnabledPack, ...]
    suspensions: tuple[Suspension, ...]
    changed_at: datetime
    engine: PolicyEngine
    evidence: tuple[Evidence, ...]
    model_of: ModelOf

    def decide(
        self, use: Use, circumstances: Circumstances, at: datetime, *, by_the_clock: bool
    ) -> Decision:
        """Say what they say of a use at a moment, which the clock says is now or which is meant.

        Where no true positives are said, those of accepted report cards count.
        """
        seen = replace(
            circumstances,
            suspended=any(one.stops(use) for one in self.suspensions),
            clock_set_back=by_the_clock and is_set_back(at, self.changed_at),
            least_true_positives=circumstances.least_true_positives
            or least_true_positives(self.evidence, use, self.model_of, at),
        )
        return self.engine.decide(use, seen, at)


def rules_now(rows: Rows) -> RulesNow:
    """Read the rules and the stop switch.

    Raises:
        InvalidRequest: a pack that is enabled cannot be read.
    """
    return rows.database.read(partial(_rules_now, model_of=rows.model_of))


def enable_pack(rows: Rows, caller: Caller, pack: Pack, chosen: Mapping[str, str]) -> EnabledPack:
    """Enable a pack, or choose anew of one that is.

    Raises:
        InvalidRequest, AlreadyExists: as `policy.enable_pack` says.
    """
    enable = partial(
        policy.enable_pack, pack=pack, chosen=chosen, by=caller.principal.id, now=rows.clock()
    )
    # By the words that `--choice` takes, which none of ours can be.
    choices = {f"{pack.name}.{name}": text[:_RECORDED] for name, text in chosen.items()}
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(enable, lambda _: Outcome(details={"pack": pack.name} | choices))


def disable_pack(rows: Rows, caller: Caller, name: str) -> None:
    """Disable a pack.

    Raises:
        InvalidRequest, NotFound: as `policy.disable_pack` says.
    """
    disable = partial(policy.disable_pack, name=name, now=rows.clock())
    with rows.record(caller, Action.GOVERN) as record:
        record.write(disable, lambda _: Outcome(details={"pack": name}))


def suspend(rows: Rows, caller: Caller, scope: Scope, subject: str, reason: str) -> Suspension:
    """Stop something, on running servers too.

    Raises:
        InvalidRequest, AlreadyExists: as `policy.suspend` says.
    """
    suspend = partial(
        policy.suspend,
        scope=scope,
        subject=subject,
        reason=reason,
        by=caller.principal.id,
        now=rows.clock(),
    )
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(suspend, lambda _: _stopped(scope, subject))


def resume(rows: Rows, caller: Caller, scope: Scope, subject: str) -> None:
    """Let something go on.

    Raises:
        NotFound: it is not stopped.
    """
    resume = partial(policy.resume, scope=scope, subject=subject, now=rows.clock())
    with rows.record(caller, Action.GOVERN) as record:
        record.write(resume, lambda _: _stopped(scope, subject))


def is_anything_stopped(rows: Rows) -> bool:
    """Say whether the stop switch refuses some uses now; cheap enough to ask for every page.

    Raises:
        Conflict, DatabaseUnavailable: the rows cannot be read.
    """
    return rows.desk.rules.is_anything_stopped(rows.clock())


def organisations(rows: Rows) -> list[str]:
    """List the organisations of enabled keys, and that of whoever is here."""
    every = rows.database.read(keys.every)
    of_keys = {one.principal.organisation for one in every if one.disabled_at is None}
    return sorted({*of_keys, rows.somebody.organisation})


def simulate(
    rows: Rows, enable: Sequence[Pack], disable: Collection[str], chosen: Mapping[str, str]
) -> Simulation:
    """Ask changed rules about every use in the ledger; nothing is changed.

    Args:
        rows: of the home whose ledger it is.
        enable: packs, as if they were enabled.
        disable: names of enabled packs, as if they were not.
        chosen: what would be chosen, by `PACK.NAME`.

    Raises:
        InvalidRequest: a pack is not enabled, or a choice cannot be.
        LedgerBroken: an entry cannot be read.
    """
    packs = [one.chosen for one in rules_now(rows).packs]
    for name in set(disable) - {one.pack.name for one in packs}:
        raise InvalidRequest(f"Pack {name!r} is not enabled. `likeness policy list` shows what is.")
    packs = [one for one in packs if one.pack.name not in disable]
    for pack in enable:
        packs = with_pack(packs, pack, {})
    for name, value in chosen.items():
        of, _, choice = name.partition(".")
        for pack in [one.pack for one in packs if one.pack.name == of]:
            packs = with_pack(packs, pack, {choice: value})
            break
        else:
            raise InvalidRequest(
                f"--choice {name}=...: no such pack is enabled. Write PACK.NAME=VALUE of an"
                " enabled pack, or give --enable too."
            )
    engine = PolicyEngine([*permanent_packs(), *packs])
    return rows.database.read(partial(simulate_policy, engine=engine))


def key_named(rows: Rows, name: str) -> AccessKey:
    """Find an access key.

    Raises:
        NotFound: there is none of that name.
    """
    return rows.database.read(partial(keys.get, name=name))


def use_in_collection(rows: Rows, use: Use, name: str) -> Use:
    """Say of a use that it is of a collection, and what was declared of that.

    Raises:
        NotFound: there is none of that name.
    """
    found = rows.collections.collection(name)
    return use_in(use, found.id, found.tags, found.model)


def collection_id(rows: Rows, name_or_id: str) -> UUID:
    """Find a collection's id; one that is erased is still known by its id.

    Raises:
        NotFound: there is none of that name.
    """
    try:
        return UUID(name_or_id)
    except ValueError:
        return rows.collections.collection(name_or_id).id


def _stopped(scope: Scope, subject: str) -> Outcome:
    return Outcome(details={"scope": scope.value, "subject": subject})


def _rules_now(connection: Connection, model_of: ModelOf) -> RulesNow:
    packs = tuple(enabled_packs(connection))
    return RulesNow(
        packs,
        tuple(every_suspension(connection)),
        rules_changed_at(connection),
        PolicyEngine([*permanent_packs(), *(one.chosen for one in packs)]),
        tuple(every_evidence(connection)),
        model_of,
    )
