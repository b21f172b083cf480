"""The page of a report: one system's findings, or those of two side by side.

Order and content follow the list of ISO/IEC 19795-10:2024, behind NIST's headline points: failures
by group, score shifts, error rates, response times, labels (its phenotype measures), uncertainty,
operational thresholds, the statement of equitability and use in procurement.
"""

from collections.abc import Callable, Sequence

from likeness.reports.blocks import Block, Columns, Facts, Heading, Items, Page, Section, Text
from likeness.reports.data_blocks import facts_of, problems_of, suspicions_of, system_words
from likeness.reports.group_blocks import (
    failures_by_group,
    label_blocks,
    rates_by_group,
    score_shifts,
    times_by_group,
    yields_by_group,
)
from likeness.reports.headline import NamedFindings, named_findings, summary_blocks
from likeness.reports.pages import write_page
from likeness.reports.rate_blocks import calibration_blocks, comparison_blocks, search_blocks
from likeness.reports.wording import minute
from likeness.service.evaluate.findings import Findings, Report


def write_html(report: Report) -> bytes:
    """Give a report as one HTML page that needs nothing else."""
    return write_page(findings_page(report))


def findings_page(report: Report) -> Page:
    """Give the page of a report, not yet as HTML."""
    named = named_findings(report)
    sections = (
        Section("In short", summary_blocks(report)),
        Section("What was tested", _for_each(named, _tested)),
        Section("Failures to acquire and to enrol", _for_each(named, failures_by_group)),
        Section("Scores by group", _for_each(named, score_shifts)),
        Section("Error rates: comparisons (1:1)", comparison_blocks(named)),
        Section("Error rates: groups", _for_each(named, rates_by_group)),
        Section("Error rates: searches (1:N)", search_blocks(named)),
        Section("Response times", _for_each(named, times_by_group)),
        Section("Labels, and phenotype measures", _for_each(named, label_blocks)),
        Section("Uncertainty, and what the data cannot support", _uncertainty(named)),
        Section("Thresholds in operation", _for_each(named, _thresholds)),
        Section("Equitability, and use in procurement", _equitability(report)),
        Section("What is wrong with the data", _for_each(named, _problems)),
        Section("How this was made", _method(report)),
    )
    return Page(
        report.title,
        (
            *(f"{name}: {system_words(one.system)}, on {one.data.name}" for name, one in named),
            f"{minute(report.made_at)}, by {report.made_by}",
        ),
        tuple(section for section in sections if section.blocks),
        (
            f"Format {report.schema}. The same figures, not rounded, are in the report's JSON.",
            "Made without any request to elsewhere; this page makes none either.",
        ),
    )


def _for_each(
    named: NamedFindings, blocks_of: Callable[[Findings], Sequence[Block]]
) -> tuple[Block, ...]:
    """Give the blocks of the only system, or those of each beside each other."""
    made = [(name, tuple(blocks_of(one))) for name, one in named]
    if len(made) == 1:
        return made[0][1]
    if not any(blocks for _, blocks in made):
        return ()
    return (
        Columns(
            tuple((Heading(name), *(blocks or (Text("Not measured."),))) for name, blocks in made)
        ),
    )


def _tested(one: Findings) -> list[Block]:
    return [facts_of(one.system, one.data)]


def _uncertainty(named: NamedFindings) -> tuple[Block, ...]:
    rules = Text(
        "Intervals are 95%, by resampling people with their pictures; the threshold is set anew in"
        " each resample. Where no error was seen, the rule of 3 bounds the rate by 3 over the"
        " number of independent trials. With fewer than 30 errors (rule of 30) a rate is known to"
        " no better than about 30%, and is set in grey italics."
    )
    limits = _for_each(named, lambda one: [Items(one.limits)] if one.limits else [])
    return (rules, *limits)


def _thresholds(one: Findings) -> list[Block]:
    calibration = calibration_blocks(one.calibration) if one.calibration else []
    return [*yields_by_group(one), *calibration]


def _equitability(report: Report) -> tuple[Block, ...]:
    return (
        *((Items(report.equitability),) if report.equitability else ()),
        Text(
            "For a buyer: ask for these figures on data like your own, at the threshold that you"
            " would use, and read the worst group first. A system that was even here may be uneven"
            " on other people, other cameras and in larger galleries. A figure that is not known"
            " here is not good news."
        ),
    )


def _problems(one: Findings) -> list[Block]:
    found: list[Block] = [*suspicions_of(one.suspicions), *problems_of(one.problems)]
    return found or [Text("Nothing was found.")]


def _method(report: Report) -> tuple[Block, ...]:
    return (
        Facts(
            (
                ("Made", f"{minute(report.made_at)} by {report.made_by}"),
                ("Processor", report.processor),
                *report.method.items(),
            )
        ),
    )
