"""What a terminal shows of a report: the headline, the worst groups and what is not known."""

from likeness.reports.blocks import Block, Items, Table, Text
from likeness.reports.findings_page import (
    group_table,
    named_findings,
    points_table,
    summary_blocks,
)
from likeness.reports.wording import several
from likeness.service.evaluate.findings import Report

_MOST_GROUPS = 12
_MOST_LIMITS = 8


def terminal(report: Report) -> tuple[Block, ...]:
    """Give the sentences and tables of a report that fit a terminal; none is a plot."""
    blocks: list[Block] = list(summary_blocks(report))
    named = named_findings(report)
    for name, one in named:
        prefix = f"{name}: " if len(named) > 1 else ""
        if one.verification is not None and one.verification.points:
            blocks.append(points_table(one.verification))
        for axis in one.axes:
            table = group_table(axis)
            left_out = len(table.rows) - _MOST_GROUPS
            blocks.append(
                Table(
                    prefix + table.caption,
                    table.columns,
                    table.rows[:_MOST_GROUPS],
                    f"{left_out} more groups are in the report." if left_out > 0 else "",
                )
            )
        if one.limits:
            more = len(one.limits) - _MOST_LIMITS
            blocks += [
                Text(f"{prefix}What the data cannot support, and what else to know:"),
                Items(
                    (
                        *one.limits[:_MOST_LIMITS],
                        *([f"{more} more are in the report."] if more > 0 else []),
                    )
                ),
            ]
        wrong = len(one.problems) + len(one.suspicions)
        if wrong:
            blocks.append(
                Text(
                    f"{prefix}{several(len(one.problems), 'row')} could not be used, and"
                    f" {several(len(one.suspicions), 'pair')} looked like duplicates or wrong"
                    " labels. The report lists them.",
                    warning=True,
                )
            )
    return tuple(blocks)
