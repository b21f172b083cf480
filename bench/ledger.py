"""The ledger: what an entry costs, how long verifying takes, whether tampering is found."""

import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, insert, update

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.ledger_damage import DAMAGES, Copy, Damage, copy_of, put_back, rewrite, undone
from bench.tampering import TAMPERINGS, Row, in_place, insert_rows, rows_of, tampered
from bench.workplace import OUT
from likeness.errors import DatabaseUnavailable
from likeness.ledger import (
    AnchorFiles,
    Checkpoint,
    Event,
    Kind,
    Ledger,
    Position,
    SignedCheckpoint,
    Verification,
    origin_of,
    read_checkpoint,
    read_entry,
    verify_log,
)
from likeness.ledger.keys import LedgerKey, open_key
from likeness.ledger.tables import HEAD
from likeness.ledger.tree import Frontier, leaf_hash
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database, read_identity
from likeness.terms import Action, Decision, Duty, Obligation, Principal, Role, Rule, Use

_WRITES = 300
_THREADS, _WRITES_EACH = 32, 100
_VERIFIED, _VERIFIED_FULL = 100_000, 1_000_000
_VERIFY_TARGET_S = 30
_AT_ONCE = 2_000
_TAMPERED_ENTRIES = 60
_TAMPERINGS, _TAMPERINGS_FULL = 1_000, 10_000
_APPEND_TARGET_MS = 3

# What an act without a ledger writes: a row of the length of an entry's.
_PLAIN = Table(
    "bench_plain",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary),
)
_PRINCIPAL = Principal("key:bench", Role.CLIENT, "harbour-police", "law-enforcement", "US-WA")
_RULE = Rule("moratorium.exempt", "moratorium-2020", "bench")
_DECISION = Decision((_RULE,), (), (Obligation(Duty.SIMILARITY, 99, _RULE),), "0123456789abcdef")


@dataclass(frozen=True, slots=True)
class _Home:
    folder: Path
    database: Database
    keyring: Keyring
    ledger: Ledger
    anchors: AnchorFiles

    @property
    def anchor(self) -> Path:
        return self.anchors.path(origin_of(self.database.read(read_identity)))

    def entry(self, connection: Connection) -> None:
        use = Use(_PRINCIPAL, Action.SEARCH, "SearchFacesByImage", purpose="missing-person")
        event = Event(Kind.DONE, use, _DECISION, counts={"faces": 1, "candidates": 10})
        self.ledger.append(connection, event)

    def about_somebody(self, connection: Connection) -> Position:
        use = Use(_PRINCIPAL, Action.SEARCH, "SearchFacesByImage", purpose="missing-person")
        event = Event(Kind.DONE, use, _DECISION, subject_ids=(uuid4(),), reference_ids=(uuid4(),))
        return self.ledger.append(connection, event)

    def row(self, connection: Connection) -> None:
        connection.execute(insert(_PLAIN), {"content": bytes(900)})

    def row_and_entry(self, connection: Connection) -> None:
        self.row(connection)
        self.entry(connection)

    def verified(self, connection: Connection, *against: SignedCheckpoint) -> Verification:
        origin = origin_of(read_identity(connection))
        return verify_log(connection, origin, self.keyring, self.ledger.outside(against))


@contextmanager
def _home() -> Iterator[_Home]:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as name:
        folder = Path(name)
        keyring = Keyring(KeyFiles(folder / "keys"))
        with open_database(f"sqlite:///{folder / 'likeness.db'}") as database:
            migrate(database)
            database.write(_PLAIN.metadata.create_all)
            anchors = AnchorFiles(folder / "ledger", "likeness.db")
            ledger = Ledger(database, keyring, anchors=anchors)
            yield _Home(folder, database, keyring, ledger, anchors)


def _append(full: bool) -> Measurement:
    with _home() as home:
        acts = (home.row, home.row_and_entry)
        taken: dict[Callable[[Connection], None], list[float]] = {act: [] for act in acts}
        synced = []
        for _ in range(_WRITES):  # in turns, so that the disk's moods meet all of them
            for act in acts:
                taken[act].append(_milliseconds(partial(home.database.write, act)))
            synced.append(_milliseconds(lambda: _sync(home.folder / "raw")))
        row_ms, both_ms = (statistics.median(taken[act]) for act in acts)
        alone, both = (_per_second(home, act) for act in acts)
    return Measurement(
        both_ms - row_ms,
        f"median of {_WRITES} acts of one row with an entry, less that of acts without",
        (
            Beside("act", both_ms, "ms", "a row and its entry, durable"),
            Beside("act-without", row_ms, "ms", "the row alone, durable"),
            Beside("raw-sync", statistics.median(synced), "ms", "4 KiB and fsync, same disk"),
            Beside("acts", both, "a second", f"{_THREADS} threads, a row and its entry each"),
            Beside("acts-without", alone, "a second", f"{_THREADS} threads, a row each"),
        ),
    )


def _verify(full: bool) -> Measurement:
    entries = _VERIFIED_FULL if full else _VERIFIED
    with _home() as home:
        home.database.write(home.entry)
        home.database.write(lambda connection: _fill(connection, home.keyring, entries))
        begun = time.perf_counter()
        found = home.database.read(home.verified)
        seconds = time.perf_counter() - begun
        size_mb = (home.folder / "likeness.db").stat().st_size / 1e6
    if not found.holds:
        raise NotMeasured("the ledger that was filled does not verify")
    of_all = "" if full else f" of which {entries:,} were measured (FULL=1: all)"
    return Measurement(
        seconds * _VERIFIED_FULL / found.size,
        f"{_VERIFIED_FULL:,} entries,{of_all} everything computed again",
        (Beside("size", size_mb / found.size * 1e3, "kB", "database for each entry"),),
    )


def _tampering(full: bool) -> Measurement:
    tries = _TAMPERINGS_FULL if full else _TAMPERINGS
    chance = random.Random(20260223)  # noqa: S311  # the same tamperings at every measurement
    with _home() as home:
        receipts = [
            home.ledger.receipt_id(home.database.write(home.about_somebody))
            for _ in range(_TAMPERED_ENTRIES)
        ]
        older = home.database.read(copy_of)
        receipts += [home.ledger.receipt_id(home.database.write(home.about_somebody))]
        receipt = read_checkpoint(home.ledger.receipt(receipts[-1]).checkpoint)
        rows = home.database.read(rows_of)
        tampers = [
            *(partial(_of_entries, home, rows, kind, chance) for kind in TAMPERINGS),
            *(partial(_beside_entries, home, damage, chance) for damage in DAMAGES),
        ]
        outcomes = [home.database.write(chance.choice(tampers)) for _ in range(tries)]
        outside = [
            home.database.write(partial(_needs_outside_mark, home, older, receipt, forge))
            for forge in (put_back, rewrite)
        ]
    found, named = (sum(which) / tries for which in zip(*outcomes, strict=True))
    return Measurement(
        found,
        f"found of {tries:,} tamperings of {len(tampers)} kinds, with hashes made to fit and not",
        (
            Beside("named", named, "of 1", "the first bad entry, the table or the anchor named"),
            Beside(
                "outside",
                sum(outside) / len(outside),
                "of 1",
                "an older copy, and one rewritten by a holder of the key, the anchor too: `verify`"
                " says that it cannot see them, and finds them with a receipt",
            ),
        ),
    )


def _of_entries(
    home: _Home, rows: list[Row], kind: str, chance: random.Random, connection: Connection
) -> tuple[bool, bool]:
    done = tampered(rows, kind, chance)
    with in_place(connection, done.rows):
        problem = home.verified(connection).problem
    return problem is not None, problem is not None and problem.entry == done.first_bad


def _beside_entries(
    home: _Home, damage: Damage, chance: random.Random, connection: Connection
) -> tuple[bool, bool]:
    with undone(connection, home.anchor):
        damage.do(connection, chance, home.anchor)
        try:
            problems = home.verified(connection).problems
        except DatabaseUnavailable as error:
            return True, damage.named in str(error)
    return bool(problems), any(damage.is_named_by(problem) for problem in problems)


def _needs_outside_mark(
    home: _Home,
    older: Copy,
    receipt: SignedCheckpoint,
    forge: Callable[[Connection, Copy, LedgerKey], str],
    connection: Connection,
) -> bool:
    """Say whether what nothing in a home can show is said to be so, and shown by a receipt."""
    key = open_key(connection, home.keyring, receipt.checkpoint.origin)
    with undone(connection, home.anchor):
        note = forge(connection, older, key)
        home.anchors.keep(receipt.checkpoint.origin, key.public_key, note, 1, anew=True)
        alone = home.verified(connection)
        with_receipt = home.verified(connection, receipt)
    return (
        alone.holds
        and any("an older copy put in place" in unknown for unknown in alone.cannot_know)
        and not with_receipt.holds
    )


def _fill(connection: Connection, keyring: Keyring, entries: int) -> None:
    """Append copies of the last entry, of other uses, and sign the head once, not each time."""
    rows = rows_of(connection)
    origin = origin_of(read_identity(connection))
    key = open_key(connection, keyring, origin)
    tree = Frontier()
    for _, entry, _, _ in rows:
        tree, _ = tree.appended(leaf_hash(entry))
    template, use_id = rows[-1][1], read_entry(rows[-1][1]).use.id
    while tree.size < entries:
        some = []
        for position in range(tree.size, min(tree.size + _AT_ONCE, entries)):
            entry = template.replace(str(use_id).encode(), str(uuid4()).encode())
            leaf = leaf_hash(entry)
            tree, hashes = tree.appended(leaf)
            mark = key.marks.of(position, leaf)
            some.append((position, entry, b"".join(hashes), mark))
        insert_rows(connection, some)
    note = key.notes.sign(Checkpoint(origin, tree.size, tree.root).text)
    connection.execute(update(HEAD).values(note=note))


def _milliseconds(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return (time.perf_counter() - begun) * 1e3


def _sync(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(bytes(4096))
        os.fsync(file.fileno())


def _per_second(home: _Home, act: Callable[[Connection], None]) -> float:
    def write() -> None:
        for _ in range(_WRITES_EACH):
            home.database.write(act)

    threads = [threading.Thread(target=write) for _ in range(_THREADS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _THREADS * _WRITES_EACH / (time.perf_counter() - begun)


FIGURES = (
    Figure("ledger-append", "ms", at_most(_APPEND_TARGET_MS), _append),
    Figure("ledger-tampering", "of 1", at_least(1), _tampering),
    Figure("ledger-verify", "s", at_most(_VERIFY_TARGET_S), _verify),
)
