"""What a server knows of keys: the truth of half a second ago at most, or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select, update

from likeness.access import Grant, IssuedSecret, KnownKeys, keys
from likeness.access.access_keys import KEYS, SECRETS
from likeness.errors import DatabaseUnavailable, KeyUnusable
from likeness.secrets import Keyring
from likeness.storage import Database, Freshness
from likeness.terms import Role

from .conftest import Clock

Make = Callable[..., IssuedSecret]

GRANT = Grant(Role.CLIENT, "Thorn", "charity", "US-WA", ("missing-persons", "research"))


@pytest.fixture
def make(database: Database, keyring: Keyring, clock: Clock) -> Make:
    """Make a key."""

    def make(name: str = "desk", grant: Grant = GRANT) -> IssuedSecret:
        return database.write(
            lambda connection: keys.create(
                connection, keyring, name, grant, created_by="local:ada", now=clock()
            )
        )

    return make


@pytest.fixture
def known(database: Database, keyring: Keyring, clock: Clock) -> KnownKeys:
    return KnownKeys(Freshness(database, clock.seconds), keyring, clock)


def test_a_key_gives_its_secret_and_its_holder(known: KnownKeys, make: Make) -> None:
    issued = make()
    found = known.find(issued.access_key_id)
    assert found is not None
    assert (found.secret, found.enabled) == (issued.secret, True)
    principal = found.principal
    assert principal.id == f"key:{issued.key.id}"
    assert principal.role is Role.CLIENT
    assert (principal.organisation, principal.sector) == ("Thorn", "charity")
    assert principal.jurisdiction == "US-WA"
    assert principal.purposes == ("missing-persons", "research")
    assert issued.secret not in repr(found) + repr(issued)


def test_nobody_has_an_unknown_key(known: KnownKeys, make: Make) -> None:
    make()
    assert known.find("LKIA" + "A" * 16) is None
    assert known.find("") is None


def test_a_key_made_later_counts_within_half_a_second(
    known: KnownKeys, make: Make, clock: Clock
) -> None:
    assert known.find("LKIA" + "A" * 16) is None
    issued = make()
    clock.go(seconds=0.5)
    assert known.find(issued.access_key_id) is not None


def test_a_disabled_key_is_known_as_such(
    known: KnownKeys, make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    id_ = make().access_key_id
    assert known.find(id_) is not None
    database.write(lambda connection: keys.disable(connection, keyring, "desk", now=clock()))
    clock.go(seconds=0.5)
    disabled = known.find(id_)
    assert disabled is not None
    assert not disabled.enabled

    database.write(lambda connection: keys.enable(connection, keyring, "desk"))
    clock.go(seconds=0.5)
    enabled = known.find(id_)
    assert enabled is not None
    assert enabled.enabled


def test_a_rotated_secret_ends_when_its_grace_does(
    known: KnownKeys, make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    old = make()
    new = database.write(
        lambda connection: keys.rotate(connection, keyring, "desk", grace_hours=1, now=clock())
    )
    for issued in (old, new):
        found = known.find(issued.access_key_id)
        assert found is not None
        assert found.secret == issued.secret
        assert found.principal.id == f"key:{old.key.id}"
    clock.go(minutes=59, seconds=59.8)
    assert known.find(old.access_key_id) is not None
    clock.go(seconds=0.2)
    assert known.find(old.access_key_id) is None
    assert known.find(new.access_key_id) is not None


def test_a_clock_set_back_hides_no_change(
    known: KnownKeys, make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    id_ = make().access_key_id
    assert known.find(id_) is not None
    database.write(lambda connection: keys.disable(connection, keyring, "desk", now=clock()))
    clock.go(hours=-1)
    found = known.find(id_)
    assert found is not None
    assert not found.enabled


def test_requests_in_between_read_no_database_and_guesses_little(
    known: KnownKeys, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = make().access_key_id
    assert known.find(id_) is not None
    reads: list[object] = []
    read = Database.read

    def counted(self: Database, act: Callable[..., object]) -> object:
        reads.append(act)
        return read(self, act)

    monkeypatch.setattr(Database, "read", counted)
    clock.go(seconds=0.49)
    for _ in range(50):
        known.find(id_)
    assert reads == []
    for _ in range(50):
        assert known.find("LKIAUNKNOWN") is None
    assert len(reads) == 1
    reads.clear()
    clock.go(seconds=0.5)
    for _ in range(50):
        assert known.find(id_) is not None
    assert len(reads) == 1


def test_nobody_is_known_while_the_database_cannot_be_read(
    known: KnownKeys, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = make().access_key_id
    assert known.find(id_) is not None
    clock.go(seconds=0.5)

    def fail(self: Database, act: object) -> None:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", fail)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                known.find(id_)
    assert known.find(id_) is not None


def test_a_damaged_secret_disturbs_no_other(
    known: KnownKeys, make: Make, database: Database
) -> None:
    damaged, other = make("damaged"), make("other")
    database.write(
        lambda connection: connection.execute(
            update(SECRETS)
            .where(SECRETS.c.access_key_id == damaged.access_key_id)
            .values(sealed_secret=bytes(80))
        )
    )
    with pytest.raises(KeyUnusable):
        known.find(damaged.access_key_id)
    assert known.find(other.access_key_id) is not None


def test_a_secret_opens_for_its_own_key_alone(
    known: KnownKeys, make: Make, database: Database
) -> None:
    one, other = make("one"), make("other")

    def swap(connection: Connection) -> None:
        sealed = {
            row.access_key_id: row.sealed_secret for row in connection.execute(select(SECRETS))
        }
        for mine, theirs in ((one, other), (other, one)):
            connection.execute(
                update(SECRETS)
                .where(SECRETS.c.access_key_id == mine.access_key_id)
                .values(sealed_secret=sealed[theirs.access_key_id])
            )

    database.write(swap)
    for issued in (one, other):
        with pytest.raises(KeyUnusable):
            known.find(issued.access_key_id)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (KEYS, "role", "admin"),
        (KEYS, "organisation", "Police"),
        (KEYS, "sector", "research"),
        (KEYS, "jurisdiction", "EU"),
        (KEYS, "purposes", '["research", "missing-persons"]'),
        (KEYS, "name", "another"),
        (KEYS, "created_by", "local:eve"),
        (KEYS, "disabled_at", datetime(2026, 3, 1, tzinfo=UTC)),
        (SECRETS, "ends_at", datetime(2036, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_key_is_refused_whose_rows_were_changed_from_outside(
    known: KnownKeys,
    make: Make,
    database: Database,
    table: Table,
    column: str,
    value: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    issued = make()
    database.write(lambda c: c.execute(update(table).values({column: value})))
    with pytest.raises(KeyUnusable, match=f"access key {issued.access_key_id} were changed"):
        known.find(issued.access_key_id)
    assert f"access key {issued.access_key_id}" in caplog.text


def test_a_disabled_key_is_enabled_by_no_change_from_outside(
    known: KnownKeys, make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    issued = make()
    database.write(lambda c: keys.disable(c, keyring, "desk", now=clock()))
    database.write(lambda c: c.execute(update(KEYS).values(disabled_at=None)))
    with pytest.raises(KeyUnusable, match="were changed"):
        known.find(issued.access_key_id)


@pytest.mark.parametrize("values", [{"role": "superuser"}, {"purposes": "7"}, {"sector": "A b"}])
def test_a_row_that_no_key_can_have_is_a_fault_of_that_key_alone(
    known: KnownKeys, make: Make, database: Database, values: dict[str, str]
) -> None:
    broken, other = make(), make("other")
    database.write(lambda c: c.execute(update(KEYS).where(KEYS.c.name == "desk").values(values)))
    with pytest.raises(KeyUnusable, match="says what no key can"):
        known.find(broken.access_key_id)
    found = known.find(other.access_key_id)
    assert found is not None
    assert found.secret == other.secret
