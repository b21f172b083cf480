"""A search that goes on: asked about with its age, and consented to as a whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from likeness.errors import Denied
from likeness.policy import PolicyEngine, disable_pack
from likeness.policy.changes import packs_in_force
from likeness.review import Verdict, authorise, delete_case, ended_cases, get_case, live_cases
from likeness.review.tables import CASES
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.simulation import simulate_policy
from likeness.service.review.upkeep import sweep_review
from likeness.service.uses import Consent, Ongoing, Outcome, stated_in
from likeness.storage import migrate, open_database
from likeness.terms import LiveStatement, Principal, Role, Use
from tests.service.accounting import COLLECTION, SEARCHER, Accounting, Match, sample
from tests.service.acts import rows_of

STATED = LiveStatement(
    "the station", "District court", "abducted children", datetime(2100, 4, 15, tzinfo=UTC)
)
POLICE = Principal("key:police", Role.CLIENT, "Anytown", "police", "DE", ("abduction-victims",))
ARTICLE_5_ALONE = {"high-risk-applies": "2150-01-01"}
CONSENT = "context.authorised"
HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Accounting]:
    with open_database(f"sqlite:///{tmp_path}/home.sqlite", lock_timeout_s=30) as database:
        migrate(database)
        home = Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))
        for pack in ("real-time", "amazon-2020"):
            database.write(
                lambda connection, name=pack: disable_pack(connection, name, now=home.now)
            )
        yield home


def live(home: Accounting, principal: Principal = POLICE) -> Use:
    return replace(
        home.use(principal=principal),
        operation="StartLiveSearch",
        live=True,
        live_search=STATED,
        case="17",
        id=uuid4(),
    )


def begin(home: Accounting, principal: Principal = POLICE) -> Ongoing:
    """Begin a search; give what is kept of that with its job."""
    began_at = home.now
    with home.desk().record(live(home, principal), Ongoing(began_at, begins=True)) as record:
        case_id = record.write(record.ask_authority, lambda _: Outcome())
    assert record.case_id == case_id
    return Ongoing(began_at, case_id)


def consent(home: Accounting, case_id: UUID | None, by: str = "key:admin") -> None:
    assert case_id is not None
    home.database.write(
        lambda connection: authorise(
            connection,
            home.keyring,
            case_id,
            principal_id=by,
            authority="District court",
            number="12 X 7/26",
            now=home.now,
        )
    )


def cases(home: Accounting) -> list[UUID]:
    return [one.id for one in home.database.read(lambda rows: live_cases(rows, home.now))]


def sighting(
    home: Accounting, ongoing: Ongoing, match: Match, who: Principal = POLICE, **probe: Any
) -> Any:
    use = replace(live(home, who), operation="Sighting")
    return home.search([match], use, ongoing=ongoing, **probe)


def test_an_authority_consents_once_to_the_whole_search(home: Accounting) -> None:
    home.enable("eu-ai-act", **ARTICLE_5_ALONE)
    ongoing, match = begin(home), Match(99.5)
    assert cases(home) == [ongoing.case_id]
    assert home.entries()[-1]["ids"] == {"case": str(ongoing.case_id)}
    released, record = sighting(home, ongoing, match)
    assert (released, record.withholds, record.case_id) == ([], True, ongoing.case_id)
    # Nobody has to look at it: there is no case of the sighting.
    assert cases(home) == [ongoing.case_id]
    assert home.kinds()[-2:] == ["intent", "withheld"]
    consent(home, ongoing.case_id)
    assert sighting(home, ongoing, match)[0] == [match]
    home.now += 30 * HOUR
    assert sighting(home, ongoing, match)[0] == [match]
    assert home.desk().consent_to(ongoing) is Consent.GIVEN


def test_without_consent_within_its_hours_the_search_ends(home: Accounting) -> None:
    home.enable("eu-ai-act", **ARTICLE_5_ALONE)
    ongoing = begin(home)
    with (
        pytest.raises(Denied, match="eu-ai-act-real-time-stops"),
        home.desk().record(live(home, replace(POLICE, id="local:ada")), ongoing) as record,
    ):
        home.now += 24 * HOUR - timedelta(seconds=1)
        record.require_still_admitted()
        assert home.desk().consent_to(ongoing) is Consent.AWAITED
        home.now += timedelta(seconds=2)
        record.require_still_admitted()
    assert home.kinds()[-1] == "refused"
    assert home.desk().consent_to(ongoing) is Consent.LAPSED
    with pytest.raises(Denied, match="eu-ai-act-real-time-stops"):
        sighting(home, ongoing, Match(99.5))


def test_where_no_rule_says_that_it_stops_the_duty_itself_does(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    ongoing = begin(home, SEARCHER)
    assert sighting(home, ongoing, Match(99.5), SEARCHER)[1].case_id == ongoing.case_id
    home.now += 25 * HOUR
    with pytest.raises(Denied, match=r"by owed .* no authority has consented"):
        sighting(home, ongoing, Match(99.5), SEARCHER)
    # The sweep deletes the case: no trace of it is no consent.
    for case in home.database.read(lambda rows: ended_cases(rows, home.now)):
        home.database.write(lambda rows, one=case: delete_case(rows, one))
    assert home.desk().consent_to(ongoing) is Consent.LAPSED
    with pytest.raises(Denied, match="by owed"):
        sighting(home, ongoing, Match(99.5), SEARCHER)


def test_consent_outlasts_the_search_by_as_long_as_its_results_are_kept(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    ongoing = begin(home, SEARCHER)
    consent(home, ongoing.case_id)
    assert STATED.ends_at is not None
    home.now = STATED.ends_at + timedelta(days=7) - HOUR
    assert home.desk().consent_to(ongoing) is Consent.GIVEN
    home.now += 2 * HOUR
    assert home.desk().consent_to(ongoing) is Consent.LAPSED


def test_whoever_began_it_consents_to_nothing(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    ongoing = begin(home, SEARCHER)
    with pytest.raises(Denied, match="of your own use"):
        consent(home, ongoing.case_id, by=SEARCHER.id)


def test_a_sighting_that_people_have_to_look_at_has_a_case_that_owes_no_authority(
    home: Accounting,
) -> None:
    home.enable("eu-ai-act", **{"high-risk-applies": "2026-01-01"})
    ongoing, match = begin(home), Match(99.5)
    released, record = sighting(home, ongoing, match)
    assert released == []
    assert record.case_id not in (None, ongoing.case_id)
    case = home.database.read(lambda rows: get_case(rows, record.case_id, home.now))
    assert (case.reviews, case.separately, case.authorise_by) == (2, True, None)
    for reviewer in ("key:r1", "key:r2"):
        home.decide(case.id, reviewer, Verdict.SAME)
    released, record = sighting(home, ongoing, match)
    assert (released, record.case_id) == ([], ongoing.case_id)
    consent(home, ongoing.case_id)
    assert sighting(home, ongoing, match)[0] == [match]


def test_what_a_search_found_goes_with_it_where_nobody_consented(home: Accounting) -> None:
    home.enable("eu-ai-act", **{"high-risk-applies": "2026-01-01"})
    match, listed = Match(99.5), {}
    for name in ("lapses", "stays"):
        ongoing = begin(home)
        record = sighting(home, ongoing, match, sample=sample(len(listed)))[1]
        listed[name] = ongoing.case_id, record.case_id
    consent(home, listed["stays"][0])
    home.now += 24 * HOUR
    assert set(cases(home)) == set(listed["stays"])
    swept = sweep_review(rows_of(home.database, home.keyring, home.desk(), clock=lambda: home.now))
    assert {one.id for one in swept.unauthorised} == set(listed["lapses"])
    ended = [one["details"] for one in home.entries() if "reason" in one.get("details", {})]
    assert [one["reason"] for one in ended] == ["unauthorised"] * 2
    assert set(cases(home)) == set(listed["stays"])
    # Without a trace of the whole, its parts do not come back.
    stays, part = listed["stays"]
    for case in home.database.read(lambda rows: live_cases(rows, home.now)):
        if case.id == stays:
            home.database.write(lambda rows, one=case: delete_case(rows, one))
    assert cases(home) == []
    assert [one.id for one in home.database.read(lambda rows: ended_cases(rows, home.now))] == [
        part
    ]


def test_what_was_stated_is_kept_for_whoever_consents(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    ongoing = begin(home, SEARCHER)
    case = home.database.read(lambda rows: get_case(rows, ongoing.case_id, home.now))
    assert case.is_of_whole
    assert home.database.read(lambda rows: stated_in(rows, home.keyring, case)) == STATED
    rows = home.database.read(lambda rows: rows.execute(select(CASES.c.sealed_statement)).all())
    assert b"station" not in rows[0][0]


def test_an_authority_is_asked_where_no_pictures_are_kept(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    home.keeps_crops = False
    ongoing = begin(home, SEARCHER)
    assert ongoing.case_id is not None
    # A search that is over at once leaves people a picture, or is refused.
    with pytest.raises(Denied, match="by owed"):
        home.search([Match(99.5)])


def test_where_rules_owe_no_consent_nobody_is_asked(home: Accounting) -> None:
    ongoing, match = begin(home, SEARCHER), Match(97.0)
    assert ongoing.case_id is None
    assert "ids" not in home.entries()[-1]
    assert sighting(home, ongoing, match, SEARCHER)[0] == [match]
    assert cases(home) == []


def test_a_duty_that_comes_while_it_goes_on_ends_it(home: Accounting) -> None:
    ongoing = begin(home, SEARCHER)
    home.owe("authorisation", "24", CONSENT)
    with pytest.raises(Denied, match=r"none was asked when it began: begin another"):
        sighting(home, ongoing, Match(97.0), SEARCHER)


def test_rules_are_asked_with_how_long_it_has_gone_on(home: Accounting) -> None:
    home.rule(
        '@id("an-hour") @source("a test") @effective("2000-01-01")'
        " forbid(principal, action, resource)"
        ' when { context.liveSearch && context.sinceUse > duration("1h") };'
    )
    ongoing, match = begin(home, SEARCHER), Match(97.0)
    # A machine that goes on with it may have a clock that stands a little behind.
    home.now -= timedelta(seconds=2)
    assert sighting(home, ongoing, match, SEARCHER)[0] == [match]
    home.now += HOUR
    assert sighting(home, ongoing, match, SEARCHER)[0] == [match]
    home.now += timedelta(seconds=3)
    with pytest.raises(Denied, match="an-hour"):
        sighting(home, ongoing, match, SEARCHER)
    assert home.search([match])[0] == [match]


def test_of_a_days_uses_a_search_is_one_however_many_it_sees(home: Accounting) -> None:
    home.owe("quota", "2", "context.usesToday < 2")
    ongoing, match = begin(home, SEARCHER), Match(97.0)
    for _ in range(4):
        assert sighting(home, ongoing, match, SEARCHER)[0] == [match]
    begin(home, SEARCHER)
    with pytest.raises(Denied, match="by owed"):
        begin(home, SEARCHER)
    assert sighting(home, ongoing, match, SEARCHER)[0] == [match]
    engine = PolicyEngine(home.database.read(packs_in_force))
    simulation = home.database.read(lambda rows: simulate_policy(rows, engine))
    assert (simulation.uses, simulation.differences) == (8, ())


def test_a_case_of_a_whole_search_is_of_its_collection(home: Accounting) -> None:
    home.owe("authorisation", "24", CONSENT)
    ongoing = begin(home, SEARCHER)
    (case,) = home.database.read(lambda rows: live_cases(rows, home.now))
    assert (case.id, case.collection_id, case.reviews) == (ongoing.case_id, COLLECTION, 0)
    assert case.operation == "StartLiveSearch"
    assert case.authorise_by == home.now + 24 * HOUR


def test_entries_of_sightings_say_of_which_search_and_whether_it_was_consented_to(
    home: Accounting,
) -> None:
    home.enable("eu-ai-act", **ARTICLE_5_ALONE)
    ongoing = begin(home)
    assert "details" not in home.entries()[-1]
    home.now += HOUR
    sighting(home, ongoing, Match(99.5))
    assert [one["details"] for one in home.entries()[-2:]] == [
        {"search_began_at": "2100-03-01T12:00:00.000Z", "authority": "awaited"}
    ] * 2
    consent(home, ongoing.case_id)
    sighting(home, ongoing, Match(99.5))
    assert home.entries()[-1]["details"]["authority"] == "given"
    home.now += 30 * HOUR
    for ended in (begin(home), Ongoing(ongoing.began_at, uuid4())):
        home.now += 30 * HOUR
        with pytest.raises(Denied):
            sighting(home, ended, Match(99.5))
        assert home.entries()[-1]["details"]["authority"] == "lapsed"


def test_the_same_rules_say_of_past_sightings_what_they_said(home: Accounting) -> None:
    home.enable("eu-ai-act", **ARTICLE_5_ALONE)
    ongoing = begin(home)
    sighting(home, ongoing, Match(99.5))
    consent(home, ongoing.case_id)
    home.now += 30 * HOUR
    sighting(home, ongoing, Match(99.5))
    late = begin(home)
    home.now += 25 * HOUR
    with pytest.raises(Denied):
        sighting(home, late, Match(99.5))
    engine = PolicyEngine(home.database.read(packs_in_force))
    simulation = home.database.read(lambda rows: simulate_policy(rows, engine))
    assert (simulation.uses, simulation.differences) == (5, ())
