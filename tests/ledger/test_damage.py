"""Whatever is done beside the entries is named by `verify`, and no use meets it unforeseen.

`make bench ONLY=ledger` tries a thousand random ones.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from bench.ledger_damage import DAMAGES, Damage
from likeness.errors import DatabaseUnavailable, LedgerBroken, LikenessError
from likeness.ledger import AnchorFiles, Ledger, Verification, origin_of, verify_log
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database, read_identity
from tests.ledger.recording import Clock, done, record

TRIES = 4


@dataclass(frozen=True)
class Home:
    database: Database
    keyring: Keyring
    anchors: AnchorFiles

    def ledger(self) -> Ledger:
        return Ledger(self.database, self.keyring, Clock(), self.anchors)

    @property
    def anchor(self) -> Path:
        return self.anchors.path(origin_of(self.database.read(read_identity)))

    def verified(self) -> Verification:
        origin = self.database.read(lambda connection: origin_of(read_identity(connection)))
        outside = self.ledger().outside()
        return self.database.read(lambda c: verify_log(c, origin, self.keyring, outside))


@contextmanager
def opened(folder: Path) -> Iterator[Home]:
    with open_database(f"sqlite:///{folder / 'likeness.db'}") as database:
        migrate(database)
        yield Home(
            database,
            Keyring(KeyFiles(folder / "keys")),
            AnchorFiles(folder / "ledger", "likeness.db"),
        )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with entries about people, closed."""
    folder = tmp_path_factory.mktemp("home")
    with opened(folder) as home:
        record(home.database, home.ledger(), *(done(None, uuid4()) for _ in range(24)))
    return folder


@pytest.fixture
def copied(recorded: Path, tmp_path: Path) -> Callable[[], Path]:
    """Gives copies of that home."""

    def copy() -> Path:
        return Path(shutil.copytree(recorded, tmp_path / f"home-{uuid4()}"))

    return copy


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_all_damage_is_named_and_no_use_meets_it_unforeseen(
    damage: Damage, copied: Callable[[], Path]
) -> None:
    chance = random.Random(damage.name)  # the same at every run
    for _ in range(TRIES):
        with opened(copied()) as home:
            home.database.write(lambda c, home=home: damage.do(c, chance, home.anchor))
            try:
                problems = home.verified().problems
            except DatabaseUnavailable as error:
                assert damage.named in str(error)
                continue
            assert any(damage.is_named_by(problem) for problem in problems), problems
            try:
                record(home.database, home.ledger(), done(None, uuid4()))
            except LikenessError:
                continue
            # What stands in no use's way stays to be named.
            assert home.verified().problems


def test_a_home_that_nobody_damaged_holds(copied: Callable[[], Path]) -> None:
    with opened(copied()) as home:
        record(home.database, home.ledger(), done(None, uuid4()))
        found = home.verified()
        assert (found.holds, found.size, found.problems) == (True, 26, ())


def test_keys_of_an_older_likeness_are_counted_at_the_next_use(
    copied: Callable[[], Path],
) -> None:
    """0.1.0 kept neither a sum of the keys nor an anchor."""
    folder = copied()
    shutil.rmtree(folder / "ledger")
    with opened(folder) as home:
        home.database.write(
            lambda c: c.exec_driver_sql("DELETE FROM ledger_subject_key_sum").rowcount
        )
        assert home.verified().holds
        record(home.database, home.ledger(), done())
        assert home.anchor.exists()
        assert home.verified().holds
        home.database.write(
            lambda c: c.exec_driver_sql("DELETE FROM ledger_subject_key_sum").rowcount
        )
        assert not home.verified().holds
        with pytest.raises(LedgerBroken, match="ledger_subject_key_sum was changed"):
            record(home.database, home.ledger(), done(None, uuid4()))


def test_keys_that_are_destroyed_are_counted_off(copied: Callable[[], Path]) -> None:
    people = [uuid4() for _ in range(3)]
    with opened(copied()) as home:
        ledger = home.ledger()
        record(home.database, ledger, done(None, *people))
        assert home.database.write(lambda c: ledger.forget(c, [*people, people[0], uuid4()])) == 3
        assert home.verified().holds


def test_more_than_a_few_rows_are_counted_and_not_all_named(copied: Callable[[], Path]) -> None:
    with opened(copied()) as home:

        def damage(connection: Connection) -> None:
            connection.exec_driver_sql("UPDATE ledger_subject_keys SET sealed_key = x'00'")

        home.database.write(damage)
        says = [problem.says for problem in home.verified().problems]
        assert len(says) == 6
        assert "more of its rows are wrong" in says[-1]
