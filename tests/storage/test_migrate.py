"""The schema: made by migrations, agreeing with what capabilities declare, on both engines."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, inspect, text

import likeness
from likeness.errors import Conflict, DatabaseUnavailable
from likeness.storage import (
    METADATA,
    Database,
    current,
    head,
    migrate,
    open_database,
    read_identity,
)
from tests.copied_schema import OF_0_1_0, migrate_to

PACKAGE = Path(likeness.__file__).parent


_DECLARES = re.compile(r"^from likeness.storage(.metadata)? import .*\bMETADATA\b", re.MULTILINE)


@pytest.fixture
def bare(database_url: str) -> Iterator[Database]:
    """A database without a schema."""
    with open_database(database_url, lock_timeout_s=60) as database:
        yield database


def capabilities() -> list[ModuleType]:
    """Every module that declares tables: those that import what all tables are declared on."""
    declaring = [
        path for path in sorted(PACKAGE.glob("*/*.py")) if _DECLARES.search(path.read_text())
    ]
    assert {path.parent.name for path in declaring} >= {"access", "gallery", "ledger", "policy"}
    return [
        importlib.import_module(f"likeness.{path.parent.name}.{path.stem}") for path in declaring
    ]


def differences(connection: Connection) -> list[Any]:
    """What sets the database apart from the tables declared."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


def test_new_database_has_no_schema_and_gets_this_programs(bare: Database) -> None:
    assert current(bare) is None

    migrate(bare)

    assert current(bare) == head()


def test_migrations_make_the_tables_that_capabilities_declare(bare: Database) -> None:
    capabilities()
    migrate(bare)

    assert bare.read(differences) == []


def test_difference_between_migrations_and_tables_would_be_seen(bare: Database) -> None:
    migrate(bare)
    bare.write(lambda c: c.exec_driver_sql("ALTER TABLE installation ADD COLUMN odd INTEGER"))

    assert any(change[0] == "remove_column" for change in bare.read(differences))


def test_no_table_refers_to_another_capabilitys() -> None:
    for module in capabilities():
        own = {each for each in vars(module).values() if isinstance(each, Table)}
        for table in own:
            assert {key.column.table for key in table.foreign_keys} <= own, table.name


def test_migrations_import_no_capability() -> None:
    for path in (PACKAGE / "storage" / "migrations").rglob("*.py"):
        imported = [line for line in path.read_text().splitlines() if "likeness." in line]
        assert all(line.startswith("from likeness.storage.metadata") for line in imported), path


def test_migrations_follow_one_another() -> None:
    config = Config()
    config.set_main_option("script_location", "likeness.storage:migrations")
    steps = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]

    revisions = [step.revision for step in steps]
    assert revisions[0] == OF_0_1_0
    assert revisions == sorted(set(revisions))
    assert [Path(step.path).name[:4] for step in steps] == revisions
    assert head() == revisions[-1]


def test_migration_done_twice_changes_nothing(bare: Database) -> None:
    migrate(bare)
    made = bare.read(read_identity)

    migrate(bare)

    assert bare.read(read_identity) == made
    assert timedelta(0) <= datetime.now(UTC) - made.created_at < timedelta(hours=1)


def test_database_of_a_newer_program_is_refused(bare: Database) -> None:
    migrate(bare)
    bare.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Conflict, match=r"has schema 9999, of a newer Likeness .* Run that one"):
        migrate(bare)
    assert current(bare) == "9999"


def test_migration_that_fails_leaves_nothing(
    bare: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseUnavailable("power cut")

    with monkeypatch.context() as patch, pytest.raises(DatabaseUnavailable, match="power cut"):
        patch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
        migrate(bare)

    assert bare.read(lambda connection: inspect(connection).get_table_names()) == []
    migrate(bare)
    assert current(bare) == head()


def test_references_hold_again_after_a_migration(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        state = database.write(lambda c: c.exec_driver_sql("PRAGMA foreign_keys").scalar_one())

    assert state == 1


def test_a_database_that_has_its_schema_is_opened_without_alembic(
    bare: Database, database_url: str
) -> None:
    migrate(bare)
    script = (
        "import sys\n"
        "from likeness.storage import migrate, open_database\n"
        "with open_database(sys.argv[1]) as database:\n"
        "    migrate(database)\n"
        "sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, database_url],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == 0


MIGRATOR = """
import sys
from likeness.storage import migrate, open_database

input()
with open_database(sys.argv[1], lock_timeout_s=60) as database:
    migrate(database)
"""


@pytest.mark.slow
def test_programs_may_make_and_migrate_one_database_at_once(database_url: str) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATOR, database_url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        )
        for _ in range(4)
    ]
    said = [program.communicate("go\n")[1] for program in programs]

    assert said == [""] * 4
    with open_database(database_url) as database:
        database.read(read_identity)
        assert current(database) == head()


OF_ITS_TYPE: dict[type, Any] = {
    str: "x" * 32,
    bytes: bytes(32),
    int: 1,
    bool: False,
    float: 0.5,
    UUID: UUID(int=1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
}


def put(connection: Connection, table: str, **given: Any) -> None:
    """Insert a row of a table as it is there now, with something in whatever must not be empty."""
    columns = Table(table, MetaData(), autoload_with=connection).columns
    filled = {
        column.name: OF_ITS_TYPE[column.type.python_type]
        for column in columns
        if not column.nullable and column.server_default is None
    }
    connection.execute(insert(columns.values()[0].table).values({**filled, **given}))


def everything(connection: Connection, table: str) -> list[dict[str, Any]]:
    found = connection.execute(text(f"SELECT * FROM {table}"))
    return [dict(row._mapping) for row in found]


@pytest.mark.slow
def test_what_an_older_likeness_computed_of_scores_is_marked_to_be_computed_anew(
    bare: Database,
) -> None:
    migrate_to(bare, OF_0_1_0)

    def fill(connection: Connection) -> None:
        put(connection, "gallery_collections")
        put(connection, "gallery_references", cohort_version="c", statistics_proof=bytes(16))
        put(connection, "gallery_staged")
        put(connection, "gallery_cohorts")
        put(connection, "gallery_changes", ended_at=None)
        put(connection, "review_watches", cohort_version="c")

    bare.write(fill)

    migrate(bare)

    def rows(table: str) -> list[dict[str, Any]]:
        return bare.read(lambda c: everything(c, table))

    (reference,), (watch,) = rows("gallery_references"), rows("review_watches")
    assert (reference["cohort_version"], reference["statistics_proof"]) == ("", None)
    assert bytes(reference["sealed_vector"]) == bytes(32)
    assert watch["cohort_version"] == ""
    assert "cohort_deviation" not in reference | watch
    assert len(rows("gallery_collections")) == 1
    for table in ("gallery_staged", "gallery_cohorts", "gallery_changes", "gallery_own_strangers"):
        assert rows(table) == []
    capabilities()
    assert bare.read(differences) == []


def test_a_change_of_model_that_took_place_is_still_cleared_away(bare: Database) -> None:
    migrate_to(bare, OF_0_1_0)
    bare.write(lambda c: put(c, "gallery_changes", ended_at=OF_ITS_TYPE[int]))
    migrate(bare)
    assert len(bare.read(lambda c: everything(c, "gallery_changes"))) == 1
