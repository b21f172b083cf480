"""Another key for the ledger is an act like any other, also where the former one is lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from likeness.errors import Denied, LedgerBroken
from likeness.ledger import read_verifying_key
from likeness.policy import Scope, suspend
from likeness.secrets import KeyFiles, Keyring, VerifyingKey
from likeness.service.govern.ledger import new_key
from likeness.service.uses import Caller
from likeness.storage import migrate, open_database
from likeness.terms import Principal, Role
from tests.service.accounting import Accounting
from tests.service.governed import governed

ADA = Principal("local:ada", Role.ADMIN)
EVE = Principal("local:eve", Role.AUDITOR)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Accounting]:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        home = Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))
        home.search([])
        yield home


def key_of(home: Accounting) -> VerifyingKey | None:
    return home.database.read(read_verifying_key)


def renew(home: Accounting, principal: Principal = ADA) -> int:
    rows = governed(home.database, home.keyring, home.desk(), home.ledger)
    return new_key(rows, Caller(principal, "ledger.new-key"))[0].index


def lose_key(home: Accounting, keys: Path) -> Accounting:
    """Start again without the installation's keys."""
    for path in keys.iterdir():
        path.unlink()
    return replace(home, keyring=Keyring(KeyFiles(keys)))


def test_a_new_key_is_recorded_with_the_rules_that_allowed_it(home: Accounting) -> None:
    former = key_of(home)
    assert renew(home) == 3  # after the first key's entry and those of a search
    assert key_of(home) != former
    last = home.entries()[-1]
    assert (last["kind"], last["operation"]) == ("done", "ledger.new-key")
    assert (last["principal"]["id"], last["action"]) == ("local:ada", "govern")
    assert last["rules"]["allowed_by"]


def test_who_may_not_govern_changes_no_key(home: Accounting) -> None:
    former = key_of(home)
    with pytest.raises(Denied, match="role"):
        renew(home, EVE)
    assert key_of(home) == former
    assert (home.kinds()[-1], home.entries()[-1]["operation"]) == ("refused", "ledger.new-key")


def test_a_lost_key_is_replaced_on_record_and_only_by_who_may_govern(
    home: Accounting, tmp_path: Path
) -> None:
    former = key_of(home)
    again = lose_key(home, tmp_path / "keys")
    with pytest.raises(LedgerBroken, match="lost for good"):
        renew(again, EVE)
    assert key_of(again) == former
    assert renew(again) == 3
    assert key_of(again) != former
    again.search([])
    assert again.kinds() == ["intent", "done", "done", "intent", "done"]
    assert again.entries()[2]["principal"]["id"] == "local:ada"


def test_whatever_was_suspended_and_whatever_the_clock_says_a_lost_key_is_replaced(
    home: Accounting, tmp_path: Path
) -> None:
    home.rule(
        '@id("nobody") @source("a test") @effective("2000-01-01")'
        " forbid(principal, action, resource);"
    )
    home.database.write(lambda c: suspend(c, Scope.ALL, "", "why", by="local:ada", now=home.now))
    again = lose_key(home, tmp_path / "keys")
    again.now -= timedelta(days=9)
    assert renew(again) == 3
