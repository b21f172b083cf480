"""When sound is, whatever is stamped on it: by the line of time of the pictures beside it."""

import av
import numpy as np
import pytest

from likeness.video.decoding.sound import Line, Placing

_RATE, _SAMPLES = 8000, 800
PIECE_S = _SAMPLES / _RATE


def piece() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, _SAMPLES), np.int16), "s16", "mono")
    frame.sample_rate = _RATE
    return frame


def line(*stamps: float, longest_s: float = 3600.0) -> Line:
    made = Line(0.0, 0.04, longest_s)
    for stamp_s in stamps:
        made.see(stamp_s, stamp_s)
    return made


def steps(begins_s: float, count: int, step_s: float = 0.04) -> list[float]:
    return [begins_s + number * step_s for number in range(count)]


def test_pictures_that_follow_each_other_are_one_line() -> None:
    found = line(*steps(0, 50))
    assert (found.offset_s, found.jumps) == (0.0, 0)
    assert found.now_s == pytest.approx(49 * 0.04)


def test_pictures_in_another_order_than_they_are_shown_are_one_line() -> None:
    found = Line(0.0, 0.04, 3600.0)
    for dts_s, pts_s in [(-0.08, 0.0), (-0.04, 0.16), (0.0, 0.08), (0.04, 0.04), (0.08, 0.12)]:
        found.see(dts_s, pts_s)
    assert (found.offset_s, found.now_s, found.jumps) == (0.0, 0.16, 0)


@pytest.mark.parametrize("astray", [-5.0, 900.0, 1e12])
def test_one_stamp_that_is_out_of_line_moves_nothing(astray: float) -> None:
    found = line(0.0, 0.04, astray, 0.12, 0.16)
    assert (found.offset_s, found.now_s, found.jumps) == (0.0, 0.16, 0)


def test_where_time_jumps_back_it_is_counted_on() -> None:
    found = line(*steps(5.0, 10), *steps(0.0, 10))
    assert found.jumps == 1
    assert found.offset_s == pytest.approx(5.36 + 0.04)
    assert found.now_s == pytest.approx(5.36 + 0.04 + 9 * 0.04)


def test_a_gap_is_kept() -> None:
    found = line(0.0, 0.04, 1800.0, 1800.04)
    assert (found.offset_s, found.now_s, found.jumps) == (0.0, 1800.04, 0)


def test_where_time_leads_beyond_the_longest_clip_it_is_counted_on() -> None:
    found = line(0.0, 0.04, 1e6, 1e6 + 0.04)
    assert (found.now_s, found.jumps) == (pytest.approx(0.12), 1)


def placed(placing: Placing, *stamps: float | None) -> list[float]:
    found = []
    for stamp_s in stamps:
        found += [time_s for time_s, _ in placing.placed(stamp_s, piece())]
    return found


def test_sound_is_where_its_stamps_say() -> None:
    assert placed(Placing(line()), 0.0, 0.1, 0.2, 3.0) == [0.0, 0.1, 0.2, 3.0]


def test_sound_without_stamps_goes_on() -> None:
    assert placed(Placing(line()), 1.0, None, None) == pytest.approx([1.0, 1.1, 1.2])


def test_sound_waits_for_pictures_to_jump_with_it() -> None:
    pictures = line(*steps(0, 25))
    placing = Placing(pictures)
    assert placed(placing, *steps(0, 10, PIECE_S)) == pytest.approx(steps(0, 10, PIECE_S))
    assert placed(placing, 4000.0, 4000.1) == [], "its pictures are still at 1 s"
    for stamp_s in steps(4000.0, 3):
        pictures.see(stamp_s, stamp_s)
    assert placed(placing, 4000.2) == pytest.approx([1.0, 1.1, 1.2])


def test_sound_that_jumps_back_before_its_pictures_follows_them() -> None:
    pictures = line(*steps(100.0, 25))
    placing = Placing(pictures, _next_s=101.0)
    assert placed(placing, 0.0, 0.1) == []
    for stamp_s in steps(0.0, 10):
        pictures.see(stamp_s, stamp_s)
    offset_s = 100.0 + 25 * 0.04
    assert placed(placing, 0.2) == pytest.approx([offset_s + one for one in (0.0, 0.1, 0.2)])


def test_sound_that_jumps_alone_goes_on_from_what_was_before() -> None:
    placing = Placing(line(*steps(0, 25)))
    stamps = [*steps(0, 10, PIECE_S), *steps(500.0, 40, PIECE_S)]
    found = placed(placing, *stamps) + [time_s for time_s, _ in placing.rest()]
    assert found == pytest.approx(steps(0, 50, PIECE_S))


def test_a_gap_in_sound_is_kept_where_its_pictures_go_on() -> None:
    placing = Placing(line(*steps(0, 750)))
    assert placed(placing, 0.0, 0.1, 25.0) == [0.0, 0.1, 25.0]


def test_sound_goes_on_behind_the_last_picture() -> None:
    placing = Placing(line(*steps(0, 25)))
    stamps = steps(0, 400, PIECE_S)
    assert placed(placing, *stamps) == pytest.approx(stamps)
