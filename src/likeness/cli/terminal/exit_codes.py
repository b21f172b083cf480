"""How a command ends: the code it exits with, and the one line that says why."""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import Any

import typer

from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.streams import OutputLost, drop
from likeness.errors import Fault, InputError, InvalidRequest, LikenessError, Refused, StateError

_logger = logging.getLogger(__name__)
# Characters of a path that is too long.
_SHOWN = 60

DOCUMENT_PRINTED: ContextVar[bool] = ContextVar(
    "whether the JSON document is printed", default=False
)
LAST_LINE: ContextVar[str] = ContextVar("the last line on stderr", default="")

_EXPECTED = {
    "uuid_parsing": "an id such as 0bb263d5-115c-49d9-8c2a-850a6d4f1755",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_parsing": "a number",
    "finite_number": "a number",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
_QUOTE = "'"
_NO_CHOICE = " is not one of "
_NO_DATE = " does not match the formats "


class ExitCode(IntEnum):
    """What the shell is told; of several the highest counts."""

    DONE = 0
    NO = 1
    USED_WRONGLY = 2
    FAILED = 3
    INTERRUPTED = 130
    READER_LEFT = 141


def report(error: BaseException, about: str = "") -> ExitCode:
    """Say on one line of stderr what went wrong, `about` what; `--debug` shows where.

    A reader that has read enough of our output is not told anything.
    """
    if isinstance(error, BrokenPipeError | OutputLost):
        # Python would complain about it when it flushes at exit.
        drop(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return ExitCode.READER_LEFT
    _logger.debug("the traceback of what is reported", exc_info=error)
    warn(_message(error), about)
    return code_of(error)


def warn(message: str, about: str = "") -> None:
    """Say one line on stderr, naming what it is about where the message does not."""
    prefix = f"{about}: " if about and about not in message else ""
    LAST_LINE.set(prefix + message)
    print(f"likeness: {plain(prefix + message)}", file=sys.stderr)


@contextmanager
def resumable() -> Iterator[None]:
    """Say of an interrupted command that the same one continues it, and end with its code."""
    try:
        yield
    except KeyboardInterrupt as error:
        warn(f"Interrupted. Run the same command again to continue. {error}".strip())
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def foreseen(error: BaseException) -> BaseException:
    """Give an error of ours for one of the system's that is of a path that somebody chose."""
    if not isinstance(error, OSError) or not isinstance(error.filename, str | bytes):
        return error
    name = os.fsdecode(error.filename)
    match error.errno:
        case errno.ENAMETOOLONG:
            return InvalidRequest(
                f"The path {name[:_SHOWN]!r}{'...' if len(name) > _SHOWN else ''} is too long."
                " Names of files and folders have 255 bytes at most, and paths 4,095."
            )
        case errno.EACCES:
            return InvalidRequest(
                f"{name!r} cannot be used ({error.strerror}). Check its permissions, and those of"
                " the folders above it."
            )
        case _:
            return error


def code_of(error: BaseException) -> ExitCode:
    """Say which code an error ends a command with."""
    match error:
        case Refused():
            return ExitCode.NO
        case InputError() | StateError() | typer.TyperException():
            return ExitCode.USED_WRONGLY
        case KeyboardInterrupt() | typer.Abort():
            return ExitCode.INTERRUPTED
        case _:
            return ExitCode.FAILED


def kind_of(error: BaseException) -> str:
    """Name the kind of an error in the words of `likeness.errors`, or `Interrupted`."""
    match error:
        case LikenessError():
            return error.kind
        case typer.TyperException():
            return InvalidRequest.__name__
        case KeyboardInterrupt() | typer.Abort():
            return "Interrupted"
        case _:
            return Fault.__name__


def _message(error: BaseException) -> str:
    match error:
        case LikenessError() | OutputLost():
            return str(error)
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "likeness"
            return f"{_misuse(error)}. `{command} --help` shows what there is."
        case KeyboardInterrupt() | typer.Abort():
            return "Interrupted."
        case _:
            return (
                f"Something unforeseen happened ({type(error).__name__}: {error})."
                " Run `likeness --debug ...` and report what it shows."
            )


def _misuse(error: typer.TyperException) -> str:
    """Say of an option or an argument what is wrong with it."""
    # It has read the arguments: `--help` does not wait for it.
    from pydantic import ValidationError

    cause = error.__cause__
    if isinstance(error, typer.BadParameter) and isinstance(cause, ValidationError):
        first = cause.errors(include_url=False)[0]
        expected = _expected(first["type"], first["msg"], first.get("ctx", {}))
        if expected is not None and error.param is not None:
            place = error.param.get_error_hint().strip("'")
            return f"{place} {first['input']!r} is not {expected}"
    return error.format_message().rstrip(".")


def _expected(kind: str, message: str, limits: dict[str, Any]) -> str | None:
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**limits)
    if _NO_CHOICE in message:
        choices = message.rpartition(_NO_CHOICE)[2]
        return f"one of {choices.rstrip('.').replace(_QUOTE, '')}"
    if _NO_DATE in message:
        return "a day such as 2027-01-31"
    return None
