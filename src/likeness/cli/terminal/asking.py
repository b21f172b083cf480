"""Asking before what cannot be undone, or misleads."""

import sys

import typer

from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.errors import InvalidRequest


def require_yes(question: str, yes: bool) -> None:
    """Go on with what cannot be undone only if that was said before, or is answered at a terminal.

    Raises:
        InvalidRequest: nobody is there to be asked.
        typer.Exit: the answer is no.
    """
    require_consent(f"{question} This cannot be undone.", yes, "nothing was erased")


def require_consent(question: str, yes: bool, declined: str) -> None:
    """Go on only if that was said before, or is answered at a terminal; else say what is not done.

    Raises:
        InvalidRequest: nobody is there to be asked.
        typer.Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest(
            f"{question} A terminal to ask at was expected and there is none: give --yes if you are"
            " sure"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        warn(declined)
        raise typer.Exit(ExitCode.NO)
