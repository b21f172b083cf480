"""Asks the database's own engine whether its file, or its indexes, are as it wrote them.

It sees torn and overwritten pages and indexes that do not fit their tables, and nothing of a row
that is wrong and well stored: see `damage`.
"""

from sqlalchemy import Connection

from likeness.errors import DatabaseUnavailable
from likeness.storage.database import Database
from likeness.storage.engine import SqliteFile

_MOST_SAID = 10
_SMALL_BYTES = 128 << 20
_SOUND = ["ok"]
# https://www.postgresql.org/docs/current/amcheck.html; it raises what it finds.
_HAS_AMCHECK = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"
_CHECK_INDEXES = """
    SELECT bt_index_check(index.oid, false)
    FROM pg_class AS index
    JOIN pg_index AS of ON of.indexrelid = index.oid
    JOIN pg_am AS method ON method.oid = index.relam
    JOIN pg_namespace AS space ON space.oid = index.relnamespace
    WHERE method.amname = 'btree' AND space.nspname = current_schema() AND of.indisvalid
"""


def problems_of(database: Database) -> list[str] | None:
    """Say what the engine finds wrong, all of it; None where it cannot look.

    Raises:
        DatabaseUnavailable: it cannot be read at all, or PostgreSQL found an index damaged.
    """
    if isinstance(database.address, SqliteFile):
        return database.read(lambda connection: _ask_sqlite(connection, "integrity_check"))

    def ask(connection: Connection) -> list[str] | None:
        if not connection.exec_driver_sql(_HAS_AMCHECK).scalar_one():
            return None
        connection.exec_driver_sql(_CHECK_INDEXES).all()
        return []

    return database.read(ask)


def require_sound(database: Database) -> None:
    """Refuse a SQLite file that is damaged, where it is small enough to look at in no time.

    Raises:
        DatabaseUnavailable: it is damaged.
    """
    address = database.address
    if not isinstance(address, SqliteFile) or address.path.stat().st_size > _SMALL_BYTES:
        return
    if found := database.read(lambda connection: _ask_sqlite(connection, "quick_check")):
        raise DatabaseUnavailable(
            f"{address} is damaged ({found[0]}). Restore a backup; `likeness doctor` says more."
        )


def _ask_sqlite(connection: Connection, check: str) -> list[str]:
    said = [
        str(line)
        for (text,) in connection.exec_driver_sql(f"PRAGMA {check}({_MOST_SAID})")
        for line in str(text).splitlines()
    ]
    return [] if said == _SOUND else said[:_MOST_SAID]
