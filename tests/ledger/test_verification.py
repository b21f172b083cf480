"""Whatever is done to the rows without the signing key is found; the rest against something kept.

`make bench ONLY=ledger FULL=1` tries ten thousand random ones.
"""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from bench.tampering import TAMPERINGS, in_place, rows_of, tampered
from likeness.errors import InvalidRequest
from likeness.ledger import Checkpoint, Ledger, Problem, read_checkpoint
from likeness.ledger.tables import ENTRIES, HEAD, KEYS
from likeness.ledger.tree import Frontier, leaf_hash
from likeness.secrets import Keyring, SigningKey
from likeness.storage import Database
from tests.ledger.recording import Clock, done, looked_at, opened_key, record, signed, verified

ENTRIES_RECORDED = 12


@pytest.fixture
def recorded(database: Database, ledger: Ledger) -> Database:
    record(database, ledger, *(done() for _ in range(ENTRIES_RECORDED - 1)))
    return database


def rewritten(connection: Connection, keyring: Keyring, place: int, sign: bool) -> None:
    """Change an entry and all hashes, as somebody would who knows how; sign if the key is known."""
    key = opened_key(connection, keyring)
    tree = Frontier()
    for position, entry, _, _ in rows_of(connection):
        if position == place:
            entry = entry.replace(b'"faces":1', b'"faces":2')
        leaf = leaf_hash(entry)
        tree, hashes = tree.appended(leaf)
        row = {"entry": entry, "hashes": b"".join(hashes)}
        if sign:
            row["mark"] = key.marks.of(position, leaf)
        connection.execute(update(ENTRIES).where(ENTRIES.c.position == position).values(row))
    note = connection.execute(select(HEAD.c.note)).scalar_one()
    origin = read_checkpoint(note).checkpoint.origin
    signing = key.signing if sign else SigningKey.new()
    note = signed(Checkpoint(origin, tree.size, tree.root), signing)
    connection.execute(update(HEAD).values(note=note))


def problem_of(database: Database, keyring: Keyring | None, *against: str) -> Problem:
    found = verified(database, keyring, *against)
    assert found.problem is not None
    assert not found.holds
    return found.problem


def test_a_ledger_that_nobody_touched_holds_and_says_what_it_cannot_know(
    recorded: Database, keyring: Keyring
) -> None:
    found = verified(recorded, keyring)
    assert (found.holds, found.size, found.set_back) == (True, ENTRIES_RECORDED, 0)
    assert any("since no checkpoint from elsewhere was given" in it for it in found.cannot_know)
    assert any("it came from the ledger itself" in it for it in found.cannot_know)


def test_a_ledger_without_entries_holds(database: Database, keyring: Keyring) -> None:
    assert verified(database, keyring).holds


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_every_tampering_is_found(recorded: Database, keyring: Keyring, kind: str) -> None:
    chance = random.Random(f"ledger {kind}")
    original = recorded.read(rows_of)

    def tamper(connection: Connection) -> None:
        damaged = tampered(original, kind, chance)
        with in_place(connection, damaged.rows):
            problem = looked_at(connection, keyring).problem
            assert problem is not None
            assert problem.entry == damaged.first_bad

    for _ in range(50):
        recorded.write(tamper)
    assert verified(recorded, keyring).holds


@pytest.mark.parametrize("place", [1, 5, ENTRIES_RECORDED - 1])
def test_an_entry_is_named_even_if_every_hash_was_made_to_fit(
    recorded: Database, keyring: Keyring, place: int
) -> None:
    recorded.write(lambda c: rewritten(c, keyring, place, sign=False))
    assert problem_of(recorded, keyring).entry == place
    # Without the ledger's secret it is found, and cannot be named.
    problem = problem_of(recorded, None)
    assert (problem.entry, "not signed by the key" in problem.says) == (None, True)


def test_hashes_made_to_fit_under_the_former_head_are_found(
    recorded: Database, keyring: Keyring
) -> None:
    note = recorded.read(lambda c: c.execute(select(HEAD.c.note)).scalar_one())
    recorded.write(lambda c: rewritten(c, keyring, 3, sign=False))
    recorded.write(lambda c: c.execute(update(HEAD).values(note=note)))
    assert problem_of(recorded, keyring).entry == 3
    assert "are not those that were signed" in problem_of(recorded, None).says


def test_what_a_holder_of_the_key_wrote_anew_is_found_by_a_checkpoint_kept_elsewhere(
    recorded: Database, ledger: Ledger, keyring: Keyring
) -> None:
    kept = ledger.checkpoint()
    recorded.write(lambda c: rewritten(c, keyring, 5, sign=True))
    found = verified(recorded, keyring)
    assert found.holds
    assert "a holder of the signing key" in found.cannot_know[0]
    assert "wrote some anew" in problem_of(recorded, keyring, kept).says


def test_what_is_cut_off_and_signed_is_found_by_a_newer_receipt(
    recorded: Database, ledger: Ledger, keyring: Keyring
) -> None:
    (receipt_id,) = record(recorded, ledger, done())
    receipt = ledger.receipt(receipt_id)

    def cut(connection: Connection) -> None:
        connection.execute(delete(ENTRIES).where(ENTRIES.c.position >= ENTRIES_RECORDED))
        rewritten(connection, keyring, -1, sign=True)

    recorded.write(cut)
    assert verified(recorded, keyring).holds
    problem = problem_of(recorded, keyring, receipt.checkpoint)
    assert "the end was cut off, or an older copy put in place" in problem.says
    assert problem.entry == ENTRIES_RECORDED


def test_a_checkpoint_kept_elsewhere_says_up_to_where_all_is_known(
    recorded: Database, ledger: Ledger, keyring: Keyring
) -> None:
    kept = ledger.checkpoint()
    record(recorded, ledger, done())
    found = verified(recorded, keyring, kept)
    assert (found.holds, found.compared) == (True, ENTRIES_RECORDED)
    assert f"after entry {ENTRIES_RECORDED - 1}," in found.cannot_know[0]


def test_a_checkpoint_of_another_ledger_is_said_to_be_that(
    recorded: Database, keyring: Keyring
) -> None:
    other = signed(Checkpoint("likeness/other", 1, bytes(32)), SigningKey.new())
    with pytest.raises(InvalidRequest, match="is of another ledger"):
        verified(recorded, keyring, other)


def test_a_checkpoint_that_no_key_of_the_ledger_signed_is_a_problem(
    recorded: Database, ledger: Ledger, keyring: Keyring
) -> None:
    checkpoint = read_checkpoint(ledger.checkpoint()).checkpoint
    forged = signed(checkpoint, SigningKey.new())
    assert "signed by none of this ledger's keys" in problem_of(recorded, keyring, forged).says


def test_a_key_that_never_signed_is_a_problem(recorded: Database, keyring: Keyring) -> None:
    problem = verified(recorded, keyring, key=SigningKey.new().verifying_key).problem
    assert problem == Problem("the key given never signed this ledger")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda c: c.execute(delete(HEAD)), "the signed head is missing"),
        (lambda c: c.execute(update(HEAD).values(note="no note")), "head is missing or damaged"),
        (lambda c: c.execute(delete(ENTRIES)), f"says {ENTRIES_RECORDED} entries and there are 0"),
        (lambda c: c.execute(delete(KEYS)), "the row of the signing key"),
    ],
)
def test_what_is_missing_beside_the_entries_is_found(
    recorded: Database, keyring: Keyring, harm: Callable[[Connection], object], says: str
) -> None:
    recorded.write(harm)
    assert says in problem_of(recorded, None).says


def test_an_emptied_ledger_is_not_taken_for_a_new_one(recorded: Database) -> None:
    recorded.write(lambda c: (c.execute(delete(HEAD)), c.execute(delete(ENTRIES))))
    assert "the signed head is missing" in problem_of(recorded, None).says


def test_text_where_bytes_belong_is_a_changed_entry(tmp_path: Path, keyring: Keyring) -> None:
    from likeness.storage import migrate, open_database

    path = tmp_path / "text.db"
    with open_database(f"sqlite:///{path}") as database:
        migrate(database)
        record(database, Ledger(database, keyring, Clock()), done(), done())
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE ledger_entries SET entry = 'text' WHERE position = 1")
        assert problem_of(database, keyring).entry == 1
        with raw:
            raw.execute("UPDATE ledger_head SET note = CAST(note AS BLOB)")
        raw.close()
        assert "head is missing or damaged" in verified(database, keyring).problems[-1].says
