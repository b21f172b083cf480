"""The page of a report: its order, its figures, and what it does where figures are missing."""

import re
from dataclasses import replace
from functools import cache

import pytest

from likeness.evaluation import Estimate
from likeness.reports import findings_page, write_html
from likeness.reports.blocks import Table, Text
from likeness.reports.group_blocks import failures_by_group
from likeness.reports.headline import summary_blocks
from likeness.service.evaluate.findings import Curve, Failures, Findings, Rate, Report
from tests.reports.made_up import axis, findings, identification, rate, report, verification
from tests.reports.test_pages import read

_ORDER = [
    "In short",
    "What was tested",
    "Failures to acquire and to enrol",
    "Scores by group",
    "Error rates: comparisons (1:1)",
    "Error rates: groups",
    "Error rates: searches (1:N)",
    "Response times",
    "Labels, and phenotype measures",
    "Uncertainty, and what the data cannot support",
    "Thresholds in operation",
    "Equitability, and use in procurement",
    "What is wrong with the data",
    "How this was made",
]


def _bare() -> Findings:
    """Give findings of a system of which nearly nothing could be measured."""
    nothing = Rate(0, 0, None, note="No subject was tested.")
    return replace(
        findings(),
        failures=Failures(nothing, nothing, ()),
        verification=None,
        identification=None,
        axes=(),
        calibration=None,
        seconds=Estimate(None),
        problems=(),
        suspicions=(),
        limits=(),
    )


@cache
def _whole(*names: str) -> bytes:
    return write_html(report(*names))


def _of(*several: Findings) -> Report:
    return replace(report(), findings=several)


@pytest.mark.slow
def test_the_order_is_that_of_the_standard_behind_the_headline() -> None:
    assert [section.title for section in findings_page(report()).sections] == _ORDER


@pytest.mark.slow
def test_a_report_begins_with_a_sentence_for_everybody() -> None:
    first = findings_page(report()).sections[0].blocks[0]
    assert isinstance(first, Text)
    assert re.fullmatch(
        r"At the threshold where 1 in [\d,]+ pairs of strangers match, [\d.]+% of pairs of one"
        r" person are missed \([\d.]+% to [\d.]+%\)\.",
        first.text,
    )


@pytest.mark.slow
@pytest.mark.parametrize("names", [(), ("Ours", "Theirs")])
def test_a_whole_report_is_sound_html_and_small(names: tuple[str, ...]) -> None:
    html = _whole(*names)
    page = read(html)
    assert page.wrong == [] and page.open == []
    assert len(html) < 1_000_000
    assert all(name in page.text for name in names or ["Likeness"])
    assert sum(tag == "svg" for tag, _ in page.tags) >= 10


def test_failures_of_many_groups_are_closed_at_first() -> None:
    few = axis("sex")
    many = replace(few, groups=tuple(replace(few.groups[0], group=f"{n}") for n in range(13)))
    for one, folded in ((few, False), (many, True)):
        tables = failures_by_group(replace(_bare(), axes=(one,)))
        (table,) = [each for each in tables if isinstance(each, Table) and "by" in each.caption]
        assert table.folded is folded


def test_what_was_not_measured_has_no_section() -> None:
    html = write_html(_of(_bare()))
    page = read(html)
    assert "searches (1:N)" not in page.text and "Scores by group" not in page.text
    assert "not known" in page.text and "No subject was tested." in page.text
    assert not re.search(r"\b(None|nan|inf)\b", page.text)


@pytest.mark.slow
def test_one_system_without_figures_stands_beside_one_with_them() -> None:
    page = read(write_html(_of(replace(findings("A system"), axes=()), _bare())))
    assert page.wrong == [] and "Not measured." in page.text


@pytest.mark.slow
def test_a_figure_without_value_shows_its_note() -> None:
    text = read(_whole()).text
    assert "Undefined, upper bound 240: a group has no error." in text


@pytest.mark.slow
def test_worst_groups_come_first() -> None:
    page = findings_page(report())
    groups = next(section for section in page.sections if section.title == "Error rates: groups")
    table = next(
        block for block in groups.blocks if isinstance(block, Table) and "sex x" in block.caption
    )
    first = table.cells[0]
    assert first[0].text == "female East Asia"
    assert first[1].tone == "worst"


def test_a_cell_without_an_error_has_its_bound_and_its_rule() -> None:
    none_seen = replace(_bare(), failures=Failures(rate(0, 300), rate(0, 100), ()))
    text = read(write_html(_of(none_seen))).text
    assert "at most 1%; 0 of 300" in text and "rule of 3" in text


@pytest.mark.slow
def test_the_headline_comes_before_anything_else() -> None:
    text = read(_whole()).text
    assert text.index("1:1, FNMR at FMR 1e-6") < text.index("Failures by sex")
    assert "1:N, FNIR at FPIR 0.3%" in text


def test_where_the_headline_is_not_known_the_lowest_rate_that_is_stands_below_it() -> None:
    known = verification()
    headline = replace(
        known.headline,
        threshold=Estimate(None, note="Too few strangers."),
        fnmr=Rate(0, 0, None, note="Too few strangers."),
    )
    report = _of(replace(_bare(), verification=replace(known, headline=headline)))
    (table,) = [block for block in summary_blocks(report) if isinstance(block, Table)]
    rows = {row[0].text: row[1] for row in table.cells}
    assert rows["1:1, FNMR at FMR 1e-6"].note == "Too few strangers."
    lowest = rows["1:1, FNMR at the lowest FMR that the data carry"]
    assert (lowest.text, lowest.detail) == ("7.9% at FMR 1e-5", "7.3% to 8.6%; 476 of 6,000")


@pytest.mark.parametrize(
    ("strangers", "says"),
    [(240, "10,000 searches for people who are not enrolled"), (0, "closed set")],
)
def test_searches_that_carry_no_headline_say_why(strangers: int, says: str) -> None:
    few = replace(identification(), headline=None, points=(), nonmated=strangers)
    blocks = summary_blocks(_of(replace(_bare(), identification=few)))
    (table,) = [block for block in blocks if isinstance(block, Table)]
    rows = {row[0].text: row[1] for row in table.cells}
    assert says in rows["1:N, FNIR at FPIR 0.3%"].note
    assert rows["1:N, hit rate at rank 1"].text == "95.6%"


@pytest.mark.slow
def test_two_systems_have_their_differences_with_p() -> None:
    text = read(_whole("Ours", "Theirs")).text
    assert "Differences of the two systems" in text and "0.006" in text
    assert "A, Ours" in text and "B, Theirs" in text


@pytest.mark.slow
def test_a_page_of_many_groups_long_curves_and_two_systems_stays_small() -> None:
    steps = 100_000
    xs = tuple(1e-6 ** (1 - step / steps) for step in range(steps))
    curve, rising = Curve(xs, xs[::-1], xs[::-1], xs[::-1]), Curve(xs, xs)
    long = replace(verification(), det=curve, fmr_by_threshold=curve, fnmr_by_threshold=rising)
    many = axis("sex x region x age", names=tuple(f"a group {number}" for number in range(70)))
    one = replace(findings(), verification=long, axes=(*findings().axes, many))
    assert len(write_html(_of(one, one))) < 2_000_000


@pytest.mark.parametrize(
    ("figure", "difference"),
    [
        ("FNMR at FMR 0.0001", "+1.4 points"),
        ("FMR of the worst group, sex", "+0.014"),
        ("FNMR of the worst group, sex", "+1.4 points"),
    ],
)
def test_a_difference_is_written_as_its_figure_is(figure: str, difference: str) -> None:
    compared = replace(report("A", "B").differences[0], figure=figure)
    blocks = summary_blocks(replace(_of(_bare(), _bare()), differences=(compared,)))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert tables[-1].cells[0][3].text == difference


def test_thousands_of_problems_do_not_make_a_large_page() -> None:
    problem = findings().problems[0]
    long = replace(_bare(), problems=(problem,) * 5000)
    html = write_html(_of(long))
    assert len(html) < 200_000
    assert "4,800 more problems are in the JSON." in read(html).text
