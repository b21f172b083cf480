"""Access keys: list, make and change them. Who may call is a rule like any other, on record."""

from dataclasses import dataclass
from functools import partial

from likeness.access import AccessKey, BrokenKey, Grant, IssuedSecret, keys, list_keys
from likeness.policy import require_known
from likeness.service.govern.acts import Governing
from likeness.service.uses import Outcome


@dataclass(frozen=True, slots=True)
class KeyActs(Governing):
    """Lists, makes and changes access keys."""

    def every(self) -> list[AccessKey | BrokenKey]:
        """List all keys by name; no secret is among what is listed."""
        return self.home.database.read(list_keys)

    def create(self, name: str, grant: Grant) -> IssuedSecret:
        """Make a key; its secret is given this once.

        Raises:
            InvalidRequest: the name cannot be kept, or rules do not know what is granted.
            AlreadyExists: there is one of that name.
        """
        require_known(sector=grant.sector, jurisdiction=grant.jurisdiction, purposes=grant.purposes)
        made = partial(
            keys.create,
            keyring=self.home.keyring,
            name=name,
            grant=grant,
            created_by=self.principal.id,
            now=self.home.clock(),
        )
        return self.write("CreateAccessKey", made, _issued)

    def ensure_first(self) -> IssuedSecret | None:
        """Make an admin's key where there is no key at all; None where there is one."""
        if self.every():
            return None
        # Of programs that start at once, one makes it.
        made = partial(
            keys.ensure_first,
            keyring=self.home.keyring,
            created_by=self.principal.id,
            now=self.home.clock(),
        )
        return self.write(
            "CreateAccessKey", made, lambda issued: _issued(issued) if issued else Outcome()
        )

    def disable(self, name: str, *, last_admin_too: bool) -> AccessKey | BrokenKey:
        """Let a key be refused from now on.

        Raises:
            NotFound: there is none of that name.
            Conflict: no admin's key would be left.
        """
        disabled = partial(
            keys.disable,
            keyring=self.home.keyring,
            name=name,
            now=self.home.clock(),
            last_admin_too=last_admin_too,
        )
        # What the key's rows grant need not be as it was written: it is not recorded.
        return self.write("DisableAccessKey", disabled, lambda key: Outcome(key_id=key.id))

    def enable(self, name: str) -> AccessKey:
        """Let a key be used again.

        Raises:
            NotFound: there is none of that name.
            KeyUnusable: its rows were changed from outside.
        """
        enabled = partial(keys.enable, keyring=self.home.keyring, name=name)
        return self.write("EnableAccessKey", enabled, _granting)

    def rotate(self, name: str, grace_hours: int) -> IssuedSecret:
        """Give a key a new secret, this once; older ones end after the grace.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: the grace is negative or too long.
            KeyUnusable: its rows were changed from outside.
        """
        rotated = partial(
            keys.rotate,
            keyring=self.home.keyring,
            name=name,
            grace_hours=grace_hours,
            now=self.home.clock(),
        )
        return self.write("RotateAccessKey", rotated, _issued)


def _issued(issued: IssuedSecret) -> Outcome:
    return _granting(issued.key)


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
