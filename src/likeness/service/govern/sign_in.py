"""Signing in: people who hold an access key come to the pages with a password, or with the key.

1. Who guesses waits (`access/guesses.py`), whether or not there is anybody of that name, and what
   is said does not tell which of name, password and code was wrong.
2. A password is hashed before a transaction begins, so that nobody waits for it.
3. A code that was taken is not taken again: of two requests that bring it at once, one signs in.
4. Setting somebody's password, or taking it away, is a change of who may call, and is on record.
   Changing one's own takes the present one.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from likeness.access import (
    AccessKey,
    guesses,
    is_as_written,
    keys,
    list_keys,
    passwords,
    sessions,
)
from likeness.access.passwords import Password, check_password, hash_password
from likeness.errors import Conflict, InvalidRequest, KeyUnusable
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action, Principal

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


@dataclass(frozen=True, slots=True)
class Answered:
    """A session's token where somebody signed in; else how long they have to wait, if at all."""

    token: str | None = field(default=None, repr=False)
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a session: the holder of a key, as its rows are now."""

    key: AccessKey

    @property
    def principal(self) -> Principal:
        """Whom acts are done for."""
        return self.key.principal


def sign_in(rows: Rows, attempt: Attempt) -> Answered:
    """Begin a session for whoever has a key's password, or its secret."""
    now = rows.clock()
    waiting = partial(guesses.wait_s, name=attempt.name, address=attempt.address, now=now)
    if (wait_s := rows.database.read(waiting)) > 0:
        return Answered(wait_s=wait_s)
    key = _with_secret(rows, attempt) or _with_password(rows, attempt)

    def write(connection: Connection) -> str | None:
        if key is not None and _takes_code(connection, rows, key, attempt, now):
            guesses.forget(connection, attempt.name, attempt.address)
            return sessions.begin(connection, key.id, now)
        guesses.count(connection, attempt.name, attempt.address, now)
        return None

    token = rows.database.write(write)
    if token is None or key is None:
        _logger.warning("somebody from %s could not sign in", attempt.address)
        return Answered(wait_s=max(0.0, rows.database.read(waiting)))
    _logger.info("the holder of access key %s signed in from %s", key.id, attempt.address)
    return Answered(token)


def find_signed_in(rows: Rows, token: str) -> SignedIn | None:
    """Find whose session a token is; None where it is over, or their key is disabled."""
    now = rows.clock()

    def read(connection: Connection) -> tuple[AccessKey | None, bool]:
        session = sessions.find(connection, token, now)
        if session is None:
            return None, False
        found = [one for one in _usable(connection) if one.id == session.key_id]
        if not found or not is_as_written(connection, rows.keyring, found[0]):
            return None, False
        return found[0], session.is_stale

    key, is_stale = rows.database.read(read)
    if key is None:
        return None
    if is_stale:
        rows.database.write(partial(sessions.note, token=token, now=now))
    return SignedIn(key)


def sign_out(rows: Rows, token: str) -> None:
    """End a session."""
    rows.database.write(partial(sessions.end, token=token))


def list_passwords(rows: Rows) -> frozenset[str]:
    """Give the names of the keys whose holders have a password."""

    def read(connection: Connection) -> frozenset[str]:
        held = passwords.holders(connection)
        return frozenset(one.name for one in list_keys(connection) if one.id in held)

    return rows.database.read(read)


def set_password(rows: Rows, caller: Caller, name: str, password: str) -> AccessKey:
    """Set the password of a key's holder, without one-time codes; their sessions end.

    Raises:
        InvalidRequest: the password is guessed easily.
        NotFound: there is no key of that name.
        KeyUnusable: its rows were changed from outside.
        Denied: the caller may not.
    """
    check_password(password, name)
    hashed = hash_password(password)

    def write(connection: Connection) -> AccessKey:
        key = keys.get(connection, name)
        passwords.write(connection, rows.keyring, key, Password(hashed), rows.clock())
        sessions.end_all_of(connection, key.id)
        return key

    with rows.record(caller, Action.GOVERN) as record:
        return record.write(write, lambda key: Outcome(key_id=key.id))


def remove_password(rows: Rows, caller: Caller, name: str) -> AccessKey:
    """Let a key's holder sign in with its secret alone; their sessions end.

    Raises:
        NotFound: there is no key of that name.
        Denied: the caller may not.
    """

    def write(connection: Connection) -> AccessKey:
        key = keys.get(connection, name)
        passwords.remove(connection, key.id)
        sessions.end_all_of(connection, key.id)
        return key

    with rows.record(caller, Action.GOVERN) as record:
        return record.write(write, lambda key: Outcome(key_id=key.id))


def change_own_password(
    rows: Rows, signed_in: SignedIn, present: str, password: str, address: str
) -> str:
    """Change the password of whoever is signed in; gives the token of their only session.

    Raises:
        InvalidRequest: the new one is guessed easily, or the present one is wrong.
        Conflict: too many wrong guesses, or they have no password to change.
    """
    key, now = signed_in.key, rows.clock()
    check_password(password, key.name)
    kept = _proven(rows, signed_in, present, address)
    hashed = hash_password(password)

    def write(connection: Connection) -> str:
        passwords.write(connection, rows.keyring, key, replace(kept, hashed=hashed), now)
        sessions.end_all_of(connection, key.id)
        return sessions.begin(connection, key.id, now)

    return rows.database.write(write)


def begin_codes(signed_in: SignedIn) -> tuple[str, str]:
    """Draw a secret of one-time codes: as text, and as the address that authenticators read."""
    secret = passwords.new_code_secret()
    return secret, passwords.code_address(signed_in.key.name, secret)


def ask_for_codes(
    rows: Rows, signed_in: SignedIn, present: str, secret: str, code: str, address: str
) -> None:
    """Ask for a one-time code from now on, whose first proves that there is what makes them.

    Raises:
        InvalidRequest: the password or the code is wrong, or it is no secret.
        Conflict: too many wrong guesses, or they have no password.
    """
    kept = replace(_proven(rows, signed_in, present, address), code_secret=secret, last_step=0)
    taken = passwords.taken(kept, code, rows.clock())
    if taken is None:
        raise InvalidRequest("Wrong code. Type the six digits that are shown now.")
    _write_own(rows, signed_in, taken)


def stop_codes(rows: Rows, signed_in: SignedIn, present: str, address: str) -> None:
    """Ask for no one-time codes any more.

    Raises:
        InvalidRequest: the password is wrong.
        Conflict: too many wrong guesses, or they have no password.
    """
    kept = _proven(rows, signed_in, present, address)
    _write_own(rows, signed_in, replace(kept, code_secret=None, last_step=0))


def has_codes(rows: Rows, signed_in: SignedIn) -> bool:
    """Say whether they are asked for a one-time code."""
    kept = _password(rows, signed_in.key)
    return kept is not None and kept.code_secret is not None


def _write_own(rows: Rows, signed_in: SignedIn, password: Password) -> None:
    write = partial(
        passwords.write,
        keyring=rows.keyring,
        key=signed_in.key,
        password=password,
        now=rows.clock(),
    )
    rows.database.write(write)


def _proven(rows: Rows, signed_in: SignedIn, present: str, address: str) -> Password:
    """Have whoever is signed in prove that they know their password."""
    name, now = signed_in.key.name, rows.clock()
    if rows.database.read(partial(guesses.wait_s, name=name, address=address, now=now)) > 0:
        raise Conflict("Too many wrong passwords. Try again in a few minutes.")
    kept = _password(rows, signed_in.key)
    if kept is None:
        raise Conflict("You signed in with an access key and have no password. Ask an admin.")
    if not passwords.is_right(present, kept):
        rows.database.write(partial(guesses.count, name=name, address=address, now=now))
        raise InvalidRequest("Wrong password. Type the one that you sign in with.")
    return kept


def _with_secret(rows: Rows, attempt: Attempt) -> AccessKey | None:
    """Find the key that has an access key id and its secret."""
    now = rows.clock()

    def read(connection: Connection) -> AccessKey | None:
        for key in _usable(connection):
            for one in key.secret_ids:
                is_over = one.ends_at is not None and one.ends_at <= now
                if one.access_key_id == attempt.name and not is_over:
                    named = key, attempt.name, attempt.password
                    return key if passwords.has_secret(connection, rows.keyring, *named) else None
        return None

    return rows.database.read(read)


def _with_password(rows: Rows, attempt: Attempt) -> AccessKey | None:
    def read(connection: Connection) -> AccessKey | None:
        return next((one for one in _usable(connection) if one.name == attempt.name), None)

    key = rows.database.read(read)
    kept = None if key is None else _password(rows, key)
    return key if passwords.is_right(attempt.password, kept) else None


def _takes_code(
    connection: Connection, rows: Rows, key: AccessKey, attempt: Attempt, now: datetime
) -> bool:
    """Take the code of whoever has the password; a key's secret needs none."""
    if attempt.name != key.name:
        return True
    try:
        kept = passwords.read(connection, rows.keyring, key)
    except KeyUnusable:
        return False
    taken = None if kept is None else passwords.taken(kept, attempt.code, now)
    if kept is None or taken is None:
        return False
    if taken != kept:
        passwords.write(connection, rows.keyring, key, taken, now)
    return True


def _password(rows: Rows, key: AccessKey) -> Password | None:
    try:
        return rows.database.read(partial(passwords.read, keyring=rows.keyring, key=key))
    except KeyUnusable:
        _logger.warning("the password beside access key %s cannot be opened", key.id)
        return None


def _usable(connection: Connection) -> list[AccessKey]:
    return [one for one in keys.every(connection) if one.disabled_at is None]
