"""Makes deleted rows unreachable: as much as each database can, and says what is left."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from likeness.storage.database import Database
from likeness.storage.engine import SqliteFile, faults_of, maintenance_engine

_EVERYWHERE = (
    "backups, copies and snapshots of the disk",
    "blocks that the file system or the disk has freed and not yet overwritten",
)
# A page that SQLite splits keeps copies of the entries that moved, in space it counts as free, and
# secure_delete misses them. Measured: none of 120,000 rows, 1 in 1,000 index entries.
_OF_SQLITE = ("copies of a few index entries in SQLite's pages, until the database is rewritten",)
_OF_POSTGRESQL_LOG = (
    "PostgreSQL's write-ahead log, its archive and replicas, until they are recycled",
)
_OF_POSTGRESQL = ("free space in PostgreSQL's pages, until it is used again or rewritten",)
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """How far deleted rows are gone.

    `stood_in_way` says what kept from doing what can be done here, empty where nothing did.
    `out_of_reach` lists where the rows may be found nevertheless.
    """

    stood_in_way: str
    out_of_reach: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all was done that can be done here."""
        return not self.stood_in_way


def scrub(
    database: Database, tables: Sequence[Table], *, rewrite: bool = False, wait_s: float = 5.0
) -> Scrubbing:
    """Make rows unreachable whose deletion is committed.

    SQLite has overwritten them with zeros already: what is left is its write-ahead log, which is
    copied into the database and cut to nothing. PostgreSQL is asked to VACUUM `tables`. Readers
    that began before the deletion stand in the way of both.

    Args:
        database: where they were deleted.
        tables: what they were deleted from.
        rewrite: whether to write the tables (of SQLite the whole database) anew, which reaches
            every page, needs as much room again and keeps others waiting.
        wait_s: how long to wait for readers.

    Raises:
        Conflict: another program holds the database.
        DatabaseUnavailable: it cannot be written.
    """
    engine = maintenance_engine(database.address, database.lock_timeout_s)
    try:
        with faults_of(database.address), engine.connect() as connection:
            if isinstance(database.address, SqliteFile):
                return _scrub_sqlite(connection, rewrite, wait_s)
            return _scrub_postgresql(connection, tables, rewrite, wait_s)
    finally:
        engine.dispose()


def _scrub_sqlite(connection: Connection, rewrite: bool, wait_s: float) -> Scrubbing:
    if rewrite:
        connection.exec_driver_sql("VACUUM")
    # A checkpoint that waits keeps everybody from writing: try often, wait in between.
    connection.exec_driver_sql("PRAGMA busy_timeout=10")

    def log_is_cut() -> bool:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    return Scrubbing(
        stood_in_way=""
        if _within(wait_s, log_is_cut)
        else "a program is reading or writing the database and needs its log",
        out_of_reach=_EVERYWHERE if rewrite else (*_OF_SQLITE, *_EVERYWHERE),
    )


def _scrub_postgresql(
    connection: Connection, tables: Sequence[Table], rewrite: bool, wait_s: float
) -> Scrubbing:
    # Every deletion before this has a lower number; what begins after it sees none of those rows.
    mark = int(connection.exec_driver_sql("SELECT txid_current()").scalar_one()) % 2**32

    def nobody_sees_them() -> bool:
        older = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND age(backend_xmin) > age(%s::xid)",
            (str(mark),),
        )
        return bool(older.scalar_one() == 0)

    unseen = _within(wait_s, nobody_sees_them)
    # Indexes hold values too; without the option, PostgreSQL may leave a few where they are.
    how = "FULL" if rewrite else "INDEX_CLEANUP ON"
    for table in tables:
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"VACUUM ({how}) {name}")
    return Scrubbing(
        stood_in_way=""
        if unseen
        else "a program sees the rows, in a transaction that began before they were deleted",
        out_of_reach=(
            *(() if rewrite else _OF_POSTGRESQL),
            *_OF_POSTGRESQL_LOG,
            *_EVERYWHERE,
        ),
    )


def _within(wait_s: float, done: Callable[[], bool]) -> bool:
    """Try until it is done or the time is over; say whether it is done."""
    until = time.monotonic() + wait_s
    while not done():
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE_S)
    return True
