"""Rates of groups, and when they are warned of."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.terms import (
    Calibration,
    GroupPoint,
    GroupRates,
    GroupWarning,
    MeasuredGroups,
    OperatingPoint,
)
from likeness.vision.cohorts.standards import Standards

# Of any strangers 1 in 1,000 reach -0.8 and 1 in 1,000,000 reach -0.5.
ANY = Calibration("m", "c", (-1.1, -0.5), (1.0, 1e-6), 10**8, "anybody")


def rates(group: str, *points: tuple[float, float]) -> GroupRates:
    made = tuple(GroupPoint(score, fmr, fmr / 2, min(2 * fmr, 1.0)) for score, fmr in points)
    return GroupRates("sex", group, 5_000, made)


WOMEN = rates("women", (-0.9, 0.2), (-0.8, 0.05), (-0.7, 0.01))
MEN = rates("men", (-0.9, 0.03), (-0.8, 0.011))
KNOWN = replace(ANY, groups=(MEN, WOMEN))


def warned(fmr: float = 1e-3, warn_from: float = 10.0) -> GroupWarning | None:
    return KNOWN.group_warning(KNOWN.point(fmr), warn_from)


def test_the_worst_group_is_warned_of_and_the_others_are_counted() -> None:
    warning = warned()
    assert warning is not None
    assert (warning.group, warning.groups, warning.asked_for) == ("women", 2, 1e-3)
    assert warning.times == pytest.approx(50.0)
    assert (warning.low, warning.high) == pytest.approx((0.025, 0.1))


def test_who_is_below_the_multiple_is_not_counted() -> None:
    warning = warned(warn_from=20.0)
    assert warning is not None
    assert warning.groups == 1


@pytest.mark.parametrize(
    ("fmr", "warn_from"),
    [(1e-3, 0.0), (1e-3, 51.0), (1e-6, 10.0), (1e-9, 10.0)],
    ids=["never", "more than the worst", "not measured so far", "nothing matches"],
)
def test_without_a_measured_excess_there_is_no_warning(fmr: float, warn_from: float) -> None:
    assert warned(fmr, warn_from) is None


def test_between_two_points_the_rate_falls_evenly() -> None:
    point = WOMEN.at(-0.75)
    assert point is not None
    assert point.fmr == pytest.approx((0.05 * 0.01) ** 0.5)


@given(st.floats(-2, 0))
def test_a_rate_is_never_below_the_one_of_a_higher_score(score: float) -> None:
    here, beyond = WOMEN.at(score), WOMEN.at(score + 0.05)
    assert (here is None) == (score > -0.7)
    if here is not None and beyond is not None:
        assert here.fmr >= beyond.fmr
        assert here.low <= here.fmr <= here.high


@pytest.mark.parametrize(
    "points",
    [(), ((-0.8, 0.1), (-0.9, 0.05)), ((-0.9, 0.1), (-0.8, 0.2)), ((-0.9, 0.0),)],
)
def test_what_is_no_table_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InvalidRequest, match="rates of 'women'"):
        rates("women", *points)


def test_a_threshold_that_is_not_calibrated_is_not_warned_of() -> None:
    assert KNOWN.group_warning(OperatingPoint(-0.8, 1e-3, calibrated=False), 10.0) is None


def test_groups_are_kept_by_themselves_and_come_with_any_calibration(tmp_path: Path) -> None:
    standards = Standards(tmp_path, tmp_path / "shipped")
    standards.keep_calibration(KNOWN)
    assert standards.calibration("m", "c") == ANY
    measured = MeasuredGroups("m", "c", "two sexes", (MEN, WOMEN))
    standards.keep_groups(measured)
    assert standards.groups("m", "c") == measured
    assert standards.calibration("m", "c") == KNOWN


def test_damaged_groups_say_what_to_do(tmp_path: Path) -> None:
    standards = Standards(tmp_path, tmp_path / "shipped")
    path = standards.keep_groups(MeasuredGroups("m", "c", "two sexes", (MEN,)))
    value = json.loads(path.read_bytes())
    value["groups"][0]["points"] = []
    path.write_text(json.dumps(value))
    with pytest.raises(InvalidRequest, match="Delete it and run"):
        standards.groups("m", "c")
