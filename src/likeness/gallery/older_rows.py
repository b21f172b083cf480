"""How do rows of an older Likeness come to be proven? All at once, before anything reads them.

1. References and what is staged get the proofs that they lack, as they are, in portions.
2. In one act every collection's key is sealed for rows that are proven. From then on a row without
   a proof is refused, for the key opens as that alone.

Whoever puts back one collection's key as it was finds it refused beside others that are proven, and
who puts back all of them once the installation's key was rotated.
"""

from contextlib import suppress
from functools import partial

from sqlalchemy import Connection, select

from likeness.errors import KeyUnusable
from likeness.gallery import collections, proofs
from likeness.gallery.seal import Seal
from likeness.gallery.tables import COLLECTIONS
from likeness.secrets import Key, Keyring
from likeness.storage import Database

_AT_ONCE = 2_000


def prove_ahead(database: Database, keyring: Keyring) -> bool:
    """Prove what a Likeness before 0012 wrote; say whether there is anything to `bind` then."""
    older = database.read(partial(_older, keyring=keyring))
    for seal in older:
        while database.write(partial(_prove_some, seal=seal)):
            pass
    return bool(older)


def bind(connection: Connection, keyring: Keyring) -> int:
    """Let the keys of collections open for proven rows alone; say how many those are."""
    older = _older(connection, keyring)
    for seal in older:
        while _prove_some(connection, seal):  # what came meanwhile
            pass
        collections.seal_for_proven_rows(connection, keyring, seal.collection_id)
    return len(older)


def _older(connection: Connection, keyring: Keyring) -> list[Seal]:
    """Open the collections whose rows have no proofs; none where any collection's have."""
    seals = []
    for row in connection.execute(select(COLLECTIONS.c.id, COLLECTIONS.c.sealed_key)).all():
        with suppress(KeyUnusable):
            keyring.unseal(row.sealed_key, collections.key_context(row.id))
            return []
        with suppress(KeyUnusable):
            material = keyring.unseal(row.sealed_key, collections.older_key_context(row.id))
            seals.append(Seal(row.id, Key(material)))
    return seals


def _prove_some(connection: Connection, seal: Seal) -> int:
    return proofs.write_missing(connection, seal, _AT_ONCE)
