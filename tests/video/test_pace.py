"""Times of a stream ascend within a part, and what jumps begins another."""

import itertools

import pytest

from likeness.video.decoding.pace import Pace, Spread


def parts(stamps: list[tuple[float | None, float]], pace: Pace | None = None) -> list[list[float]]:
    """Say when frames are, by stamp and arrival, one list for each part."""
    pace = pace or Pace()
    found: list[list[float]] = []
    for stamp_s, arrived_s in stamps:
        time_s = pace.time_s(stamp_s, arrived_s)
        if time_s is None:
            pace.begin(arrived_s)
            found.append([0.0])
        else:
            found[-1].append(round(time_s, 3))
    return found


def test_stamps_count_from_the_first_of_a_part() -> None:
    assert parts([(7.0, 100.0), (7.1, 100.5), (7.2, 100.6)]) == [[0, 0.1, 0.2]]


def test_stamps_that_go_back_a_little_are_a_little_later() -> None:
    assert parts([(7.0, 0), (7.1, 0.1), (7.1, 0.2), (7.05, 0.3), (7.2, 0.4)]) == [
        [0, 0.1, 0.101, 0.102, 0.2]
    ]


@pytest.mark.parametrize("jump_s", [-5.0, 60.0, -1e6, 1e9])
def test_stamps_that_jump_begin_a_part(jump_s: float) -> None:
    after_s = 7.2 + jump_s
    assert parts([(7.0, 0), (7.1, 0.1), (after_s, 0.2), (after_s + 0.1, 0.3)]) == [
        [0, 0.1],
        [0, 0.1],
    ]


def test_frames_without_stamps_are_when_they_come() -> None:
    assert parts([(None, 5.0), (None, 5.2), (None, 5.4)], Pace(trusts_stamps=False)) == [
        [0, 0.2, 0.4]
    ]


def test_frame_without_a_stamp_follows_the_one_before() -> None:
    assert parts([(7.0, 0), (7.1, 0.1), (None, 0.25), (7.3, 0.3)]) == [[0, 0.1, 0.25, 0.3]]


def test_stamps_that_stand_still_are_believed_no_more() -> None:
    pace = Pace()
    found = parts([(7.0, 0.1 * number) for number in range(600)], pace)
    assert not pace.trusts_stamps
    assert len(found) == 4
    assert found[-1][-1] - found[-1][-2] == pytest.approx(0.1)
    assert len(found[-1]) > 200


def test_clock_that_is_a_little_slow_is_believed() -> None:
    pace = Pace()
    found = parts([(number * 0.999, number * 1.0) for number in range(9000)], pace)
    assert len(found) == 1
    assert pace.trusts_stamps


def due(bursts: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Say when frames are due that come at a moment, `from` a time `to` another; 10 a second."""
    spread = Spread()
    found = []
    for came_s, from_s, to_s in bursts:
        for number in range(round(from_s * 10), round(to_s * 10)):
            found.append((number / 10, spread.due_s(number / 10, came_s)))
    return found


def test_bursts_are_spread_at_their_own_pace() -> None:
    found = due([(100 + begin, begin, begin + 4) for begin in range(0, 40, 4)])
    steps = [b[1] - a[1] for a, b in itertools.pairwise(found)]
    assert steps == pytest.approx([0.1] * len(steps))


def test_what_came_too_early_at_first_is_soon_seen_as_early_as_it_may() -> None:
    later = [(92 + begin, begin, begin + 4) for begin in range(12, 60, 4)]
    found = due([(100, 0, 12), *later])
    late = [due_s - 92 - time_s for time_s, due_s in found]
    steps = [b[1] - a[1] for a, b in itertools.pairwise(found[121:])]
    assert late[0] == pytest.approx(8)
    assert late[-1] < 0.5
    assert steps == pytest.approx([0.1] * len(steps))


def test_stream_that_stood_still_is_no_later_for_ever() -> None:
    bursts = [
        (100 + second + (5 if second >= 20 else 0), second, second + 1) for second in range(60)
    ]
    caught_up = [(came - 5 if second >= 30 else came, second, end) for came, second, end in bursts]
    found = due(caught_up)
    late = {time_s: due_s - 100 - time_s for time_s, due_s in found}
    assert late[19.0] < 0.2
    assert late[25.0] == pytest.approx(5, abs=0.1)
    assert late[59.0] < 0.3


def test_file_that_comes_at_once_is_sooner_by_some_seconds_at_most() -> None:
    found = due([(100 + at / 100, at, at + 1) for at in range(600)])
    assert found[-1][1] - found[0][1] == pytest.approx(600 - 30, abs=1)
