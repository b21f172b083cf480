"""What a set covers: labels, what is measured, and dates; what is missing is said."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from likeness.errors import InvalidRequest, NoFace
from likeness.service.evaluate.coverage.cover import cover
from likeness.service.evaluate.coverage.findings import CoverageReport, CoveredAxis, to_json
from likeness.service.evaluate.coverage.looks import Look, day_of
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.trials import Plan, PlannedSample

AT = datetime(2026, 1, 2, tzinfo=UTC)
Manifest = Callable[[str, Iterable[Iterable[object]]], Plan]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A plan of rows; each picture is a file of its own name."""

    def make(columns: str, rows: Iterable[Iterable[object]]) -> Plan:
        lines = [list(map(str, row)) for row in rows]
        for name, *_ in lines:
            (tmp_path / name).write_bytes(name.encode())
        path = tmp_path / "people.csv"
        path.write_text("\n".join([columns, *(",".join(line) for line in lines)]) + "\n")
        return read_data(DataSource(path=path))[0]

    return make


def seen(sharpness: float = 60, yaw: float = 3, taken: date | None = None) -> Look:
    return Look(
        1, yaw, 0, 0, sharpness, 50, 90, taken, ("LOW_SHARPNESS",) if sharpness < 12 else ()
    )


def covered(
    plan: Plan, look: Callable[[PlannedSample], Look] | None = None, by: tuple[str, ...] = ()
) -> CoverageReport:
    return cover(plan, look, by=by, made_at=AT, made_by="tests")


def axis(report: CoverageReport, name: str) -> CoveredAxis:
    return next(one for one in report.axes if one.axis == name)


ROWS = [
    (f"{who}-{n}.jpg", f"p{who}", "f" if who < 8 else "m", (10 if who % 2 else 40) + n)
    for who in range(12)
    for n in range(3)
]


def test_groups_are_counted_with_people_pairs_and_rates(manifest: Manifest) -> None:
    report = covered(manifest("path,subject,sex,age", ROWS))
    women, men = axis(report, "sex").groups
    assert (women.group, women.subjects, women.images) == ("f", 8, 24)
    assert (women.mated, women.nonmated) == (8 * 3, 24 * 23 // 2 - 24)
    assert women.fmr == pytest.approx(30 / 252)
    assert women.fmr_surely is None
    assert women.fmr_bound == pytest.approx(3 / 4)
    assert men.fnmr is None  # 12 pairs
    assert [group.group for group in axis(report, "age").groups] == ["10-19", "40-49"]
    assert len(axis(report, "sex x age").groups) == 4
    assert axis(report, "sex").shannon == pytest.approx(0.9183, abs=1e-4)
    assert any("fewer than 30 people" in limit for limit in report.limits)
    assert any("not looked at" in limit for limit in report.limits)
    assert report.needed[2] == (1e-4, 776, 600_000)


def test_cells_that_nobody_is_in_are_named(manifest: Manifest) -> None:
    rows = [("a.jpg", "a", "f", "old"), ("b.jpg", "b", "f", "young"), ("c.jpg", "c", "m", "young")]
    report = covered(manifest("path,subject,sex,band", rows))
    crossed = axis(report, "sex x band")
    assert crossed.missing == ("m old",)
    assert any("nobody is in 1 of 4 groups (m old)" in limit for limit in report.limits)


def test_what_is_measured_is_grouped_and_failures_are_counted(manifest: Manifest) -> None:
    def look(sample: PlannedSample) -> Look:
        if sample.name.startswith("0-"):
            raise NoFace("No face.")
        return seen(sharpness=5 if sample.labels["sex"] == "m" else 90, yaw=-40)

    report = covered(manifest("path,subject,sex,age", ROWS), look)
    assert report.failures == (("no face", 3),)
    sharpness = axis(report, "sharpness")
    assert [(one.group, one.images) for one in sharpness.groups] == [
        ("below 12", 12),
        ("85 and more", 21),
    ]
    assert sharpness.missing == ("12 to 50", "50 to 85")
    assert sharpness.unknown == 3
    assert [one.group for one in axis(report, "turned (yaw)").groups] == ["30 to 60 degrees"]
    by_group = {(one.axis, one.group): one for one in report.measured}
    assert by_group["sex", "m"].sharpness == 5
    assert by_group["sex", "m"].fit == 0
    assert by_group["sex", "f"].fit == pytest.approx(21 / 24)
    assert by_group["all", "all"].no_face == 3


def test_years_come_from_the_manifest_or_the_camera(manifest: Manifest) -> None:
    rows = [
        ("a1.jpg", "a", "2001-05-30"),
        ("a2.jpg", "a", "2011"),
        ("b1.jpg", "b", ""),
        ("b2.jpg", "b", "some day"),
    ]
    taken = {"b1.jpg": date(1999, 1, 1), "b2.jpg": date(2000, 1, 1), "a1.jpg": date(1980, 1, 1)}
    report = covered(
        manifest("path,subject,date", rows), lambda sample: seen(taken=taken.get(sample.name))
    )
    assert [one.group for one in axis(report, "year").groups] == ["1999", "2000", "2001", "2011"]
    assert dict(report.spans) == {1.0: 1, 2.0: 1, 5.0: 1, 10.0: 0, 20.0: 0}
    assert any("no dates" in limit for limit in report.limits)


def test_a_set_of_nobody_knows_whom_carries_no_fnmr(manifest: Manifest) -> None:
    report = covered(manifest("path,sex", [(f"{n}.jpg", "f") for n in range(70)]))
    (women,) = axis(report, "sex").groups
    assert (women.subjects, women.mated, women.fnmr) == (70, 0, None)
    assert women.fmr_surely == pytest.approx(30 / 35)
    assert any("Nobody said whose" in limit for limit in report.limits)


def test_columns_that_group_nothing_are_left_out_and_said(manifest: Manifest) -> None:
    rows = [(f"{n}.jpg", f"p{n}", f"note {n}") for n in range(50)]
    plan = manifest("path,subject,note", rows)
    report = covered(plan)
    assert [axis.axis for axis in report.axes] == ["all"]
    assert report.axes[0].groups[0].nonmated == 50 * 49 // 2
    assert any("50 different values" in limit for limit in report.limits)
    with pytest.raises(InvalidRequest, match="No column 'sex'"):
        covered(plan, by=("sex",))


def test_a_report_is_json(manifest: Manifest) -> None:
    document = json.loads(to_json(covered(manifest("path,subject,sex,age", ROWS))))
    assert document["schema"] == "likeness-coverage/1"
    assert document["axes"][1]["groups"][0]["subjects"] == 8


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021-05-30", date(2021, 5, 30)),
        ("2021:05:30 10:00:00", date(2021, 5, 30)),
        ("20210530", date(2021, 5, 30)),
        ("2021-05", date(2021, 5, 1)),
        (" 2021 ", date(2021, 1, 1)),
        ("2021-13-01", None),
        ("30.05.2021", None),
        ("", None),
    ],
)
def test_days_are_read_year_first(text: str, day: date | None) -> None:
    assert day_of(text) == day
