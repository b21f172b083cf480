"""Make and change access keys, each act on record: who may call is a rule like any other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from likeness.access import AccessKey, BrokenKey, Grant, IssuedSecret, keys
from likeness.policy import require_known
from likeness.secrets import Keyring
from likeness.service.uses.record import Desk, Outcome
from likeness.storage import Database
from likeness.terms import Action, Principal, Use

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyOffice:
    """Where `principal` makes and changes keys; policy may refuse every act (`Denied`)."""

    database: Database
    keyring: Keyring
    desk: Desk
    principal: Principal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def every(self) -> list[AccessKey | BrokenKey]:
        """List all keys by name; no secret is among what is listed."""
        return self.database.read(keys.listed)

    def create(self, name: str, grant: Grant) -> IssuedSecret:
        """Make a key; its secret is given this once.

        Raises:
            InvalidRequest: the name cannot be kept, or rules do not know what is granted.
            AlreadyExists: there is one of that name.
        """
        require_known(sector=grant.sector, jurisdiction=grant.jurisdiction, purposes=grant.purposes)
        by, now = self.principal.id, self.clock()
        return self._on_record(
            "CreateAccessKey",
            lambda connection: keys.create(
                connection, self.keyring, name, grant, created_by=by, now=now
            ),
            lambda issued: _granting(issued.key),
        )

    def ensure_first(self) -> IssuedSecret | None:
        """Make an admin's key where there is no key at all; None where there is one."""
        if self.every():
            return None
        by, now = self.principal.id, self.clock()
        return self._on_record(
            "CreateAccessKey",
            lambda connection: keys.ensure_first(connection, self.keyring, created_by=by, now=now),
            lambda issued: Outcome() if issued is None else _granting(issued.key),
        )

    def disable(self, name: str, *, last_admin_too: bool) -> AccessKey | BrokenKey:
        """Let a key be refused from now on.

        Raises:
            NotFound: there is none of that name.
            Conflict: no admin's key would be left.
        """
        now = self.clock()
        return self._on_record(
            "DisableAccessKey",
            lambda connection: keys.disable(
                connection, self.keyring, name, now=now, last_admin_too=last_admin_too
            ),
            lambda key: Outcome(key_id=key.id),  # what its rows grant need not be as written
        )

    def enable(self, name: str) -> AccessKey:
        """Let a key be used again.

        Raises:
            NotFound: there is none of that name.
            KeyUnusable: its rows were changed from outside.
        """
        return self._on_record(
            "EnableAccessKey",
            lambda connection: keys.enable(connection, self.keyring, name),
            _granting,
        )

    def rotate(self, name: str, grace_hours: int) -> IssuedSecret:
        """Give a key a new secret, this once; older ones end after the grace.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: the grace is negative or too long.
            KeyUnusable: its rows were changed from outside.
        """
        now = self.clock()
        return self._on_record(
            "RotateAccessKey",
            lambda connection: keys.rotate(
                connection, self.keyring, name, grace_hours=grace_hours, now=now
            ),
            lambda issued: _granting(issued.key),
        )

    def _on_record(
        self, operation: str, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]
    ) -> T:
        with self.desk.record(Use(self.principal, Action.GOVERN, operation)) as record:
            return record.write(act, outcome)


def _granting(key: AccessKey) -> Outcome:
    """Say which key may be used, and what for, in words of the vocabulary.

    Its name is in no entry; its organisation, the operator's text, is in those of its uses.
    """
    grant = key.grant
    purposes = {f"purpose_{place}": each for place, each in enumerate(grant.purposes, 1)}
    details = {
        "role": grant.role.value,
        "sector": grant.sector,
        "jurisdiction": grant.jurisdiction,
        **purposes,
    }
    return Outcome(key_id=key.id, details=details)
