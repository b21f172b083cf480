"""Standard streams as a command finds them: open, closed by the shell, full, or read no longer.

A closed one leads to nowhere: a file that is opened later would take its number, and what is meant
for a reader would be written into it.
"""

import io
import os
import sys
from collections.abc import Callable
from select import select
from typing import Any, TextIO


class OutputLost(Exception):
    """Standard output takes nothing more.

    It is no error of ours, of which commands tell before they go on, and none of the system's,
    which they take for one of the file that they write.
    """


class Answer(io.FileIO):
    """Standard output: what it does not take is an error."""

    def write(self, data: Any) -> int:
        """Write bytes, however long that takes; raises OutputLost."""
        try:
            while (written := super().write(data)) is None:  # one that does not wait
                select([], [self], [])
            return written
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLost(
                f"Standard output cannot be written ({error.strerror}). Make room, or send it"
                " elsewhere. What was done until then stays done."
            ) from error


class Remarks(io.FileIO):
    """Standard error: of what it does not take, nobody can be told."""

    def write(self, data: Any) -> int:
        """Write bytes, if that can be done."""
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def take_streams() -> None:
    """Make the streams of this process ones that a command can use, whatever they are."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _instead_of(sys.stdout, 1, Answer)
    sys.stderr = _instead_of(sys.stderr, 2, Remarks)


def _instead_of(given: TextIO | None, number: int, kind: Callable[..., io.FileIO]) -> TextIO:
    return stream(number, kind, "utf-8" if given is None else given.encoding)


def stream(number: int, kind: Callable[..., io.FileIO], encoding: str) -> TextIO:
    """Make a stream of one kind that writes text to an open descriptor."""
    return io.TextIOWrapper(
        io.BufferedWriter(kind(number, "w", closefd=False)),
        encoding=encoding,
        # What a terminal's encoding cannot show must not end a command half-way.
        errors="backslashreplace",
        line_buffering=kind is Remarks or os.isatty(number),
    )


def drop(output: TextIO) -> None:
    """Lead a stream to nowhere, with what is left in it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output.fileno())
    os.close(nowhere)
