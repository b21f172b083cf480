"""Questions at the terminal: consent to what cannot be undone, passphrases and passwords."""

import os
import sys
from pathlib import Path

import typer

from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.plain_text import plain
from likeness.errors import InvalidRequest

_LONGEST_BYTES = 4096


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
            f"{question} There is no terminal to ask at. Give --yes if you are sure."
        )
    print(f"{plain(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        warn(declined)
        raise typer.Exit(ExitCode.NO)


def passphrase_from(file: Path | None, *, new: bool) -> str:
    """Read a passphrase; a new one is typed twice.

    Raises:
        InvalidRequest: the file holds none, or nobody is there to be asked.
    """
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "There is no terminal to ask for the passphrase at. Give --passphrase-file."
        )
    typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    return typed


def password_from(source: str | None) -> str:
    """Read a password: from standard input for `-`, from an environment variable, or typed.

    Raises:
        InvalidRequest: it is not there, or nobody is there to be asked.
    """
    if source == "-":
        try:
            return sys.stdin.buffer.readline(_LONGEST_BYTES).rstrip(b"\r\n").decode()
        except ValueError:
            raise InvalidRequest(
                "The first line of standard input is no text. Send the password there, in UTF-8."
            ) from None
    if source is not None:
        # It is not repeated: somebody may have given the password itself.
        if source not in os.environ:
            raise InvalidRequest(
                "--password-from names an environment variable that is not set. Set it, or give -"
                " and send the password on standard input."
            )
        return os.environ[source]
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "The address names a user, and there is no terminal to ask for the password at. Give"
            " --password-from."
        )
    typed: str = typer.prompt("Password", hide_input=True, default="", show_default=False, err=True)
    return typed


def new_password() -> str:
    """Read a new password: typed twice at a terminal, else the first line of standard input.

    Raises:
        InvalidRequest: nothing is there, or it is no text.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        typed: str = typer.prompt(
            "New password", hide_input=True, confirmation_prompt=True, err=True
        )
        return typed
    try:
        line = "" if sys.stdin is None else sys.stdin.readline(_LONGEST_BYTES)
    except (OSError, ValueError):
        line = ""
    if not (password := line.rstrip("\r\n")):
        raise InvalidRequest(
            "No password: there is no terminal to ask at, and the first line of standard input is"
            " empty or no text. Send the password there, in UTF-8."
        )
    return password


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_BYTES).rstrip(b"\r\n").decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidRequest(
            f"'{path}' cannot be read ({reason}). Name a file whose first line is the passphrase."
        ) from None
    if not line:
        raise InvalidRequest(f"The first line of '{path}' is empty. Write the passphrase there.")
    return line
