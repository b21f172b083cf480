"""Signing in: people who hold an access key come to the pages with a password, or with the key.

1. Who guesses waits (`access/guesses.py`), whether or not there is anybody of that name, and what
   is said does not tell which of name, password and code was wrong. Whoever has a key's secret,
   which nobody guesses, never waits.
2. A password is hashed before a transaction begins, so that nobody waits for it; in there it still
   has to be the one that was proven.
3. A code that was taken is not taken again: of two requests that bring it at once, one signs in.
4. Whoever writes rows alone signs in as nobody: rows of keys are proven by their secrets, passwords
   are sealed for their key, and sessions are proven (`access/sessions.py`).
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from likeness.access import (
    AccessKey,
    BrokenKey,
    guesses,
    is_as_written,
    keys,
    list_keys,
    passwords,
    sessions,
)
from likeness.access.guesses import Guesser
from likeness.access.passwords import Password
from likeness.errors import KeyUnusable
from likeness.service.uses import Rows
from likeness.terms import Principal

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody signs in with: a key's name and its password, or its access key id and secret.

    `address` is where they come from, for whom guesses are counted.
    """

    name: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)
    address: str = "unknown"

    @property
    def guesser(self) -> Guesser:
        """For whom a wrong guess is counted."""
        return Guesser(self.name, self.address)


@dataclass(frozen=True, slots=True)
class Answered:
    """A session's token where somebody signed in; else how long they have to wait, if at all."""

    token: str | None = field(default=None, repr=False)
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a session: the holder of a key, as its rows are now.

    `is_stale` where it is to be noted that the session is used (`note_use`).
    """

    key: AccessKey
    is_stale: bool = False

    @property
    def principal(self) -> Principal:
        """Whom acts are done for."""
        return self.key.principal


def sign_in(rows: Rows, attempt: Attempt) -> Answered:
    """Begin a session for whoever has a key's password, or its secret."""
    now, who = rows.clock(), attempt.guesser
    proven: _BySecret | ByPassword | None = _with_secret(rows, attempt)
    if proven is None:
        if (wait_s := wait_s_of(rows, who)) > 0:
            return Answered(wait_s=wait_s)
        proven = _with_password(rows, attempt)

    def write(connection: Connection) -> str | None:
        if proven is not None and _is_let_in(connection, rows, proven, attempt.code, now):
            guesses.forget(connection, rows.keyring, who, now)
            return sessions.begin(connection, rows.keyring, proven.key.id, now)
        guesses.count(connection, rows.keyring, who, now)
        return None

    token = rows.database.write(write)
    if token is None or proven is None:
        _logger.warning("somebody from %s could not sign in", attempt.address)
        return Answered(wait_s=max(0.0, wait_s_of(rows, who)))
    _logger.info("the holder of access key %s signed in from %s", proven.key.id, attempt.address)
    return Answered(token)


def find_signed_in(rows: Rows, token: str) -> SignedIn | None:
    """Find whose session a token is; None where it is over, or their key is disabled."""
    now = rows.clock()

    def read(connection: Connection) -> SignedIn | None:
        session = sessions.find(connection, rows.keyring, token, now)
        if session is None:
            return None
        for key in list_keys(connection, session.key_id):
            if isinstance(key, BrokenKey) or key.disabled_at is not None:
                return None
            if is_as_written(connection, rows.keyring, key):
                return SignedIn(key, session.is_stale)
        return None

    return rows.database.read(read)


def note_use(rows: Rows, token: str) -> None:
    """Note that a session is used, which ends without use."""
    write = partial(sessions.note, keyring=rows.keyring, token=token, now=rows.clock())
    rows.database.write(write)


def begin_again(rows: Rows, signed_in: SignedIn) -> str:
    """Begin another session of somebody who has just ended all of theirs; gives its token."""
    key, now = signed_in.key, rows.clock()
    return rows.database.write(
        partial(sessions.begin, keyring=rows.keyring, key_id=key.id, now=now)
    )


def sign_out(rows: Rows, token: str) -> None:
    """End a session."""
    rows.database.write(partial(sessions.end, keyring=rows.keyring, token=token))


def sweep_sign_ins(rows: Rows) -> None:
    """Remove sessions that are over, and guesses that are counted no longer."""
    now = rows.clock()

    def write(connection: Connection) -> None:
        sessions.sweep(connection, now)
        guesses.sweep(connection, now)

    rows.database.write(write)


@dataclass(frozen=True, slots=True)
class _BySecret:
    """A key whose secret somebody has just proven to have."""

    key: AccessKey


@dataclass(frozen=True, slots=True)
class ByPassword:
    """A key whose holder's password somebody has just proven to know: the one that was kept."""

    key: AccessKey
    kept: Password


def wait_s_of(rows: Rows, who: Guesser) -> float:
    """Say how many seconds somebody has to wait before they may guess again."""
    wait_s = partial(guesses.wait_s, keyring=rows.keyring, who=who, now=rows.clock())
    return rows.database.read(wait_s)


def _with_secret(rows: Rows, attempt: Attempt) -> _BySecret | None:
    """Find the key that has an access key id and its secret."""
    now = rows.clock()

    def read(connection: Connection) -> _BySecret | None:
        for key in _usable(connection):
            for one in key.secret_ids:
                is_over = one.ends_at is not None and one.ends_at <= now
                if one.access_key_id == attempt.name and not is_over:
                    named = key, attempt.name, attempt.password
                    is_right = passwords.has_secret(connection, rows.keyring, *named)
                    return _BySecret(key) if is_right else None
        return None

    return rows.database.read(read)


def _with_password(rows: Rows, attempt: Attempt) -> ByPassword | None:
    """Find the key that has a name and its password; takes as long where there is none."""

    def read(connection: Connection) -> AccessKey | None:
        found = [one for one in _usable(connection) if one.name == attempt.name]
        return next((one for one in found if is_as_written(connection, rows.keyring, one)), None)

    key = rows.database.read(read)
    kept = None if key is None else password_of(rows, key)
    is_right = passwords.is_right(attempt.password, kept)
    return ByPassword(key, kept) if is_right and key and kept else None


def _is_let_in(
    connection: Connection,
    rows: Rows,
    proven: _BySecret | ByPassword,
    code: str,
    now: datetime,
) -> bool:
    """Take the code of whoever has the password; a key's secret needs none."""
    if isinstance(proven, _BySecret):
        return True
    try:
        kept = passwords.read(connection, rows.keyring, proven.key)
    except KeyUnusable:
        return False
    if kept is None or kept.hashed != proven.kept.hashed:
        return False
    taken = passwords.taken(kept, code, now)
    if taken is None:
        return False
    if taken != kept:
        passwords.write(connection, rows.keyring, proven.key, taken, now)
    return True


def password_of(rows: Rows, key: AccessKey) -> Password | None:
    """Give what a key's holder signs in with; None where there is none that can be opened."""
    try:
        return rows.database.read(partial(passwords.read, keyring=rows.keyring, key=key))
    except KeyUnusable:
        _logger.warning("the password beside access key %s cannot be opened", key.id)
        return None


def _usable(connection: Connection) -> list[AccessKey]:
    return [one for one in keys.every(connection) if one.disabled_at is None]
