"""When frames are, whatever is stamped on them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.video.decoding.clock import Clock


def times(stamps: list[float | None], *, origin_s: float = 0.0, step_s: float = 0.1) -> list[float]:
    clock: Clock[None] = Clock(origin_s, step_s, 3600.0)
    return [round(time_s, 3) for time_s, _ in clock.timed((stamp, None) for stamp in stamps)]


def test_stamps_are_counted_from_the_clips_first_moment() -> None:
    assert times([100.5, 100.6, 100.8], origin_s=100.0) == [0.5, 0.6, 0.8]


def test_a_frame_without_a_stamp_follows_the_one_before() -> None:
    assert times([None, None, 0.5, None, 0.9]) == [0.0, 0.1, 0.5, 0.6, 0.9]


def test_a_gap_is_kept() -> None:
    assert times([0.0, 0.1, 1800.0, 1800.1]) == [0.0, 0.1, 1800.0, 1800.1]


def test_slow_clips_are_no_row_of_leaps() -> None:
    assert times([0.0, 30.0, 60.0, 90.0]) == [0.0, 30.0, 60.0, 90.0]


@pytest.mark.parametrize("astray", [-5.0, 0.05, 900.0, 1e12, float("inf"), -1e300])
def test_one_stamp_that_is_out_of_line_is_passed_over(astray: float) -> None:
    found = times([0.0, 0.1, 0.2, astray, 0.4, 0.5])

    assert found[:3] == [0.0, 0.1, 0.2]
    assert 0.2 < found[3] < 0.4
    assert found[4:] == [0.4, 0.5]


def test_where_time_jumps_back_it_is_counted_on() -> None:
    again = times([5.0, 5.1, 5.2, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5])

    assert again == [5.0, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6, 5.7, 5.8]


def test_where_time_leads_beyond_the_longest_clip_it_is_counted_on() -> None:
    later = [1e6 + number / 10 for number in range(4)]

    assert times([0.0, 0.1, *later]) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_first_moment_that_cannot_be_is_that_of_the_first_frame() -> None:
    assert times([7.0, 7.1], origin_s=-1e9) == [0.0, 0.1]


_STAMPS = st.one_of(st.none(), st.floats(-1e20, 1e20), st.floats(0, 60))


@settings(max_examples=200)
@given(st.lists(_STAMPS, max_size=30), _STAMPS.filter(lambda stamp: stamp is not None))
def test_times_ascend_and_are_numbers_whatever_is_stamped(
    stamps: list[float | None], origin_s: float
) -> None:
    clock: Clock[None] = Clock(origin_s, 0.04, 3600.0)
    found = [time_s for time_s, _ in clock.timed((stamp, None) for stamp in stamps)]

    assert len(found) == len(stamps)
    assert all(0 <= time_s < 1e6 for time_s in found)
    assert all(after > before for before, after in pairwise(found))
