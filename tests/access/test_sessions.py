"""Sessions: whose a token is, for how long, and that rows alone make none."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update

from likeness.access import Grant, keys, sessions
from likeness.access.sessions import SESSIONS
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Role

from .conftest import Clock


@pytest.fixture
def make(database: Database, keyring: Keyring, clock: Clock) -> Callable[[str], UUID]:
    """Make a key; gives its id."""

    def make(name: str) -> UUID:
        grant = Grant(Role.ADMIN)
        issued = database.write(
            lambda c: keys.create(c, keyring, name, grant, created_by="local:ada", now=clock())
        )
        return issued.key.id

    return make


@pytest.fixture
def begin(database: Database, keyring: Keyring, clock: Clock) -> Callable[[UUID], str]:
    """Begin a session; gives its token."""
    return lambda key_id: database.write(lambda c: sessions.begin(c, keyring, key_id, clock()))


@pytest.fixture
def whose(database: Database, keyring: Keyring, clock: Clock) -> Callable[[str], UUID | None]:
    """Whose session a token is."""

    def whose(token: str) -> UUID | None:
        found = database.read(lambda c: sessions.find(c, keyring, token, clock()))
        return None if found is None else found.key_id

    return whose


Make, Begin, Whose = Callable[[str], UUID], Callable[[UUID], str], Callable[[str], UUID | None]


def test_a_token_is_its_holders_and_no_other_is(make: Make, begin: Begin, whose: Whose) -> None:
    assert whose("before any session") is None
    desk, door = make("desk"), make("door")
    first, second = begin(desk), begin(door)
    assert (whose(first), whose(second)) == (desk, door)
    assert len(first) == 43
    assert whose("") is whose(first[:-1]) is whose(first + "x") is None


def test_a_session_ends_after_half_an_hour_without_use(
    make: Make, begin: Begin, whose: Whose, clock: Clock, database: Database, keyring: Keyring
) -> None:
    token = begin(make("desk"))
    for _ in range(4):
        clock.go(minutes=29)
        assert whose(token) is not None
        database.write(lambda c: sessions.note(c, keyring, token, clock()))
    clock.go(minutes=30)
    assert whose(token) is None


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(
    make: Make, begin: Begin, whose: Whose, clock: Clock, database: Database, keyring: Keyring
) -> None:
    token = begin(make("desk"))
    for _ in range(48):
        assert whose(token) is not None
        clock.go(minutes=15)
        database.write(lambda c: sessions.note(c, keyring, token, clock()))
    assert whose(token) is None


def test_use_is_to_be_noted_once_a_minute(
    make: Make, begin: Begin, clock: Clock, database: Database, keyring: Keyring
) -> None:
    token = begin(make("desk"))

    def is_stale() -> bool:
        found = database.read(lambda c: sessions.find(c, keyring, token, clock()))
        assert found is not None
        return found.is_stale

    assert not is_stale()
    clock.go(minutes=1)
    assert is_stale()
    database.write(lambda c: sessions.note(c, keyring, token, clock()))
    assert not is_stale()


def test_one_session_ends_or_all_of_a_holder(
    make: Make, begin: Begin, whose: Whose, database: Database, keyring: Keyring
) -> None:
    desk, door = make("desk"), make("door")
    one, two, others = begin(desk), begin(desk), begin(door)
    database.write(lambda c: sessions.end(c, keyring, one))
    assert (whose(one), whose(two)) == (None, desk)
    database.write(lambda c: sessions.end_all_of(c, desk))
    assert (whose(two), whose(others)) == (None, door)


def test_disabling_a_key_ends_its_sessions_for_good(
    make: Make, begin: Begin, whose: Whose, database: Database, keyring: Keyring, clock: Clock
) -> None:
    make("another admin")
    token = begin(make("desk"))
    database.write(lambda c: keys.disable(c, keyring, "desk", now=clock()))
    database.write(lambda c: keys.enable(c, keyring, "desk"))
    assert whose(token) is None


@pytest.mark.parametrize(("grace_hours", "lives_on"), [(0, False), (24, True)])
def test_a_secret_that_is_replaced_at_once_ends_sessions(
    make: Make,
    begin: Begin,
    whose: Whose,
    database: Database,
    keyring: Keyring,
    clock: Clock,
    grace_hours: int,
    lives_on: bool,
) -> None:
    token = begin(make("desk"))
    database.write(lambda c: keys.rotate(c, keyring, "desk", grace_hours=grace_hours, now=clock()))
    assert (whose(token) is not None) == lives_on


def test_who_writes_rows_alone_gives_nobody_a_session(
    make: Make, begin: Begin, whose: Whose, database: Database, clock: Clock
) -> None:
    client, admin = make("client"), make("admin")
    token = begin(client)
    row = database.read(lambda c: c.execute(select(SESSIONS)).one())
    for changed in ({"key_id": admin}, {"created_at": clock().replace(hour=13)}):
        database.write(lambda c, changed=changed: c.execute(update(SESSIONS).values(changed)))
        assert whose(token) is None
        database.write(
            lambda c: c.execute(
                update(SESSIONS).values(key_id=row.key_id, created_at=row.created_at)
            )
        )
        assert whose(token) == client
    made_up = {"digest": uuid4().bytes * 2, "key_id": admin, "proof": row.proof}
    moments = {"created_at": clock(), "seen_at": clock()}
    database.write(lambda c: c.execute(insert(SESSIONS).values(made_up | moments)))
    assert token.encode() not in row.digest + row.proof


def test_sessions_that_are_over_are_swept_when_one_begins(
    make: Make, begin: Begin, database: Database, clock: Clock
) -> None:
    desk = make("desk")
    begin(desk)
    clock.go(hours=1)
    begin(desk)
    assert len(database.read(lambda c: c.execute(select(SESSIONS)).all())) == 1
