"""Passphrases: typed at the terminal, unseen, or the first line of a file."""

import sys
from pathlib import Path

import typer

from likeness.errors import InvalidRequest

_LONGEST_BYTES = 4096


def passphrase_from(file: Path | None, *, new: bool) -> str:
    """Read a passphrase; a new one is typed twice.

    Raises:
        InvalidRequest: the file holds none, or nobody is there to be asked.
    """
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "a terminal to ask for the passphrase at was expected and there is none: give"
            " --passphrase-file"
        )
    typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    return typed


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_BYTES).rstrip(b"\r\n").decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidRequest(
            f"a passphrase was expected in the first line of '{path}', which cannot be read"
            f" ({reason}): name another file"
        ) from None
    if not line:
        raise InvalidRequest(
            f"a passphrase was expected in the first line of '{path}' and it is empty: write one"
        )
    return line
