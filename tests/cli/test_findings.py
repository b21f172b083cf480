"""What a terminal shows of a report."""

import pytest

from likeness.cli.terminal.findings import print_blocks
from likeness.reports import Cell, Facts, Table, Text, terminal
from tests.reports.made_up import report


def test_a_report_in_a_terminal_has_headline_worst_groups_and_limits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_blocks(terminal(report()))
    printed = capsys.readouterr().out
    assert "1:1, FNMR at FMR 1e-6" in printed and "842 of 6,000" in printed
    assert printed.index("female East Asia") < printed.index("male Africa")
    assert "Warning: " in printed and "rule of 30" in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_nothing_is_taken_for_a_command_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = "\x1b[2J[bold]x[/bold]"
    print_blocks(
        [
            Text(hostile, warning=True),
            Facts(((hostile, hostile),)),
            Table(hostile, (hostile,), ((Cell(hostile, hostile, hostile),),), hostile),
        ]
    )
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "[bold]" in printed
