"""Look at the rules, and change them, each change on record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import AccessKey, keys
from likeness.gallery import Collections
from likeness.policy import (
    Circumstances,
    EnabledPack,
    Pack,
    PolicyEngine,
    Scope,
    Suspension,
    enabled,
    is_set_back,
    suspensions,
)
from likeness.service.govern.simulate_policy import Simulation, simulate_policy
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.record import Desk, Outcome
from likeness.storage import Database
from likeness.terms import Action, Principal, Use

T = TypeVar("T")

# Characters of a choice that an entry holds; the next decisions' digest covers all of it.
_RECORDED = 200


@dataclass(frozen=True, slots=True)
class RulesNow:
    """The rules and the stop switch as they are at this moment, and when they were changed last."""

    packs: tuple[EnabledPack, ...]
    suspensions: tuple[Suspension, ...]
    changed_at: datetime

    @property
    def engine(self) -> PolicyEngine:
        """Give what decides by these rules."""
        return PolicyEngine([*enabled.always(), *(one.chosen for one in self.packs)])

    def seen_by(
        self, use: Use, circumstances: Circumstances, clock: datetime | None
    ) -> Circumstances:
        """Give the circumstances of a use with the stop switch as it is.

        `clock` is what the clock says now; None where another moment than now is asked about.
        """
        return replace(
            circumstances,
            suspended=any(one.stops(use) for one in self.suspensions),
            clock_set_back=clock is not None and is_set_back(clock, self.changed_at),
        )


@dataclass(frozen=True, slots=True)
class PolicyOffice:
    """Where `principal` looks at rules and changes them; policy may refuse a change (`Denied`)."""

    database: Database
    collections: Collections
    desk: Desk
    principal: Principal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> RulesNow:
        """Read the rules and the stop switch.

        Raises:
            InvalidRequest: a pack that is enabled cannot be read.
        """
        return self.database.read(
            lambda connection: RulesNow(
                tuple(enabled.every(connection)),
                tuple(suspensions.every(connection)),
                enabled.changed_at(connection),
            )
        )

    def enable(self, pack: Pack, chosen: Mapping[str, str]) -> EnabledPack:
        """Enable a pack, or choose anew of one that is.

        Raises:
            InvalidRequest, AlreadyExists: as `enabled.enable` says.
        """
        by, now = self.principal.id, self.clock()
        return self._on_record(
            "EnablePack",
            lambda connection: enabled.enable(connection, pack, chosen, by=by, now=now),
            # By the words that `--choice` takes, which none of ours can be.
            {"pack": pack.name}
            | {f"{pack.name}.{name}": text[:_RECORDED] for name, text in chosen.items()},
        )

    def disable(self, name: str) -> None:
        """Disable a pack.

        Raises:
            InvalidRequest, NotFound: as `enabled.disable` says.
        """
        now = self.clock()
        self._on_record(
            "DisablePack",
            lambda connection: enabled.disable(connection, name, now=now),
            {"pack": name},
        )

    def suspend(self, scope: Scope, subject: str, reason: str) -> Suspension:
        """Stop something, on running servers too.

        Raises:
            InvalidRequest, AlreadyExists: as `suspensions.suspend` says.
        """
        by, now = self.principal.id, self.clock()
        return self._on_record(
            "Suspend",
            lambda connection: suspensions.suspend(
                connection, scope, subject, reason, by=by, now=now
            ),
            {"scope": scope.value, "subject": subject},
        )

    def resume(self, scope: Scope, subject: str) -> None:
        """Let something go on.

        Raises:
            NotFound: it is not stopped.
        """
        now = self.clock()
        self._on_record(
            "Resume",
            lambda connection: suspensions.resume(connection, scope, subject, now=now),
            {"scope": scope.value, "subject": subject},
        )

    def organisations(self) -> list[str]:
        """List the organisations of enabled keys, and that of whoever is here."""
        held = self.database.read(keys.every)
        of_keys = {one.principal.organisation for one in held if one.disabled_at is None}
        return sorted({*of_keys, self.principal.organisation})

    def simulate(self, engine: PolicyEngine) -> Simulation:
        """Ask other rules about every use in the ledger.

        Raises:
            LedgerBroken: an entry cannot be read.
        """
        return self.database.read(lambda connection: simulate_policy(connection, engine))

    def key(self, name: str) -> AccessKey:
        """Find an access key.

        Raises:
            NotFound: there is none of that name.
        """
        return self.database.read(lambda connection: keys.get(connection, name))

    def in_collection(self, use: Use, name: str) -> Use:
        """Say of a use that it is of a collection, and what was declared of that.

        Raises:
            NotFound: there is none of that name.
        """
        found = self.collections.collection(name)
        return use_in(use, found.id, found.tags)

    def collection_id(self, name_or_id: str) -> UUID:
        """Find a collection's id; one that is erased is still known by its id.

        Raises:
            NotFound: there is none of that name.
        """
        try:
            return UUID(name_or_id)
        except ValueError:
            return self.collections.collection(name_or_id).id

    def _on_record(
        self, operation: str, act: Callable[[Connection], T], details: Mapping[str, str]
    ) -> T:
        with self.desk.record(Use(self.principal, Action.GOVERN, operation)) as record:
            return record.write(act, lambda _: Outcome(details=details))
