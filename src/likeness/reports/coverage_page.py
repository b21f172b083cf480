"""The page of what a set of pictures covers, and what a terminal shows of it."""

from collections.abc import Sequence

from likeness.reports.blocks import Block, Cell, Items, Page, Section, Table, Text
from likeness.reports.data_blocks import facts_of, problems_of, suspicions_of
from likeness.reports.pages import write_page
from likeness.reports.wording import NOTHING, minute, number, percent, small
from likeness.service.evaluate.coverage.findings import (
    CoverageReport,
    CoveredAxis,
    CoveredGroup,
    MeasuredGroup,
)
from likeness.terms import one_in

_MOST_GROUPS = 80
_MOST_SHOWN = 12
_MOST_AXES_SHOWN = 4
# The smallest group is marked where it has less than this share of the largest.
_EVEN = 0.8


def write_coverage(report: CoverageReport) -> bytes:
    """Give a report of coverage as one HTML page that needs nothing else."""
    return write_page(coverage_page(report))


def coverage_page(report: CoverageReport) -> Page:
    """Give the page of what a set covers, not yet as HTML."""
    labelled = [axis for axis in report.axes if axis.kind in ("whole", "labelled")]
    crossed = [axis for axis in report.axes if axis.kind == "crossed"]
    measured = [axis for axis in report.axes if axis.kind == "measured"]
    sections = (
        Section("What is missing, and what else to know", (Items(report.limits),)),
        Section("The data", (facts_of(None, report.data),)),
        Section("Who is in it", (_RULES, *map(_table, labelled))),
        Section("Groups crossed", tuple(_table(axis) for axis in crossed)),
        Section("How they are shown", tuple(_measured_table(axis) for axis in measured)),
        Section("How each group is shown", _by_group(report.measured)),
        Section("Time between pictures of one person", _spans(report)),
        Section("Pictures that cannot be used", _failures(report)),
        Section("What a rate needs", (_needed(report),)),
        Section(
            "What is wrong with the data",
            (*suspicions_of(report.suspicions), *problems_of(report.problems)),
        ),
    )
    return Page(
        report.title,
        (f"{minute(report.made_at)}, by {report.made_by}",),
        tuple(section for section in sections if section.blocks),
        (
            "Groups are those of the manifest, and what is measured of the picture; nobody's sex,"
            " age or race was guessed.",
            f"Format {report.schema}. The same figures are in the report's JSON.",
        ),
    )


def coverage_at_terminal(report: CoverageReport) -> tuple[Block, ...]:
    """Give the sentences and tables that fit a terminal."""
    labelled = [axis for axis in report.axes if axis.kind in ("whole", "labelled")]
    blocks: list[Block] = [_RULES]
    blocks += [_short(_table(axis)) for axis in labelled[:_MOST_AXES_SHOWN]]
    blocks += [_short(table) for table in _by_group(report.measured)]
    blocks += _failures(report)
    return (*blocks, Items(report.limits))


def _short(table: Table) -> Table:
    left = len(table.rows) - _MOST_SHOWN
    more = f" {left} more rows are in the report." if left > 0 else ""
    return Table(table.caption, table.columns, table.rows[:_MOST_SHOWN], table.note + more)


_RULES = Text(
    "Lowest rates are those of which 30 errors could be seen (rule of 30): by all pairs, the best"
    " case; surely, by pairs that share nobody."
)


def _table(axis: CoveredAxis) -> Table:
    sizes = {group.subjects for group in axis.groups}
    even = [
        f"{number(value)} ({name})"
        for name, value in (("Shannon", axis.shannon), ("Simpson", axis.simpson))
        if value is not None
    ]
    notes = [f"Evenness {', '.join(even)}; 1 is even."] if even else []
    if axis.unknown:
        notes.append(f"{axis.unknown:,} pictures have no label.")
    notes += _missing(axis)
    return Table(
        "Everybody" if axis.kind == "whole" else f"By {axis.axis}",
        (
            *("Group", "People", "Pictures", "Pairs of strangers", "Lowest FMR", "surely"),
            *("Mated pairs", "Lowest FNMR", "surely"),
        ),
        tuple(
            (
                group.group,
                Cell(
                    f"{group.subjects:,}",
                    tone="worst" if group.subjects == min(sizes) < _EVEN * max(sizes) else "",
                ),
                f"{group.images:,}",
                f"{group.nonmated:,}",
                _carried(group.fmr),
                _carried(group.fmr_surely),
                f"{group.mated:,}",
                _carried(group.fnmr),
                _carried(group.fnmr_surely),
            )
            for group in axis.groups[:_MOST_GROUPS]
        ),
        " ".join(notes),
    )


def _missing(axis: CoveredAxis) -> list[str]:
    if not axis.missing_count:
        return []
    such = ", ".join(axis.missing[:12]) + (", ..." if axis.missing_count > 12 else "")
    return [f"Nothing at all of {axis.missing_count} groups: {such}."]


def _carried(rate: float | None) -> Cell:
    return Cell("none", tone="unsure") if rate is None else Cell(small(rate))


def _measured_table(axis: CoveredAxis) -> Table:
    known = sum(group.images for group in axis.groups)
    return Table(
        axis.axis[0].upper() + axis.axis[1:],
        ("", "Pictures", "Share", "People"),
        (
            *(_share_row(group, known) for group in axis.groups),
            *((name, Cell("0", tone="worst"), NOTHING, "0") for name in axis.missing),
        ),
        f"Not known of {axis.unknown:,} pictures." if axis.unknown else "",
    )


def _share_row(group: CoveredGroup, known: int) -> tuple[str, ...]:
    return (
        group.group,
        f"{group.images:,}",
        percent(group.images / known),
        f"{group.subjects:,}",
    )


def _by_group(measured: Sequence[MeasuredGroup]) -> tuple[Table, ...]:
    if not measured:
        return ()
    return (
        Table(
            "Medians by group",
            ("Group", "Pictures", "No face", "Fit to enrol", "Sharpness", "Light", "Size", "Yaw"),
            tuple(
                (
                    Cell(one.group, "" if one.axis == "all" else one.axis),
                    f"{one.images:,}",
                    f"{one.no_face:,}",
                    NOTHING if one.fit is None else percent(one.fit),
                    _value(one.sharpness),
                    _value(one.brightness),
                    _value(one.size),
                    _value(one.yaw),
                )
                for one in measured
            ),
            "Sharpness and light are 0 to 100, size is the shorter side of the face in pixels, yaw"
            " is degrees either way. A group that is shown worse is recognised worse.",
        ),
    )


def _value(value: float | None) -> str:
    return NOTHING if value is None else number(value)


def _spans(report: CoverageReport) -> tuple[Block, ...]:
    if report.span is None:
        return ()
    return (
        Text(
            f"The median person with two dates has {number(report.span)} years between the"
            " first and the last."
        ),
        Table(
            "People with pictures so far apart",
            ("Years", "People"),
            tuple((f"{years:g} and more", f"{count:,}") for years, count in report.spans),
        ),
    )


def _failures(report: CoverageReport) -> tuple[Block, ...]:
    if not report.failures:
        return ()
    return (
        Table(
            "Why",
            ("Reason", "Pictures"),
            tuple((reason, f"{count:,}") for reason, count in report.failures),
        ),
    )


def _needed(report: CoverageReport) -> Table:
    return Table(
        "People whom each group needs for 30 false matches (rule of 30)",
        ("FMR", "At least, by all pairs", "Surely, by pairs that share nobody"),
        tuple(
            (Cell(small(rate), one_in(rate)), f"{least:,}", f"{surely:,}")
            for rate, least, surely in report.needed
        ),
    )
