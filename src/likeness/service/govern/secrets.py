"""The installation's keys: list them, and let a new one take the place of all.

A rotation that is interrupted at any point is finished by doing it again:

1. A newer key is made, unless an unfinished rotation has left one.
2. In an act everything is sealed anew that an older key sealed. In between both keys are there.
3. In an act that finds nothing left to seal, and during which nobody else seals, older keys go.

Each of these acts is a use of its own, on record with the ids of keys.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from likeness import jobs, ledger, review, sources
from likeness.access import keys as access
from likeness.errors import Conflict
from likeness.gallery import count_by_key, counts_by_key, rewrap_key, rewrap_keys
from likeness.secrets import Keyring
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action

# Whoever keeps what the installation's key has sealed: what is missing here is lost for good.
REWRAPS = (
    access.rewrap_keys,
    rewrap_keys,
    rewrap_key,
    jobs.rewrap_keys,
    ledger.rewrap_keys,
    review.rewrap_keys,
    sources.rewrap_keys,
)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: which key seals now, and which seal nothing any more.

    Those in `kept` come from elsewhere and have to be removed there.
    """

    newest: str
    resealed: int
    destroyed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How much one of the installation's keys has sealed."""

    id: str
    collections: int
    other_secrets: int


def list_secrets(rows: Rows, caller: Caller) -> list[KeyUse]:
    """List the keys, the one that seals first, by their ids alone.

    Raises:
        Denied: policy forbids it.
    """
    with rows.record(caller, Action.READ) as record:
        named, others = rows.database.read(sealed_by_key)
        listed = [KeyUse(one, named[one], others[one]) for one in rows.keyring.key_ids]
        record.answered(Outcome())
    return listed


def rotate_secrets(rows: Rows, caller: Caller) -> Rotation:
    """Let one new key take the place of all that there are.

    Raises:
        Denied: policy forbids it.
        Conflict: keys are made elsewhere, and there is no newer one there.
        KeyUnusable: a key that sealed something is gone; nothing was destroyed.
        DatabaseUnavailable: the database cannot be written; nothing was destroyed.
    """
    keyring = rows.keyring
    with rows.record(caller, Action.GOVERN) as record:
        if len(keyring.key_ids) == 1:
            keyring.rotate()
        older = keyring.key_ids[1:]
        resealed = record.write(
            partial(_reseal, keyring=keyring), lambda count: _resealed(keyring, count)
        )
    sealed_anew = 1
    while sealed_anew:
        with rows.record(caller, Action.GOVERN) as record:
            sealed_anew = record.write(
                partial(_reseal_or_retire, keyring=keyring),
                lambda count: _resealed(keyring, count, None if count else len(older)),
            )
        resealed += sealed_anew
    newest, *kept = keyring.key_ids
    destroyed = tuple(key_id for key_id in older if key_id not in kept)
    return Rotation(newest, resealed, destroyed, tuple(kept))


def _reseal(connection: Connection, keyring: Keyring) -> int:
    return sum(rewrap(connection, keyring) for rewrap in REWRAPS)


def _reseal_or_retire(connection: Connection, keyring: Keyring) -> int:
    sealed_anew = _reseal(connection, keyring)
    if not sealed_anew:
        for key_id in keyring.key_ids[1:]:
            with suppress(Conflict):  # destroyed elsewhere
                keyring.retire(key_id)
    return sealed_anew


def _resealed(keyring: Keyring, count: int, older: int | None = None) -> Outcome:
    """Say how much the newest key sealed; of `older` keys, how many were destroyed."""
    newest, *kept = keyring.key_ids
    details = {"newest": newest, "resealed": str(count)}
    if older is not None:
        details["destroyed"] = str(older - len(kept))
    return Outcome(details=details)


def sealed_by_key(connection: Connection) -> tuple[Counter[str], Counter[str]]:
    """Count collections and other secrets by the installation's key that seals them."""
    others = (
        access.counts_by_key,
        count_by_key,
        jobs.counts_by_key,
        ledger.counts_by_key,
        review.counts_by_key,
        sources.counts_by_key,
    )
    return counts_by_key(connection), sum((count(connection) for count in others), Counter())
