"""The pages of audits of answers and of coverage: worst first, nothing taken for markup."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from likeness.reports import (
    attributes_at_terminal,
    attributes_page,
    coverage_at_terminal,
    coverage_page,
    write_attributes,
    write_coverage,
)
from likeness.reports.blocks import Table
from likeness.service.evaluate.attributes.audit import Answers, audit_answers
from likeness.service.evaluate.attributes.findings import AttributeReport
from likeness.service.evaluate.attributes.predictions import Prediction, Predictions
from likeness.service.evaluate.coverage.cover import cover
from likeness.service.evaluate.coverage.findings import CoverageReport
from likeness.service.evaluate.coverage.looks import Look
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.readers import Labels
from likeness.service.evaluate.readers.labels import LabelledRow
from likeness.service.evaluate.trials import PlannedSample
from tests.reports.test_pages import read

AT = datetime(2026, 1, 2, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> $x^"


@pytest.fixture(scope="module")
def attributes() -> AttributeReport:
    """Ages and names of groups as hostile as may be; one of three is wrong, old people more."""
    rows, said = {}, {}
    for number in range(400):
        age = 20 + number % 60
        name = f"{number}.jpg"
        rows[name] = LabelledRow(
            number, name, f"p{number // 2}", {"age": str(age), HOSTILE: "ab"[number % 2]}
        )
        off = 9 if number % 3 == 0 or age > 70 else 0
        said[name] = (
            Prediction("", None, HOSTILE)
            if number % 50 == 0
            else Prediction(f"{age - 2 + off}-{age + 2 + off}", 90.0)
        )
    system = SystemFacts(HOSTILE, "answers", "1")
    fewer = {name: one for number, (name, one) in enumerate(said.items()) if number % 9}
    return audit_answers(
        Labels(rows),
        "age",
        [Answers(system, Predictions(said)), Answers(system, Predictions(fewer))],
        by=[HOSTILE],
        made_at=AT,
        made_by="tests",
        source=HOSTILE,
    )


@pytest.fixture(scope="module")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> CoverageReport:
    folder: Path = tmp_path_factory.mktemp("set")
    lines = [f"path,subject,sex,age,{HOSTILE}"]
    for number in range(60):
        (folder / f"{number}.jpg").write_bytes(bytes([number]))
        sex = "f" if number < 40 else "m"
        lines.append(f"{number}.jpg,p{number // 2},{sex},{20 + number},{HOSTILE}")
    lines.append("missing.jpg,q,f,3,x")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    plan, _ = read_data(DataSource(path=folder / "people.csv"))

    def look(sample: PlannedSample) -> Look:
        number = int(Path(sample.name).stem)
        return Look(1, number, 0, 0, number, 50, 90, date(1990 + number, 1, 1))

    return cover(plan, look, made_at=AT, made_by="tests")


@pytest.mark.slow
def test_an_audit_of_answers_is_sound_html_that_says_the_worst(attributes: AttributeReport) -> None:
    html = write_attributes(attributes)
    page = read(html)
    assert page.wrong == page.open == []
    assert b"<script" not in html
    assert len(html) < 600_000
    assert "Wrong or unanswered, of the same pictures" in page.text
    assert "Worst group by age" in page.text
    assert "Years above the truth" in page.text
    assert HOSTILE in page.text


def test_no_worst_group_is_pointed_at_that_chance_may_have_made(
    attributes: AttributeReport,
) -> None:
    found = attributes.findings[0]
    for chance, tones in ((0.5, set()), (0.001, {"worst"})):
        axes = tuple(replace(axis, chance=chance) for axis in found.axes)
        report = replace(attributes, findings=(replace(found, axes=axes),))
        said = {
            cell.tone
            for block in attributes_at_terminal(report)
            if isinstance(block, Table)
            for row in block.cells
            for cell in row
        }
        assert said & {"worst"} == tones


@pytest.mark.slow
def test_coverage_is_sound_html_that_says_what_is_missing(coverage: CoverageReport) -> None:
    html = write_coverage(coverage)
    page = read(html)
    assert page.wrong == page.open == []
    assert b"<script" not in html
    assert "missing.jpg" in page.text
    assert "Nothing at all of" in page.text
    assert "300,000" not in page.text
    assert "600,000" in page.text


def test_a_terminal_gets_tables_without_their_long_tails(
    attributes: AttributeReport, coverage: CoverageReport
) -> None:
    for blocks in (attributes_at_terminal(attributes), coverage_at_terminal(coverage)):
        tables = [block for block in blocks if isinstance(block, Table)]
        assert tables
        # The headline has four rows an axis.
        assert all(len(table.rows) <= 16 for table in tables)
        for table in tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.slow
def test_sections_without_anything_are_left_out(
    attributes: AttributeReport, coverage: CoverageReport
) -> None:
    titles = [section.title for section in attributes_page(attributes).sections]
    assert titles[:3] == ["In short", "What was tested", "Wrong answers by group"]
    assert "What is wrong with the data" not in titles
    titles = [section.title for section in coverage_page(coverage).sections]
    assert titles[0] == "What is missing, and what else to know"
    assert "Pictures that cannot be used" not in titles
