"""What operators and auditors look at: entries page by page, proofs, and a home at a glance."""

import json

import pytest
from sqlalchemy import delete

from likeness.access import Grant
from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.tables import ENTRIES, HEAD
from likeness.secrets import SigningKey
from likeness.service.govern.health import look
from likeness.service.govern.keys import create_key
from likeness.service.govern.ledger import entries_before, last_entries
from likeness.service.govern.receipts import check_proof
from likeness.service.uses import Caller, Home
from likeness.storage import DamagedRow
from likeness.terms import Principal, Role

ADMIN = Principal("local:tests", Role.ADMIN)


def recorded(home: Home, name: str) -> str:
    """Make a key; gives the receipt of the entry about it."""
    caller = Caller(ADMIN, "CreateAccessKey")
    create_key(home, caller, name, Grant(Role.CLIENT))
    assert caller.proof.receipt is not None
    return home.ledger.receipt(caller.proof.receipt).to_json()


def test_entries_come_page_by_page_and_the_newest_first(home: Home) -> None:
    for number in range(7):
        recorded(home, f"key {number}")
    every = [one.index for one in last_entries(home, 1000)][::-1]
    seen: list[int] = []
    page = entries_before(home, None, 3)
    while page:
        assert len(page) <= 3
        seen += [one.index for one in page]
        page = entries_before(home, page[-1].index, 3)
    assert seen == every
    assert [one.index for one in entries_before(home, 10**17, 1)] == every[:1]


def test_an_entry_that_is_gone_is_left_out_of_its_page(home: Home) -> None:
    for number in range(4):
        recorded(home, f"key {number}")
    newest, gone, *_ = (one.index for one in entries_before(home, None, 3))
    home.database.write(lambda it: it.execute(delete(ENTRIES).where(ENTRIES.c.position == gone)))
    assert [one.index for one in entries_before(home, None, 2)] == [newest]


def test_a_receipt_is_held_to_its_key_and_to_the_ledger_of_this_home(home: Home) -> None:
    receipt = recorded(home, "one")
    recorded(home, "two")
    checked = check_proof(home, receipt)
    assert checked.proven is not None
    assert checked.proven.entry.use.operation == "CreateAccessKey"
    assert checked.size_here is not None
    assert checked.size_here > checked.size
    with pytest.raises(LedgerBroken, match="did not sign"):
        check_proof(home, receipt, SigningKey.new().verifying_key)
    changed = json.loads(receipt)
    changed["index"] -= 1
    with pytest.raises(LedgerBroken, match="was changed"):
        check_proof(home, json.dumps(changed))
    with pytest.raises(InvalidRequest, match="Not a receipt"):
        check_proof(home, "a text")


def test_a_receipt_shows_that_the_ledger_of_this_home_was_cut(home: Home) -> None:
    receipt = recorded(home, "one")
    home.database.write(lambda connection: connection.execute(delete(HEAD)))
    with pytest.raises(LedgerBroken):
        check_proof(home, receipt)


def test_a_proof_of_growth_says_from_where(home: Home) -> None:
    recorded(home, "one")
    old = home.ledger.checkpoint()
    recorded(home, "two")
    checked = check_proof(home, home.ledger.growth(old).to_json())
    assert checked.grown_from == checked.size - 1
    assert checked.proven is None


def test_a_look_names_what_is_not_well(home: Home) -> None:
    recorded(home, "one")
    assert all(one.well for one in look(home))
    for number in range(22):
        home.database.damage.note(DamagedRow("some_table", f"id {number}"), "a test")
    home.database.write(lambda connection: connection.execute(delete(HEAD)))
    found = [one for one in look(home) if not one.well]
    assert found[0].subject == "ledger"
    assert "id 0 of some_table is damaged" in found[1].state
    assert found[-1].state == "2 more are damaged"
    assert all(one.mend for one in found)
