"""What is enabled, chosen and suspended is kept in rows."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from likeness.errors import AlreadyExists, InvalidRequest, NotFound
from likeness.policy import (
    EnabledPack,
    Pack,
    Scope,
    disable_pack,
    enable_pack,
    enabled_packs,
    every_suspension,
    read_pack,
    resume,
    shipped,
    suspend,
)
from likeness.policy.changes import packs_in_force
from likeness.policy.tables import PACKS, STATE
from likeness.storage import Database

from .test_broken_packs import FACTS, RULE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLLECTION = str(UUID(int=7))


def enable(database: Database, pack: Pack, **chosen: str) -> EnabledPack:
    choices = {name.replace("_", "-"): text for name, text in chosen.items()}
    return database.write(lambda one: enable_pack(one, pack, choices, by="local:tester", now=NOW))


def names(database: Database) -> list[str]:
    return [one.name for one in database.read(enabled_packs)]


def revision(database: Database) -> int:
    return database.read(lambda one: one.execute(select(STATE.c.revision)).scalar_one())


def test_the_default_packs_are_enabled_from_the_beginning(database: Database) -> None:
    enabled = ["amazon-2020", "authenticated-use", "live-search", "real-time"]
    assert names(database) == enabled
    in_force = [one.pack.name for one in database.read(packs_in_force)]
    assert in_force == ["safeguards", *enabled]


def test_a_pack_is_enabled_and_disabled_and_each_counts_the_revision(database: Database) -> None:
    before = revision(database)
    database.write(lambda one: disable_pack(one, "real-time", now=NOW))
    assert "real-time" not in names(database)
    made = enable(database, shipped()["real-time"])
    assert (made.at, made.by) == (NOW, "local:tester")
    assert "real-time" in names(database)
    assert revision(database) == before + 2


def test_what_is_not_chosen_stays_as_it_was(database: Database) -> None:
    pack = shipped()["amazon-2020"]
    enable(database, pack, ends="2021-06-10")
    enable(database, pack, federal_agencies="not-covered")
    (kept,) = [one for one in database.read(enabled_packs) if one.name == "amazon-2020"]
    assert kept.chosen.choices["ends"] == "2021-06-10"
    assert kept.chosen.choices["federal-agencies"] == "not-covered"
    assert kept.chosen.choices["listed-organisations"].startswith("Thorn")


def test_a_choice_that_cannot_be_changes_nothing(database: Database) -> None:
    before = revision(database)
    with pytest.raises(InvalidRequest, match="Choose a day such as"):
        enable(database, shipped()["amazon-2020"], ends="soon")
    assert revision(database) == before


def test_what_is_always_in_force_is_not_the_operators(database: Database) -> None:
    with pytest.raises(InvalidRequest, match="always in force"):
        database.write(lambda one: disable_pack(one, "safeguards", now=NOW))
    with pytest.raises(InvalidRequest, match="always in force"):
        enable(database, shipped()["safeguards"])


def test_a_pack_that_is_not_enabled_cannot_be_disabled(database: Database) -> None:
    with pytest.raises(NotFound, match="'ibm-2020'"):
        database.write(lambda one: disable_pack(one, "ibm-2020", now=NOW))


def test_a_pack_of_the_operators_own_is_kept_whole(database: Database) -> None:
    own = read_pack("own", FACTS, RULE)
    enable(database, own, begins="2022-02-02")
    (kept,) = [one for one in database.read(enabled_packs) if one.name == "own"]
    assert kept.chosen.pack == own
    assert kept.chosen.choices == {"begins": "2022-02-02", "listed": ""}


def test_a_pack_of_the_operators_own_takes_no_name_of_ours(database: Database) -> None:
    with pytest.raises(AlreadyExists, match="has the name of one"):
        enable(database, read_pack("amazon-2020", FACTS, RULE))


def test_a_pack_whose_rule_has_an_id_of_another_is_not_enabled(database: Database) -> None:
    enable(database, read_pack("own", FACTS, RULE))
    with pytest.raises(InvalidRequest, match="2 rules have the @id 'r'"):
        enable(database, read_pack("other", FACTS, RULE))
    assert "other" not in names(database)


def test_a_pack_that_is_shipped_no_more_says_how_to_go_on(database: Database) -> None:
    def lose(connection: object) -> None:
        connection.execute(PACKS.update().values(name="gone").where(PACKS.c.name == "real-time"))  # type: ignore[attr-defined]

    database.write(lose)
    with pytest.raises(InvalidRequest, match="likeness policy disable gone"):
        database.read(enabled_packs)
    database.write(lambda one: disable_pack(one, "gone", now=NOW))
    assert names(database) == ["amazon-2020", "authenticated-use", "live-search"]


def stop(database: Database, scope: Scope, subject: str, reason: str = "a reason") -> None:
    database.write(lambda one: suspend(one, scope, subject, reason, by="local:tester", now=NOW))


SUBJECTS = [
    (Scope.ALL, ""),
    (Scope.ORGANISATION, "An Agency"),
    (Scope.PURPOSE, "victim-search"),
    (Scope.COLLECTION, COLLECTION),
]


@pytest.mark.parametrize(("scope", "subject"), SUBJECTS)
def test_what_is_suspended_is_listed_until_it_is_resumed(
    database: Database, scope: Scope, subject: str
) -> None:
    stop(database, scope, subject)
    (one,) = database.read(every_suspension)
    assert (one.scope, one.subject, one.reason) == (scope, subject, "a reason")
    assert (one.since, one.by) == (NOW, "local:tester")
    with pytest.raises(AlreadyExists, match="Already suspended"):
        stop(database, scope, subject)
    database.write(lambda one: resume(one, scope, subject, now=NOW))
    assert database.read(every_suspension) == []
    with pytest.raises(NotFound):
        database.write(lambda one: resume(one, scope, subject, now=NOW))


def test_an_organisation_is_suspended_and_resumed_however_it_is_spelt(database: Database) -> None:
    stop(database, Scope.ORGANISATION, "A Department")
    with pytest.raises(AlreadyExists):
        stop(database, Scope.ORGANISATION, "a  department")
    database.write(lambda one: resume(one, Scope.ORGANISATION, " a DEPARTMENT", now=NOW))
    assert database.read(every_suspension) == []


@pytest.mark.parametrize(
    ("scope", "subject", "reason"),
    [
        (Scope.ORGANISATION, "", "a reason"),
        (Scope.ORGANISATION, "two\nlines", "a reason"),
        (Scope.ORGANISATION, "x" * 256, "a reason"),
        (Scope.PURPOSE, "fishing", "a reason"),
        (Scope.COLLECTION, "staff", "a reason"),
        (Scope.ALL, "", " "),
        (Scope.ALL, "", "two\nlines"),
        (Scope.ALL, "", "x" * 1001),
    ],
)
def test_a_suspension_that_would_stop_nothing_is_refused(
    database: Database, scope: Scope, subject: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest):
        stop(database, scope, subject, reason)
    assert database.read(every_suspension) == []
