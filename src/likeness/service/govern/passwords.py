"""Passwords of those who sign in, and one-time codes: set by an admin, changed by their holder.

1. Setting somebody's password, or taking it away, is a change of who may call, and is on record;
   all their sessions end.
2. Changing one's own, and asking for codes or for none, takes the present password. A wrong one
   counts as a guess at the sign-in does.
"""

import logging
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from likeness.access import AccessKey, guesses, keys, list_keys, passwords, sessions
from likeness.access.guesses import Guesser
from likeness.access.passwords import Password, check_password, draw_password, hash_password
from likeness.errors import Conflict, InvalidRequest
from likeness.service.govern.sign_in import ByPassword, SignedIn, password_of, wait_s_of
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action

__all__ = [
    "WrongPassword",
    "ask_for_codes",
    "begin_codes",
    "change_own_password",
    "check_password",
    "draw_password",
    "has_codes",
    "list_passwords",
    "remove_password",
    "set_password",
    "stop_codes",
]

_logger = logging.getLogger(__name__)


class WrongPassword(InvalidRequest):
    """The present password is not what was typed."""


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
        InvalidRequest: the new one is guessed easily.
        WrongPassword: the present one is wrong.
        Conflict: too many wrong guesses, or they have no password to change.
    """
    key, now = signed_in.key, rows.clock()
    check_password(password, key.name)
    proven = _proven(rows, signed_in, present, address)
    hashed = hash_password(password)

    def write(connection: Connection) -> str:
        kept = _still_proven(connection, rows, proven)
        passwords.write(connection, rows.keyring, key, replace(kept, hashed=hashed), now)
        sessions.end_all_of(connection, key.id)
        return sessions.begin(connection, rows.keyring, key.id, now)

    token = rows.database.write(write)
    _logger.info("the holder of access key %s changed their password", key.id)
    return token


def begin_codes(signed_in: SignedIn, drawn: str = "") -> tuple[str, str]:
    """Draw a secret of one-time codes: as text, and as the address that authenticators read.

    One that was drawn before, for a form that is shown again, stays.
    """
    secret = drawn if passwords.is_code_secret(drawn) else passwords.new_code_secret()
    return secret, passwords.code_address(signed_in.key.name, secret)


def ask_for_codes(
    rows: Rows, signed_in: SignedIn, present: str, secret: str, code: str, address: str
) -> None:
    """Ask for a one-time code from now on, whose first proves that there is what makes them.

    Raises:
        InvalidRequest: the code is wrong, or it is no secret.
        WrongPassword: the password is wrong.
        Conflict: too many wrong guesses, or they have no password.
    """
    proven = _proven(rows, signed_in, present, address)
    now = rows.clock()
    first = passwords.taken(replace(proven.kept, code_secret=secret, last_step=0), code, now)
    if first is None:
        raise InvalidRequest("Wrong code. Type the six digits that are shown now.")
    _write_codes(rows, proven, first.code_secret, first.last_step)
    _logger.info("the holder of access key %s asks for codes", signed_in.key.id)


def stop_codes(rows: Rows, signed_in: SignedIn, present: str, address: str) -> None:
    """Ask for no one-time codes any more.

    Raises:
        WrongPassword: it is.
        Conflict: too many wrong guesses, or they have no password.
    """
    _write_codes(rows, _proven(rows, signed_in, present, address), None, 0)
    _logger.info("the holder of access key %s asks for no codes any more", signed_in.key.id)


def has_codes(rows: Rows, signed_in: SignedIn) -> bool:
    """Say whether they are asked for a one-time code."""
    kept = password_of(rows, signed_in.key)
    return kept is not None and kept.code_secret is not None


def _write_codes(rows: Rows, proven: ByPassword, secret: str | None, last_step: int) -> None:
    def write(connection: Connection) -> None:
        kept = _still_proven(connection, rows, proven)
        changed = replace(kept, code_secret=secret, last_step=last_step)
        passwords.write(connection, rows.keyring, proven.key, changed, rows.clock())

    rows.database.write(write)


def _still_proven(connection: Connection, rows: Rows, proven: ByPassword) -> Password:
    """Give what is kept now, where its password is still the one that was proven."""
    kept = passwords.read(connection, rows.keyring, proven.key)
    if kept is None or kept.hashed != proven.kept.hashed:
        raise Conflict("The password was changed at the same moment. Sign in again.")
    return kept


def _proven(rows: Rows, signed_in: SignedIn, present: str, address: str) -> ByPassword:
    """Have whoever is signed in prove that they know their password."""
    who = Guesser(signed_in.key.name, address)
    if wait_s_of(rows, who) > 0:
        raise Conflict("Too many wrong passwords. Try again in a few minutes.")
    kept = password_of(rows, signed_in.key)
    if kept is None:
        raise Conflict("You signed in with an access key and have no password. Ask an admin.")
    if not passwords.is_right(present, kept):
        count = partial(guesses.count, keyring=rows.keyring, who=who, now=rows.clock())
        rows.database.write(count)
        raise WrongPassword("Wrong password. Type the one that you sign in with.")
    return ByPassword(signed_in.key, kept)
