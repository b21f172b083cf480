"""Writes a report into its folder, and prints its sentences and tables."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.output_file import write_reports
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded
from likeness.reports import Block, Cell, Columns, Facts, Heading, Items, Plot, Table, Text
from likeness.service.evaluate.findings import RowProblem

_WIDTH_OF_FILES = 100
_MOST_PROBLEMS = 5


def write_and_print(
    folder: Path,
    *,
    page: bytes,
    document: bytes,
    blocks: Iterable[Block],
    problems: Iterable[RowProblem],
    as_json: bool,
) -> None:
    """Write a report's page and JSON, and print it: the JSON, or its blocks and problems.

    Raises:
        InvalidRequest: the folder cannot be written to.
    """
    places = write_reports(folder, page, document)
    if as_json:
        print_json(json.loads(document))
        return
    print_blocks(blocks)
    print_problems(list(dict.fromkeys(problems)))
    print(f"Written to {' and '.join(plain(place) for place in places)}")


def print_blocks(blocks: Iterable[Block]) -> None:
    """Print blocks one below the other, without plots and without tables that are folded."""
    # It takes a tenth of a second to import, of every start.
    from rich import box
    from rich import table as rich
    from rich.console import Console
    from rich.text import Text as RichText

    console = Console(
        markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES
    )

    def written(cell: Cell, mark: str) -> RichText:
        style = {"worst": "bold red", "unsure": "dim", "": ""}[cell.tone]
        text = RichText(plain(cell.text), style=style)
        if mark:
            text.append(f" [{mark}]", style="dim")
        if cell.detail:
            text.append(f"\n{plain(cell.detail)}", style="dim")
        return text

    def print_table(table: Table) -> None:
        drawn = rich.Table(
            title=plain(table.caption),
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for column in table.columns:
            drawn.add_column(plain(column), overflow="fold")
        for row in table.cells:
            drawn.add_row(*(written(cell, table.mark(cell)) for cell in row))
        console.print(drawn)
        for note in (
            *([table.note] if table.note else []),
            *(f"[{number}] {note}" for number, note in enumerate(table.footnotes, 1)),
        ):
            print(folded(plain(note.strip())))
        print()

    for block in blocks:
        match block:
            case Text(text, warning):
                print(folded(f"{'Warning: ' if warning else ''}{plain(text)}"))
            case Heading(text):
                print(plain(text))
            case Items(items):
                for item in items:
                    print(folded(f"  - {plain(item)}"))
            case Facts(facts):
                for name, value in facts:
                    if value:
                        print(f"{plain(name)}: {plain(value)}")
            case Table(folded=False):
                print_table(block)
            case Columns(columns):
                for column in columns:
                    print_blocks(column)
            case Table() | Plot():
                pass


def print_problems(problems: Sequence[RowProblem]) -> None:
    """Print the first of what is wrong with what was given, and how many there are."""
    if problems:
        print(f"What is wrong with the data ({len(problems):,}):")
    for problem in problems[:_MOST_PROBLEMS]:
        print(folded(f"  - {plain(problem.where)}: {plain(problem.says)}"))
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        print(f"  - {more:,} more are in the report")
