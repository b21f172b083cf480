"""What is hidden in a clip at each moment, from where faces were found in it."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.terms import Box
from likeness.video import (
    Ending,
    HiddenTrack,
    Hiding,
    Holding,
    Interval,
    Moment,
    NamedTrack,
    Plan,
    Reason,
    Sight,
    Style,
)

_HOLD = Holding(before_s=0.5, after_s=0.7, doubtful_s=0.1)


def track(
    *looks: tuple[float, float], size: float = 60.0, sure: float = 0.9, number: int = 0
) -> HiddenTrack:
    """A face seen at (seconds, left), 100 pixels from the top."""
    path = np.array([(at, left, 100.0, left + size, 100.0 + size) for at, left in looks])
    return HiddenTrack(number, path, np.full(len(path), sure))


def box_at(plan: Plan, time_s: float) -> Box:
    (hidden,) = plan.at(time_s).hidden
    return hidden.region.box


def test_a_face_is_hidden_where_it_is_seen_and_between_two_looks() -> None:
    plan = Plan([track((1.0, 100), (1.1, 120))], _HOLD)
    assert box_at(plan, 1.0) == Box(100, 100, 160, 160)
    assert box_at(plan, 1.05).left == pytest.approx(110)
    assert plan.at(1.05).hidden[0].sight is Sight.SEEN


def test_what_is_hidden_reaches_before_the_first_and_after_the_last_sight() -> None:
    plan = Plan([track((1.0, 100), (1.1, 120), (1.2, 140))], _HOLD)
    assert plan.at(0.49).hidden == () and plan.at(1.91).hidden == ()
    before, after = plan.at(0.9).hidden[0], plan.at(1.3).hidden[0]
    assert (before.sight, after.sight) == (Sight.BEFORE, Sight.AFTER)
    # It holds where it was seen and where it most likely went.
    assert before.region.box.left == pytest.approx(80)
    assert before.region.box.right == 160
    assert after.region.box.left == 140
    assert after.region.box.right == pytest.approx(220)


def test_speed_is_believed_for_a_moment_alone() -> None:
    plan = Plan([track((1.0, 100), (1.1, 120))], _HOLD)
    assert box_at(plan, 1.8).right == pytest.approx(180 + 0.3 * 200)


def test_a_gap_is_hidden_the_wider_the_further_a_face_went_in_it() -> None:
    plan = Plan([track((1.0, 100), (2.0, 340))], _HOLD)
    (between,) = plan.at(1.5).hidden
    assert between.sight is Sight.BETWEEN
    assert between.region.box.left == pytest.approx(220)
    assert between.region.margin == pytest.approx(_HOLD.margin + 1.0)
    (still,) = Plan([track((1.0, 100), (2.0, 100))], _HOLD).at(1.5).hidden
    assert still.region.margin == _HOLD.margin


def test_a_small_face_is_hidden_with_more_around_it() -> None:
    (small,) = Plan([track((1.0, 100), size=20)], _HOLD).at(1.0).hidden
    assert small.region.margin == _HOLD.small_margin


def test_what_was_never_surely_a_face_is_held_for_a_moment_alone() -> None:
    plan = Plan([track((1.0, 100), sure=0.2)], _HOLD)
    assert plan.at(1.0).hidden[0].sight is Sight.PERHAPS
    assert plan.at(1.09).hidden and not plan.at(1.2).hidden
    assert plan.at(0.91).hidden and not plan.at(0.85).hidden


def test_nothing_is_held_far_beyond_a_cut() -> None:
    cut = track((1.0, 100), (1.1, 100))
    plan = Plan([HiddenTrack(0, cut.path, cut.sure, ended=Ending.CUT)], _HOLD)
    assert plan.at(1.2).hidden and not plan.at(1.4).hidden


def test_what_begins_behind_a_cut_is_not_hidden_before_it() -> None:
    before, after = track((0.5, 300), (1.0, 300)), track((1.1, 100), (2.0, 100), number=1)
    cut = HiddenTrack(0, before.path, before.sure, ended=Ending.CUT)
    plan = Plan([cut, after], _HOLD)
    assert [one.track for one in plan.at(0.9).hidden] == [0]
    assert {one.track for one in plan.at(1.05).hidden} == {0, 1}
    uncut = Plan([HiddenTrack(0, before.path, before.sure), after], _HOLD)
    assert {one.track for one in uncut.at(0.9).hidden} == {0, 1}


def named(*looks: tuple[float, float], **known: object) -> NamedTrack:
    return NamedTrack(track(*looks).path, Reason.UNSURE, **known)  # type: ignore[arg-type]


def test_whoever_stays_visible_does_so_at_the_moments_named_alone() -> None:
    anna = named(
        (0.0, 100),
        (4.0, 100),
        shown=(Interval(1.0, 2.0),),
        reasons=((Interval(2.1, 3.0), Reason.NEAR),),
        called="Anna",
    )
    plan = Plan([track((0.0, 100), (4.0, 100))], _HOLD, [anna], Reason.STRANGER)
    assert plan.at(1.5).hidden == ()
    assert [one.called for one in plan.at(1.5).shown] == ["Anna"]
    assert plan.at(2.5).shown == ()
    assert [one.reason for one in plan.at(2.5).hidden] == [Reason.NEAR]
    assert [one.reason for one in plan.at(3.5).hidden] == [Reason.UNSURE]
    # Before she was followed nobody knows who it is.
    assert [one.reason for one in plan.at(4.2).hidden] == [Reason.STRANGER]


def test_a_stranger_beside_whoever_stays_visible_is_hidden() -> None:
    anna = named((0.0, 100), (4.0, 100), shown=(Interval(0.0, 4.0),))
    found = [track((0.0, 102), (4.0, 102)), track((0.0, 140), (4.0, 140), number=1)]
    plan = Plan(found, _HOLD, [anna], Reason.STRANGER)
    assert [one.track for one in plan.at(2.0).hidden] == [1]


def pixels_beside_anna(
    *sure: float, reason: Reason = Reason.STRANGER
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the middle of Anna's face, and that of what is half before it, is hidden."""
    anna = named((0.0, 100), (4.0, 100), shown=(Interval(0.0, 4.0),))
    path = np.array([(at, 135.0, 100.0, 195.0, 160.0) for at in (1.0, 1.1, 1.2)])
    beside = HiddenTrack(1, path, np.array(sure))
    plan = Plan([track((0.0, 100), (4.0, 100)), beside], _HOLD, [anna], reason)
    pixels = np.full((300, 300, 3), 200, np.uint8)
    plan.at(1.1).hide(pixels, Hiding(Style.BLACK))
    black = pixels.max(axis=2) == 0
    return black[120:140, 120:140], black[120:140, 162:175]


def test_what_was_never_surely_a_face_hides_nothing_of_whoever_stays_visible() -> None:
    hers, beside = pixels_beside_anna(0.8, 0.6, 0.85)
    assert not hers.any()
    assert beside.all()


@pytest.mark.parametrize(
    ("sure", "reason"),
    [((0.6, 0.6, 0.95), Reason.STRANGER), ((0.6, 0.6, 0.6), Reason.MAYBE)],
    ids=["was surely a face once", "some people alone are hidden"],
)
def test_what_may_not_be_seen_hides_whoever_stays_visible_too(
    sure: Sequence[float], reason: Reason
) -> None:
    hers, beside = pixels_beside_anna(*sure, reason=reason)
    assert hers.any()
    assert beside.all()


def test_somebody_near_one_who_is_asked_for_is_hidden_where_both_may_be() -> None:
    """What is hidden since somebody else is near may still be one of those to be hidden."""
    asked, other = named((0.0, 100), (4.0, 100)), named((0.0, 185), (4.0, 185))
    asked = NamedTrack(asked.path, Reason.MAYBE, reasons=((Interval(0.0, 4.0), Reason.NEAR),))
    other = NamedTrack(other.path, Reason.MAYBE, (Interval(0.0, 4.0),))
    doubtful = track((1.0, 124), (1.1, 124), (1.2, 124), sure=0.85, number=1)
    moment = Plan([doubtful], _HOLD, [asked, other], Reason.MAYBE).at(1.1)
    assert [one.reason for one in moment.hidden] == [Reason.NEAR]
    assert not any(one.gives_way for one in moment.hidden)


@pytest.mark.parametrize("rate", [24.0, 25.0, 12.5])
def test_nobody_stays_visible_where_another_is_seen_in_every_second_look(rate: float) -> None:
    """Looks take turns at two sizes: a face may be found at one of them alone."""
    anna = named((0.0, 100), (4.0, 100), shown=(Interval(0.0, 4.0),))
    every_s = max(1 / rate, 2 / rate if rate > 15 else 0)
    looks = [number * every_s for number in range(int(4 / every_s))]
    hers = track(*((at, 98) for at in looks))
    theirs = track(*((at, 112) for at in looks[::2]), number=1)
    plan = Plan([hers, theirs], _HOLD, [anna], Reason.STRANGER)
    times = [number / rate for number in range(int(rate * 3.5))]
    assert [at for at in times if plan.at(at).shown] == []


def test_nobody_stays_visible_where_two_faces_are_seen_in_one_place() -> None:
    anna = named((0.0, 100), (4.0, 100), shown=(Interval(0.0, 4.0),))
    hers = track(*((number / 10, 98) for number in range(41)))
    theirs = track(*((number / 10, 112) for number in range(20, 41)), number=1)
    own = HiddenTrack(2, anna.path, np.ones(2), is_named=True)
    plan = Plan([hers, theirs, own], _HOLD, [anna], Reason.STRANGER)
    # What is seen before somebody else comes is her alone.
    assert [one.called for one in plan.at(1.0).shown] == [None]
    assert plan.at(1.0).hidden == ()
    assert plan.at(3.0).shown == ()
    assert {one.track for one in plan.at(3.0).hidden} == {0, 1, 2}
    assert {one.reason for one in plan.at(3.0).hidden} == {Reason.NEAR}


def test_nothing_is_said_of_times_at_which_nobody_is_near() -> None:
    plan = Plan([track((1.0, 100)), track((500.0, 100))], _HOLD)
    assert plan.at(100.0) == Moment()
    assert len(plan.at(500.0).hidden) == 1
