"""Access keys: made, listed, disabled, rotated."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from likeness.access import (
    AccessKey,
    BrokenKey,
    Grant,
    IssuedSecret,
    is_as_written,
    keys,
    list_keys,
)
from likeness.access.access_keys import KEYS, SECRETS, STATE
from likeness.errors import AlreadyExists, Conflict, InvalidRequest, KeyUnusable, NotFound
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import UNDECLARED, Role

from .conftest import Clock

Make = Callable[..., IssuedSecret]
ADMIN = Grant(Role.ADMIN)


@pytest.fixture
def make(database: Database, keyring: Keyring, clock: Clock) -> Make:
    """Make a key."""

    def make(name: str, grant: Grant = Grant()) -> IssuedSecret:  # noqa: B008  # frozen
        return database.write(
            lambda connection: keys.create(
                connection, keyring, name, grant, created_by="local:ada", now=clock()
            )
        )

    return make


def rotate(
    database: Database, keyring: Keyring, clock: Clock, name: str, grace_hours: int = 0
) -> IssuedSecret:
    return database.write(
        lambda connection: keys.rotate(
            connection, keyring, name, grace_hours=grace_hours, now=clock()
        )
    )


def disable(
    database: Database, keyring: Keyring, clock: Clock, name: str, **also: bool
) -> AccessKey | BrokenKey:
    return database.write(lambda c: keys.disable(c, keyring, name, now=clock(), **also))


def ids(database: Database, name: str) -> list[str]:
    return [one.access_key_id for one in database.read(lambda c: keys.get(c, name)).secret_ids]


def test_ids_and_secrets_have_the_shape_that_awss_clients_expect(make: Make) -> None:
    issued = [make(f"key {n}") for n in range(20)]
    for one in issued:
        assert re.fullmatch(r"LKIA[A-Z2-7]{16}", one.access_key_id)
        assert re.fullmatch(r"[A-Za-z0-9+/]{40}", one.secret)
    assert len({one.access_key_id for one in issued} | {one.secret for one in issued}) == 40


def test_a_key_says_what_it_was_made_for(make: Make, database: Database, clock: Clock) -> None:
    grant = Grant(Role.REVIEWER, "Thorn", "charity", "US-WA", ("missing-persons", "research"))
    made = make("desk", grant).key
    assert database.read(lambda c: keys.get(c, "desk")) == made
    assert (made.grant, made.created_by, made.created_at) == (grant, "local:ada", clock())
    assert made.disabled_at is None


def test_what_nobody_said_is_undeclared(make: Make) -> None:
    principal = make("desk").key.principal
    assert principal.role is Role.CLIENT
    assert {principal.organisation, principal.sector, principal.jurisdiction} == {UNDECLARED}
    assert principal.purposes == ()


def test_secrets_are_nowhere_in_the_rows(make: Make, database: Database) -> None:
    issued = make("desk")
    (row,) = database.read(lambda c: c.execute(SECRETS.select()).all())
    assert issued.secret.encode() not in row.sealed_secret
    assert issued.secret not in str(row)


def test_two_keys_of_one_name_are_refused(make: Make) -> None:
    make("desk")
    with pytest.raises(AlreadyExists, match="exists"):
        make("desk")


@pytest.mark.parametrize("name", ["", " desk", "desk\n", "a\x1b[2J", "a\u202eb", "n" * 256])
def test_a_name_that_fits_on_no_line_is_refused(make: Make, name: str) -> None:
    with pytest.raises(InvalidRequest, match="an access key's name"):
        make(name)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("organisation", ""),
        ("organisation", "a\nb"),
        ("sector", "Law Enforcement"),
        ("sector", ""),
        ("sector", "-police"),
        ("sector", "s" * 65),
        ("jurisdiction", "us-wa"),
        ("jurisdiction", "Washington"),
        ("jurisdiction", "US-"),
        ("purposes", ("Missing Persons",)),
        ("purposes", ("research", "research")),
        ("purposes", tuple(f"p{n}" for n in range(33))),
    ],
)
def test_a_fact_of_another_shape_is_refused(fact: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"Not a|purposes"):
        Grant(**{fact: value})


@pytest.mark.parametrize("jurisdiction", ["EU", "GB", "US-WA", "US-CA-SF", UNDECLARED])
def test_jurisdictions_are_countries_and_their_parts(jurisdiction: str) -> None:
    assert Grant(jurisdiction=jurisdiction).jurisdiction == jurisdiction


def test_the_first_key_is_an_admins_and_is_made_once(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    def ensure() -> IssuedSecret | None:
        return database.write(
            lambda connection: keys.ensure_first(
                connection, keyring, created_by="local:ada", now=clock()
            )
        )

    first = ensure()
    assert first is not None
    assert first.key.grant.role is Role.ADMIN
    assert ensure() is None
    disable(database, keyring, clock, first.key.name, last_admin_too=True)
    assert ensure() is None


def test_keys_are_listed_by_name(make: Make, database: Database) -> None:
    for name in ("desk", "archive", "patrol"):
        make(name)
    listed = database.read(keys.every)
    assert [one.name for one in listed] == ["archive", "desk", "patrol"]


def test_disabling_and_enabling_again_leaves_the_key_as_it_was(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    made = make("desk").key
    disabled_at = clock()
    assert disable(database, keyring, clock, "desk").disabled_at == disabled_at
    clock.go(hours=1)
    assert disable(database, keyring, clock, "desk").disabled_at == disabled_at
    assert database.write(lambda c: keys.enable(c, keyring, "desk")) == made


def test_the_last_admins_key_is_disabled_only_on_purpose(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    for name in ("one", "two"):
        make(name, ADMIN)
    make("desk")
    disable(database, keyring, clock, "desk")
    disable(database, keyring, clock, "one")
    with pytest.raises(Conflict, match="'two' is the last"):
        disable(database, keyring, clock, "two")
    assert database.read(lambda c: keys.get(c, "two")).disabled_at is None
    assert disable(database, keyring, clock, "two", last_admin_too=True).disabled_at is not None


def test_a_rotated_key_is_the_same_principal_with_another_secret(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    old = make("desk")
    new = rotate(database, keyring, clock, "desk")
    assert new.key.principal == old.key.principal
    assert new.access_key_id != old.access_key_id
    assert new.secret != old.secret
    assert ids(database, "desk") == [new.access_key_id]


def test_older_secrets_never_live_longer_than_they_were_to(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    first = make("desk")
    second = rotate(database, keyring, clock, "desk", grace_hours=2)
    at = clock()
    clock.go(hours=1)
    third = rotate(database, keyring, clock, "desk", grace_hours=5)
    one, two, three = database.read(lambda c: keys.get(c, "desk")).secret_ids
    assert (one.access_key_id, one.ends_at) == (third.access_key_id, None)
    assert {two.access_key_id, three.access_key_id} == {first.access_key_id, second.access_key_id}
    ends = {each.access_key_id: each.ends_at for each in (two, three)}
    assert (ends[first.access_key_id] or at) - at == 2 * (clock() - at)
    assert (ends[second.access_key_id] or at) - clock() == 5 * (clock() - at)

    last = rotate(database, keyring, clock, "desk")
    assert ids(database, "desk") == [last.access_key_id]


@pytest.mark.parametrize("grace_hours", [-1, 2161])
def test_a_grace_beyond_all_measure_is_refused(
    make: Make, database: Database, keyring: Keyring, clock: Clock, grace_hours: int
) -> None:
    issued = make("desk")
    with pytest.raises(InvalidRequest, match="Not a grace"):
        rotate(database, keyring, clock, "desk", grace_hours)
    assert ids(database, "desk") == [issued.access_key_id]


@pytest.mark.parametrize("act", ["get", "disable", "enable", "rotate"])
def test_a_key_that_is_none_is_not_found(
    database: Database, keyring: Keyring, clock: Clock, act: str
) -> None:
    with pytest.raises(NotFound, match="likeness keys list"):
        match act:
            case "get":
                database.read(lambda c: keys.get(c, "nobody"))
            case "disable":
                disable(database, keyring, clock, "nobody")
            case "enable":
                database.write(lambda c: keys.enable(c, keyring, "nobody"))
            case "rotate":
                rotate(database, keyring, clock, "nobody")


def test_every_change_counts_the_revision_up(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    def revision() -> int:
        number: int = database.read(lambda c: c.execute(STATE.select()).one().revision)
        return number

    seen = [revision()]
    for change in (
        lambda: make("desk"),
        lambda: disable(database, keyring, clock, "desk"),
        lambda: database.write(lambda c: keys.enable(c, keyring, "desk")),
        lambda: rotate(database, keyring, clock, "desk"),
    ):
        change()
        seen.append(revision())
    assert seen == sorted(set(seen))


def test_a_key_changed_from_outside_gets_no_new_secret_and_can_only_be_disabled(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    make("desk")
    database.write(lambda c: c.execute(update(KEYS).values(role="admin")))
    with pytest.raises(KeyUnusable, match="were changed"):
        rotate(database, keyring, clock, "desk")
    make("other", ADMIN)
    assert disable(database, keyring, clock, "desk").disabled_at == clock()
    with pytest.raises(KeyUnusable, match="were changed"):
        database.write(lambda c: keys.enable(c, keyring, "desk"))


def test_a_key_without_a_secret_is_vouched_for_by_nothing(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    make("desk")
    database.write(lambda c: c.execute(SECRETS.delete()))
    with pytest.raises(KeyUnusable, match="vouches for it"):
        rotate(database, keyring, clock, "desk")
    assert not database.read(lambda c: is_as_written(c, keyring, keys.get(c, "desk")))


@pytest.mark.parametrize("values", [{"role": "superuser"}, {"purposes": "7"}, {"sector": "A b"}])
def test_a_broken_key_is_listed_and_disabled_and_stands_in_no_others_way(
    make: Make, database: Database, keyring: Keyring, clock: Clock, values: dict[str, str]
) -> None:
    broken = make("desk", ADMIN).key
    other = make("other", ADMIN).key
    database.write(lambda c: c.execute(update(KEYS).where(KEYS.c.name == "desk").values(values)))
    for act in (
        lambda: database.read(lambda c: keys.get(c, "desk")),
        lambda: rotate(database, keyring, clock, "desk"),
        lambda: database.write(lambda c: keys.enable(c, keyring, "desk")),
    ):
        with pytest.raises(KeyUnusable, match=f"access key {broken.id} says what no key can"):
            act()
    assert database.read(keys.every) == [other]
    first, second = database.read(list_keys)
    assert isinstance(first, BrokenKey)
    assert (first.id, first.secret_ids, second) == (broken.id, broken.secret_ids, other)
    with pytest.raises(Conflict, match="'other' is the last"):
        disable(database, keyring, clock, "other")
    assert disable(database, keyring, clock, "desk").disabled_at == clock()
    assert make("third").key.name == "third"


def test_a_broken_key_is_a_key_where_the_first_would_be_made(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    make("desk", ADMIN)
    database.write(lambda c: c.execute(update(KEYS).values(role="superuser")))
    assert (
        database.write(lambda c: keys.ensure_first(c, keyring, created_by="local:ada", now=clock()))
        is None
    )
