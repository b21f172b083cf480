"""Appending, receipts and forgetting, on both databases."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, delete, select, update

from likeness.errors import InvalidRequest, LedgerBroken, NotFound, required
from likeness.ledger import (
    Event,
    Kind,
    Ledger,
    counts_by_key,
    prove,
    read_checkpoint,
    read_entry,
    read_verifying_key,
    rewrap_keys,
)
from likeness.ledger.head import entry_bytes
from likeness.ledger.tables import ENTRIES, HEAD, OF_LEDGER, SUBJECT_KEYS
from likeness.secrets import KeyFiles, Keyring, SigningKey, VerifyingKey
from likeness.storage import Database, open_database
from likeness.terms import Action, LiveStatement, Use
from tests.ledger.recording import POLICE, Clock, done, record, search, signed, verified


def key_of(database: Database) -> VerifyingKey:
    key = database.read(read_verifying_key)
    assert key is not None
    return key


def test_an_entry_proves_itself_to_whoever_has_the_key(database: Database, ledger: Ledger) -> None:
    use = search(live=True)
    ids = record(database, ledger, Event(Kind.INTENT, use), done(use), done())
    for place, receipt_id in enumerate(ids, 1):
        receipt = ledger.receipt(receipt_id)
        assert receipt.id == receipt_id
        proven = prove(receipt, key_of(database))
        assert proven.index == place
        assert proven.signed.checkpoint.size == 4
    entry = prove(ledger.receipt(ids[1]), key_of(database)).entry
    assert (entry.kind, entry.use.id, entry.use.operation) == (Kind.DONE, use.id, use.operation)
    assert entry.use.live
    assert entry.rules is not None
    assert entry.rules.allowed_by == ("moratorium.exempt",)


def test_an_entry_says_of_a_use_that_its_signature_was_an_earlier_ones(
    database: Database, ledger: Ledger
) -> None:
    again = replace(done(search(replayed=True)), details={"count": "1"})
    ids = record(database, ledger, done(), again)
    first, second = (prove(ledger.receipt(one), key_of(database)).entry for one in ids)
    assert "replayed" not in first.details
    assert second.details == {"count": "1", "replayed": "yes"}


def test_the_first_entry_states_the_key(database: Database, ledger: Ledger) -> None:
    record(database, ledger, done())
    first = read_entry(database.read(lambda c: entry_bytes(c, 0)) or b"")
    assert first.kind is Kind.KEY
    assert first.details == {"key": key_of(database).raw.hex()}


def test_an_act_that_fails_leaves_no_entry(database: Database, ledger: Ledger) -> None:
    def fail(connection: Connection) -> None:
        ledger.append(connection, done())
        raise ValueError("the act fails")

    with pytest.raises(ValueError, match="the act fails"):
        database.write(fail)
    with pytest.raises(NotFound, match="nothing is recorded yet"):
        ledger.checkpoint()
    record(database, ledger, done())
    with pytest.raises(ValueError, match="the act fails"):
        database.write(fail)
    record(database, ledger, done())
    assert read_checkpoint(ledger.checkpoint()).checkpoint.size == 3


def test_two_programs_append_to_one_ledger(
    database: Database, ledger: Ledger, keyring: Keyring, clock: Clock
) -> None:
    other = Ledger(database, keyring, clock)
    ids = []
    for writer in (ledger, other, other, ledger, other):
        ids += record(database, writer, done())
    assert [receipt_id.partition("-")[0] for receipt_id in ids] == ["1", "2", "3", "4", "5"]
    assert verified(database, keyring).holds
    assert other.receipt(ids[0]) == ledger.receipt(ids[0])


def test_two_servers_append_to_one_ledger_at_once(
    database: Database, database_url: str, keyring: Keyring, clock: Clock
) -> None:
    with open_database(database_url, lock_timeout_s=30) as other:
        servers = [(one, Ledger(one, keyring, clock)) for one in (database, other)]
        threads = [
            threading.Thread(target=lambda at=at: record(*servers[at], *(done() for _ in range(8))))
            for at in (0, 1, 0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [read_checkpoint(ledger.checkpoint()).checkpoint.size for _, ledger in servers] == [
            33,
            33,
        ]
    assert verified(database, keyring).holds


def test_many_threads_append_at_once(database: Database, ledger: Ledger, keyring: Keyring) -> None:
    threads = [
        threading.Thread(target=lambda: record(database, ledger, *(done() for _ in range(10))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verified(database, keyring)
    assert (found.holds, found.size) == (True, 81)


def test_times_never_decrease_when_the_clock_is_set_back(
    database: Database, ledger: Ledger, keyring: Keyring, clock: Clock
) -> None:
    record(database, ledger, done())
    before, clock.now = clock.now, clock.now - timedelta(days=400)
    (late,) = record(database, ledger, done())
    entry = prove(ledger.receipt(late), key_of(database)).entry
    assert (entry.at, entry.clock) == (before, clock.now)
    # Another program, which starts later, sees it too.
    record(database, Ledger(database, keyring, clock), done())
    assert verified(database, keyring).set_back == 2
    clock.now = before + timedelta(seconds=1)
    (mended,) = record(database, ledger, done())
    entry = prove(ledger.receipt(mended), key_of(database)).entry
    assert (entry.at, entry.clock) == (clock.now, None)


def test_no_id_nor_word_of_a_client_is_in_an_entry(database: Database, ledger: Ledger) -> None:
    subject = uuid4()
    use = search(case="case of Ada Lovelace", warrant="W-1815")
    record(database, ledger, done(use, subject), done(replace(use, id=uuid4()), subject))
    one, two = (read_entry(database.read(lambda c, i=i: entry_bytes(c, i)) or b"") for i in (1, 2))
    written = one.to_bytes() + two.to_bytes()
    for secret in (b"Lovelace", b"W-1815", str(subject).encode(), subject.hex.encode()):
        assert secret not in written
    # A case's uses can be counted; a person's cannot.
    assert one.use.case == two.use.case != one.use.warrant
    assert one.subjects != two.subjects


def test_no_word_that_is_stated_of_a_live_search_is_in_an_entry(
    database: Database, ledger: Ledger
) -> None:
    ends_at = datetime(2027, 5, 1, 18, tzinfo=UTC)
    stated = LiveStatement("Alexanderplatz", "Amtsgericht", "children of case 17", ends_at)
    use = search(live_search=stated)
    record(database, ledger, done(use), done(replace(use, id=uuid4())))
    one, two = (read_entry(database.read(lambda c, i=i: entry_bytes(c, i)) or b"") for i in (1, 2))
    for secret in (b"Alexander", b"Amts", b"children"):
        assert secret not in one.to_bytes() + two.to_bytes()
    kept = required(one.use.live_search, "what was stated")
    # The searches of one place can be counted, and when each ends is told.
    assert kept == two.use.live_search
    assert kept.ends_at == ends_at
    assert len({kept.place, kept.authority, kept.criteria, None}) == 4


def test_a_commitment_is_to_one_person_until_that_one_is_forgotten(
    database: Database, ledger: Ledger, keyring: Keyring
) -> None:
    subject, other = uuid4(), uuid4()
    use = search()
    (receipt_id,) = record(database, ledger, done(use, subject))
    entry = prove(ledger.receipt(receipt_id), key_of(database)).entry

    def about(who: UUID) -> bool:
        commitments = database.read(lambda c: ledger.commitments(c, [who]))
        return list(entry.subjects) == list(commitments.in_use(use.id))

    assert (about(subject), about(other)) == (True, False)
    assert database.write(lambda c: ledger.forget(c, [subject])) == 1
    assert verified(database, keyring).holds
    assert prove(ledger.receipt(receipt_id), key_of(database)).entry == entry
    left = database.read(lambda c: c.execute(select(SUBJECT_KEYS.c.id)).scalars().all())
    assert subject not in left
    assert not about(subject)


def test_many_are_forgotten_at_once(database: Database, ledger: Ledger) -> None:
    people = [uuid4() for _ in range(2000)]
    record(database, ledger, done(None, *people))
    assert database.write(lambda c: ledger.forget(c, people)) == 2000


@pytest.mark.parametrize("written", ["", "1", "01-AAAAAAAAAAAAAAAA", "1-short", "x" * 10_000])
def test_what_is_no_receipts_id_is_said_to_be_none(ledger: Ledger, written: str) -> None:
    with pytest.raises(InvalidRequest, match="Not a receipt's id"):
        ledger.receipt(written)


def test_a_receipt_of_an_entry_that_is_not_here_is_not_made(
    database: Database, ledger: Ledger
) -> None:
    record(database, ledger, done())
    for receipt_id in ("1-AAAAAAAAAAAAAAAA", "99-AAAAAAAAAAAAAAAA"):
        with pytest.raises(NotFound, match="of another ledger, or this one was cut"):
            ledger.receipt(receipt_id)


def test_a_text_that_is_no_text_is_refused_and_nothing_is_done(
    database: Database, ledger: Ledger, keyring: Keyring
) -> None:
    record(database, ledger, done())
    for odd in ("two\nlines", "x" * 301, "\u202eturned"):
        with pytest.raises(InvalidRequest, match="does not fit in a ledger entry"):
            record(database, ledger, done(search(purpose=odd)))
    assert verified(database, keyring).size == 2


def test_a_lost_signing_key_stops_everything_until_there_is_a_new_one(
    database: Database, ledger: Ledger, keyring: Keyring, clock: Clock, tmp_path: Path
) -> None:
    subject = uuid4()
    record(database, ledger, done(None, subject))
    former = key_of(database)
    for path in (tmp_path / "keys").iterdir():
        path.unlink()
    new_keyring = Keyring(KeyFiles(tmp_path / "keys"))
    started_again = Ledger(database, new_keyring, clock)
    with pytest.raises(LedgerBroken, match="`likeness ledger new-key` goes on with another"):
        record(database, started_again, done())

    use = Use(POLICE, Action.GOVERN, "ledger.new-key")
    database.write(lambda c: started_again.new_key(c, use))
    record(database, started_again, done(None, subject))
    found = verified(database, new_keyring)
    assert found.holds
    assert [(signer.since, signer.endorsed) for signer in found.signers] == [(0, True), (2, False)]
    # Who holds the former key is told that nothing vouches for the new one.
    problem = verified(database, new_keyring, key=former).problem
    assert problem is not None
    assert problem.entry == 2
    assert "does not vouch for" in problem.says


def test_a_key_that_is_replaced_vouches_for_the_next(
    database: Database, ledger: Ledger, keyring: Keyring
) -> None:
    subject = uuid4()
    record(database, ledger, done(None, subject))
    first = key_of(database)
    checkpoint = ledger.checkpoint()
    use = Use(POLICE, Action.GOVERN, "ledger.new-key")
    for _ in range(2):
        database.write(lambda c: ledger.new_key(c, use))
        record(database, ledger, done(None, subject))
    assert key_of(database) != first
    found = verified(database, keyring, checkpoint, key=first)
    assert (found.problem, found.compared) == (None, 2)
    assert [signer.endorsed for signer in found.signers] == [True, True, True]
    assert database.write(lambda c: ledger.forget(c, [subject])) == 1


def test_a_ledger_goes_on_after_the_installations_key_was_rotated(
    database: Database, ledger: Ledger, keyring: Keyring, clock: Clock
) -> None:
    assert database.write(lambda c: rewrap_keys(c, keyring)) == 0
    record(database, ledger, done())
    (old,) = keyring.key_ids
    new = keyring.rotate()
    assert [database.write(lambda c: rewrap_keys(c, keyring)) for _ in range(2)] == [1, 0]
    assert database.read(counts_by_key) == {new: 1}
    keyring.retire(old)
    record(database, Ledger(database, keyring, clock), done())
    assert verified(database, keyring).holds


def test_a_head_that_others_signed_is_not_extended(
    database: Database, ledger: Ledger, keyring: Keyring
) -> None:
    record(database, ledger, done(), done())
    head = read_checkpoint(ledger.checkpoint()).checkpoint
    forged = signed(replace(head, size=2), SigningKey.new())
    database.write(lambda c: c.execute(update(HEAD).values(note=forged)))
    for broken in (ledger.checkpoint, lambda: record(database, ledger, done())):
        with pytest.raises(LedgerBroken, match="is not signed by its key"):
            broken()


@pytest.mark.parametrize("note", ["", "no note", "a\n1\nb\n\n— a b\n"])
def test_a_damaged_head_is_not_extended(database: Database, ledger: Ledger, note: str) -> None:
    record(database, ledger, done())
    database.write(lambda c: c.execute(update(HEAD).values(note=note)))
    with pytest.raises(LedgerBroken, match="is not signed by its key"):
        record(database, ledger, done())


def test_rows_that_are_not_those_signed_are_not_extended(
    database: Database, ledger: Ledger, keyring: Keyring
) -> None:
    record(database, ledger, done(), done())
    last = ENTRIES.c.position == 2
    changed = update(ENTRIES).where(last).values(entry=b"{}")
    database.write(lambda c: c.execute(changed))
    started_again = Ledger(database, keyring)
    with pytest.raises(LedgerBroken, match="do not have the root"):
        record(database, started_again, done())
    database.write(lambda c: c.execute(delete(ENTRIES).where(last)))
    with pytest.raises(LedgerBroken, match="do not have the root"):
        record(database, started_again, done())


def test_rows_beyond_the_head_are_not_written_over(database: Database, ledger: Ledger) -> None:
    record(database, ledger, done())
    row = {"position": 2, "entry": b"{}", "hashes": b"", "mark": b""}
    database.write(lambda c: c.execute(ENTRIES.insert(), row))
    with pytest.raises(LedgerBroken, match="There are more than"):
        record(database, ledger, done())


def test_an_emptied_ledger_does_not_begin_again(database: Database, ledger: Ledger) -> None:
    record(database, ledger, done())
    database.write(lambda c: c.execute(delete(HEAD)))
    with pytest.raises(LedgerBroken, match="signed head is missing"):
        record(database, ledger, done())
    for table in OF_LEDGER:
        database.write(lambda c, table=table: c.execute(delete(table)))
    with pytest.raises(LedgerBroken, match="2 entries were acknowledged and the database has 0"):
        record(database, ledger, done())


def test_an_older_copy_put_in_place_is_noticed_by_a_running_program(
    database: Database, ledger: Ledger, keyring: Keyring, clock: Clock
) -> None:
    record(database, ledger, done(), done())
    tables = (ENTRIES, HEAD)
    copy = database.read(lambda c: [list(c.execute(select(t)).mappings()) for t in tables])
    record(database, ledger, done())

    def restore(connection: Connection) -> None:
        for table, rows in zip(tables, copy, strict=True):
            connection.execute(delete(table))
            connection.execute(table.insert(), [dict(row) for row in rows])

    database.write(restore)
    for use in (ledger.checkpoint, lambda: record(database, ledger, done())):
        with pytest.raises(
            LedgerBroken, match="4 entries were acknowledged and the database has 3"
        ):
            use()
    # It grows anew, by another program: longer than before, and not the same.
    record(database, Ledger(database, keyring, clock), done(), done())
    for use in (ledger.checkpoint, lambda: record(database, ledger, done())):
        with pytest.raises(LedgerBroken, match="some are others"):
            use()


def test_a_statement_is_signed_by_the_key_that_receipts_are_checked_with(
    database: Database, ledger: Ledger
) -> None:
    message = b"DSSEv1 4 type 2 hi"
    key, signature = database.write(lambda connection: ledger.sign(connection, message))
    assert key == database.read(read_verifying_key)
    assert key.verifies(message, signature)


def test_what_might_be_a_checkpoint_or_an_endorsement_is_not_signed(
    database: Database, ledger: Ledger
) -> None:
    for message in (
        b"",
        b"likeness/x\n1\nAAAA\n",
        b"likeness ledger key\n",
        b"DSSEv2 ",
        b"\nDSSEv1 ",
    ):
        with pytest.raises(ValueError, match="pre-authentication"):
            database.write(lambda connection, message=message: ledger.sign(connection, message))
