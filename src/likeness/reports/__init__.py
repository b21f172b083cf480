"""Reports as pages for people: one HTML file each, and what a terminal shows of it.

`write_html` gives the page of an evaluation or audit. Another page is a `Page` of sections, whose
blocks are sentences, facts, tables and plots; `write_page` makes HTML of it.
"""

from likeness.reports.attributes_page import (
    attributes_at_terminal,
    attributes_page,
    write_attributes,
)
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
)
from likeness.reports.changes_page import write_changes
from likeness.reports.coverage_page import coverage_at_terminal, coverage_page, write_coverage
from likeness.reports.drawing import Ink, draw
from likeness.reports.findings_page import findings_page, write_html
from likeness.reports.pages import write_page
from likeness.reports.redaction_page import write_redaction
from likeness.reports.summary import terminal
from likeness.reports.wording import (
    counts,
    estimate_cell,
    interval,
    minute,
    number,
    percent,
    points,
    printable,
    rate_cell,
    score,
    seconds,
    shortened,
    signed,
    small,
)

__all__ = [
    "Block",
    "Cell",
    "Columns",
    "Facts",
    "Heading",
    "Ink",
    "Items",
    "Page",
    "Plot",
    "Section",
    "Table",
    "Text",
    "attributes_at_terminal",
    "attributes_page",
    "counts",
    "coverage_at_terminal",
    "coverage_page",
    "draw",
    "estimate_cell",
    "findings_page",
    "interval",
    "minute",
    "number",
    "percent",
    "points",
    "printable",
    "rate_cell",
    "score",
    "seconds",
    "shortened",
    "signed",
    "small",
    "terminal",
    "write_attributes",
    "write_changes",
    "write_coverage",
    "write_html",
    "write_page",
    "write_redaction",
]
