"""An audit of answers about attributes: judged by labels, counted by group, nothing dropped."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.attributes.audit import Answers, audit_answers
from likeness.service.evaluate.attributes.findings import (
    AttributeFindings,
    AttributeReport,
    to_json,
)
from likeness.service.evaluate.attributes.predictions import NO_ANSWER, read_predictions
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.readers import read_labels

SYSTEM = SystemFacts("a vendor", "answers", "2018")
AT = datetime(2026, 1, 2, tzinfo=UTC)


def written(folder: Path, name: str, columns: str, rows: Iterable[Iterable[object]]) -> Path:
    path = folder / name
    lines = [columns, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def audited_report(
    labels: Path, answers: Path, attribute: str, *by: str, within: float | None = None
) -> AttributeReport:
    return audit_answers(
        read_labels(labels),
        attribute,
        [Answers(SYSTEM, read_predictions(answers, attribute))],
        by=by,
        made_at=AT,
        made_by="tests",
        source=labels.name,
        within=within,
    )


def audited(
    labels: Path, answers: Path, attribute: str, *by: str, within: float | None = None
) -> AttributeFindings:
    (found,) = audited_report(labels, answers, attribute, *by, within=within).findings
    return found


# Pictures, and answers that are wrong, as Raji and Buolamwini counted them of one vendor in 2018.
GENDER_SHADES = {
    ("female", "darker"): (271, 85),
    ("female", "lighter"): (296, 21),
    ("male", "darker"): (318, 4),
    ("male", "lighter"): (385, 0),
}


@pytest.fixture(scope="module")
def gender_shades(tmp_path_factory: pytest.TempPathFactory) -> AttributeReport:
    folder = tmp_path_factory.mktemp("gender shades")
    labels, answers = [], []
    for (sex, skin), (count, wrong) in GENDER_SHADES.items():
        for number in range(count):
            name = f"{sex} {skin}/{number}.jpg"
            labels.append((name, sex, skin))
            said = sex if number >= wrong else ("male" if sex == "female" else "female")
            answers.append((name, said.title(), 99.5 if number >= wrong else 60.0))
    return audited_report(
        written(folder, "labels.csv", "path,sex,skin", labels),
        written(folder, "answers.csv", "path,predicted,confidence", answers),
        "sex",
        "skin",
    )


def test_the_audit_of_2018_comes_out(gender_shades: AttributeReport) -> None:
    (report,) = gender_shades.findings
    assert [axis.axis for axis in report.axes] == ["sex", "skin", "sex x skin"]
    both = report.axes[2]
    assert (both.worst, both.best) == ("female darker", "male lighter")
    worst = both.groups[0]
    assert (worst.group, worst.wrong.errors, worst.wrong.trials) == ("female darker", 85, 271)
    assert worst.wrong.value == pytest.approx(0.3137, abs=5e-5)
    assert (worst.wrong.low, worst.wrong.high) == pytest.approx((0.261, 0.371), abs=5e-4)
    assert both.ratio.value is None
    assert both.ratio.low is not None
    assert both.ratio.low > 20
    assert "Undefined" in both.ratio.note
    assert both.difference.value == pytest.approx(85 / 271)
    assert both.chance is not None
    assert both.chance < 0.001
    assert report.overall.wrong.errors == 110
    assert "rule of 3" in both.groups[-1].wrong.note
    assert "rule of 30" in both.groups[1].wrong.note


def test_surer_answers_are_counted_on_their_own(gender_shades: AttributeReport) -> None:
    least = {point.least: point for point in gender_shades.findings[0].confidences}
    assert least[50].wrong.errors == 110
    assert least[80].wrong.errors == 0
    assert least[50].worst_group == "female darker"
    assert least[99].answered.errors == 1270 - 110


def test_answers_are_counted_by_label(gender_shades: AttributeReport) -> None:
    confusion = gender_shades.findings[0].confusion
    assert confusion is not None
    assert confusion.labels == ("female", "male")
    assert confusion.answers == ("Female", "Male", "failed")
    assert confusion.counts == ((461, 106, 0), (4, 699, 0))


def test_failures_are_trials_in_a_column_of_their_own(tmp_path: Path) -> None:
    labels = written(
        tmp_path, "labels.csv", "path,sex", [(f"{n}.jpg", "F" if n % 2 else "M") for n in range(80)]
    )
    answers = [
        (f"{n}.jpg", "", "no face") if n < 20 else (f"{n}.jpg", "Female" if n % 2 else "male", "")
        for n in range(70)
    ]
    path = written(tmp_path, "answers.csv", "name,predicted,failure", answers)
    report = audited(labels, path, "sex")
    assert (report.overall.failed.errors, report.overall.failed.trials) == (30, 80)
    assert (report.overall.wrong.errors, report.overall.wrong.trials) == (0, 50)
    assert report.overall.wrong_or_failed.errors == 30
    assert report.reasons == (("no face", 20), (NO_ANSWER, 10))
    assert report.axes[0].worst == ""  # 25 answers each carry nothing
    assert any("fewer than 30 answers" in limit for limit in report.limits)
    assert any("without an answer" in limit for limit in report.limits)


def test_pictures_of_one_person_make_nothing_surer(tmp_path: Path) -> None:
    rows = [(f"{who}-{n}.jpg", f"person {who}", "f") for who in range(40) for n in range(10)]
    answers = [(name, "m" if int(whose.split()[1]) < 8 else "f") for name, whose, _ in rows]
    with_subjects = audited(
        written(tmp_path, "labels.csv", "path,subject,sex", rows),
        written(tmp_path, "answers.csv", "path,predicted", answers),
        "sex",
    )
    without = audited(
        written(tmp_path, "bare.csv", "path,sex", [(name, sex) for name, _, sex in rows]),
        tmp_path / "answers.csv",
        "sex",
    )
    wide, narrow = with_subjects.overall.wrong, without.overall.wrong
    assert wide.value == narrow.value == 0.2
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low
    assert (with_subjects.overall.subjects, without.overall.subjects) == (40, 400)
    assert any("Nobody said whose" in limit for limit in without.limits)
    assert not any("Nobody said whose" in limit for limit in with_subjects.limits)


@pytest.mark.parametrize(
    ("truth", "answer", "within", "wrong", "off"),
    [
        ("25-29", "20-28", None, True, -1.0),  # the middle is 24
        ("20-29", "20-28", None, False, 0.0),
        ("20-29", "29.5", None, False, 0.0),
        ("20-29", "34", None, True, 4.001),
        ("20-29", "34", 5, False, 4.001),
        ("more than 70", "64-76", None, False, 0.0),
        ("0-2", "child", None, True, None),
    ],
)
def test_an_age_is_right_if_its_middle_lies_in_the_band(
    tmp_path: Path, truth: str, answer: str, within: float | None, wrong: bool, off: float | None
) -> None:
    report = audited(
        written(tmp_path, "labels.csv", "path,age", [("a.jpg", truth), ("b.jpg", "40-49")]),
        written(tmp_path, "answers.csv", "path,age", [("a.jpg", answer), ("b.jpg", "45")]),
        "age",
        within=within,
    )
    assert report.overall.wrong.errors == wrong
    group = next(one for one in report.axes[0].groups if one.group != "40-49")
    assert group.years_off is not None
    assert group.years_off.value == (None if off is None else pytest.approx(off))
    assert "middle" in report.rule


def test_single_ages_are_judged_by_the_range_that_is_named(tmp_path: Path) -> None:
    truths = [3, 17, 25, 44, 58, 71]
    answers = [(f"{n}.jpg", f"{n}-{n + 8}") for n in truths]
    report = audited(
        written(tmp_path, "labels.csv", "path,age", [(f"{n}.jpg", n) for n in truths]),
        written(tmp_path, "answers.csv", "path,predicted", answers),
        "age",
    )
    assert report.overall.wrong.errors == 0
    assert report.overall.years_off is not None
    assert report.overall.years_off.value == pytest.approx(4)
    assert [group.group for group in report.axes[0].groups][:3] == ["3-9", "10-19", "20-29"]
    assert report.confusion is not None
    assert report.confusion.labels == ("3-9", "10-19", "20-29", "40-49", "50-59", "70+")


def test_ages_that_nobody_answers_are_failures(tmp_path: Path) -> None:
    report = audited(
        written(tmp_path, "labels.csv", "path,age", [("a.jpg", "20-29"), ("b.jpg", "40-49")]),
        written(tmp_path, "answers.csv", "path,age", [("a.jpg", ""), ("b.jpg", "")]),
        "age",
    )
    assert (report.overall.failed.errors, report.overall.wrong.trials) == (2, 0)
    assert report.overall.years_off is not None
    assert report.overall.years_off.value is None


LABELS = [("a.jpg", "f", "x"), ("b.jpg", "m", ""), ("c.jpg", "", "x")]
BAD = [
    ("path,predicted", [("other.jpg", "f")], "sex", (), "none of the labelled pictures"),
    ("path,predicted", [("a.jpg", "weiblich"), ("b.jpg", "x")], "sex", (), "No answer is a label"),
    ("path,predicted", [("a.jpg", "f")], "age", (), "No column 'age'"),
    ("path,predicted", [("a.jpg", "f")], "sex", ("skin",), "No column 'skin'"),
    ("path,predicted", [("a.jpg", "f")], "sex", ("sex",), "named twice"),
    ("path,said", [("a.jpg", "f")], "sex", (), "no columns of answers"),
    ("path,predicted", [], "sex", (), "no rows"),
    ("path,predicted", [("a.jpg", "f")], "nobody", (), "No picture has a label"),
]


@pytest.mark.parametrize(("columns", "rows", "attribute", "by", "says"), BAD)
def test_what_cannot_be_judged_is_refused(
    tmp_path: Path,
    columns: str,
    rows: list[tuple[str, str]],
    attribute: str,
    by: tuple[str, ...],
    says: str,
) -> None:
    labels = written(
        tmp_path, "labels.csv", "path,sex,other,nobody", [(*row, "") for row in LABELS]
    )
    with pytest.raises(InvalidRequest, match=says):
        audited(labels, written(tmp_path, "answers.csv", columns, rows), attribute, *by)


def test_bad_rows_are_told_one_by_one(tmp_path: Path) -> None:
    labels = written(tmp_path, "labels.csv", "path,sex,other", LABELS)
    answers = written(
        tmp_path,
        "answers.csv",
        "path,predicted,confidence",
        [
            ("a.jpg", "f", "0.9"),
            ("./a.jpg", "m", "0.9"),
            ("b.jpg", "robot", "nan"),
            ("c.jpg", "f", "0.5"),
            ("d.jpg", "f", "0.5"),
            ("", "f", "0.5"),
            ("e.jpg", "f\0", ""),
        ],
    )
    report = audited(labels, answers, "sex", "other")
    said = [f"{problem.where}: {problem.says}" for problem in report.problems]
    assert len(said) == 5
    assert any("line 3" in one and "answered in line 2" in one for one in said)
    assert any("line 7" in one and "path is missing" in one for one in said)
    assert any("line 8" in one and "control character" in one for one in said)
    assert any("confidence 'nan'" in one for one in said)
    assert any("no row of labels" in one for one in said)
    assert report.overall.wrong.errors == 1
    assert any("robot" in limit for limit in report.limits)
    assert any("no label in 'sex'" in limit for limit in report.limits)
    assert report.axes[1].unlabelled == 1
    assert report.confidences == ()


def test_a_report_is_json_that_names_its_format(gender_shades: AttributeReport) -> None:
    document = json.loads(to_json(gender_shades))
    assert document["schema"] == "likeness-attributes/1"
    assert document["findings"][0]["axes"][2]["worst"] == "female darker"
    assert len(document["data"]["digest"]) == 64


def test_two_systems_are_compared_on_the_same_pictures(tmp_path: Path) -> None:
    rows = [(f"{n}.jpg", f"p{n // 2}", "f" if n < 200 else "m") for n in range(400)]
    labels = written(tmp_path, "labels.csv", "path,subject,sex", rows)
    # The first fails women more often; of men both say the same.
    wrong = {"first": (0.3, 0.1), "second": (0.1, 0.1)}
    answers = []
    for name, (women, men) in wrong.items():
        said = [
            (path, "m")
            if sex == "f" and n % 10 < 10 * women
            else (path, ("f" if n % 10 < 10 * men else "m") if sex == "m" else "f")
            for n, (path, _, sex) in enumerate(rows)
        ]
        path = written(tmp_path, f"{name}.csv", "path,predicted", said)
        answers.append(Answers(SystemFacts(name, "answers", ""), read_predictions(path, "sex")))
    report = audit_answers(read_labels(labels), "sex", answers, by=(), made_at=AT, made_by="tests")
    differences = {(one.axis, one.group): one for one in report.differences}
    women, men = differences["sex", "f"], differences["sex", "m"]
    assert (women.a.errors, women.b.errors) == (60, 20)
    assert women.difference.value == pytest.approx(-0.2)
    assert women.difference.high is not None
    assert women.difference.high < 0
    assert women.chance is not None
    assert women.chance < 0.001
    assert (men.difference.value, men.chance) == (0.0, None)
    assert differences["all", "all"].difference.value == pytest.approx(-0.1)
    with pytest.raises(InvalidRequest, match="3 systems"):
        audit_answers(
            read_labels(labels), "sex", [answers[0]] * 3, by=(), made_at=AT, made_by="tests"
        )
