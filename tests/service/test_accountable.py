"""What the desk promises: no permit, no use; no entry, no answer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from likeness.access import AccessKey, Grant, keys
from likeness.errors import Denied, LedgerBroken, NoFace
from likeness.ledger.tables import HEAD, SUBJECT_KEYS
from likeness.policy import Scope, suspend
from likeness.review import Verdict
from likeness.review.tables import CANDIDATES
from likeness.secrets import KeyFiles, Keyring
from likeness.service.uses.caller import Caller, Stated
from likeness.service.uses.record import Outcome, Record
from likeness.service.uses.withhold import Probe
from likeness.storage import migrate, open_database
from likeness.terms import Action, CollectionFacts, LiveStatement, Principal, Role
from tests.service.accounting import (
    COLLECTION,
    FACE,
    POLICE,
    SEARCHER,
    Accounting,
    Match,
    nobody_else,
    sample,
)

REVIEW = "context.reviews >= {}"
FLOOR = 'context.similarity.greaterThanOrEqual(decimal("99.0"))'
NO_DRONES = (
    '@id("no-drones") @source("a test") @effective("2000-01-01")'
    ' forbid(principal, action == Action::"search", resource)'
    ' when { context.footage == Footage::"drone" };'
)


def time_passes() -> None:
    """Wait until a server has read the rules anew."""
    time.sleep(0.6)


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[Accounting]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


def test_use_leaves_an_entry_before_it_begins_and_one_when_it_ends(home: Accounting):
    match = Match(97.0)
    released, record = home.search([match])
    assert released == [match]
    intent, done = home.entries()
    assert (intent["kind"], done["kind"]) == ("intent", "done")
    assert intent["use"] == done["use"]
    assert done["counts"] == {"faces": 1, "candidates": 1, "references": 1}
    assert done["rules"]["allowed_by"] == ["authenticated-use"]
    assert home.ledger.receipt(record.receipt).index == 2  # after the key's entry


def test_entries_hold_no_id_of_a_reference(home: Accounting):
    match = Match(97.0)
    home.search([match])
    assert str(match.reference_id) not in str(home.entries())
    assert len(home.entries()[-1]["references"]) == 1


def test_refused_use_is_recorded_and_nothing_of_it_is_done(home: Accounting):
    done = []
    of_police = home.use(principal=POLICE)
    said = r"amazon-2020-police of amazon-2020 \(Amazon, statement"
    with pytest.raises(Denied, match=said), home.desk().record(of_police):
        done.append("something")
    assert done == []
    assert home.kinds() == ["refused"]
    assert home.entries()[0]["rules"]["refused_by"] == ["amazon-2020-police"]


def test_listed_organisation_that_looks_for_missing_children_is_exempt(home: Accounting):
    home.enable("amazon-2020", **{"listed-organisations": "Anytown"})
    searching = replace(POLICE, purposes=("missing-persons",))
    match = Match(99.5)
    released, _ = home.search([match, Match(98.0)], home.use(principal=searching))
    assert released == [match]  # 99 percent or more, for law enforcement


def test_role_is_asked_before_the_rules(home: Accounting):
    auditor = replace(SEARCHER, role=Role.AUDITOR)
    with pytest.raises(Denied, match="role of likeness"):
        home.search([], home.use(principal=auditor))
    assert home.entries()[0]["rules"]["refused_by"] == ["role"]


def test_failure_is_recorded_by_its_kind_alone(home: Accounting):
    with pytest.raises(NoFace), home.desk().record(home.use()):
        raise NoFace("nobody called Alice Example was seen")
    assert home.kinds() == ["intent", "failed"]
    assert home.entries()[-1]["details"] == {"error": "NoFace"}
    assert "Alice" not in str(home.entries())


def test_use_that_ends_without_an_outcome_is_a_fault(home: Accounting):
    with pytest.raises(AssertionError, match="without saying"), home.desk().record(home.use()):
        pass
    assert home.kinds() == ["intent", "failed"]


def test_rows_and_their_entry_are_committed_together_or_not_at_all(home: Accounting):
    def broken(connection: object) -> None:
        raise ValueError("disk of lead")

    enrolling = home.use(Action.ENROL)
    with pytest.raises(ValueError, match="lead"), home.desk().record(enrolling) as record:
        record.write(broken, lambda _: Outcome())
    assert home.kinds() == ["intent", "failed"]

    home.database.write(lambda connection: connection.execute(delete(HEAD)))
    with pytest.raises(LedgerBroken):
        home.search([Match(97.0)])


def test_ledger_that_breaks_in_between_undoes_the_act(home: Accounting):
    kept = uuid4()

    def act(connection: object) -> None:
        home_rows.append(kept)

    home_rows: list[object] = []
    with pytest.raises(LedgerBroken), home.desk().record(home.use(Action.ENROL)) as record:
        home.database.write(lambda connection: connection.execute(delete(HEAD)))
        record.write(act, lambda _: Outcome())
    assert home_rows == [kept]  # it ran, and its transaction was undone
    assert record.receipt != "" and not record.ended


def test_stop_switch_refuses_what_it_names(home: Accounting):
    home.search([])
    home.database.write(
        lambda connection: suspend(
            connection, Scope.ORGANISATION, "Example", "a complaint", by="local:test", now=home.now
        )
    )
    with pytest.raises(Denied, match="stop-switch"):
        home.search([])
    others = replace(SEARCHER, organisation="Another")
    assert home.search([], home.use(principal=others))[0] == []


def test_search_that_owes_a_review_waits_until_somebody_agrees(home: Accounting):
    home.owe("review", "1", REVIEW.format(1))
    matches = [Match(97.0), Match(95.0)]
    released, record = home.search(matches)
    assert released == [] and record.case_id is not None
    assert home.entries()[-1]["kind"] == "withheld"
    assert home.entries()[-1]["ids"] == {"case": str(record.case_id)}
    assert home.probe_crop(record.case_id)[:2] == b"\xff\xd8"

    again, same = home.search(matches)
    assert again == [] and same.case_id == record.case_id

    # In the order of the candidates' ids, which the case has numbered.
    by_number = sorted(matches, key=lambda one: one.reference_id)
    home.decide(record.case_id, "key:reviewer", Verdict.SAME, 1)
    assert home.search(matches)[0] == []
    home.decide(record.case_id, "key:reviewer", Verdict.NOT_SAME, 2)
    answered, last = home.search(matches)
    assert answered == [by_number[0]]
    assert last.case_id == record.case_id
    assert home.kinds()[-1] == "done"


def test_whom_people_confirmed_is_answered_whoever_is_more_alike_by_now(home: Accounting):
    home.owe("review", "1", REVIEW.format(1))
    confirmed, newcomer = Match(97.0), Match(98.0)
    _, record = home.search([confirmed])
    home.decide(record.case_id, "key:reviewer", Verdict.SAME)
    answered, _ = home.search([newcomer], pushed_out=[confirmed])
    assert answered == [confirmed]
    assert home.entries()[-1]["counts"]["candidates"] == 1
    # Erased, or no match by now: nobody is answered in their place.
    assert home.search([newcomer])[0] == []


def test_search_that_finds_nobody_waits_as_well_if_it_owes_a_review(home: Accounting):
    home.owe("review", "1", REVIEW.format(1))
    released, record = home.search([])
    assert released == [] and record.case_id is not None


def test_search_done_again_tells_not_whether_it_found_anybody_to_look_at(home: Accounting):
    home.owe("review", "1", "context.reviews >= 1")
    for matches, picture in (([], sample(1)), ([Match(99.5)], sample(2))):
        home.search(matches, sample=picture)
        released, record = home.search(matches, sample=picture)
        assert (released, record.case_id is None) == ([], False)
        assert home.kinds()[-1] == "withheld"


def test_a_case_that_no_rule_owes_is_on_record_and_decides_about_its_own_people_alone(
    home: Accounting,
):
    named, unsure, probe = Match(99.0), Match(95.0), Probe(sample(), FACE)

    def search() -> tuple[list[Match], Record]:
        with home.desk().record(replace(home.use(), id=uuid4())) as record:
            released = record.release([named, unsure], probe, nobody_else)
            record.refer([unsure], probe)
            record.answered(Outcome(1, len(released)))
        return released, record

    released, record = search()
    assert released == [named, unsure] and record.case_id is not None
    begun, opened, done = home.entries()
    assert [one["kind"] for one in (begun, opened, done)] == ["intent", "intent", "done"]
    assert opened["ids"] == {"case": str(record.case_id)}
    assert search()[0] == [named, unsure]  # while it waits

    home.decide(record.case_id, "key:reviewer", Verdict.NOT_SAME)

    released, record = search()
    assert (released, record.confirmed_ids) == ([named], frozenset())


def test_another_probe_or_caller_has_a_case_of_its_own(home: Accounting):
    home.owe("review", "1", REVIEW.format(1))
    match = Match(97.0)
    _, record = home.search([match])
    _, other_probe = home.search([match], sample=sample(91))
    _, other_caller = home.search([match], home.use(principal=replace(SEARCHER, id="key:other")))
    _, other_limit = home.search([match], parameters=(("limit", "1"),))
    cases = {one.case_id for one in (record, other_probe, other_caller, other_limit)}
    assert len(cases) == 4 and None not in cases


def test_who_was_told_apart_is_never_proposed_again(home: Accounting):
    home.owe("review", "1", REVIEW.format(1))
    match, another = Match(97.0), Match(96.0)
    _, record = home.search([match])
    home.decide(record.case_id, "key:reviewer", Verdict.NOT_SAME)
    home.search([match, another], parameters=(("limit", "9"),))
    proposed = home.database.read(
        lambda connection: set(
            connection.execute(
                select(CANDIDATES.c.reference_id).where(CANDIDATES.c.case_id != record.case_id)
            ).scalars()
        )
    )
    assert proposed == {another.reference_id}


def test_authorisation_that_does_not_come_in_time_ends_the_case(home: Accounting):
    home.owe("authorisation", "48", "context.authorised")
    _, record = home.search([Match(97.0)])
    home.now += timedelta(hours=49)
    _, later = home.search([Match(97.0)])
    assert later.case_id not in (None, record.case_id)


def test_review_that_nobody_could_do_refuses_the_use(home: Accounting):
    home.keeps_crops = False
    home.owe("review", "1", REVIEW.format(1))
    with pytest.raises(Denied, match="owed of of-a-test"):
        home.search([Match(97.0)])
    assert home.kinds() == ["refused"]


def test_watch_whose_matches_nobody_could_authorise_is_refused(home: Accounting):
    home.owe("authorisation", "24", "context.authorised", action="watch")
    watcher = replace(SEARCHER, role=Role.OPERATOR)
    with (
        pytest.raises(Denied, match="refused by owed"),
        home.desk().record(home.use(Action.WATCH, watcher)),
    ):
        raise AssertionError("it was admitted")


def test_quota_admits_a_days_uses_and_no_more_however_many_ask_at_once(home: Accounting):
    home.owe("quota", "5", "context.usesToday < 5")
    desk = home.desk()

    def ask(_: int) -> bool:
        try:
            with desk.record(replace(home.use(), id=uuid4())) as record:
                record.answered(Outcome())
        except Denied:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(12))) == 5
    home.now += timedelta(days=1)
    assert ask(0)


def test_notice_is_owed_until_the_collection_says_that_it_is_shown(home: Accounting):
    home.owe("notice", "1", "context.noticeShown")
    with pytest.raises(Denied, match=r"by owed .* tag likeness:notice with the value shown: `like"):
        home.search([])
    noticed = replace(home.use(), collection=CollectionFacts(notice="shown"))
    assert home.search([], noticed)[0] == []


def test_footage_that_no_rule_knows_is_refused(home: Accounting):
    misspelt = replace(home.use(), collection=CollectionFacts(footage="bodycam"))
    with pytest.raises(Denied, match="footage-unknown"):
        home.search([], misspelt)
    admin = replace(misspelt.principal, role=Role.ADMIN)
    mending = replace(misspelt, principal=admin, action=Action.GOVERN, id=uuid4())
    with home.desk().record(mending) as record:
        record.answered(Outcome())


def test_footage_that_a_caller_makes_up_is_refused(home: Accounting):
    caller = Caller(SEARCHER, "SearchFacesByImage", Stated(footage="my own words"))
    with pytest.raises(Denied, match="footage-unknown"):
        home.search([], caller.use(Action.SEARCH))
    assert home.entries()[-1]["footage"] == "unknown"
    governing = replace(caller.principal, role=Role.ADMIN)
    with (
        pytest.raises(Denied, match="footage-unknown"),
        home.desk().record(replace(caller, principal=governing).use(Action.GOVERN)),
    ):
        raise AssertionError("was admitted")


def test_stated_footage_counts_at_the_desk_and_is_recorded(home: Accounting):
    home.rule(NO_DRONES)
    of_upload = replace(home.use(), collection=CollectionFacts(footage="upload"))
    released, _ = home.search([Match(97.0)], of_upload)
    assert len(released) == 1
    assert "footage" not in home.entries()[-1]
    caller = Caller(SEARCHER, "SearchFacesByImage", Stated(footage="drone"))
    stated = replace(
        caller.use(Action.SEARCH), collection_id=COLLECTION, collection=of_upload.collection
    )
    with pytest.raises(Denied, match="no-drones"):
        home.search([Match(97.0)], stated)
    assert home.entries()[-1]["footage"] == "drone"
    assert home.entries()[-1]["collection"]["footage"] == "upload"


def test_what_a_caller_states_of_a_live_search_makes_it_one():
    stated = LiveStatement("the station", ends_at=datetime(2027, 5, 1, tzinfo=UTC))
    use = Caller(SEARCHER, "StartLiveSearch", Stated(live=True, live_search=stated)).use(
        Action.SEARCH
    )
    assert (use.live_search, use.live) == (stated, True)
    # What a file shows is of another moment, at whatever pace.
    use = Caller(SEARCHER, "StartLiveSearch", Stated(live_search=stated)).use(Action.SEARCH)
    assert (use.live_search, use.live) == (stated, False)


def test_long_work_goes_on_while_the_rules_allow_it(home: Accounting):
    admitted = home.use(principal=replace(SEARCHER, id="local:ada"))
    with home.desk().record(admitted) as record:
        record.require_still_admitted()
        record.answered(Outcome())
    assert home.kinds() == ["intent", "done"]


def test_long_work_ends_as_refused_once_a_rule_or_the_stop_switch_forbids_it(home: Accounting):
    at_the_machine = replace(SEARCHER, id="local:ada")
    with (
        pytest.raises(Denied, match="no-drones"),
        home.desk().record(replace(home.use(principal=at_the_machine), footage="drone")) as record,
    ):
        home.rule(NO_DRONES)
        time_passes()
        record.require_still_admitted()
    with (
        pytest.raises(Denied, match="stop-switch"),
        home.desk().record(home.use(principal=at_the_machine)) as record,
    ):
        home.database.write(
            lambda connection: suspend(
                connection,
                Scope.ORGANISATION,
                at_the_machine.organisation,
                "a complaint",
                by="local:ada",
                now=home.now,
            )
        )
        time_passes()
        record.require_still_admitted()
    assert home.kinds() == ["intent", "refused"] * 2
    assert [one["rules"]["refused_by"] for one in home.entries()[1::2]] == [
        ["no-drones"],
        ["stop-switch"],
    ]


def test_what_rules_owe_by_now_is_owed_of_the_answer_of_long_work(home: Accounting):
    alike, less = Match(99.5), Match(95.0)
    with home.desk().record(home.use(principal=replace(SEARCHER, id="local:ada"))) as record:
        home.owe("similarity", "99.0", FLOOR)
        time_passes()
        record.require_still_admitted()
        assert record.release([alike, less], Probe(sample(), FACE), nobody_else) == [alike]
        record.answered(Outcome())


def test_long_work_is_done_for_a_key_only_while_that_may_do_it(home: Accounting):
    grant = Grant(Role.CLIENT, "Example", "commerce", "US-WA", ("research",))

    def make(name: str) -> AccessKey:
        return home.database.write(
            lambda connection: keys.create(
                connection, home.keyring, name, grant, created_by="local:ada", now=home.now
            )
        ).key

    kept, ended = make("kept"), make("ended")
    with home.desk().record(home.use(principal=kept.principal)) as record:
        record.require_still_admitted()
        record.answered(Outcome())
    with (
        pytest.raises(Denied, match="key-disabled"),
        home.desk().record(home.use(principal=ended.principal)) as record,
    ):
        home.database.write(
            lambda connection: keys.disable(connection, home.keyring, "ended", now=home.now)
        )
        record.require_still_admitted()
    assert home.entries()[-1]["rules"]["refused_by"] == ["key-disabled"]
    assert home.kinds() == ["intent", "done", "intent", "refused"]


def test_erasure_breaks_what_ties_entries_to_the_erased_and_edits_none(home: Accounting):
    match = Match(97.0)
    home.search([match])
    before = home.entries()
    with home.desk().record(home.use(Action.ERASE)) as record:
        record.write(
            lambda connection: None,
            lambda _: Outcome(reference_ids=(match.reference_id,), forgotten=(match.reference_id,)),
        )
    assert home.entries()[: len(before)] == before
    assert not home.database.read(
        lambda connection: connection.execute(
            select(SUBJECT_KEYS).where(SUBJECT_KEYS.c.id == match.reference_id)
        ).all()
    )


def test_somebody_at_the_command_line_is_recorded_too(home: Accounting):
    somebody = Principal("local:somebody", Role.ADMIN)
    home.search([], home.use(principal=somebody))
    assert home.entries()[-1]["principal"]["id"] == "local:somebody"
    assert home.entries()[-1]["rules"]["allowed_by"] == ["undeclared-sector-allowed"]
