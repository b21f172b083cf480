"""Several faces of one sample: each released by what is owed of every search, none by another's."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from likeness.errors import Denied
from likeness.review import Found, Owed, Search, Verdict, open_case
from likeness.secrets import KeyFiles, Keyring
from likeness.service.uses.record import Outcome
from likeness.service.uses.withhold import Probe
from likeness.storage import migrate, open_database
from likeness.terms import Box
from tests.service.accounting import COLLECTION, FACE, Accounting, Match, nobody_else, sample

LEFT = Probe(sample(), FACE)
RIGHT = Probe(sample(), replace(FACE, box=Box(80, 20, 140, 80)), is_largest=False)


@pytest.fixture
def accounts(database_url: str, tmp_path: Path) -> Iterator[Accounting]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


def answered(accounts: Accounting, left: list[Match], right: list[Match]) -> list[list[Match]]:
    """Search for two faces of one sample; give what is released of each."""
    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        released = [
            record.release(left, LEFT, nobody_else),
            record.release(right, RIGHT, nobody_else),
        ]
        record.answered(Outcome(2, sum(map(len, released))))
    return released


def test_floor_holds_for_every_face(accounts: Accounting) -> None:
    accounts.owe("similarity", "99.0", 'context.similarity.greaterThanOrEqual(decimal("99.0"))')
    alike, unlike = Match(99.5), Match(97.0)

    assert answered(accounts, [], [unlike]) == [[], []]
    assert answered(accounts, [alike], [unlike]) == [[alike], []]
    assert answered(accounts, [unlike], [alike, unlike]) == [[], [alike]]


def test_a_face_that_owes_nothing_takes_no_review_from_the_next(accounts: Accounting) -> None:
    accounts.owe(
        "review", "1", "context.reviews >= 1", when='context.similarity.lessThan(decimal("99.0"))'
    )
    alike, unlike = Match(99.5), Match(97.0)

    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        assert record.release([alike], LEFT, nobody_else) == [alike]
        assert record.release([unlike], RIGHT, nobody_else) == []
        case_id = record.case_id
        assert record.release([unlike], RIGHT, nobody_else) == []
        record.answered(Outcome(2))
    assert case_id is not None

    accounts.decide(case_id, "key:reviewer", Verdict.SAME)
    assert answered(accounts, [alike], [unlike]) == [[alike], [unlike]]


def test_whom_one_face_is_not_another_may_be(accounts: Accounting) -> None:
    accounts.owe("review", "1", "context.reviews >= 1")
    match = Match(97.0)
    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        record.release([match], LEFT, nobody_else)
        left = record.case_id
        record.release([match], RIGHT, nobody_else)
        right = record.case_id
        record.answered(Outcome(2))
    assert left is not None and right is not None

    accounts.decide(left, "key:reviewer", Verdict.NOT_SAME)
    accounts.decide(right, "key:reviewer", Verdict.SAME)

    assert answered(accounts, [match], [match]) == [[], [match]]


def test_refusal_after_a_face_was_withheld_is_recorded(accounts: Accounting) -> None:
    accounts.owe("review", "1", "context.reviews >= 1")

    with (
        pytest.raises(Denied),
        accounts.desk().record(replace(accounts.use(), id=uuid4())) as record,
    ):
        record.release([Match(97.0)], LEFT, nobody_else)
        raise Denied("the next face may not be searched for")

    assert accounts.kinds() == ["intent", "withheld", "refused"]


def test_a_face_is_the_same_however_closely_it_was_looked_at(accounts: Accounting) -> None:
    accounts.owe("review", "1", "context.reviews >= 1")
    match, glance = Match(97.0), replace(LEFT, face=replace(FACE, box=Box(17, 22, 84, 83)))
    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        record.release([match], LEFT, nobody_else)
        record.answered(Outcome(1))
        case_id = record.case_id
    assert case_id is not None

    accounts.decide(case_id, "key:reviewer", Verdict.NOT_SAME)

    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        assert record.release([match], glance, nobody_else) == []
        record.answered(Outcome(1))
        assert (record.case_id, record.confirmed) == (case_id, True)


def test_whom_a_reference_is_not_no_other_reference_of_theirs_is(accounts: Accounting) -> None:
    rosa = uuid4()
    first, second = Match(97.0, subject_id=rosa), Match(96.0, subject_id=rosa)
    fused = Match(95.0, reference_id=None, subject_id=rosa)  # type: ignore[arg-type]
    with accounts.desk().record(replace(accounts.use(), id=uuid4())) as record:
        assert record.release([first], LEFT, nobody_else) == [first]
        record.refer([first], LEFT)
        record.answered(Outcome(1))
        case_id = record.case_id
    assert case_id is not None

    accounts.decide(case_id, "key:reviewer", Verdict.NOT_SAME)

    assert answered(accounts, [second], [second]) == [[], [second]]
    assert answered(accounts, [fused], [fused]) == [[], [fused]]


@pytest.mark.parametrize("place", ["", "20,20,80,80"], ids=["wire", "command line"])
def test_verdicts_of_0_1_0_hold_for_the_face_that_they_were_on(
    accounts: Accounting, place: str
) -> None:
    match, owed = Match(97.0), Owed(reviews=1)
    known_then = hashlib.sha256(LEFT.sample.data + place.encode()).digest()
    search = Search("key:then", COLLECTION, "identify", "research", (), known_then)
    case = accounts.database.write(
        lambda c: open_case(
            c,
            accounts.keyring,
            search,
            owed,
            [Found(match.reference_id, None, 97.0)],
            use_id=uuid4(),
            crop_jpeg=None,
            now=accounts.now,
            expires_at=accounts.now + timedelta(days=30),
        )
    )
    accounts.decide(case.id, "key:reviewer", Verdict.NOT_SAME)

    assert answered(accounts, [match], [match]) == [[], [match]]
