"""Rules: look at them, ask other ones, and change them, each change on record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import AccessKey, keys
from likeness.errors import InvalidRequest
from likeness.policy import (
    Circumstances,
    EnabledPack,
    Pack,
    PolicyEngine,
    Scope,
    Suspension,
    disable_pack,
    enable_pack,
    enabled_packs,
    every_suspension,
    is_set_back,
    permanent_packs,
    resume,
    rules_changed_at,
    suspend,
    with_pack,
)
from likeness.service.govern.acts import Governing
from likeness.service.govern.simulation import Simulation, simulate_policy
from likeness.service.uses import use_in
from likeness.terms import Decision, Use

# Characters of a choice that an entry holds; the next decisions' digest covers all of it.
_RECORDED = 200


@dataclass(frozen=True, slots=True, eq=False)
class RulesNow:
    """The rules and the stop switch as they are at this moment, and when they were changed last."""

    packs: tuple[EnabledPack, ...]
    suspensions: tuple[Suspension, ...]
    changed_at: datetime
    engine: PolicyEngine

    def decide(
        self, use: Use, circumstances: Circumstances, at: datetime, *, by_the_clock: bool
    ) -> Decision:
        """Say what they say of a use at a moment, which the clock says is now or which is meant."""
        seen = replace(
            circumstances,
            suspended=any(one.stops(use) for one in self.suspensions),
            clock_set_back=by_the_clock and is_set_back(at, self.changed_at),
        )
        return self.engine.decide(use, seen, at)


@dataclass(frozen=True, slots=True)
class PolicyActs(Governing):
    """Looks at rules, asks other ones, and changes them."""

    def now(self) -> RulesNow:
        """Read the rules and the stop switch.

        Raises:
            InvalidRequest: a pack that is enabled cannot be read.
        """
        return self.home.database.read(_rules_now)

    def enable(self, pack: Pack, chosen: Mapping[str, str]) -> EnabledPack:
        """Enable a pack, or choose anew of one that is.

        Raises:
            InvalidRequest, AlreadyExists: as `enable_pack` says.
        """
        by, now = self.principal.id, self.home.clock()
        return self.write(
            "EnablePack",
            partial(enable_pack, pack=pack, chosen=chosen, by=by, now=now),
            # By the words that `--choice` takes, which none of ours can be.
            {"pack": pack.name}
            | {f"{pack.name}.{name}": text[:_RECORDED] for name, text in chosen.items()},
        )

    def disable(self, name: str) -> None:
        """Disable a pack.

        Raises:
            InvalidRequest, NotFound: as `disable_pack` says.
        """
        disabled = partial(disable_pack, name=name, now=self.home.clock())
        self.write("DisablePack", disabled, {"pack": name})

    def suspend(self, scope: Scope, subject: str, reason: str) -> Suspension:
        """Stop something, on running servers too.

        Raises:
            InvalidRequest, AlreadyExists: as `suspend` says.
        """
        by, now = self.principal.id, self.home.clock()
        return self.write(
            "Suspend",
            partial(suspend, scope=scope, subject=subject, reason=reason, by=by, now=now),
            {"scope": scope.value, "subject": subject},
        )

    def resume(self, scope: Scope, subject: str) -> None:
        """Let something go on.

        Raises:
            NotFound: it is not stopped.
        """
        self.write(
            "Resume",
            partial(resume, scope=scope, subject=subject, now=self.home.clock()),
            {"scope": scope.value, "subject": subject},
        )

    def organisations(self) -> list[str]:
        """List the organisations of enabled keys, and that of whoever is here."""
        every = self.home.database.read(keys.every)
        of_keys = {one.principal.organisation for one in every if one.disabled_at is None}
        return sorted({*of_keys, self.principal.organisation})

    def simulate(
        self, enable: Sequence[Pack], disable: Collection[str], chosen: Mapping[str, str]
    ) -> Simulation:
        """Ask changed rules about every use in the ledger; nothing is changed.

        Args:
            enable: packs, as if they were enabled.
            disable: names of enabled packs, as if they were not.
            chosen: what would be chosen, by `PACK.NAME`.

        Raises:
            InvalidRequest: a pack is not enabled, or a choice cannot be.
            LedgerBroken: an entry cannot be read.
        """
        packs = [one.chosen for one in self.now().packs]
        for name in set(disable) - {one.pack.name for one in packs}:
            raise InvalidRequest(
                f"Pack {name!r} is not enabled. `likeness policy list` shows what is."
            )
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
        return self.home.database.read(partial(simulate_policy, engine=engine))

    def key(self, name: str) -> AccessKey:
        """Find an access key.

        Raises:
            NotFound: there is none of that name.
        """
        return self.home.database.read(partial(keys.get, name=name))

    def in_collection(self, use: Use, name: str) -> Use:
        """Say of a use that it is of a collection, and what was declared of that.

        Raises:
            NotFound: there is none of that name.
        """
        found = self.home.collections.collection(name)
        return use_in(use, found.id, found.tags)

    def collection_id(self, name_or_id: str) -> UUID:
        """Find a collection's id; one that is erased is still known by its id.

        Raises:
            NotFound: there is none of that name.
        """
        try:
            return UUID(name_or_id)
        except ValueError:
            return self.home.collections.collection(name_or_id).id


def _rules_now(connection: Connection) -> RulesNow:
    packs = tuple(enabled_packs(connection))
    return RulesNow(
        packs,
        tuple(every_suspension(connection)),
        rules_changed_at(connection),
        PolicyEngine([*permanent_packs(), *(one.chosen for one in packs)]),
    )
