"""Signing in, and passwords: what lets in, what does not, and what is on record."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from likeness.access import Grant, IssuedSecret, passwords
from likeness.access.access_keys import KEYS
from likeness.access.passwords import PASSWORDS
from likeness.errors import Conflict, Denied, InvalidRequest, KeyUnusable, NotFound
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern import keys, sign_in
from likeness.service.govern import passwords as acts
from likeness.service.govern.secrets import rotate_secrets
from likeness.service.govern.sign_in import Attempt, SignedIn
from likeness.service.uses import Caller, Rows
from likeness.storage import Database, migrate, open_database
from likeness.terms import Principal, Role
from tests.access.test_passwords import code_at
from tests.service.accounting import Accounting
from tests.service.governed import governed

ADA = Principal("local:ada", Role.ADMIN)
GOOD, NEW = "four words that nobody guesses", "other words that nobody guesses"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield database


@pytest.fixture
def accounting(database: Database, tmp_path: Path) -> Accounting:
    return Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


@pytest.fixture
def rows(accounting: Accounting) -> Rows:
    return governed(accounting.database, accounting.keyring, accounting.desk())


def caller(operation: str = "SetPassword") -> Caller:
    return Caller(ADA, operation)


def make(
    rows: Rows, name: str, role: Role = Role.ADMIN, password: str | None = GOOD
) -> IssuedSecret:
    issued = keys.create_key(rows, caller("CreateAccessKey"), name, Grant(role))
    if password is not None:
        acts.set_password(rows, caller(), name, password)
    return issued


def token_of(rows: Rows, name: str, password: str = GOOD, code: str = "") -> str | None:
    return sign_in.sign_in(rows, Attempt(name, password, code, "192.0.2.1")).token


def signed_in(rows: Rows, name: str) -> SignedIn:
    token = token_of(rows, name)
    assert token is not None
    found = sign_in.find_signed_in(rows, token)
    assert found is not None
    return found


def test_a_password_and_a_secret_let_their_holder_in(rows: Rows) -> None:
    issued = make(rows, "desk", Role.REVIEWER)
    for name, word in (("desk", GOOD), (issued.access_key_id, issued.secret)):
        token = token_of(rows, name, word)
        assert token is not None
        found = sign_in.find_signed_in(rows, token)
        assert found is not None
        assert found.principal == issued.key.principal


def test_nothing_else_does(rows: Rows) -> None:
    issued, other = make(rows, "desk"), make(rows, "door", password=None)
    for name, word in (
        ("desk", NEW),
        ("desk", issued.secret),
        (issued.access_key_id, GOOD),
        (issued.access_key_id, other.secret),
        ("door", ""),
        ("door", other.secret),
        ("nobody", GOOD),
        ("", ""),
    ):
        assert token_of(rows, name, word) is None


def test_a_disabled_key_lets_nobody_in(rows: Rows) -> None:
    issued = make(rows, "desk")
    make(rows, "another")
    token = token_of(rows, "desk")
    assert token is not None
    keys.disable_key(rows, caller("DisableAccessKey"), "desk", last_admin_too=False)
    assert sign_in.find_signed_in(rows, token) is None
    assert token_of(rows, "desk") is token_of(rows, issued.access_key_id, issued.secret) is None


def test_a_secret_that_has_ended_lets_nobody_in(rows: Rows) -> None:
    issued = make(rows, "desk")
    keys.rotate_key(rows, caller("RotateAccessKey"), "desk", grace_hours=1)
    assert token_of(rows, issued.access_key_id, issued.secret) is not None
    later = replace(rows, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    assert token_of(later, issued.access_key_id, issued.secret) is None


def test_who_changes_a_keys_role_by_its_row_lets_nobody_in(rows: Rows) -> None:
    make(rows, "desk", Role.CLIENT)
    token = token_of(rows, "desk")
    assert token is not None
    rows.database.write(lambda c: c.execute(update(KEYS).values(role="admin")))
    assert sign_in.find_signed_in(rows, token) is None
    assert token_of(rows, "desk") is None


def test_a_password_moved_to_another_key_lets_nobody_in(rows: Rows) -> None:
    make(rows, "admin")
    client = make(rows, "client", Role.CLIENT, NEW).key.id
    every = {
        one.key_id: one.sealed
        for one in rows.database.read(lambda c: c.execute(select(PASSWORDS)).all())
    }
    admin = next(one for one in every if one != client)
    moved = update(PASSWORDS).where(PASSWORDS.c.key_id == admin).values(sealed=every[client])
    rows.database.write(lambda c: c.execute(moved))
    assert token_of(rows, "admin", NEW) is None
    assert token_of(rows, "client", NEW) is not None


def test_after_wrong_guesses_even_the_right_password_waits(rows: Rows) -> None:
    make(rows, "desk")
    answers = [sign_in.sign_in(rows, Attempt("desk", f"guess {n}")) for n in range(5)]
    assert [one.wait_s > 0 for one in answers] == [False] * 4 + [True]
    waiting = sign_in.sign_in(rows, Attempt("desk", GOOD))
    assert waiting.token is None
    assert 0 < waiting.wait_s <= 30
    later = replace(rows, clock=lambda: datetime.now(UTC) + timedelta(seconds=31))
    assert sign_in.sign_in(later, Attempt("desk", GOOD)).token is not None


def test_whoever_has_a_keys_secret_never_waits(rows: Rows) -> None:
    issued = make(rows, "desk")
    for number in range(25):
        sign_in.sign_in(rows, Attempt(f"somebody {number}", "a guess", address="192.0.2.1"))
        sign_in.sign_in(rows, Attempt(issued.access_key_id, "a guess", address="192.0.2.1"))
    assert sign_in.sign_in(rows, Attempt("desk", GOOD, address="192.0.2.1")).wait_s > 0
    assert token_of(rows, issued.access_key_id, issued.secret) is not None


def test_one_code_lets_one_in_however_many_bring_it_at_once(rows: Rows) -> None:
    make(rows, "desk")
    who = signed_in(rows, "desk")
    secret, _ = acts.begin_codes(who)
    acts.ask_for_codes(rows, who, GOOD, secret, code_at(rows.clock(), secret), "here")
    code = code_at(rows.clock() + timedelta(seconds=30), secret)
    tokens: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(token_of(rows, "desk", GOOD, code)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in tokens if one is not None]) == 1


def test_changing_a_password_keeps_the_codes_and_ends_sessions(rows: Rows) -> None:
    make(rows, "desk")
    who, other = signed_in(rows, "desk"), token_of(rows, "desk")
    assert other is not None
    secret, _ = acts.begin_codes(who)
    acts.ask_for_codes(rows, who, GOOD, secret, code_at(rows.clock(), secret), "here")
    token = acts.change_own_password(rows, who, GOOD, NEW, "here")
    assert sign_in.find_signed_in(rows, other) is None
    assert sign_in.find_signed_in(rows, token) is not None
    assert acts.has_codes(rows, who)
    acts.stop_codes(rows, who, NEW, "here")
    assert not acts.has_codes(rows, who)
    assert token_of(rows, "desk", NEW) is not None


def test_a_password_that_was_changed_meanwhile_changes_nothing(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(rows, "desk")
    who = signed_in(rows, "desk")
    real = passwords.hash_password

    def changed_meanwhile(password: str) -> str:
        monkeypatch.setattr(acts, "hash_password", real)
        acts.set_password(rows, caller(), "desk", "set by an admin meanwhile")
        return real(password)

    monkeypatch.setattr(acts, "hash_password", changed_meanwhile)
    with pytest.raises(Conflict, match="at the same moment"):
        acts.change_own_password(rows, who, GOOD, NEW, "here")
    assert token_of(rows, "desk", "set by an admin meanwhile") is not None


def test_a_wrong_present_password_changes_nothing_and_counts(rows: Rows) -> None:
    make(rows, "desk")
    who = signed_in(rows, "desk")
    for _ in range(5):
        with pytest.raises(InvalidRequest, match="Wrong password"):
            acts.change_own_password(rows, who, "a guess", NEW, "192.0.2.1")
    with pytest.raises(Conflict, match="Too many"):
        acts.change_own_password(rows, who, GOOD, NEW, "192.0.2.1")
    assert sign_in.sign_in(rows, Attempt("desk", GOOD, address="192.0.2.1")).wait_s > 0


def test_setting_and_removing_a_password_is_on_record_without_it(
    rows: Rows, accounting: Accounting
) -> None:
    issued = make(rows, "the chief's own")
    acts.remove_password(rows, caller("RemovePassword"), "the chief's own")
    entries = accounting.entries()[-2:]
    assert [(one["kind"], one["action"], one["operation"]) for one in entries] == [
        ("done", "govern", "SetPassword"),
        ("done", "govern", "RemovePassword"),
    ]
    assert all(one["ids"] == {"key": str(issued.key.id)} for one in entries)
    assert not any(word in json.dumps(entries) for word in ("chief", GOOD, "argon2"))
    assert acts.list_passwords(rows) == frozenset()


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.ADMIN])
def test_no_other_role_sets_passwords(rows: Rows, role: Role) -> None:
    make(rows, "desk")
    nobody = Caller(Principal("key:nobody", role), "SetPassword")
    with pytest.raises(Denied):
        acts.set_password(rows, nobody, "desk", NEW)
    with pytest.raises(Denied):
        acts.remove_password(rows, nobody, "desk")
    assert token_of(rows, "desk") is not None


def test_nobody_and_broken_keys_get_no_password(rows: Rows) -> None:
    with pytest.raises(NotFound):
        acts.set_password(rows, caller(), "absent", NEW)
    make(rows, "desk", password=None)
    rows.database.write(lambda c: c.execute(update(KEYS).values(role="emperor")))
    with pytest.raises(KeyUnusable):
        acts.set_password(rows, caller(), "desk", NEW)


def test_passwords_and_sessions_outlive_the_installations_key(rows: Rows) -> None:
    make(rows, "desk")
    token = token_of(rows, "desk")
    assert token is not None
    (old,) = rows.keyring.key_ids
    rotate_secrets(rows, caller("RotateSecrets"))
    assert old not in rows.keyring.key_ids
    assert sign_in.find_signed_in(rows, token) is not None
    assert token_of(rows, "desk") is not None


def test_a_password_that_was_damaged_hinders_no_rotation(rows: Rows) -> None:
    make(rows, "desk")
    make(rows, "door")
    row = rows.database.read(lambda c: c.execute(select(PASSWORDS)).first())
    assert row is not None
    changed = update(PASSWORDS).where(PASSWORDS.c.key_id == row.key_id)
    damaged = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    rows.database.write(lambda c: c.execute(changed.values(sealed=damaged)))
    rotate_secrets(rows, caller("RotateSecrets"))
    let_in = [token_of(rows, name) for name in ("desk", "door")]
    assert sorted(one is None for one in let_in) == [False, True]
