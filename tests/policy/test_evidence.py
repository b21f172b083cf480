"""Accepted report cards count for their model, until they expire or are revoked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from likeness.errors import AlreadyExists, NotFound
from likeness.policy import (
    Circumstances,
    Evidence,
    RulesInForce,
    accept_evidence,
    disable_pack,
    enable_pack,
    every_evidence,
    least_true_positives,
    revoke_evidence,
    shipped,
)
from likeness.storage import Database, Freshness
from likeness.terms import Action, Principal, Role, Use

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICE = Principal("key:1", Role.CLIENT, "PD", "police", "US-VA")
SEARCH = Use(POLICE, Action.SEARCH, "SearchFacesByImage", uuid4(), purpose="missing-persons")


def evidence(percent: str = "98.7", model: str = "ours", digest: str = "a" * 64) -> Evidence:
    return Evidence(
        uuid4(),
        model,
        "nist-frte",
        Decimal(percent),
        "{}",
        digest,
        bytes(32),
        NOW + timedelta(days=30),
        NOW,
        "local:ada",
    )


class Virginia:
    """Rules of Virginia in a database, and the model that every use works with."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.model = "ours"
        for name in ("authenticated-use", "virginia-2022"):
            database.write(
                lambda connection, name=name: enable_pack(
                    connection, shipped()[name], {}, by="local:ada", now=NOW
                )
            )
        database.write(lambda connection: disable_pack(connection, "amazon-2020", now=NOW))

    def accept(self, one: Evidence) -> Evidence:
        return self.database.write(lambda connection: accept_evidence(connection, one))

    def refused(self, now: datetime = NOW, use: Use = SEARCH) -> list[str]:
        rules = RulesInForce(Freshness(self.database), lambda use: use.model or self.model)
        decision = rules.decide(use, Circumstances(similarity=99.5), now)
        return [rule.id for rule in decision.refused_by]


def test_a_card_counts_for_its_model_alone(database: Database) -> None:
    virginia = Virginia(database)
    assert virginia.refused() == ["virginia-2022-nist-test"]
    virginia.accept(evidence())
    assert virginia.refused() == []
    assert virginia.refused(use=replace(SEARCH, model="another")) == ["virginia-2022-nist-test"]
    virginia.model = "another"
    assert virginia.refused() == ["virginia-2022-nist-test"]


def test_a_card_counts_until_it_expires(database: Database) -> None:
    virginia = Virginia(database)
    expires = virginia.accept(evidence()).expires_at
    assert virginia.refused(expires - timedelta(microseconds=1)) == []
    assert virginia.refused(expires) == ["virginia-2022-nist-test"]


def test_a_card_that_is_revoked_counts_no_more(database: Database) -> None:
    virginia = Virginia(database)
    card = virginia.accept(evidence())
    database.write(lambda connection: revoke_evidence(connection, card.id, now=NOW))
    assert virginia.refused() == ["virginia-2022-nist-test"]
    with pytest.raises(NotFound, match="No accepted report card"):
        database.write(lambda connection: revoke_evidence(connection, card.id, now=NOW))


def test_the_lowest_figure_counts_of_several_cards(database: Database) -> None:
    virginia = Virginia(database)
    virginia.accept(evidence("99.9"))
    virginia.accept(evidence("97.9999", digest="b" * 64))
    assert virginia.refused() == ["virginia-2022-nist-test"]


def test_a_figure_is_kept_exactly_and_rounded_down(database: Database) -> None:
    virginia = Virginia(database)
    virginia.accept(evidence("97.99999"))
    assert [one.least_true_positives for one in database.read(every_evidence)] == [
        Decimal("97.9999")
    ]
    assert virginia.refused() == ["virginia-2022-nist-test"]


def test_a_card_is_accepted_once(database: Database) -> None:
    virginia = Virginia(database)
    virginia.accept(evidence())
    with pytest.raises(AlreadyExists, match="accepted before"):
        virginia.accept(evidence())


def test_a_running_server_hears_of_a_card(database: Database) -> None:
    virginia = Virginia(database)
    seconds = iter(range(100))
    rules = RulesInForce(Freshness(database, lambda: float(next(seconds))), lambda use: "ours")
    assert rules.decide(SEARCH, Circumstances(), NOW).refused_by
    virginia.accept(evidence())
    decision = rules.decide(SEARCH, Circumstances(), NOW)
    assert not decision.refused_by
    assert decision.true_positives == Decimal("98.7")


def test_nobody_is_asked_for_the_model_while_there_is_no_card() -> None:
    def asked(use: Use) -> str:
        raise AssertionError("nothing counts")

    assert least_true_positives((), SEARCH, asked, NOW) == 0
    assert least_true_positives((evidence(),), SEARCH, asked, NOW - timedelta(1)) == 0


@pytest.mark.parametrize("percent", ["-0.0001", "100.0001", "NaN"])
def test_what_is_no_percentage_is_refused(percent: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        Circumstances(least_true_positives=Decimal(percent))
