"""Keys of the ledger: what signs it, and what tells of an entry whom it is about.

One row, sealed by the keyring, holds a signing key and a secret. A new signing key takes the row's
place; the secret stays, unless it is lost.

An entry says by commitments whom it is about, and tells nobody who reads it. A subject's or
reference's is an HMAC of its id and the use's, under a random key of its own, which lies in a row,
sealed by the secret. Two entries about one person have nothing in common that shows. Once the row
is deleted, nobody can tell, whatever other keys they have. That of a case, a warrant, or what is
stated of a live search is an HMAC under the secret, alike in all entries: an auditor can count the
uses of one.
"""

import base64
import hmac
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, select, update

from likeness.errors import InvalidRequest, KeyUnusable, LedgerBroken
from likeness.ledger.proofs import NoteSigner, decoded
from likeness.ledger.tables import KEYS, SUBJECT_KEYS
from likeness.secrets import Digester, Key, Keyring, SigningKey, VerifyingKey, count_by_key
from likeness.storage import OneOf
from likeness.terms import LiveStatement, in_batches

_SECRET_CONTEXT = b"ledger secret"
_MARK_BYTES = 16
_KEY_BYTES = 32
# SQLite takes 32,766 values in a statement, older ones 999.
_AT_A_TIME = 900
_OF_SOME = OneOf(SUBJECT_KEYS.c.id, lambda some: select(SUBJECT_KEYS).where(some))
_INSERT = insert(SUBJECT_KEYS)

FORGOTTEN_FROM = (SUBJECT_KEYS,)
"""The tables that `likeness.storage.scrub` is to be told after `Ledger.forget`."""


class Marks:
    """What only who has the secret can give for an entry: they show which one was changed.

    Marks of entries before `since` were made with a secret that is lost.
    """

    __slots__ = ("_digester", "since")

    def __init__(self, secret: Key, since: int) -> None:
        self._digester = Digester(secret, "ledger mark")
        self.since = since

    def of(self, position: int, leaf: bytes) -> bytes:
        """Give the mark of a leaf at its position."""
        return self._digester.digest(position.to_bytes(8, "big") + leaf)[:_MARK_BYTES]


@dataclass(frozen=True, slots=True, eq=False)
class LedgerKey:
    """What signs, by which public key it is checked, and the secret."""

    signing: SigningKey
    notes: NoteSigner
    public_key: bytes
    secret: Key
    marks: Marks


def read_verifying_key(connection: Connection) -> VerifyingKey | None:
    """Read the public half of the key that signs; None where there is none yet."""
    row = _row(connection)
    return None if row is None else VerifyingKey(row.public_key)


def open_key(connection: Connection, keyring: Keyring, origin: str) -> LedgerKey:
    """Open the key that signs, under the ledger's name.

    Raises:
        LedgerBroken: it cannot be opened, so nothing can be recorded.
    """
    row = connection.execute(select(KEYS)).one()
    try:
        signing = SigningKey.unsealed(
            row.sealed_signing_key, keyring, _signing_context(row.public_key)
        )
        secret = keyring.open_data_key(row.sealed_secret, _SECRET_CONTEXT)
    except KeyUnusable as error:
        raise LedgerBroken(
            f"The ledger's signing key does not open. {error} If it is lost for good, `likeness"
            " ledger new-key` goes on with another."
        ) from error
    return _ledger_key(signing, origin, secret, row.secret_since)


def open_marks(connection: Connection, keyring: Keyring) -> Marks | None:
    """Open what makes marks; None where there is none yet, or it is lost."""
    row = _row(connection)
    try:
        if row is not None:
            secret = keyring.open_data_key(row.sealed_secret, _SECRET_CONTEXT)
            return Marks(secret, row.secret_since)
    except KeyUnusable:
        pass
    return None


def replace_key(
    connection: Connection, keyring: Keyring, origin: str, position: int
) -> tuple[LedgerKey, bool]:
    """Make the key that signs from the entry at a position on; say whether the secret stayed.

    Where it cannot be opened there is a new one, and nobody can tell any more whom earlier entries
    are about.
    """
    former = _row(connection)
    signing = SigningKey.new()
    public_key = signing.verifying_key.raw
    try:
        since = position
        if former is None:
            secret, sealed_secret = keyring.new_data_key(_SECRET_CONTEXT)
        else:
            secret = keyring.open_data_key(former.sealed_secret, _SECRET_CONTEXT)
            sealed_secret = keyring.rewrap(former.sealed_secret, _SECRET_CONTEXT)
            since = former.secret_since
        kept = former is not None
    except KeyUnusable:
        connection.execute(delete(SUBJECT_KEYS))
        secret, sealed_secret = keyring.new_data_key(_SECRET_CONTEXT)
        kept = False
    connection.execute(delete(KEYS))
    row = {
        "public_key": public_key,
        "sealed_signing_key": signing.sealed(keyring, _signing_context(public_key)),
        "sealed_secret": sealed_secret,
        "secret_since": since,
    }
    connection.execute(insert(KEYS), row)
    return _ledger_key(signing, origin, secret, since), kept


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one has sealed; say whether it had."""
    row = _row(connection)
    if row is None:
        return 0
    context = _signing_context(row.public_key)
    fresh = {
        "sealed_signing_key": keyring.rewrap(row.sealed_signing_key, context),
        "sealed_secret": keyring.rewrap(row.sealed_secret, _SECRET_CONTEXT),
    }
    if all(getattr(row, name) == sealed for name, sealed in fresh.items()):
        return 0
    connection.execute(update(KEYS).values(fresh))
    return 1


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count what each of the installation's keys has sealed."""
    row = _row(connection)
    return Counter() if row is None else count_by_key([row.sealed_signing_key])


def _ledger_key(signing: SigningKey, origin: str, secret: Key, since: int) -> LedgerKey:
    public_key = signing.verifying_key.raw
    return LedgerKey(signing, NoteSigner(origin, signing), public_key, secret, Marks(secret, since))


def _row(connection: Connection) -> Row[Any] | None:
    return connection.execute(select(KEYS)).first()


def _signing_context(public_key: bytes) -> bytes:
    return b"ledger signing key " + public_key


def endorse(former: SigningKey, origin: str, public_key: bytes) -> str:
    """Sign a new key of a ledger with the former one."""
    return base64.b64encode(former.sign(_endorsed_text(origin, public_key))).decode()


def is_endorsed(former: VerifyingKey, origin: str, public_key: bytes, endorsement: str) -> bool:
    """Say whether the former key vouches for a new one."""
    try:
        signature = decoded(endorsement)
    except InvalidRequest:
        return False
    return former.verifies(_endorsed_text(origin, public_key), signature)


def _endorsed_text(origin: str, public_key: bytes) -> bytes:
    return f"likeness ledger key\n{origin}\n{public_key.hex()}\n".encode()


def commit_words(secret: Key, purpose: str, words: str | None) -> str | None:
    """Commit to the caller's own words: a case, a warrant, or what is said of a live search."""
    if words is None:
        return None
    return _encoded(Digester(secret, f"ledger {purpose}").digest(words.encode()))


def commit_statement(secret: Key, stated: LiveStatement | None) -> LiveStatement | None:
    """Commit to what is stated of a live search; when it ends stays in the clear."""
    if stated is None:
        return None
    return replace(
        stated,
        place=commit_words(secret, "place", stated.place),
        authority=commit_words(secret, "authority", stated.authority),
        criteria=commit_words(secret, "criteria", stated.criteria),
    )


def commit_ids(
    connection: Connection, secret: Key, use_id: UUID, ids: Sequence[UUID]
) -> tuple[str, ...]:
    """Commit to subjects or references, in the order of their ids given."""
    keys = _ensure_subject_keys(connection, secret, ids)
    return tuple(_commitment(keys[each], use_id, each) for each in ids)


def destroy_subject_keys(connection: Connection, ids: Sequence[UUID]) -> int:
    """Destroy the keys of subjects and references; say how many there were.

    The last entry about them has to be written before: another would give them a new key.
    """
    return sum(
        connection.execute(delete(SUBJECT_KEYS).where(SUBJECT_KEYS.c.id.in_(some))).rowcount
        for some in in_batches(ids, _AT_A_TIME)
    )


def _ensure_subject_keys(
    connection: Connection, secret: Key, ids: Sequence[UUID]
) -> dict[UUID, bytes]:
    """Read the keys of subjects and references, and make those that are missing."""
    if not ids:
        return {}
    keys = _subject_keys(connection, secret, ids)
    made = {each: os.urandom(_KEY_BYTES) for each in ids if each not in keys}
    if made:
        rows = [
            {"id": each, "sealed_key": secret.seal(key, _subject_context(each))}
            for each, key in made.items()
        ]
        connection.execute(_INSERT, rows)
    return {**keys, **made}


def _subject_keys(connection: Connection, secret: Key, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    return {
        row.id: secret.unseal(row.sealed_key, _subject_context(row.id))
        for row in _OF_SOME.all(connection, ids)
    }


def _commitment(key: bytes, use_id: UUID, about: UUID) -> str:
    return _encoded(hmac.digest(key, use_id.bytes + about.bytes, "sha256"))


def _subject_context(about: UUID) -> bytes:
    return b"ledger subject " + about.bytes


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
