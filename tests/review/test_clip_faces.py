"""A person seen in a clip is known by every half second in which they were."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from likeness.review import (
    ClipFace,
    Search,
    Verdict,
    forget_collection,
    forget_people,
    told_apart_from,
)
from likeness.review.tables import PROBES
from likeness.terms import Box

from .judging import COLLECTION, Desk, found, other

CLIP = hashlib.sha256(b"a clip").digest()
HERE, THERE = Box(100, 100, 200, 220), Box(500, 100, 600, 220)


def person(*numbers: int, box: Box = HERE, clip: bytes = CLIP) -> ClipFace:
    """Somebody who was in one place in these half seconds."""
    return ClipFace(clip, tuple((number, box) for number in numbers))


def apart(desk: Desk, probe: ClipFace, *candidates: object) -> bool:
    """Whether every candidate was told apart from a person."""
    ids = {one.id for one in candidates}  # type: ignore[attr-defined]
    return ids == desk.database.read(
        lambda c: told_apart_from(
            c, desk.keyring, COLLECTION, probe=probe, candidate_ids=ids, owed=1
        )
    )


def search(probe: ClipFace) -> Search:
    return other(probe=probe)


def test_looks_are_in_order_and_there_are_some() -> None:
    for numbers in ((), (2, 1), (1, 1), (-1, 0)):
        with pytest.raises(ValueError, match="Not looks of a person"):
            person(*numbers)


def test_of_each_half_second_the_look_in_its_middle_stands() -> None:
    times = [(0.05, THERE), (0.26, HERE), (0.45, THERE), (3.9, THERE), (3.7, HERE)]
    assert ClipFace.at(CLIP, times) == person(0, 7)


def test_not_this_person_lasts_for_the_whole_track(desk: Desk) -> None:
    (one,) = found()
    case = desk.open([one], search(person(*range(10, 30))))
    desk.decide(case, "ada", Verdict.NOT_SAME)
    assert apart(desk, person(*range(10, 30)), one)
    assert apart(desk, person(*range(25, 60)), one)  # a track that begins and ends elsewhere
    assert apart(desk, person(11, 15, 19, 23), one)  # a run that looks less often
    assert apart(desk, person(29), one)


def test_a_run_that_looks_in_between_knows_the_person_again(desk: Desk) -> None:
    (one,) = found()
    desk.decide(desk.open([one], search(person(0, 4, 8, 12))), "ada", Verdict.NOT_SAME)
    assert apart(desk, person(1, 5, 9, 13), one)
    assert apart(desk, person(*range(14)), one)
    assert not apart(desk, person(2, 6, 10), one)
    assert not apart(desk, person(1, 5, 9, 13, box=THERE), one)


@pytest.mark.parametrize(
    "somebody_else",
    [
        person(*range(10, 30), box=THERE),
        person(*range(10, 30), clip=hashlib.sha256(b"another clip").digest()),
        person(*range(29, 50)),  # after a cut within half a second, in the same place
        person(*range(30, 50)),
        person(29, 30),
        person(*range(100, 110)),
    ],
    ids=["elsewhere", "another clip", "after a cut", "next", "briefly", "later"],
)
def test_somebody_else_is_another_question(desk: Desk, somebody_else: ClipFace) -> None:
    (one,) = found()
    case = desk.open([one], search(person(*range(10, 30))))
    desk.decide(case, "ada", Verdict.NOT_SAME)
    assert not apart(desk, somebody_else, one)
    assert desk.find(search(somebody_else)) is None
    assert desk.open([one], search(somebody_else)).id != case.id


def test_the_same_search_finds_its_case_whatever_its_looks(desk: Desk) -> None:
    case = desk.open(found(), search(person(*range(10, 30))))
    again = desk.find(search(person(*range(8, 20))))
    assert again is not None
    assert again.id == case.id


def test_looks_of_a_later_case_are_remembered_too(desk: Desk) -> None:
    (one,), (two,) = found(), found()
    desk.open([one], search(person(*range(10, 20))))
    longer = other(probe=person(*range(15, 40)), operation="another")
    desk.decide(desk.open([two], longer), "ada", Verdict.NOT_SAME)
    assert apart(desk, person(*range(35, 45)), two)
    assert apart(desk, person(*range(10, 14)), two)


def test_whoever_joins_two_people_is_told_apart_from_both(desk: Desk) -> None:
    (one,), (two,) = found(), found()
    first, second = person(*range(10)), person(*range(20, 30))
    desk.decide(desk.open([one], search(first)), "ada", Verdict.NOT_SAME)
    desk.decide(desk.open([two], search(second)), "ada", Verdict.NOT_SAME)
    assert apart(desk, person(*range(30)), one, two)


def test_looks_go_with_the_last_case_and_pair(desk: Desk) -> None:
    def kept() -> int:
        return len(desk.database.read(lambda c: c.execute(select(PROBES)).all()))

    (one,) = found()
    desk.decide(desk.open([one], search(person(*range(5)))), "ada", Verdict.NOT_SAME)
    desk.pass_hours(24 * 31)
    desk.sweep()
    assert kept() == 5  # the pair lives on
    desk.database.write(lambda c: forget_people(c, one.ids))
    assert kept() == 0
    desk.open(found(), search(person(*range(5))))
    desk.database.write(lambda c: forget_collection(c, COLLECTION))
    assert kept() == 0


def test_a_person_is_seen_for_hours(desk: Desk) -> None:
    (one,) = found()
    desk.decide(desk.open([one], search(person(*range(7200)))), "ada", Verdict.NOT_SAME)
    assert apart(desk, person(*range(3000, 3100)), one)
    assert not apart(desk, person(*range(3000, 3100)), *found())


@given(
    first=st.sets(st.integers(0, 40), min_size=1),
    second=st.sets(st.integers(0, 40), min_size=1),
)
def test_whoever_was_looked_at_in_the_same_way_is_the_same(
    first: set[int], second: set[int]
) -> None:
    """Also both ways round."""
    one, two = person(*sorted(first)), person(*sorted(second))

    def is_of(new: ClipFace, known: ClipFace) -> bool:
        near = {number + off for number, _ in new.looks for off in (-1, 0, 1)}
        looks = {number: box for number, box in known.looks if number in near}
        return bool(looks) and new.is_of(looks, len(known.looks))

    assert is_of(one, one)
    if first & second and any(number + 1 in first & second for number in first & second):
        assert is_of(one, two)
        assert is_of(two, one)
    if not any(number + off in second for number in first for off in (-1, 0, 1)):
        assert not is_of(one, two)
