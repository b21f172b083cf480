"""How a command ends: the code it exits with, and the one line that says why."""

import errno
import logging
import os
import sys
from enum import IntEnum

import typer

from likeness.cli.terminal import told
from likeness.cli.terminal.plain_text import plain
from likeness.errors import Fault, InputError, InvalidRequest, LikenessError, Refused, StateError

_logger = logging.getLogger(__name__)
# Characters of a path that is too long.
_SHOWN = 60


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
    if isinstance(error, BrokenPipeError):
        # Python would complain about the pipe when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.READER_LEFT
    _logger.debug("the traceback of what is reported", exc_info=error)
    warn(_message(error), about)
    return code_of(error)


def warn(message: str, about: str = "") -> None:
    """Say one line on stderr, naming what it is about where the message does not."""
    prefix = f"{about}: " if about and about not in message else ""
    told.LINE.set(prefix + message)
    print(f"likeness: {plain(prefix + message)}", file=sys.stderr)


def foreseen(error: BaseException) -> BaseException:
    """Give an error of ours for one of the system's that is of a path that somebody chose."""
    if not isinstance(error, OSError) or not isinstance(error.filename, str | bytes):
        return error
    name = os.fsdecode(error.filename)
    match error.errno:
        case errno.ENAMETOOLONG:
            return InvalidRequest(
                f"the path {name[:_SHOWN]!r}{'...' if len(name) > _SHOWN else ''} is too long:"
                " names of files and folders have 255 bytes at most, and paths 4,095; choose a"
                " shorter one"
            )
        case errno.EACCES:
            return InvalidRequest(
                f"{name!r} cannot be used ({error.strerror}): check its permissions, and those of"
                " the folders above it"
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
            return type(error).__name__
        case typer.TyperException():
            return InvalidRequest.__name__
        case KeyboardInterrupt() | typer.Abort():
            return "Interrupted"
        case _:
            return Fault.__name__


def _message(error: BaseException) -> str:
    match error:
        case LikenessError():
            return str(error)
        case typer.TyperException():
            # pydantic, which it needs, has read the arguments: `--help` does not wait for that.
            from likeness.cli.terminal.misused import misused

            context = getattr(error, "ctx", None)
            command = context.command_path if context else "likeness"
            return f"{misused(error)}: `{command} --help` says what there is"
        case KeyboardInterrupt() | typer.Abort():
            return "interrupted"
        case _:
            return (
                f"something unforeseen happened ({type(error).__name__}: {error}):"
                " run `likeness --debug ...` and report what it shows"
            )
