"""Verdicts: once each, never on one's own use, and in ignorance of what others said."""

import pytest
from sqlalchemy import select

from likeness.errors import Conflict, Denied, InvalidRequest, NotFound
from likeness.review import (
    Case,
    Standing,
    Verdict,
    authorisation_of,
    authorise,
    give_verdict,
    verdicts_of,
    verdicts_seen_by,
)
from likeness.review.tables import VERDICTS

from .judging import SEARCH, Desk, found


def seen(desk: Desk, case: Case, reviewer: str) -> list[str]:
    """Whose verdicts on the only candidate a reviewer sees."""
    (candidate,) = desk.candidates(case)
    given = desk.database.read(lambda c: verdicts_of(c, desk.keyring, case))
    shown = verdicts_seen_by(case, candidate, given, f"key:{reviewer}")
    return [one.reviewer_id.removeprefix("key:") for one in shown]


def test_reviewer_decides_once(desk: Desk) -> None:
    case = desk.open(found(), reviews=2)
    desk.decide(case, "ada", Verdict.SAME)
    with pytest.raises(Conflict, match="You have given your verdict"):
        desk.decide(case, "ada", Verdict.NOT_SAME)
    assert desk.decide(case, "ben", Verdict.SAME) is Standing.CONFIRMED


def test_reviewer_never_decides_on_a_use_of_their_own(desk: Desk) -> None:
    case = desk.open(found())
    with pytest.raises(Denied, match="your own use"):
        desk.decide(case, SEARCH.principal_id.removeprefix("key:"), Verdict.SAME)
    assert desk.released() is None


def test_disagreement_goes_to_a_third_and_to_nobody_after_them(desk: Desk) -> None:
    case = desk.open(found(), reviews=2)
    assert desk.decide(case, "ada", Verdict.SAME) is Standing.OPEN
    assert desk.decide(case, "ben", Verdict.NOT_SAME) is Standing.OPEN
    assert desk.decide(case, "cem", Verdict.CANNOT_TELL) is Standing.UNDECIDED
    with pytest.raises(Conflict, match="nobody else is asked"):
        desk.decide(case, "dee", Verdict.SAME)
    assert desk.released() == ()


def test_outvoted_not_same_tells_nobody_apart(desk: Desk) -> None:
    one = found()
    case = desk.open(one, reviews=2)
    desk.decide(case, "ada", Verdict.NOT_SAME)
    desk.decide(case, "ben", Verdict.SAME)
    desk.decide(case, "cem", Verdict.SAME)
    assert desk.released() == (one[0].id,)


def test_candidate_has_to_be_named_where_there_are_several(desk: Desk) -> None:
    case = desk.open(found(2))
    with pytest.raises(NotFound, match=r"no number\. It has 1, 2"):
        desk.decide(case, "ada", Verdict.SAME)
    with pytest.raises(NotFound, match=": 3"):
        desk.decide(case, "ada", Verdict.SAME, 3)


@pytest.mark.parametrize("separately", [True, False])
def test_nobody_sees_a_verdict_before_their_own(desk: Desk, separately: bool) -> None:
    case = desk.open(found(), reviews=2, separately=separately)
    desk.decide(case, "ada", Verdict.SAME)
    assert seen(desk, case, "ben") == []
    desk.decide(case, "ben", Verdict.NOT_SAME)
    assert seen(desk, case, "cem") == []


def test_people_who_judge_separately_see_others_once_all_is_decided(desk: Desk) -> None:
    case = desk.open(found(), reviews=2, separately=True)
    desk.decide(case, "ada", Verdict.SAME)
    desk.decide(case, "ben", Verdict.NOT_SAME)
    assert (seen(desk, case, "ada"), seen(desk, case, "ben")) == (["ada"], ["ben"])
    desk.decide(case, "cem", Verdict.SAME)
    assert seen(desk, case, "ada") == ["ada", "ben", "cem"]


def test_people_who_judge_together_see_others_after_their_own(desk: Desk) -> None:
    case = desk.open(found(), reviews=2)
    desk.decide(case, "ada", Verdict.SAME)
    desk.decide(case, "ben", Verdict.NOT_SAME)
    assert seen(desk, case, "ada") == ["ada", "ben"]


def test_reasons_are_sealed(desk: Desk) -> None:
    case = desk.open(found(), reviews=2)
    desk.decide(case, "ada", Verdict.SAME)
    sealed = desk.database.read(lambda c: c.execute(select(VERDICTS.c.sealed_reason)).scalar_one())
    assert b"ears" not in sealed
    (given,) = desk.database.read(lambda c: verdicts_of(c, desk.keyring, case))
    assert given.reason == "ada looked at the ears"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001, "two\nlines", "\x1b[31m"])
def test_reason_that_is_none_is_refused(desk: Desk, reason: str) -> None:
    case = desk.open(found())
    with pytest.raises(InvalidRequest, match="a reason"):
        desk.database.write(
            lambda c: give_verdict(
                c,
                desk.keyring,
                case.id,
                number=None,
                reviewer_id="key:ada",
                verdict=Verdict.SAME,
                reason=reason,
                now=desk.now,
            )
        )


def test_consent_is_recorded_once_and_only_where_it_is_owed(desk: Desk) -> None:
    def consent(case: Case) -> Case:
        return desk.database.write(
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

    without = desk.open(found())
    with pytest.raises(Conflict, match="owes no authorisation"):
        consent(without)
    desk.pass_hours(24 * 30)
    owing = desk.open(found(), authorisation_hours=48)
    consent(owing)
    with pytest.raises(Conflict, match="has an authorisation already"):
        consent(owing)


def test_nobody_authorises_their_own_search(desk: Desk) -> None:
    case = desk.open(found(), authorisation_hours=48)
    with pytest.raises(Denied, match=r"is of your own use.*another admin"):
        desk.database.write(
            lambda c: authorise(
                c,
                desk.keyring,
                case.id,
                principal_id=case.principal_id,
                authority="Court",
                number="7",
                now=desk.now,
            )
        )
    assert desk.database.read(lambda c: authorisation_of(c, desk.keyring, case)) is None
