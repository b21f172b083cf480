"""What people say of who is seen in a clip, in place of what was found."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from likeness.service.video.corrections import corrected, read_correction, result_of
from likeness.service.video.seen import ClipMatch, ClipPerson, Correction, Said
from likeness.terms import Box
from likeness.video import Interval

ROSA, GRETA = uuid4(), uuid4()


def match(name: str, reference_id: UUID, named: bool) -> ClipMatch:
    because = None if named else "somebody is as alike"
    return ClipMatch(name, None, reference_id, 90.0, 1e-5, None, False, named, because, 3, 3, 1.0)


def person(number: int, begins_s: float, ends_s: float, *matches: ClipMatch) -> ClipPerson:
    box = Box(number, number, number + 9, number + 9)
    interval = Interval(begins_s, ends_s)

    def box_at(time_s: float) -> Box | None:
        return box if begins_s <= time_s <= ends_s else None

    return ClipPerson(number, (interval,), None, None, box_at, 2, tuple(matches))


PEOPLE = [
    person(0, 0.0, 2.0, match("Rosa", ROSA, True), match("Greta", GRETA, False)),
    person(1, 1.0, 3.0, match("Greta", GRETA, False)),
    person(2, 5.0, 6.0),
]


def names(*said: tuple[int, Correction]) -> list[str | None]:
    people = corrected(PEOPLE, said)
    return [None if one.match is None else one.match.name for one in people]


def test_somebody_is_whoever_was_said() -> None:
    assert names() == ["Rosa", None, None]
    assert names((0, Correction(Said.IS, GRETA))) == ["Greta", None, None]
    assert names((1, Correction(Said.IS, GRETA))) == ["Rosa", "Greta", None]
    assert names((0, Correction(Said.NOBODY))) == [None, None, None]


def test_whoever_was_erased_since_leaves_what_was_found() -> None:
    assert names((0, Correction(Said.IS, uuid4()))) == ["Rosa", None, None]


def test_who_is_the_same_becomes_one() -> None:
    first, last = corrected(PEOPLE, [(1, Correction(Said.SAME, other=0))])
    assert (first.number, first.joined, first.shots) == (0, (1,), 4)
    assert first.intervals == (Interval(0.0, 3.0),)
    assert (first.box_at(0.5), first.box_at(2.5)) == (Box(0, 0, 9, 9), Box(1, 1, 10, 10))
    assert last.number == 2


@pytest.mark.parametrize("circle", [[(0, 1), (1, 0)], [(0, 1), (1, 2), (2, 0)], [(0, 0)]])
def test_a_circle_ends(circle: list[tuple[int, int]]) -> None:
    said = [(number, Correction(Said.SAME, other=other)) for number, other in circle]
    people = corrected(PEOPLE, said)
    assert sorted(number for one in people for number in (one.number, *one.joined)) == [0, 1, 2]
    assert people[0].number == 0


def test_nobody_who_is_withheld_is_corrected_or_joined() -> None:
    people = [PEOPLE[0], replace(PEOPLE[1], candidates=(), withheld=True), PEOPLE[2]]
    said = [
        (1, Correction(Said.IS, GRETA)),
        (2, Correction(Said.SAME, other=1)),
        (0, Correction(Said.SAME, other=7)),
    ]
    assert [one.number for one in corrected(people, said)] == [0, 1, 2]


def test_a_correction_is_read_as_it_was_written() -> None:
    one = Correction(Said.IS, ROSA, by="key:ada")
    assert read_correction(result_of(4, one)) == (4, one)
