"""What a terminal shows of a report: the headline, the worst groups and what is not known."""

from collections.abc import Iterator
from dataclasses import replace

from likeness.reports.blocks import Block, Items, Table, Text
from likeness.reports.group_blocks import group_table
from likeness.reports.headline import named_findings, summary_blocks
from likeness.reports.rate_blocks import brief_points_table, search_table
from likeness.reports.wording import several
from likeness.service.evaluate.findings import Findings, Report

_MOST_GROUPS = 12
_MOST_LIMITS = 8


def terminal(report: Report) -> tuple[Block, ...]:
    """Give the sentences and tables of a report that fit a terminal; none is a plot."""
    named = named_findings(report)
    blocks: list[Block] = list(summary_blocks(report))
    for name, one in named:
        prefix = f"{name}: " if len(named) > 1 else ""
        for table in _tables(one):
            blocks.append(replace(table, caption=prefix + table.caption))
        if one.limits:
            blocks.append(Text(f"{prefix}What the data cannot support, and what else to know:"))
            blocks.append(Items(_first(one.limits)))
        if one.suspicions:
            blocks.append(
                Text(
                    f"{prefix}{several(len(one.suspicions), 'pair')} of pictures may be duplicates"
                    " or have wrong labels. The report lists them.",
                    warning=True,
                )
            )
    return tuple(blocks)


def _tables(one: Findings) -> Iterator[Table]:
    if one.verification is not None and one.verification.points:
        yield brief_points_table(one.verification)
    if one.identification is not None and one.identification.points:
        yield search_table(one.identification)
    for axis in one.axes:
        table = group_table(axis)
        left_out = len(table.rows) - _MOST_GROUPS
        note = f"{left_out} more groups are in the report." if left_out > 0 else ""
        yield Table(table.caption, table.columns, table.rows[:_MOST_GROUPS], note)


def _first(limits: tuple[str, ...]) -> tuple[str, ...]:
    more = len(limits) - _MOST_LIMITS
    left_out = (f"{more} more are in the report.",) if more > 0 else ()
    return (*limits[:_MOST_LIMITS], *left_out)
