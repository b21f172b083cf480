"""Commitments: an entry says whom it is about, and tells nobody who reads it.

A subject's or reference's is an HMAC of its id and the use's, under a random key of its own, which
lies in a row, sealed by the ledger's secret. Two entries about one person have nothing in common
that shows. `forget` deletes the row: then nobody can tell, whatever other keys they have.

A case's or a warrant's is an HMAC under the ledger's secret, alike in all entries: an auditor can
count the uses of one.
"""

import base64
import hmac
import os
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from likeness.ledger.tables import SUBJECT_KEYS
from likeness.secrets import Digester, Key
from likeness.storage import OneOf
from likeness.terms import in_batches

FORGOTTEN_FROM = (SUBJECT_KEYS,)
"""The tables that `likeness.storage.scrub` is to be told after `forget`."""

_KEY_BYTES = 32
# SQLite takes 32,766 values in a statement, older ones 999.
_AT_A_TIME = 900
_OF_SOME = OneOf(SUBJECT_KEYS.c.id, lambda some: select(SUBJECT_KEYS).where(some))
_INSERT = insert(SUBJECT_KEYS)


def commit_words(secret: Key, purpose: str, words: str | None) -> str | None:
    """Commit to a case or a warrant, which is the caller's own words."""
    if words is None:
        return None
    return _encoded(Digester(secret, f"ledger {purpose}").digest(words.encode()))


def commit_ids(
    connection: Connection, secret: Key, use_id: UUID, ids: Sequence[UUID]
) -> tuple[str, ...]:
    """Commit to subjects or references, in the order of their ids given."""
    keys = _keys(connection, secret, ids)
    return tuple(_commitment(keys[each], use_id, each) for each in ids)


def is_about(
    connection: Connection, secret: Key, use_id: UUID, commitment: str, about: UUID
) -> bool:
    """Say whether a commitment of a use is to a subject or reference; forgotten ones never are."""
    key = _kept(connection, secret, [about]).get(about)
    return key is not None and hmac.compare_digest(commitment, _commitment(key, use_id, about))


def forget(connection: Connection, ids: Sequence[UUID]) -> int:
    """Destroy the keys of subjects and references; say how many there were.

    The last entry about them has to be written before: another would give them a new key.
    """
    return sum(
        connection.execute(delete(SUBJECT_KEYS).where(SUBJECT_KEYS.c.id.in_(some))).rowcount
        for some in in_batches(ids, _AT_A_TIME)
    )


def _keys(connection: Connection, secret: Key, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Read the keys of subjects and references, and make those that are missing."""
    if not ids:
        return {}
    keys = _kept(connection, secret, ids)
    made = {each: os.urandom(_KEY_BYTES) for each in ids if each not in keys}
    if made:
        rows = [
            {"id": each, "sealed_key": secret.seal(key, _context(each))}
            for each, key in made.items()
        ]
        connection.execute(_INSERT, rows)
    return {**keys, **made}


def _kept(connection: Connection, secret: Key, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    return {
        row.id: secret.unseal(row.sealed_key, _context(row.id))
        for row in _OF_SOME.all(connection, ids)
    }


def _commitment(key: bytes, use_id: UUID, about: UUID) -> str:
    return _encoded(hmac.digest(key, use_id.bytes + about.bytes, "sha256"))


def _context(about: UUID) -> bytes:
    return b"ledger subject " + about.bytes


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
