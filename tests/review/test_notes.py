"""Notes on who was searched for, and findings: sealed, once each, gone with what they are of."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from likeness.errors import Conflict, InvalidRequest
from likeness.review import (
    Case,
    Clarity,
    Feature,
    Finding,
    Findings,
    ProbeNote,
    Suitability,
    Support,
    Verdict,
    forget_people,
    give_verdict,
    keep_note,
    note_of,
    verdicts_of,
)
from likeness.review.tables import NOTES, VERDICTS

from .judging import Desk, found

NOTE = ProbeNote(
    Suitability.LIMITED, {Feature.EARS: Clarity.CLEAR, Feature.NECK: Clarity.HIDDEN}, "a notch"
)
FINDINGS = Findings(Support.SAME, {Feature.EARS: Finding.ALIKE, Feature.NOSE: Finding.DIFFERENT})


def keep(desk: Desk, case: Case, reviewer: str = "key:ada", note: ProbeNote = NOTE) -> None:
    desk.database.write(lambda c: keep_note(c, desk.keyring, case, reviewer, note, desk.now))


def noted(desk: Desk, case: Case, reviewer: str = "key:ada") -> ProbeNote | None:
    return desk.database.read(lambda c: note_of(c, desk.keyring, case, reviewer))


def test_a_note_is_kept_once_by_each_and_sealed(desk: Desk) -> None:
    case = desk.open(found())
    assert noted(desk, case) is None
    keep(desk, case)
    assert noted(desk, case) == NOTE
    assert noted(desk, case, "key:ben") is None
    keep(desk, case, "key:ben")
    with pytest.raises(Conflict, match="your note stays"):
        keep(desk, case)
    sealed = desk.database.read(lambda c: c.execute(select(NOTES.c.sealed_note)).scalars().all())
    assert not any(b"notch" in one or b"ears" in one for one in sealed)


def test_a_note_goes_with_the_picture_it_is_of_and_with_its_case(desk: Desk) -> None:
    people = found()
    asked, other = desk.open(people), desk.open(found(), days=1, probe_id=None, reviews=2)
    assert asked.id == other.id  # the same search has one case
    keep(desk, asked)
    desk.database.write(lambda c: forget_people(c, [people[0].id]))
    assert noted(desk, asked) is None
    keep(desk, asked)
    desk.pass_hours(24 * 31)
    desk.sweep()
    assert desk.database.read(lambda c: c.execute(select(NOTES)).all()) == []


def test_findings_are_kept_with_a_verdict_and_sealed(desk: Desk) -> None:
    case = desk.open(found())
    desk.database.write(
        lambda c: give_verdict(
            c,
            desk.keyring,
            case.id,
            number=None,
            reviewer_id="key:ada",
            verdict=Verdict.SAME,
            reason="the ears",
            now=desk.now,
            findings=FINDINGS,
        )
    )
    (given,) = desk.database.read(lambda c: verdicts_of(c, desk.keyring, case))
    assert given.findings == FINDINGS
    sealed = desk.database.read(
        lambda c: c.execute(select(VERDICTS.c.sealed_findings)).scalar_one()
    )
    assert b"ears" not in sealed


def test_a_verdict_without_findings_has_none(desk: Desk) -> None:
    case = desk.open(found())
    desk.decide(case, "ada", Verdict.SAME)
    (given,) = desk.database.read(lambda c: verdicts_of(c, desk.keyring, case))
    assert given.findings is None


@pytest.mark.parametrize(
    ("support", "verdict"),
    [
        (Support.STRONGLY_SAME, Verdict.SAME),
        (Support.SAME, Verdict.SAME),
        (Support.BARELY_SAME, Verdict.CANNOT_TELL),
        (Support.NEITHER, Verdict.CANNOT_TELL),
        (Support.BARELY_DIFFERENT, Verdict.CANNOT_TELL),
        (Support.DIFFERENT, Verdict.NOT_SAME),
        (Support.STRONGLY_DIFFERENT, Verdict.NOT_SAME),
    ],
)
def test_limited_support_settles_nothing(support: Support, verdict: Verdict) -> None:
    assert support.verdict is verdict


@pytest.mark.parametrize(
    ("suitability", "features", "remark"),
    [
        (Suitability.GOOD, {}, "an ear"),
        (Suitability.POOR, {}, "x" * 2001),
        (Suitability.POOR, {}, "a\x07bell"),
    ],
)
def test_a_note_that_says_nothing_or_cannot_be_kept_is_refused(
    suitability: Suitability, features: Mapping[Feature, Clarity], remark: str
) -> None:
    with pytest.raises(InvalidRequest):
        ProbeNote(suitability, features, remark)


def test_a_verdict_for_which_nothing_speaks_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="No feature is compared"):
        Findings(Support.SAME, {Feature.NOSE: Finding.NOT_COMPARABLE})
    assert Findings(Support.NEITHER).features == {}
