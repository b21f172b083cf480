"""Rotate: let a new key seal what the installation's older keys have sealed, and destroy those.

Interrupted at any point, it is finished by doing it again:

1. A newer key is made, unless an unfinished rotation has left one.
2. In one act everything is sealed anew that an older key sealed. In between both keys are there.
3. In an act that finds nothing left to seal, and during which nobody else seals, older keys go.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.access import sealed as access
from likeness.errors import Conflict
from likeness.gallery import collections
from likeness.ledger import keys as ledger
from likeness.review import keys as review
from likeness.secrets import Keyring
from likeness.storage import Database

# Of whoever keeps what the installation's key has sealed: what is missing here is lost for good.
REWRAPS = (
    access.rewrap_keys,
    collections.rewrap_keys,
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


def rotate_keys(database: Database, keyring: Keyring) -> Rotation:
    """Let one new key take the place of all that there are.

    Raises:
        Conflict: keys are made elsewhere, and there is no newer one there.
        KeyUnusable: a key that sealed something is gone; nothing was destroyed.
        DatabaseUnavailable: the database cannot be written; nothing was destroyed.
    """
    if len(keyring.key_ids) == 1:
        keyring.rotate()
    older = keyring.key_ids[1:]
    resealed = 0

    def reseal_or_retire(connection: Connection) -> int:
        sealed_anew = sum(rewrap(connection, keyring) for rewrap in REWRAPS)
        if not sealed_anew:
            for key_id in older:
                with suppress(Conflict):  # destroyed elsewhere
                    keyring.retire(key_id)
        return sealed_anew

    while sealed_anew := database.write(reseal_or_retire):
        resealed += sealed_anew
    kept = keyring.key_ids[1:]
    destroyed = tuple(key_id for key_id in older if key_id not in kept)
    return Rotation(keyring.key_ids[0], resealed, destroyed, kept)


def other_secrets_by_key(connection: Connection) -> Counter[str]:
    """Count what is sealed beside collections' keys, by the installation's key that seals it."""
    keepers = access, ledger, review
    return sum((one.counts_by_key(connection) for one in keepers), Counter())
