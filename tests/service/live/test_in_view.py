"""Who in view is asked about, and what of it is told."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from likeness.gallery import Candidate
from likeness.service.live.in_view import InView
from likeness.service.live.sighting import SightingKind
from likeness.service.live.telling import is_sighting
from likeness.service.search.naming import Strangers, Verdict
from likeness.service.video.naming import SeenMatch
from likeness.terms import Box, Comparison

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SHOT: Any = object()
BECAUSE = "Too many different people here score as high."


def like(*, match: bool = False, because: str | None = None, agreeing: int = 2) -> SeenMatch:
    verdict = Verdict(1e-4, None, Strangers.ANY, match, False, because)
    candidate = Candidate(None, None, Comparison(0.5, -0.6))
    return SeenMatch(candidate, 90.0, verdict, 2, agreeing, agreeing / 2)


@pytest.mark.parametrize(
    ("match", "told"),
    [
        (like(match=True), True),
        (like(because=BECAUSE), True),
        (like(because=BECAUSE, agreeing=1), False),
        (like(), False),
    ],
)
def test_names_and_those_people_may_be_asked_about_are_told(match: SeenMatch, told: bool) -> None:
    assert is_sighting(match) is told


def person(shots: int = 2) -> InView:
    one = InView(1, NOW)
    one.look(NOW, 0.0, Box(0, 0, 9, 9), [SHOT] * shots)
    return one


def test_two_good_looks_are_needed_and_a_name_is_the_end_of_asking() -> None:
    assert not person(1).may_be_named
    one = person(2)
    assert one.may_be_named
    one.matches = (like(because=BECAUSE),)
    assert one.may_be_named
    one.matches = (like(match=True),)
    assert not one.may_be_named


def test_whoever_is_withheld_is_not_asked_about_again() -> None:
    one = person()
    one.withheld = True
    assert not one.may_be_named


def test_the_same_candidates_are_asked_about_once_and_again_when_one_is_a_name() -> None:
    one = person()
    assert not one.is_news([])
    assert one.is_news([like(because=BECAUSE)])
    assert not one.is_news([like(because=BECAUSE)])
    assert one.is_news([like(match=True)])


def test_a_stranger_has_four_good_looks_and_was_not_told_of() -> None:
    assert not person(3).is_stranger
    one = person(4)
    assert one.is_stranger
    one.told = SightingKind.STRANGER
    assert not one.is_stranger


def test_of_somebody_who_stays_the_last_minutes_are_remembered() -> None:
    one = person()
    for number in range(1300):
        one.look(NOW, number / 2, Box(0, 0, 9 + number, 9), [SHOT])
    looks = one.known_as(UUID(int=1).hex * 2).looks
    assert len(looks) == 1200
    assert looks[-1] == (1299, Box(0, 0, 9 + 1299, 9))
