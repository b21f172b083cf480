"""The page of an audit of answers about people's attributes, and what a terminal shows of it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from likeness.reports.blocks import (
    Block,
    Cell,
    Columns,
    Facts,
    Heading,
    Items,
    Page,
    Plot,
    Section,
    Table,
    Text,
    Tone,
)
from likeness.reports.data_blocks import facts_of, left_out, problems_of, system_words
from likeness.reports.drawing import Ink, draw
from likeness.reports.pages import write_page
from likeness.reports.wording import (
    NOTHING,
    estimate_cell,
    minute,
    number,
    percent,
    points,
    printable,
    rate_cell,
    shortened,
    signed,
)
from likeness.service.evaluate.attributes.findings import (
    LIKELY_CHANCE,
    AttributeAxis,
    AttributeFindings,
    AttributeGroup,
    AttributeReport,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_GROUPS = 60
_MOST_PLOTTED = 24
_MOST_SHOWN = 12
_LONGEST_LABEL = 26


def write_attributes(report: AttributeReport) -> bytes:
    """Give an audit of answers as one HTML page that needs nothing else."""
    return write_page(attributes_page(report))


def attributes_page(report: AttributeReport) -> Page:
    """Give the page of an audit of answers, not yet as HTML."""
    named = _named_findings(report)
    sections = (
        Section("In short", (*_summaries(report), *_differences(report, _MOST_GROUPS))),
        Section("What was tested", (facts_of(None, report.data), *_for_each(report, _tested))),
        Section("Wrong answers by group", _for_each(report, _groups)),
        Section("Answers by label", _for_each(report, _confusion)),
        Section("Surer answers alone", _for_each(report, _confidences)),
        Section("Pictures without an answer", _for_each(report, _reasons)),
        Section(
            "What the data cannot support, and what else to know",
            _for_each(report, lambda one: (Items(one.limits),)),
        ),
        Section(
            "What is wrong with the data",
            (
                *problems_of(report.problems),
                *_for_each(report, lambda one: problems_of(one.problems)),
            ),
        ),
    )
    return Page(
        report.title,
        (
            *(f"{name}, on {report.data.name}" for name, _ in named),
            f"{minute(report.made_at)}, by {report.made_by}",
        ),
        tuple(section for section in sections if section.blocks),
        (
            "Likeness guesses nobody's attributes; it measures systems that do. The form is that of"
            " Gender Shades (Buolamwini and Gebru, 2018), with intervals.",
            f"Format {report.schema}. The same figures, not rounded, are in the report's JSON.",
        ),
    )


def attributes_at_terminal(report: AttributeReport) -> tuple[Block, ...]:
    """Give the sentences and tables that fit a terminal."""
    return (
        *_summaries(report),
        *_differences(report, _MOST_SHOWN),
        *_for_each(report, _short_tables),
        *_for_each(report, lambda one: (Items(one.limits),)),
    )


def _named_findings(report: AttributeReport) -> list[tuple[str, AttributeFindings]]:
    """Name each system; two get a letter."""
    if len(report.findings) == 1:
        return [(system_words(report.findings[0].system), report.findings[0])]
    return [
        (f"{letter}, {system_words(one.system)}", one)
        for letter, one in zip("AB", report.findings, strict=False)
    ]


def _for_each(
    report: AttributeReport, blocks_of: Callable[[AttributeFindings], Sequence[Block]]
) -> tuple[Block, ...]:
    """Give the blocks of the only system, or those of each below its name."""
    named = [(name, tuple(blocks_of(one))) for name, one in _named_findings(report)]
    if len(named) == 1:
        return named[0][1]
    return tuple(block for name, blocks in named if blocks for block in (Heading(name), *blocks))


def _summaries(report: AttributeReport) -> tuple[Block, ...]:
    named = _named_findings(report)
    if len(named) == 1:
        return _summary(named[0][1])
    return (Columns(tuple((Heading(name), *_summary(one)) for name, one in named)),)


def _tested(one: AttributeFindings) -> tuple[Block, ...]:
    facts = (("Model", one.system.model), *one.system.details.items())
    return (Facts((("System", system_words(one.system)), *facts)), Text(one.rule))


def _short_tables(one: AttributeFindings) -> list[Block]:
    tables: list[Block] = []
    for axis in one.axes:
        table = _table(axis)
        left = len(axis.groups) - _MOST_SHOWN
        note = f"{left} more groups are in the report." if left > 0 else ""
        rows = tuple((row[0], *row[2:5]) for row in table.rows[:_MOST_SHOWN])
        tables.append(Table(table.caption, (table.columns[0], *table.columns[2:5]), rows, note))
    return tables


def _differences(report: AttributeReport, most: int) -> tuple[Table, ...]:
    """Set both systems side by side in each group, most different first."""
    if not report.differences:
        return ()
    everybody, *groups = report.differences
    groups.sort(key=lambda one: -abs(one.difference.value or 0.0))
    return (
        Table(
            "Wrong or unanswered, of the same pictures",
            ("Group", "A", "B", "B less A", "Chance"),
            tuple(
                (
                    Cell(one.group, "" if one is everybody else one.axis),
                    rate_cell(one.a),
                    rate_cell(one.b),
                    estimate_cell(one.difference, points),
                    NOTHING if one.chance is None else _chance(one.chance),
                )
                for one in (everybody, *groups[:most])
            ),
            f"Chance is how often two systems that are alike differ as much: a paired test by"
            f" person. Of {len(report.differences)} tests one in twenty falls below 5% for no"
            f" reason.{left_out(len(groups), most, 'groups')}",
        ),
    )


def _summary(report: AttributeFindings) -> tuple[Block, ...]:
    overall = report.overall
    rows: list[tuple[Cell | str, ...]] = [
        (Cell("Wrong answers", "of all answers"), rate_cell(overall.wrong)),
        (Cell("No answer", "of all pictures"), rate_cell(overall.failed)),
    ]
    if overall.years_apart is not None and overall.years_off is not None:
        rows.append(("Years off, either way", estimate_cell(overall.years_apart)))
        rows.append(
            (
                Cell("Years above the truth", "below: negative"),
                estimate_cell(overall.years_off, signed(number)),
            )
        )
    for axis in report.axes:
        if not axis.worst:
            rows.append((f"Worst group by {axis.axis}", Cell("not known", "", axis.ratio.note)))
            continue
        by_name = {group.group: group for group in axis.groups}
        worst, best = by_name[axis.worst], by_name[axis.best]
        tone: Tone = "worst" if _is_beyond_chance(axis) else ""
        rows.append((f"Worst group by {axis.axis}", _named(worst, tone)))
        rows.append((f"Best group by {axis.axis}", _named(best)))
        rows.append(
            (
                Cell(
                    "Worst less best",
                    "" if axis.chance is None else f"chance: {_chance(axis.chance)}",
                ),
                estimate_cell(axis.difference, points),
            )
        )
        ratio = estimate_cell(axis.ratio)
        if axis.ratio.value is None:
            low = axis.ratio.low or 0.0
            ratio = Cell("undefined", f"at least {number(low)}", axis.ratio.note, "unsure")
        rows.append(("Worst by best, times", ratio))
    return (
        Table(
            "Headline",
            ("", "Figure"),
            tuple(rows),
            note="With 95% intervals, by person. Chance is how often groups that a system treats"
            " alike lie as far apart.",
        ),
    )


def _named(group: AttributeGroup, tone: Tone = "") -> Cell:
    cell = rate_cell(group.wrong)
    return Cell(f"{group.group}: {cell.text}", cell.detail, cell.note, tone or cell.tone)


def _is_beyond_chance(axis: AttributeAxis) -> bool:
    """Say whether groups lie so far apart that the worst may be pointed at."""
    return axis.chance is not None and axis.chance <= LIKELY_CHANCE


def _chance(chance: float) -> str:
    return "under 0.1%" if chance < 0.001 else percent(chance)


def _groups(report: AttributeFindings) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for axis in report.axes:
        blocks.append(_table(axis))
        if 1 < len(axis.groups) <= _MOST_PLOTTED:
            blocks.append(_plot(axis))
    return tuple(blocks)


def _table(axis: AttributeAxis) -> Table:
    ages = any(group.years_off is not None for group in axis.groups)
    columns = ("Group", "People", "Pictures", "No answer", "Wrong answers", "Wrong or none")
    notes = [f"{axis.unlabelled:,} pictures have no label."] if axis.unlabelled else []
    notes.append(left_out(len(axis.groups), _MOST_GROUPS, "groups"))
    return Table(
        f"By {axis.axis}, most wrong first",
        (*columns, *(("Years above the truth", "Years off") if ages else ())),
        tuple(
            (
                group.group,
                f"{group.subjects:,}",
                f"{group.images:,}",
                rate_cell(group.failed),
                rate_cell(group.wrong, worst=group.group == axis.worst and _is_beyond_chance(axis)),
                rate_cell(group.wrong_or_failed),
                *_years(group, ages),
            )
            for group in axis.groups[:_MOST_GROUPS]
        ),
        " ".join(notes).strip(),
    )


def _years(group: AttributeGroup, ages: bool) -> tuple[Cell, ...]:
    if not ages:
        return ()
    if group.years_off is None or group.years_apart is None:
        return Cell(NOTHING), Cell(NOTHING)
    return estimate_cell(group.years_off, signed(number)), estimate_cell(group.years_apart)


def _plot(axis: AttributeAxis) -> Plot:
    shown = [group for group in axis.groups if group.wrong.value is not None]

    def paint(axes: "Axes") -> None:
        for place, group in enumerate(reversed(shown)):
            rate = group.wrong
            ink = Ink.SECOND if group.group == axis.worst else Ink.FIRST
            low, high = 100 * (rate.low or 0.0), 100 * (rate.high or 0.0)
            axes.plot([low, high], [place, place], color=ink, linewidth=1.4)
            axes.plot([100 * (rate.value or 0.0)], [place], "o", color=ink, markersize=5)
        names = [shortened(printable(group.group), _LONGEST_LABEL) for group in reversed(shown)]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.set_xlim(left=0)
        axes.set_xlabel("wrong answers, percent, with 95% interval")
        axes.grid(visible=False, axis="y")

    told = "; ".join(f"{group.group} {percent(group.wrong.value or 0.0)}" for group in shown)
    return draw(
        paint,
        title=f"Wrong answers by {axis.axis}",
        description=told,
        caption=f"Wrong answers by {axis.axis}, with 95% intervals.",
        height=70 + 20 * len(shown),
    )


def _confusion(report: AttributeFindings) -> tuple[Block, ...]:
    table = report.confusion
    if table is None:
        return ()
    return (
        Table(
            "How often each label was answered with what",
            ("Label", *table.answers),
            tuple(
                (label, *(f"{count:,}" for count in counts))
                for label, counts in zip(table.labels, table.counts, strict=True)
            ),
        ),
    )


def _confidences(report: AttributeFindings) -> tuple[Block, ...]:
    if not report.confidences:
        return ()
    return (
        Table(
            "What is left where less sure answers are not used",
            ("Confidence", "Answered", "Wrong answers", "Worst group"),
            tuple(
                (
                    f"{point.least:g}% and more",
                    rate_cell(point.answered),
                    rate_cell(point.wrong),
                    Cell(NOTHING)
                    if point.worst is None
                    else Cell(
                        f"{point.worst_group}: {rate_cell(point.worst).text}",
                        rate_cell(point.worst).detail,
                    ),
                )
                for point in report.confidences
            ),
            note="Confidence is the system's own word, on its own scale.",
        ),
    )


def _reasons(report: AttributeFindings) -> tuple[Block, ...]:
    if not report.reasons:
        return ()
    return (
        Table(
            "Why there is no answer",
            ("Reason", "Pictures"),
            tuple((reason, f"{count:,}") for reason, count in report.reasons),
        ),
    )
