"""Passwords and one-time codes: which are taken, and how they are kept."""

import base64
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import select, update

from likeness.access import AccessKey, Grant, keys, passwords
from likeness.access.passwords import PASSWORDS, Password
from likeness.errors import InvalidRequest, KeyUnusable
from likeness.secrets import Keyring
from likeness.storage import Database

from .conftest import Clock

GOOD = "four words that nobody guesses"
SECRET = base64.b32encode(b"12345678901234567890").decode()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def code_at(moment: datetime, secret: str = SECRET) -> str:
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    return totp.generate(int(moment.timestamp())).decode()


@pytest.fixture
def make(database: Database, keyring: Keyring, clock: Clock) -> Callable[[str], AccessKey]:
    """Make a key."""
    return lambda name: (
        database.write(
            lambda c: keys.create(c, keyring, name, Grant(), created_by="local:ada", now=clock())
        ).key
    )


def test_the_right_password_alone_is_right() -> None:
    kept = Password(passwords.hash_password(GOOD))
    assert passwords.is_right(GOOD, kept)
    for wrong in ("", GOOD + " ", GOOD.upper(), "x" * 10_000):
        assert not passwords.is_right(wrong, kept)
    assert not passwords.is_right(GOOD, None)
    assert not passwords.is_right(GOOD, Password("no hash"))
    assert GOOD not in kept.hashed
    assert kept.hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_is_right_on_every_keyboard() -> None:
    word = "Käsekuchen zum Frühstück"
    kept = Password(passwords.hash_password(unicodedata.normalize("NFC", word)))
    assert passwords.is_right(unicodedata.normalize("NFD", word), kept)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short words", "11 characters"),
        ("x" * 257, "257 characters"),
        ("abcabcabcabcabc", "guessed easily"),
        ("Ada Lovelace the countess", "guessed easily"),
        ("my likeness console", "guessed easily"),
    ],
)
def test_what_is_guessed_easily_is_refused(password: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        passwords.check_password(password, "ada lovelace")


@pytest.mark.parametrize("name", ["al", "desk", ""])
def test_a_good_password_is_taken_whatever_short_name_its_holder_has(name: str) -> None:
    passwords.check_password("a balanced salad", name)


def test_drawn_passwords_are_good_and_never_the_same() -> None:
    drawn = {passwords.draw_password() for _ in range(100)}
    assert len(drawn) == 100
    for one in drawn:
        passwords.check_password(one, "desk")


def test_what_is_kept_is_sealed_for_its_key(
    database: Database, keyring: Keyring, clock: Clock, make: Callable[[str], AccessKey]
) -> None:
    desk, door = make("desk"), make("door")
    assert database.read(lambda c: passwords.read(c, keyring, desk)) is None
    for key in (desk, door):
        kept = Password(f"hash of {key.name}", SECRET, 7)
        database.write(lambda c, k=key, p=kept: passwords.write(c, keyring, k, p, clock()))
    assert database.read(lambda c: passwords.read(c, keyring, desk)) == Password(
        "hash of desk", SECRET, 7
    )
    assert database.read(passwords.holders) == {desk.id, door.id}
    rows = {row.key_id: row for row in database.read(lambda c: c.execute(select(PASSWORDS)).all())}
    assert b"hash" not in rows[desk.id].sealed
    moved = update(PASSWORDS).where(PASSWORDS.c.key_id == door.id)
    database.write(lambda c: c.execute(moved.values(sealed=rows[desk.id].sealed)))
    with pytest.raises(KeyUnusable):
        database.read(lambda c: passwords.read(c, keyring, door))
    database.write(lambda c: passwords.remove(c, desk.id))
    assert database.read(lambda c: passwords.read(c, keyring, desk)) is None


@pytest.mark.parametrize("seconds", [-30, 0, 29, 30])
def test_a_code_holds_a_step_before_and_after_its_own(seconds: int) -> None:
    code = code_at(NOON + timedelta(seconds=seconds))
    taken = passwords.taken(Password("x", SECRET), f" {code[:3]} {code[3:]}", NOON)
    assert taken is not None


@pytest.mark.parametrize("seconds", [-61, 61])
def test_a_code_of_another_time_is_wrong(seconds: int) -> None:
    code = code_at(NOON + timedelta(seconds=seconds))
    assert passwords.taken(Password("x", SECRET), code, NOON) is None


@pytest.mark.parametrize("code", ["", "0", "000000", "\u0660" * 6, "1234567", "é"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert passwords.taken(Password("x", SECRET), code, NOON) is None


def test_a_code_is_taken_once_and_none_before_it() -> None:
    earlier = code_at(NOON - timedelta(seconds=30))
    taken = passwords.taken(Password("x", SECRET), code_at(NOON), NOON)
    assert taken is not None
    assert passwords.taken(taken, code_at(NOON), NOON) is None
    assert passwords.taken(taken, earlier, NOON) is None
    later = NOON + timedelta(seconds=30)
    assert passwords.taken(taken, code_at(later), later) is not None


def test_without_a_secret_no_code_is_needed() -> None:
    kept = Password("x")
    assert passwords.taken(kept, "", NOON) == kept


def test_authenticators_read_the_address_of_a_secret() -> None:
    secret = passwords.new_code_secret()
    assert passwords.is_code_secret(secret)
    address = passwords.code_address("ada & <b>", secret)
    assert address.startswith("otpauth://totp/Likeness:ada%20%26%20%3Cb%3E?")
    assert f"secret={secret}" in address


@pytest.mark.parametrize("text", ["", "ABC", "no secret", base64.b32encode(b"short").decode()])
def test_another_text_is_no_secret_of_codes(text: str) -> None:
    assert not passwords.is_code_secret(text)
    assert passwords.taken(Password("x", text), "000000", NOON) is None


def test_what_is_longer_than_any_password_is_nobodys() -> None:
    long = "x" * (passwords.MOST_CHARACTERS + 1)
    assert not passwords.is_right(long, Password(passwords.hash_password(long)))
    assert not passwords.is_right("\ufdfa" * 1_000_000, None)  # which would grow 18 times
