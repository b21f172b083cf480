"""Moments of clips, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.terms import clock, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0.2s", 0.2),
        ("90", 90.0),
        ("90s", 90.0),
        (" 7 s ", 7.0),
        ("1:30", 90.0),
        ("01:30.5", 90.5),
        ("1:02:03.5", 3723.5),
        ("100:00:00", 360_000.0),
        ("0", 0.0),
    ],
)
def test_a_moment_is_seconds_or_a_clock(text: str, seconds: float) -> None:
    assert moment(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "-1", "1:60", "60:00:00:00", "1:75:00", "1e3", "nan", "inf", "1:", "2m", "\u0661"],
)
def test_what_is_no_moment_is_told_what_one_is(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"is no time of a clip. Give seconds \(90, 0.2s\)"):
        moment(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00.0"), (62.46, "01:02.5"), (59.97, "01:00.0"), (3661.04, "1:01:01.0")],
)
def test_a_moment_is_written_as_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@given(st.floats(0, 360_000))
def test_what_is_written_is_read_again(seconds: float) -> None:
    assert moment(clock(seconds)) == pytest.approx(seconds, abs=0.0501)
