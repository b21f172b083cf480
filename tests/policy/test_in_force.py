"""Rules in force follow the rows within half a second, and fail closed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from likeness.policy import (
    Circumstances,
    RulesInForce,
    Scope,
    disable_pack,
    enable_pack,
    resume,
    shipped,
    suspend,
)
from likeness.policy.in_force import UNUSABLE
from likeness.policy.tables import PACKS
from likeness.storage import Database, Freshness, open_database
from likeness.terms import Action, CollectionFacts, Duty, Principal, Role, Use

# The rows say when the database was made, by a real clock.
NOW = datetime.now(UTC) + timedelta(hours=1)
COLLECTION = UUID(int=7)
USE = Use(
    Principal("key:1", Role.CLIENT, "An Agency", "commerce"),
    Action.SEARCH,
    "SearchFaces",
    COLLECTION,
    purpose="missing-persons",
)
GOVERN = Use(Principal("local:root", Role.ADMIN), Action.GOVERN, "policy enable")


class Seconds:
    """A clock of seconds that goes when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def rules(database: Database, seconds: Seconds) -> RulesInForce:
    return RulesInForce(Freshness(database, seconds))


def refused_by(
    rules: RulesInForce, use: Use = USE, now: datetime = NOW, known: Circumstances | None = None
) -> list[str]:
    decision = rules.decide(use, known or Circumstances(), now)
    assert decision.allowed is not bool(decision.refused_by)
    return [one.id for one in decision.refused_by]


def stop(database: Database, scope: Scope, subject: str = "", now: datetime = NOW) -> None:
    database.write(lambda one: suspend(one, scope, subject, "a reason", by="local:x", now=now))


def test_the_default_rules_are_in_force(rules: RulesInForce) -> None:
    assert refused_by(rules) == []
    assert refused_by(rules, replace(USE, live=True)) == ["real-time-identification"]
    assert rules.duties(NOW) == {Duty.SIMILARITY}


STOPPED: dict[str, tuple[Scope, str, Callable[[Use], Use]]] = {
    "everything": (Scope.ALL, "", lambda use: use),
    "an organisation": (Scope.ORGANISATION, "An Agency", lambda use: use),
    "an organisation that is spelt otherwise": (
        Scope.ORGANISATION,
        "an  AGENCY",
        lambda use: use,
    ),
    "an organisation in another form of its characters": (
        Scope.ORGANISATION,
        "Pre\u0301fecture",
        lambda use: replace(use, principal=replace(use.principal, organisation="Pr\u00e9fecture")),
    ),
    "a purpose": (Scope.PURPOSE, "missing-persons", lambda use: use),
    "what a purpose is part of": (Scope.PURPOSE, "victim-search", lambda use: use),
    "what a collection is for": (
        Scope.PURPOSE,
        "victim-search",
        lambda use: replace(
            use,
            action=Action.READ,
            purpose="undeclared",
            collection=CollectionFacts(purpose="missing-persons"),
        ),
    ),
    "a collection": (Scope.COLLECTION, str(COLLECTION), lambda use: use),
}


@pytest.mark.parametrize(("scope", "subject", "changed"), STOPPED.values(), ids=list(STOPPED))
def test_the_stop_switch_stops(
    database: Database,
    rules: RulesInForce,
    scope: Scope,
    subject: str,
    changed: Callable[[Use], Use],
) -> None:
    stop(database, scope, subject)
    assert refused_by(rules, changed(USE)) == ["stop-switch"]


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        (Scope.ORGANISATION, "Another"),
        (Scope.PURPOSE, "research"),
        (Scope.PURPOSE, "exploited-children"),
        (Scope.COLLECTION, str(UUID(int=8))),
    ],
)
def test_the_stop_switch_stops_nothing_else(
    database: Database, rules: RulesInForce, scope: Scope, subject: str
) -> None:
    stop(database, scope, subject)
    assert refused_by(rules) == []


def test_nobody_can_say_that_the_stop_switch_is_off(
    database: Database, rules: RulesInForce
) -> None:
    stop(database, Scope.ALL)
    assert refused_by(rules, known=Circumstances(suspended=False)) == ["stop-switch"]


def test_another_programs_change_counts_within_half_a_second(
    database: Database, database_url: str, rules: RulesInForce, seconds: Seconds
) -> None:
    assert refused_by(rules) == []
    with open_database(database_url, lock_timeout_s=30) as other:
        stop(other, Scope.ALL)
        seconds.now_s += 0.4
        assert refused_by(rules) == []
        seconds.now_s += 0.1
        assert refused_by(rules) == ["stop-switch"]
        other.write(lambda one: resume(one, Scope.ALL, "", now=NOW))
        seconds.now_s += 0.5
        assert refused_by(rules) == []


def test_where_all_is_disabled_nothing_is_allowed_but_to_govern(
    database: Database, rules: RulesInForce
) -> None:
    for name in ("amazon-2020", "authenticated-use", "live-search", "real-time"):
        database.write(lambda one, name=name: disable_pack(one, name, now=NOW))
    for action in Action:
        if action is not Action.GOVERN:
            assert refused_by(rules, replace(USE, action=action)) == ["nothing-permits"]
    assert refused_by(rules, GOVERN) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "gone"},
        {"choices": '{"fish": "yes"}'},
        {"facts": "title = ", "rules": "permit("},
    ],
)
def test_where_a_pack_cannot_be_read_nothing_is_allowed_but_to_govern(
    database: Database, rules: RulesInForce, broken: dict[str, str]
) -> None:
    database.write(
        lambda one: (
            one.execute(update(PACKS).where(PACKS.c.name == "real-time").values(**broken)).rowcount
        )
    )
    assert refused_by(rules) == [UNUSABLE.id]
    assert refused_by(rules, replace(USE, action=Action.READ)) == [UNUSABLE.id]
    assert refused_by(rules, GOVERN) == []


def test_where_the_rows_cannot_be_read_nothing_is_decided(
    database_url: str, database: Database, seconds: Seconds
) -> None:
    lost = open_database(database_url)
    rules = RulesInForce(Freshness(lost, seconds))
    assert refused_by(rules) == []
    lost.write(lambda one: one.exec_driver_sql("ALTER TABLE policy_state RENAME TO elsewhere"))
    seconds.now_s += 0.5
    for _ in range(2):
        with pytest.raises(SQLAlchemyError):
            rules.decide(USE, Circumstances(), NOW)
    lost.write(lambda one: one.exec_driver_sql("ALTER TABLE elsewhere RENAME TO policy_state"))
    assert refused_by(rules) == []
    lost.close()


def test_a_clock_that_is_set_back_refuses(rules: RulesInForce) -> None:
    assert refused_by(rules) == []
    assert refused_by(rules, now=NOW - timedelta(minutes=1)) == []
    assert refused_by(rules, now=NOW - timedelta(minutes=1, milliseconds=1)) == ["clock-set-back"]
    assert refused_by(rules) == []


def test_a_clock_behind_the_last_change_refuses_from_the_start(
    database: Database, seconds: Seconds
) -> None:
    stop(database, Scope.ORGANISATION, "Another", now=NOW + timedelta(days=1))
    assert refused_by(RulesInForce(Freshness(database, seconds))) == ["clock-set-back"]


def test_an_admins_change_says_that_the_clock_is_right(
    database: Database, rules: RulesInForce, seconds: Seconds
) -> None:
    refused_by(rules, now=NOW + timedelta(days=3650))
    assert refused_by(rules) == ["clock-set-back"]
    assert refused_by(rules, GOVERN) == []
    database.write(lambda one: enable_pack(one, shipped()["real-time"], {}, by="local:x", now=NOW))
    seconds.now_s += 0.5
    assert refused_by(rules) == []
