"""Several faces of one sample: each released by what is owed of every search, none by another's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from likeness.errors import Denied
from likeness.review import Verdict
from likeness.secrets import KeyFiles, Keyring
from likeness.service.uses.record import Outcome
from likeness.service.uses.withhold import Probe
from likeness.storage import migrate, open_database
from tests.service.accounting import FACE, Accounting, Match, nobody_else, sample

LEFT, RIGHT = (Probe(sample(), FACE, parameters=(("face", place),)) for place in ("0", "80"))


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
