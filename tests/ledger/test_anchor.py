"""A home that had a ledger knows it, whatever becomes of the rows."""

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text

from likeness.errors import Conflict, LedgerBroken
from likeness.ledger import AnchorFiles, Ledger, origin_of, verify_log
from likeness.ledger.tables import ENTRIES, HEAD, OF_LEDGER
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database, read_identity
from likeness.terms import Action, Use
from tests.ledger.recording import POLICE, Clock, done, record

BEGIN_ANEW = Use(POLICE, Action.GOVERN, "ledger.begin-anew")


@pytest.fixture
def anchors(tmp_path: Path) -> AnchorFiles:
    return AnchorFiles(tmp_path / "home" / "ledger", "likeness.db")


@pytest.fixture
def start(database: Database, keyring: Keyring, anchors: AnchorFiles) -> Callable[[], Ledger]:
    """Gives a ledger as a program has it that has just begun."""
    return lambda: Ledger(database, keyring, Clock(), anchors)


def kept_size(database: Database, anchors: AnchorFiles) -> int:
    anchor = anchors.find(origin_of(database.read(read_identity)))
    return 0 if anchor is None else anchor.size


def wipe(connection: Connection) -> None:
    for table in OF_LEDGER:
        connection.execute(delete(table))


def test_every_use_is_kept_and_a_slower_program_takes_nothing_back(
    database: Database, start: Callable[[], Ledger], anchors: AnchorFiles
) -> None:
    first, second = start(), start()
    record(database, first, done())
    assert kept_size(database, anchors) == 2
    slow = database.write(lambda connection: first.append(connection, done()))
    record(database, second, done())
    first.receipt_id(slow)
    assert kept_size(database, anchors) == 4
    (path,) = (anchors.path("x/y").parent).iterdir()
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (512, 0o600)


def test_a_wiped_ledger_does_not_begin_again_by_itself(
    database: Database, keyring: Keyring, start: Callable[[], Ledger]
) -> None:
    record(database, start(), done(), done())
    database.write(wipe)
    ledger = start()
    for use in (lambda: record(database, ledger, done()), ledger.checkpoint, ledger.require_whole):
        with pytest.raises(LedgerBroken, match="3 entries were acknowledged and the database has"):
            use()
    origin = origin_of(database.read(read_identity))
    found = database.read(lambda c: verify_log(c, origin, keyring, ledger.outside()))
    assert found.problem is not None
    assert found.problem.says == "the ledger was emptied: this home had one of 3 entries"


def test_what_was_made_on_record_tells_that_there_was_a_ledger(
    database: Database, keyring: Keyring
) -> None:
    ledger = Ledger(database, keyring, Clock(), made_on_record=lambda connection: 2)
    with pytest.raises(LedgerBroken, match="rows are gone: there are 2 keys, collections"):
        record(database, ledger, done())
    begun = Ledger(database, keyring, Clock(), made_on_record=lambda connection: 0)
    record(database, begun, done())


def test_an_older_copy_is_noticed_by_a_program_that_starts_later(
    database: Database, start: Callable[[], Ledger]
) -> None:
    record(database, start(), done())
    tables = (ENTRIES, HEAD)
    copy = database.read(lambda c: [list(c.execute(select(t)).mappings()) for t in tables])
    record(database, start(), done())

    def restore(connection: Connection) -> None:
        for table, rows in zip(tables, copy, strict=True):
            connection.execute(delete(table))
            connection.execute(insert(table), [dict(row) for row in rows])

    database.write(restore)
    with pytest.raises(LedgerBroken, match="3 entries were acknowledged and the database has 2"):
        record(database, start(), done())


def test_a_new_database_in_the_place_of_the_former_is_not_begun_in(
    database: Database, start: Callable[[], Ledger], anchors: AnchorFiles, tmp_path: Path
) -> None:
    record(database, start(), done())
    keyring = Keyring(KeyFiles(tmp_path / "other-keys"))
    with open_database(f"sqlite:///{tmp_path / 'new.db'}") as new:
        migrate(new)
        with pytest.raises(LedgerBroken, match="its database is another one, or new"):
            record(new, Ledger(new, keyring, Clock(), anchors), done())
        # Another database that the home never had begins as any.
        elsewhere = AnchorFiles(anchors.path("x/y").parent, "postgresql://db/likeness")
        record(new, Ledger(new, keyring, Clock(), elsewhere), done())
        assert len(list(anchors.path("x/y").parent.glob("*.anchor"))) == 2


@pytest.mark.parametrize("content", [b"", b"no anchor", os.urandom(512), b"\n" * 512])
def test_a_damaged_anchor_is_named_and_no_use_mends_it(
    database: Database,
    keyring: Keyring,
    start: Callable[[], Ledger],
    anchors: AnchorFiles,
    content: bytes,
) -> None:
    running = start()
    record(database, running, done())
    origin = origin_of(database.read(read_identity))
    anchors.path(origin).write_bytes(content)
    record(database, running, done())
    ledger = start()
    with pytest.raises(LedgerBroken, match=r"\.anchor.*is damaged"):
        record(database, ledger, done())
    found = database.read(lambda c: verify_log(c, origin, keyring, ledger.outside()))
    assert [problem.table for problem in found.problems] == [None]


def test_a_home_that_cannot_be_written_says_so_once_and_goes_on(
    database: Database,
    start: Callable[[], Ledger],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "home").write_text("a file where a folder belongs")
    with caplog.at_level(logging.WARNING):
        record(database, start(), done(), done())
    assert sum("will not notice" in line for line in caplog.messages) == 1


def test_a_new_ledger_is_begun_on_record_and_the_former_rows_are_kept(
    database: Database, keyring: Keyring, start: Callable[[], Ledger], anchors: AnchorFiles
) -> None:
    record(database, start(), done(), done())
    database.write(lambda c: c.execute(delete(ENTRIES).where(ENTRIES.c.position == 1)))
    ledger, kept = start(), list[bytes]()
    position = database.write(lambda c: ledger.begin_anew(c, BEGIN_ANEW, kept.extend))
    ledger.receipt_id(position)
    assert (position.index, len(kept)) == (0, 3)  # two entries and the head
    record(database, ledger, done())
    record(database, start(), done())
    origin = origin_of(database.read(read_identity))
    found = database.read(lambda c: verify_log(c, origin, keyring, start().outside()))
    assert (found.problems, found.size, kept_size(database, anchors)) == ((), 3, 3)
    (beginning,) = found.beginnings
    assert beginning.anew
    assert beginning.details["former_entries"] == "3"
    assert beginning.details["found_entries"] == "2"
    assert beginning.details["wrong"] == "ledger_entries"


def test_a_ledger_that_holds_goes_on_after_a_loss_and_says_so(
    database: Database, keyring: Keyring, start: Callable[[], Ledger], anchors: AnchorFiles
) -> None:
    ledger = start()
    record(database, ledger, done(), done())
    with pytest.raises(Conflict, match="The ledger holds, all 3 entries"):
        database.write(lambda c: ledger.begin_anew(c, BEGIN_ANEW, lambda lines: None))
    path = anchors.path(origin_of(database.read(read_identity)))
    path.write_bytes(b"damaged")
    again, kept = start(), list[bytes]()
    position = database.write(lambda c: again.begin_anew(c, BEGIN_ANEW, kept.extend))
    again.receipt_id(position)
    assert (position.index, kept) == (3, [])
    record(database, start(), done())
    origin = origin_of(database.read(read_identity))
    found = database.read(lambda c: verify_log(c, origin, keyring, start().outside()))
    assert (found.problems, found.size) == ((), 5)
    assert [one.entry for one in found.beginnings] == [3]
    assert [signer.endorsed for signer in found.signers] == [True, True]


def test_a_second_key_row_stops_uses_until_it_is_taken_out_on_record(
    database: Database, keyring: Keyring, start: Callable[[], Ledger]
) -> None:
    record(database, start(), done())
    columns = ("sealed_signing_key", "sealed_secret", "secret_since")
    row = {name: 9 if name == "secret_since" else os.urandom(61) for name in columns}
    keys = OF_LEDGER[2]
    database.write(lambda c: c.execute(insert(keys), {"public_key": os.urandom(32), **row}))
    with pytest.raises(LedgerBroken, match="ledger_keys has 2 rows"):
        record(database, start(), done())
    ledger = start()
    ledger.receipt_id(database.write(lambda c: ledger.begin_anew(c, BEGIN_ANEW, lambda it: None)))
    record(database, start(), done())
    origin = origin_of(database.read(read_identity))
    found = database.read(lambda c: verify_log(c, origin, keyring, start().outside()))
    assert found.holds
    assert [signer.endorsed for signer in found.signers] == [True, True]


@pytest.mark.parametrize("is_wiped", [True, False])
def test_who_fails_to_begin_anew_has_begun_nothing(
    database: Database, start: Callable[[], Ledger], anchors: AnchorFiles, is_wiped: bool
) -> None:
    record(database, start(), done())
    tables = (ENTRIES, HEAD)
    copy = database.read(lambda c: [list(c.execute(select(t)).mappings()) for t in tables])
    record(database, start(), done())

    def restore(connection: Connection) -> None:
        for table, rows in zip(tables, copy, strict=True):
            connection.execute(delete(table))
            connection.execute(insert(table), [dict(row) for row in rows])

    database.write(wipe if is_wiped else restore)
    ledger = start()

    def keep(lines: Iterable[bytes]) -> None:
        raise OSError("no room for the rows of the former ledger")

    def begin_anew(connection: Connection) -> None:
        ledger.begin_anew(connection, BEGIN_ANEW, keep)
        raise OSError("no room for what the act does after")

    with pytest.raises(OSError, match="no room"):
        database.write(begin_anew)
    with pytest.raises(LedgerBroken, match="3 entries were acknowledged and the database has"):
        record(database, ledger, done())
    assert kept_size(database, anchors) == 3


@pytest.mark.parametrize("table", [one.name for one in OF_LEDGER])
def test_a_table_that_is_gone_with_the_anchor_is_said_when_the_ledger_is_used(
    database: Database, keyring: Keyring, table: str
) -> None:
    record(database, Ledger(database, keyring, Clock()), done())
    database.write(lambda c: c.execute(text(f"DROP TABLE {table}")))
    ledger = Ledger(database, keyring, Clock())
    with pytest.raises(LedgerBroken, match="A table of the ledger, or a column, is gone"):
        record(database, ledger, done())
