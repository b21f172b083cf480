"""Cases: found again by the same search alone, released once decided, gone when they end."""

from uuid import uuid4

import pytest
from sqlalchemy import Connection, select

from likeness.errors import Denied, KeyUnusable, NotFound
from likeness.review import (
    Found,
    Search,
    Standing,
    Verdict,
    authorisation_of,
    authorise,
    forget_collection,
    forget_people,
    keep_crops,
    open_crop,
    probe_crop,
    rewrap_keys,
    told_apart_from,
)
from likeness.review.keys import find_key
from likeness.review.tables import AUTHORISATIONS, CANDIDATES, CASES, KEYS, TOLD_APART, VERDICTS

from .judging import COLLECTION, CROP, SEARCH, Desk, found, other


def rows(desk: Desk) -> int:
    tables = (CASES, CANDIDATES, VERDICTS, AUTHORISATIONS, TOLD_APART)

    def count(connection: Connection) -> int:
        return sum(len(connection.execute(select(table)).all()) for table in tables)

    return desk.database.read(count)


def test_nothing_is_released_before_people_agree(desk: Desk) -> None:
    first, second = found(2)
    case = desk.open([first, second], reviews=2, separately=True)
    numbers = {one.id: one.number for one in desk.candidates(case)}
    assert desk.released() is None
    desk.decide(case, "ada", Verdict.SAME, numbers[first.id])
    desk.decide(case, "ben", Verdict.SAME, numbers[first.id])
    assert desk.released() is None
    desk.decide(case, "ada", Verdict.NOT_SAME, numbers[second.id])
    desk.decide(case, "ben", Verdict.NOT_SAME, numbers[second.id])
    assert desk.released() == (first.id,)


def test_released_candidates_come_the_most_alike_first(desk: Desk) -> None:
    several = found(8)
    case = desk.open(several)
    for one in desk.candidates(case):
        desk.decide(case, "ada", Verdict.SAME, one.number)
    assert desk.released() == tuple(one.id for one in several)


def test_numbers_of_candidates_do_not_tell_who_is_most_alike(desk: Desk) -> None:
    shown = desk.candidates(desk.open(found(20)))
    assert [one.number for one in shown] == list(range(1, 21))
    assert [one.rank for one in shown] != list(range(1, 21))


def test_search_that_found_nobody_has_a_case_that_waits_as_others_do(desk: Desk) -> None:
    case = desk.open([])
    assert desk.find() == case
    assert desk.released() is None


DIFFERENT = [
    {"principal_id": "key:somebody-else"},
    {"collection_id": uuid4()},
    {"operation": "SearchUsersByImage"},
    {"purpose": "other"},
    {"parameters": (("limit", "6"),)},
    {"probe": b"q" * 32},
]


@pytest.mark.parametrize("changed", DIFFERENT, ids=[next(iter(one)) for one in DIFFERENT])
def test_only_the_same_search_finds_its_case(desk: Desk, changed: dict[str, object]) -> None:
    case = desk.open(found())
    desk.open(found(), Search("key:x", DIFFERENT[1]["collection_id"], "", "", (), b""))  # type: ignore[arg-type]
    assert desk.find() == case
    assert desk.find(other(**changed)) is None


def test_parameters_are_the_same_in_any_order(desk: Desk) -> None:
    case = desk.open(found(), other(parameters=(("limit", "5"), ("by", "user"))))
    assert desk.find(other(parameters=(("by", "user"), ("limit", "5")))) == case


def test_same_search_keeps_its_first_case(desk: Desk) -> None:
    case = desk.open(found())
    assert desk.open(found(3)) == case
    assert len(desk.candidates(case)) == 1


def test_expired_case_is_found_by_nobody_and_a_new_one_takes_its_place(desk: Desk) -> None:
    case = desk.open(found(), days=1)
    desk.decide(case, "ada", Verdict.SAME)
    desk.pass_hours(24)
    assert desk.released() is None
    with pytest.raises(NotFound):
        desk.decide(case, "ben", Verdict.SAME)
    assert desk.open(found()).id != case.id
    # It is still there for the sweep, which leaves the entry of its end.
    assert [one.id for one in desk.sweep()] == [case.id]


def test_sweep_deletes_an_expired_case_with_all_that_it_holds(desk: Desk) -> None:
    case = desk.open(found(), days=1)
    desk.decide(case, "ada", Verdict.SAME)
    desk.pass_hours(23)
    assert desk.sweep() == []
    desk.pass_hours(1)
    assert desk.sweep() == [case]
    assert rows(desk) == 0


def test_case_ends_with_its_deadline_when_no_authority_consents(desk: Desk) -> None:
    case = desk.open(found(), authorisation_hours=24)
    desk.decide(case, "ada", Verdict.SAME)
    desk.pass_hours(23)
    assert desk.released() is not None
    desk.pass_hours(1)
    assert desk.released() is None
    with pytest.raises(NotFound):
        desk.database.write(
            lambda c: authorise(
                c,
                desk.keyring,
                case.id,
                principal_id="key:admin",
                authority="Court",
                number="7",
                now=desk.now,
            )
        )
    assert [one.id for one in desk.sweep()] == [case.id]
    assert rows(desk) == 0


def test_authorised_case_outlives_its_deadline(desk: Desk) -> None:
    case = desk.open(found(), authorisation_hours=24)
    desk.pass_hours(23)
    authorised = desk.database.write(
        lambda c: authorise(
            c,
            desk.keyring,
            case.id,
            principal_id="key:admin",
            authority="District court",
            number="12 X 7/26",
            now=desk.now,
        )
    )
    assert authorised.authorised_at == desk.now
    desk.pass_hours(100)
    assert desk.find() == authorised
    kept = desk.database.read(lambda c: authorisation_of(c, desk.keyring, authorised))
    assert kept is not None
    assert (kept.authority, kept.number, kept.principal_id) == (
        "District court",
        "12 X 7/26",
        "key:admin",
    )


def test_probe_is_seen_while_its_case_lives_and_lies_nowhere_in_the_clear(desk: Desk) -> None:
    case = desk.open(found())
    assert desk.database.read(lambda c: probe_crop(c, desk.keyring, case)) == CROP
    sealed = desk.database.read(lambda c: c.execute(select(CASES.c.sealed_crop)).scalar_one())
    assert CROP not in sealed


def test_erased_references_vanish_from_cases(desk: Desk) -> None:
    gone, stays = found(2)
    case = desk.open([gone, stays])
    for one in desk.candidates(case):
        desk.decide(case, "ada", Verdict.SAME, one.number)
    desk.database.write(lambda c: forget_people(c, [gone.id]))
    assert desk.released() == (stays.id,)
    assert [one.id for one in desk.candidates(case)] == [stays.id]


def test_erased_subject_vanishes_from_cases_that_found_them_as_a_whole(desk: Desk) -> None:
    gone = Found(None, uuid4(), 99.0)
    case = desk.open([gone])
    assert [one.id for one in desk.candidates(case)] == [gone.subject_id]
    desk.database.write(lambda c: forget_people(c, [gone.id]))
    assert desk.candidates(case) == ()


@pytest.mark.parametrize(
    ("verdict_on_erased", "verdict_on_other", "until", "shown"),
    [
        (None, None, True, CROP),  # the other may be who it shows
        (Verdict.SAME, Verdict.NOT_SAME, False, None),
        (None, Verdict.NOT_SAME, False, None),
        (Verdict.NOT_SAME, None, None, CROP),  # it does not show who is erased
        (Verdict.NOT_SAME, Verdict.NOT_SAME, None, CROP),
    ],
)
def test_picture_that_may_show_who_is_erased_stays_only_for_others_who_may_be_shown(
    desk: Desk,
    verdict_on_erased: Verdict | None,
    verdict_on_other: Verdict | None,
    until: bool | None,
    shown: bytes | None,
) -> None:
    gone, stays = found(2)
    case = desk.open([gone, stays])
    number = {one.id: one.number for one in desk.candidates(case)}
    for one, verdict in ((gone, verdict_on_erased), (stays, verdict_on_other)):
        if verdict is not None:
            desk.decide(case, "ada", verdict, number[one.id])
    left = desk.database.write(lambda c: forget_people(c, [gone.id]))
    expected = None if until is None else {case.id: case.expires_at if until else None}
    assert left == (expected or {})
    assert desk.database.read(lambda c: probe_crop(c, desk.keyring, case)) == shown


def test_picture_of_a_search_that_found_only_who_is_erased_goes(desk: Desk) -> None:
    (gone,) = found()
    case = desk.open([gone])
    assert desk.database.write(lambda c: forget_people(c, [gone.id])) == {case.id: None}
    assert desk.database.read(lambda c: probe_crop(c, desk.keyring, case)) is None
    assert desk.find() == case  # as before: who searched learns nothing


def test_case_that_searched_for_an_erased_reference_ends(desk: Desk) -> None:
    erased = uuid4()
    desk.open(found(), other(probe=erased.bytes), probe_id=erased)
    desk.database.write(lambda c: forget_people(c, [erased]))
    assert desk.find(other(probe=erased.bytes)) is None
    assert rows(desk) == 0


def test_erased_collection_takes_cases_crops_and_key_along(desk: Desk) -> None:
    reference = found()[0]
    case = desk.open([reference])
    desk.decide(case, "ada", Verdict.NOT_SAME)
    desk.database.write(lambda c: keep_crops(c, desk.keyring, COLLECTION, {reference.id: CROP}))
    desk.database.write(lambda c: forget_collection(c, COLLECTION))
    assert rows(desk) == 0
    assert desk.database.read(lambda c: find_key(c, desk.keyring, COLLECTION)) is None


def test_crop_of_a_reference_opens_in_its_collection_until_it_is_forgotten(desk: Desk) -> None:
    one, two = uuid4(), uuid4()
    desk.database.write(
        lambda c: keep_crops(c, desk.keyring, COLLECTION, {one: CROP, two: b"another"})
    )

    def opened(collection_id: object) -> bytes | None:
        return desk.database.read(
            lambda c: open_crop(c, desk.keyring, collection_id, one)  # type: ignore[arg-type]
        )

    assert opened(COLLECTION) == CROP
    assert opened(uuid4()) is None
    desk.database.write(lambda c: forget_people(c, [one]))
    assert opened(COLLECTION) is None


def test_case_opens_after_the_installations_key_was_rotated(desk: Desk) -> None:
    case = desk.open(found())
    old = desk.keyring.key_ids[0]
    desk.keyring.rotate()
    assert desk.database.write(lambda c: rewrap_keys(c, desk.keyring)) == 1
    assert desk.database.write(lambda c: rewrap_keys(c, desk.keyring)) == 0
    desk.keyring.retire(old)
    assert desk.database.read(lambda c: probe_crop(c, desk.keyring, case)) == CROP
    assert desk.find() == case


def test_case_whose_key_is_gone_says_so(desk: Desk) -> None:
    case = desk.open(found())
    desk.database.write(lambda c: c.execute(KEYS.delete()))
    with pytest.raises(KeyUnusable, match="Restore the database"):
        desk.database.read(lambda c: probe_crop(c, desk.keyring, case))


def test_pair_that_people_told_apart_is_never_proposed_again(desk: Desk) -> None:
    one, two = found(2)
    case = desk.open([one])
    assert desk.decide(case, "ada", Verdict.NOT_SAME) is Standing.REJECTED
    later = other(parameters=(("limit", "100"),), principal_id="key:other")
    again = desk.open([one, two], later)
    assert [each.id for each in desk.candidates(again)] == [two.id]
    another_probe = desk.open([one], other(probe=b"r" * 32))
    assert [each.id for each in desk.candidates(another_probe)] == [one.id]


def test_pair_stays_told_apart_when_its_case_is_swept(desk: Desk) -> None:
    one = found()[0]
    desk.decide(desk.open([one], days=1), "ada", Verdict.NOT_SAME)
    desk.pass_hours(24)
    desk.sweep()
    assert desk.candidates(desk.open([one])) == ()


def test_pair_that_is_told_apart_in_one_case_is_asked_about_in_no_other(desk: Desk) -> None:
    one, two = found(2)
    waiting = desk.open([one, two], other(principal_id="key:other"))
    desk.decide(desk.open([one]), "ada", Verdict.NOT_SAME)
    standings = {each.id: each.standing for each in desk.candidates(waiting)}
    assert standings == {one.id: Standing.REJECTED, two.id: Standing.OPEN}


def test_what_people_confirmed_is_not_taken_back_by_others(desk: Desk) -> None:
    (one,) = found()
    agreed, waiting = desk.open([one]), desk.open([one], other(principal_id="key:other"))
    desk.decide(agreed, "ada", Verdict.SAME)
    desk.decide(waiting, "ben", Verdict.NOT_SAME)
    assert desk.released() == (one.id,)


def test_fewer_people_than_a_use_owes_keep_nobody_from_it(desk: Desk) -> None:
    (one,) = found()
    strict = {"reviews": 2, "separately": True}
    before = desk.open([one], other(principal_id="key:before"), **strict)
    weak = desk.open([one], other(principal_id="key:weak"))
    assert desk.decide(weak, "ada", Verdict.NOT_SAME) is Standing.REJECTED
    after = desk.open([one], other(principal_id="key:after"), **strict)
    for case in (before, after):
        assert [each.standing for each in desk.candidates(case)] == [Standing.OPEN]
    # As many as are owed agree at last: that counts for all, and for who owes fewer it did before.
    for reviewer in ("ben", "cleo"):
        desk.decide(before, reviewer, Verdict.NOT_SAME)
    assert [each.standing for each in desk.candidates(after)] == [Standing.REJECTED]
    assert desk.candidates(desk.open([one], other(principal_id="key:last"), **strict)) == ()


def test_nobody_reviews_a_case_of_a_face_that_they_have_searched_for(desk: Desk) -> None:
    (one,) = found()
    desk.open([one], other(principal_id="key:ada"))
    theirs = desk.open([one])
    with pytest.raises(Denied, match="of the same face"):
        desk.decide(theirs, "ada", Verdict.NOT_SAME)
    another_face = desk.open([one], other(probe=b"r" * 32))
    assert desk.decide(another_face, "ada", Verdict.SAME) is Standing.CONFIRMED


def test_told_apart_pairs_are_known_for_searches_that_owe_no_review(desk: Desk) -> None:
    one, two = found(2)
    desk.decide(desk.open([one]), "ada", Verdict.NOT_SAME)
    apart = desk.database.read(
        lambda c: told_apart_from(
            c, desk.keyring, COLLECTION, probe=SEARCH.probe, candidate_ids=[one.id, two.id], owed=0
        )
    )
    assert apart == {one.id}
