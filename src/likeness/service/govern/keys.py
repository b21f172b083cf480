"""Access keys: list, make and change them. Who may call is a rule like any other, on record."""

from functools import partial

from likeness import access
from likeness.access import AccessKey, BrokenKey, Grant, IssuedSecret, keys
from likeness.policy import require_known
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action


def list_keys(rows: Rows) -> list[AccessKey | BrokenKey]:
    """List all keys by name; no secret is among what is listed."""
    return rows.database.read(access.list_keys)


def create_key(rows: Rows, caller: Caller, name: str, grant: Grant) -> IssuedSecret:
    """Make a key; its secret is given this once.

    Raises:
        InvalidRequest: the name cannot be kept, or rules do not know what is granted.
        AlreadyExists: there is one of that name.
    """
    require_known(sector=grant.sector, jurisdiction=grant.jurisdiction, purposes=grant.purposes)
    create = partial(
        keys.create,
        keyring=rows.keyring,
        name=name,
        grant=grant,
        created_by=caller.principal.id,
        now=rows.clock(),
    )
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(create, _issued)


def ensure_first_key(rows: Rows, caller: Caller) -> IssuedSecret | None:
    """Make an admin's key where there is no key at all; None where there is one."""
    if list_keys(rows):
        return None
    # Of programs that start at once, one makes it.
    ensure = partial(
        keys.ensure_first,
        keyring=rows.keyring,
        created_by=caller.principal.id,
        now=rows.clock(),
    )
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(ensure, lambda issued: _issued(issued) if issued else Outcome())


def disable_key(
    rows: Rows, caller: Caller, name: str, *, last_admin_too: bool
) -> AccessKey | BrokenKey:
    """Let a key be refused from now on.

    Raises:
        NotFound: there is none of that name.
        Conflict: no admin's key would be left.
    """
    disable = partial(
        keys.disable,
        keyring=rows.keyring,
        name=name,
        now=rows.clock(),
        last_admin_too=last_admin_too,
    )
    with rows.record(caller, Action.GOVERN) as record:
        # What the key's rows grant need not be as it was written: it is not recorded.
        return record.write(disable, lambda key: Outcome(key_id=key.id))


def enable_key(rows: Rows, caller: Caller, name: str) -> AccessKey:
    """Let a key be used again.

    Raises:
        NotFound: there is none of that name.
        KeyUnusable: its rows were changed from outside.
    """
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(partial(keys.enable, keyring=rows.keyring, name=name), _granting)


def rotate_key(rows: Rows, caller: Caller, name: str, grace_hours: int) -> IssuedSecret:
    """Give a key a new secret, this once; older ones end after the grace.

    Raises:
        NotFound: there is none of that name.
        InvalidRequest: the grace is negative or too long.
        KeyUnusable: its rows were changed from outside.
    """
    rotate = partial(
        keys.rotate,
        keyring=rows.keyring,
        name=name,
        grace_hours=grace_hours,
        now=rows.clock(),
    )
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(rotate, _issued)


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
