"""Who stays visible in a clip: only at moments at which it is sure that it is them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.people import Followed, Known, visible_people
from likeness.service.video.seen import ClipMatch
from likeness.terms import (
    Box,
    CohortStatistics,
    Face,
    Landmarks,
    Point,
    Pose,
    Quality,
    Template,
)
from likeness.video import Ending, Look, Person, Reason, Shot, Track

_POINT = Point(0, 0)
_MATCH = ClipMatch("Anna", None, None, 99.0, 1e-5, None, False, True, None, 2, 2, 1.0)
CAREFUL, FAST = Manner(), Manner(careful=False)


def look(time_s: float, left: float) -> Look:
    box = Box(left, 100, left + 60, 160)
    marks = Landmarks(_POINT, _POINT, _POINT, _POINT, _POINT)
    return Look(time_s, Face(box, marks, 0.9, Pose(0, 0, 0), Quality(50, 50, 60)))


def shot(time_s: float, left: float, who: str) -> Shot:
    """A good look; what it is a template of says who is seen."""
    vector = np.zeros(2, np.float32)
    template = Template(vector, who, CohortStatistics(0.0, "-"))
    return Shot(look(time_s, left), template, b"")


def track(
    left: float, shots: Sequence[tuple[float, str]], from_s: float = 0.0, to_s: float = 6.0
) -> Track:
    """A face that is in one place, and good looks at it."""
    times = np.arange(round(10 * from_s), round(10 * to_s) + 1) / 10
    looks = tuple(look(float(time_s), left) for time_s in times)
    return Track(looks, tuple(shot(at, left, who) for at, who in shots), Ending.CLIP)


def recognise(shots: Sequence[Shot]) -> list[ClipMatch]:
    """Name Anna where most looks are of her; a look agrees where it is."""
    hers = sum(one.template.model == "Anna" for one in shots)
    named = hers >= 2 and 2 * hers > len(shots)
    return [replace(_MATCH, match=named, agreeing=hers, fmr=1e-5 if hers else 0.5)]


def followed(*tracks: Track) -> Followed:
    return Followed([Person(number, (one,)) for number, one in enumerate(tracks)])


def spans(followed: Followed, whom: Whom, manner: Manner = CAREFUL) -> list[tuple[float, float]]:
    """Say when the first person stays visible."""
    first = visible_people(followed, Known(recognise), whom, manner).named[0]
    return [(one.begins_s, one.ends_s) for one in first.shown]


ANNA = [(1.0, "Anna"), (3.0, "Anna"), (5.0, "Anna")]


def test_somebody_whose_looks_all_agree_stays_visible_all_the_while() -> None:
    shown = spans(followed(track(100, ANNA)), Whom.ALL_BUT)
    assert shown[0][0] == 0.0 and shown[-1][1] == 6.0
    assert all(a[1] == b[0] for a, b in pairwise(shown))


def test_a_stranger_is_hidden_and_it_is_said_why() -> None:
    stranger = followed(track(100, [(1.0, "Bert"), (3.0, "Bert")]))
    (named,) = visible_people(stranger, Known(recognise), Whom.ALL_BUT, CAREFUL).named
    assert named.shown == ()
    assert named.reason is Reason.STRANGER


@pytest.mark.parametrize("shots", [[], [(1.0, "Anna")]])
def test_somebody_with_too_few_good_looks_is_hidden(shots: list[tuple[float, str]]) -> None:
    unclear = followed(track(100, shots))
    (named,) = visible_people(unclear, Known(recognise), Whom.ALL_BUT, CAREFUL).named
    assert named.shown == ()
    assert named.reason is Reason.UNSURE


def test_moments_whose_nearest_look_is_of_somebody_else_are_hidden() -> None:
    mixed = followed(track(100, [(1.0, "Anna"), (3.0, "Anna"), (5.0, "Bert")]))
    assert spans(mixed, Whom.ALL_BUT) == [(0.0, 2.0), (2.0, 4.0)]
    assert spans(mixed, Whom.ALL_BUT, FAST) == [(0.0, 6.0)]


def test_nobody_stays_visible_while_somebody_else_is_near_nor_until_they_are_seen_well() -> None:
    beside = track(130, [], from_s=2.0, to_s=4.0)
    shown = spans(followed(track(100, [(0.5, "Anna"), (1.0, "Anna")]), beside), Whom.ALL_BUT)
    assert shown[0][0] == 0.0
    assert shown[-1][1] <= 1.9
    both = spans(followed(track(100, [*ANNA]), beside), Whom.ALL_BUT)
    assert all(not (begins_s < 3.0 < ends_s) for begins_s, ends_s in both)
    assert both[-1][1] == 6.0


def test_nobody_stays_visible_who_was_out_of_sight_and_was_not_seen_well_again() -> None:
    one = track(100, [(0.5, "Anna"), (1.0, "Anna")])
    gap = replace(one, looks=tuple(each for each in one.looks if not 2 < each.time_s < 3))
    shown = spans(followed(gap), Whom.ALL_BUT)
    assert shown[-1][1] == pytest.approx(2.0)


def test_of_whom_nothing_may_be_said_is_hidden() -> None:
    anna = followed(track(100, ANNA))
    for released in ({}, {0: frozenset[str]()}):
        known = Known(recognise, released)
        (named,) = visible_people(anna, known, Whom.ALL_BUT, CAREFUL).named
        assert named.shown == ()
    (named,) = visible_people(anna, Known(recognise, {}), Whom.ONLY, CAREFUL).named
    assert named.shown == () and named.reason is Reason.MAYBE
    allowed = Known(recognise, {0: frozenset({"Anna"})})
    (named,) = visible_people(anna, allowed, Whom.ALL_BUT, CAREFUL).named
    assert named.shown and named.called == "Anna"


def test_only_those_who_are_asked_for_are_hidden() -> None:
    assert spans(followed(track(100, ANNA)), Whom.ONLY) == []
    bert = followed(track(100, [(1.0, "Bert"), (4.0, "Bert")]))
    assert spans(bert, Whom.ONLY) == [(0.0, 2.5), (2.5, 6.0)]


def test_whoever_may_be_one_of_those_asked_for_is_hidden_with_care() -> None:
    unclear = followed(track(100, [(1.0, "Bert")]))
    assert spans(unclear, Whom.ONLY) == []
    assert spans(unclear, Whom.ONLY, FAST) == [(0.0, 6.0)]
    mixed = followed(track(100, [(1.0, "Bert"), (3.0, "Bert"), (5.0, "Anna")]))
    assert spans(mixed, Whom.ONLY) == []
