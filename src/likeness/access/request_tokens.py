"""Requests that were answered before: clients that retry say so by a token of their own.

    def act(connection):
        if (answered := tokens.claim(connection, principal, operation, token, digest)) is not None:
            return answered
        ...                                        # change rows
        tokens.keep(connection, principal, operation, token, digest, response=response)
        return response

Both belong into the act that changes the rows: acts are alone with the database, so that of two
requests with one token the second finds what the first has kept, and an act that fails keeps none.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, LargeBinary, Table, delete, insert, select, update

from likeness.access.access_keys import STATE
from likeness.errors import Conflict
from likeness.secrets import Digester, Key, Keyring
from likeness.storage import METADATA, Instant
from likeness.terms import Principal

KEPT = timedelta(days=7)
TOKEN_KEY_CONTEXT = b"key of request tokens"

# All of it under the token key: tokens are the caller's words, and answers hold what callers chose.
TOKENS = Table(
    "access_request_tokens",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("input_digest", LargeBinary(32), nullable=False),
    Column("sealed_response", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)


class TokenReused(Conflict):
    """A token that came with one request came again with another."""


class RequestTokens:
    """Tokens by principal and operation, for a week; safe to use from many threads."""

    def __init__(self, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._keyring = keyring
        self._clock = clock

    def claim(
        self,
        connection: Connection,
        principal: Principal,
        operation: str,
        token: str,
        input_digest: bytes,
    ) -> bytes | None:
        """Give what was answered to this request before; None where it is new.

        `connection` has to be one that writes, since what is older than a week is swept.

        Raises:
            TokenReused: the token came with another input.
            KeyUnusable: what was kept cannot be opened any more.
        """
        self.sweep(connection)
        key = self._key(connection)
        digest = _digest(key, principal, operation, token)
        row = connection.execute(select(TOKENS).where(TOKENS.c.digest == digest)).first()
        if row is None:
            return None
        if row.input_digest != _input_digest(key, digest, input_digest):
            raise TokenReused(
                f"The token of {operation} by {principal.id} came before with other values. Choose"
                " another token."
            )
        return key.unseal(row.sealed_response, _context(digest))

    def keep(
        self,
        connection: Connection,
        principal: Principal,
        operation: str,
        token: str,
        input_digest: bytes,
        *,
        response: bytes,
    ) -> None:
        """Keep what is answered to a request that `claim` called new."""
        key = self._key(connection)
        digest = _digest(key, principal, operation, token)
        connection.execute(
            insert(TOKENS).values(
                digest=digest,
                input_digest=_input_digest(key, digest, input_digest),
                sealed_response=key.seal(response, _context(digest)),
                created_at=self._clock(),
            )
        )

    def sweep(self, connection: Connection) -> None:
        """Remove what is older than a week; for when no request comes that would."""
        connection.execute(delete(TOKENS).where(TOKENS.c.created_at <= self._clock() - KEPT))

    def _key(self, connection: Connection) -> Key:
        return make_token_key(connection, self._keyring)


def find_token_key(connection: Connection, keyring: Keyring) -> Key | None:
    """Give the key that digests what callers hold, such as tokens; None before the first.

    Raises:
        KeyUnusable: it cannot be opened any more.
    """
    sealed = connection.execute(select(STATE.c.sealed_token_key)).scalar_one()
    return None if sealed is None else keyring.open_data_key(sealed, TOKEN_KEY_CONTEXT)


def make_token_key(connection: Connection, keyring: Keyring) -> Key:
    """Give the key that digests what callers hold, and make it where there is none yet.

    Raises:
        KeyUnusable: it cannot be opened any more.
    """
    if (key := find_token_key(connection, keyring)) is not None:
        return key
    key, sealed = keyring.new_data_key(TOKEN_KEY_CONTEXT)
    connection.execute(update(STATE).values(sealed_token_key=sealed))
    return key


def _digest(key: Key, principal: Principal, operation: str, token: str) -> bytes:
    # Neither an id of ours nor an operation holds a zero byte.
    request = b"\0".join(part.encode() for part in (principal.id, operation, token))
    return Digester(key, "request token").digest(request)


def _input_digest(key: Key, digest: bytes, input_digest: bytes) -> bytes:
    return Digester(key, "request input").digest(digest + input_digest)


def _context(digest: bytes) -> bytes:
    return b"response to request " + digest
