"""Rotate: let a new key seal what the installation's older keys have sealed, and destroy those.

Interrupted at any point, it is finished by doing it again:

1. A newer key is made, unless an unfinished rotation has left one.
2. In one act everything is sealed anew that an older key sealed. In between both keys are there.
3. In an act that finds nothing left to seal, and during which nobody else seals, older keys go.

Each of these acts is a use of its own, on record with the ids of keys.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.access import keys as access
from likeness.errors import Conflict
from likeness.gallery import rewrap_keys
from likeness.ledger import keys as ledger
from likeness.review import keys as review
from likeness.secrets import Keyring
from likeness.service.uses.record import Outcome, Record

# Of whoever keeps what the installation's key has sealed: what is missing here is lost for good.
REWRAPS = (
    access.rewrap_keys,
    rewrap_keys,
    ledger.rewrap_keys,
    review.rewrap_keys,
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


def rotate_keys(
    keyring: Keyring, recorded: Callable[[], AbstractContextManager[Record]]
) -> Rotation:
    """Let one new key take the place of all that there are; `recorded` begins a record.

    Raises:
        Denied: policy forbids it.
        Conflict: keys are made elsewhere, and there is no newer one there.
        KeyUnusable: a key that sealed something is gone; nothing was destroyed.
        DatabaseUnavailable: the database cannot be written; nothing was destroyed.
    """
    with recorded() as record:
        if len(keyring.key_ids) == 1:
            keyring.rotate()
        newest, *older = keyring.key_ids
        resealed = record.write(
            lambda connection: _reseal(connection, keyring),
            lambda count: Outcome(details={"newest": newest, "resealed": str(count)}),
        )

    def reseal_or_retire(connection: Connection) -> int:
        sealed_anew = _reseal(connection, keyring)
        if not sealed_anew:
            for key_id in older:
                with suppress(Conflict):  # destroyed elsewhere
                    keyring.retire(key_id)
        return sealed_anew

    def outcome(sealed_anew: int) -> Outcome:
        details = {"newest": newest, "resealed": str(sealed_anew)}
        if not sealed_anew:
            details["destroyed"] = str(len(older) - len(keyring.key_ids[1:]))
        return Outcome(details=details)

    sealed_anew = 1
    while sealed_anew:
        with recorded() as record:
            sealed_anew = record.write(reseal_or_retire, outcome)
        resealed += sealed_anew
    kept = keyring.key_ids[1:]
    destroyed = tuple(key_id for key_id in older if key_id not in kept)
    return Rotation(newest, resealed, destroyed, kept)


def _reseal(connection: Connection, keyring: Keyring) -> int:
    return sum(rewrap(connection, keyring) for rewrap in REWRAPS)


def other_secrets_by_key(connection: Connection) -> Counter[str]:
    """Count what is sealed beside collections' keys, by the installation's key that seals it."""
    keepers = access, ledger, review
    return sum((one.counts_by_key(connection) for one in keepers), Counter())
