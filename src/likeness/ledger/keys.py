"""Keys of the ledger: what signs it, and the secret that makes marks and commitments.

One row, sealed by the keyring, holds a signing key and a secret. A new signing key takes the row's
place; the secret stays, unless it is lost.

An entry says by commitments whom it is about, and tells nobody who reads it. Those of subjects and
references are made in `subject_keys.py`. That of a case, a warrant, or what is stated of a live
search is an HMAC under the secret, alike in all entries: an auditor can count the uses of one.
"""

import base64
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, update

from likeness.errors import InvalidRequest, KeyUnusable, LedgerBroken
from likeness.ledger.proofs import NoteSigner, decoded
from likeness.ledger.subject_keys import SubjectKeys
from likeness.ledger.tables import KEYS
from likeness.secrets import Digester, Key, Keyring, SigningKey, VerifyingKey, count_by_key
from likeness.storage import select_as_stored
from likeness.terms import LiveStatement

_SECRET_CONTEXT = b"ledger secret"
_MARK_BYTES = 16
_KEY_BYTES = 32
_EVERY = select_as_stored(KEYS)


class Marks:
    """What only who has the secret can give for an entry: they show which one was changed."""

    __slots__ = ("_digester",)

    def __init__(self, secret: Key) -> None:
        self._digester = Digester(secret, "ledger mark")

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


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The row of a key as it is stored, each value None where it is not of its type."""

    public_key: bytes | None
    sealed_signing_key: bytes | None
    sealed_secret: bytes | None
    secret_since: int | None

    @property
    def verifying_key(self) -> VerifyingKey | None:
        """The public half; None where it is none."""
        if self.public_key is None or len(self.public_key) != _KEY_BYTES:
            return None
        return VerifyingKey(self.public_key)

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return "without a public key" if self.public_key is None else self.public_key.hex()[:16]

    def signing_key(self, keyring: Keyring) -> SigningKey:
        """Open what signs.

        Raises:
            KeyUnusable: it does not open, or is not of the public key.
        """
        if self.public_key is None or self.sealed_signing_key is None:
            raise _damaged()
        context = _signing_context(self.public_key)
        signing = SigningKey.unsealed(self.sealed_signing_key, keyring, context)
        if signing.verifying_key.raw != self.public_key:
            raise _damaged()
        return signing

    def secret(self, keyring: Keyring) -> Key:
        """Open the secret.

        Raises:
            KeyUnusable: it does not open.
        """
        if self.sealed_secret is None:
            raise _damaged()
        return keyring.open_data_key(self.sealed_secret, _SECRET_CONTEXT)


def _damaged() -> KeyUnusable:
    return KeyUnusable(f"The row of table {KEYS.name} was changed by others. Restore a backup.")


def key_rows(connection: Connection) -> list[KeyRow]:
    """Read the rows of keys that there are: one, where nobody has changed them."""
    return [KeyRow(*row) for row in connection.execute(_EVERY)]


def read_verifying_key(connection: Connection) -> VerifyingKey | None:
    """Read the public half of the key that signs; None where there is none yet.

    Raises:
        LedgerBroken: the row was changed by others, or is not alone.
    """
    row = _one_row(connection)
    if row is None:
        return None
    if row.verifying_key is None:
        raise LedgerBroken(str(_damaged()))
    return row.verifying_key


def open_key(connection: Connection, keyring: Keyring, origin: str) -> LedgerKey:
    """Open the key that signs, under the ledger's name.

    Raises:
        LedgerBroken: it cannot be opened, so nothing can be recorded.
    """
    row = _one_row(connection)
    try:
        if row is None:
            raise KeyUnusable(f"Table {KEYS.name} has no row. Restore a backup.")
        return _ledger_key(row.signing_key(keyring), origin, row.secret(keyring))
    except KeyUnusable as error:
        raise LedgerBroken(
            f"The ledger's signing key does not open. {error} If it is lost for good, `likeness"
            " ledger new-key` goes on with another."
        ) from error


def find_secret(connection: Connection, keyring: Keyring) -> Key | None:
    """Find the secret in whichever row opens; None where none does."""
    for row in key_rows(connection):
        with suppress(KeyUnusable):
            return row.secret(keyring)
    return None


def find_signing_key(
    connection: Connection, keyring: Keyring, public_key: bytes
) -> SigningKey | None:
    """Find what signs for a public key; None where it is not there, or does not open."""
    for row in key_rows(connection):
        with suppress(KeyUnusable):
            if row.public_key == public_key:
                return row.signing_key(keyring)
    return None


def replace_key(
    connection: Connection,
    keyring: Keyring,
    origin: str,
    position: int,
    secret_since: int | None = None,
) -> tuple[LedgerKey, bool]:
    """Make the key that signs from the entry at a position on; say whether the secret stayed.

    Where it cannot be opened there is a new one, and nobody can tell any more whom earlier entries
    are about. `secret_since` is where the one that stays began, if the row is not to be believed.
    """
    signing = SigningKey.new()
    public_key = signing.verifying_key.raw
    secret, since = None, position
    for former in key_rows(connection):
        try:
            secret = former.secret(keyring)
            sealed_secret = keyring.rewrap(former.sealed_secret or b"", _SECRET_CONTEXT)
            since = min(former.secret_since or 0, position)
            since = since if secret_since is None else secret_since
            break
        except KeyUnusable:
            continue
    kept = secret is not None
    if secret is None:
        secret, sealed_secret = keyring.new_data_key(_SECRET_CONTEXT)
        SubjectKeys(connection, secret, counted=False).begin()
    connection.execute(delete(KEYS))
    row = {
        "public_key": public_key,
        "sealed_signing_key": signing.sealed(keyring, _signing_context(public_key)),
        "sealed_secret": sealed_secret,
        "secret_since": since,
    }
    connection.execute(insert(KEYS), row)
    return _ledger_key(signing, origin, secret), kept


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one has sealed; say whether it had."""
    row = _one_row(connection)
    if row is None:
        return 0
    if row.public_key is None or row.sealed_signing_key is None or row.sealed_secret is None:
        raise _damaged()
    context = _signing_context(row.public_key)
    signing_key = keyring.rewrap(row.sealed_signing_key, context)
    secret = keyring.rewrap(row.sealed_secret, _SECRET_CONTEXT)
    if (signing_key, secret) == (row.sealed_signing_key, row.sealed_secret):
        return 0
    fresh = {"sealed_signing_key": signing_key, "sealed_secret": secret}
    connection.execute(update(KEYS).values(fresh))
    return 1


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count what each of the installation's keys has sealed; what is damaged names none."""
    return count_by_key(row.sealed_signing_key or b"" for row in key_rows(connection))


def _ledger_key(signing: SigningKey, origin: str, secret: Key) -> LedgerKey:
    public_key = signing.verifying_key.raw
    return LedgerKey(signing, NoteSigner(origin, signing), public_key, secret, Marks(secret))


def _one_row(connection: Connection) -> KeyRow | None:
    """Read the row of the key; None where there is none.

    Raises:
        LedgerBroken: there are more.
    """
    rows = key_rows(connection)
    if len(rows) > 1:
        raise LedgerBroken(
            f"Table {KEYS.name} has {len(rows)} rows, and one key signs: the database was changed"
            " by others. `likeness ledger verify` names the row that does not belong there."
        )
    return rows[0] if rows else None


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


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
