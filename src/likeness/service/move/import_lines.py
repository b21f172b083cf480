"""What does the file of an export say? Its lines, each as it must be, or an error of ours."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO, TypeVar

from pydantic import ValidationError

from likeness.errors import InvalidRequest
from likeness.secrets import SEALED_MAGIC, opened_stream
from likeness.service.move.export_format import (
    ADAPTERS,
    LONGEST_LINE_BYTES,
    READABLE,
    VERSION,
    CohortPart,
    End,
    Header,
    Line,
    ReferenceLine,
    SubjectLine,
    encoded,
)

L = TypeVar("L", bound=Line)

_PIECE_BYTES = 64 << 10


class ExportLines:
    """The lines of an export, to be read once and in order: `header` is read already.

    Whether all is as it was written is known when `finish` has returned, and not before.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Read the first line of a file that comes in pieces.

        Raises:
            InvalidRequest: it is no export, or one of another version.
            Exception: whatever the pieces raise; so do all other methods.
        """
        self._lines = _split(pieces)
        self._digest = hashlib.sha256()
        self._number = 0
        line = next(self._lines, b"")
        _require_version(line)
        self.header = self._read(Header, line)

    def cohort(self) -> bytes:
        """Read the cohort's bytes.

        Raises:
            InvalidRequest: a line is not as it must be; so do the methods that follow.
        """
        return b"".join(part.cohort for part in self._next(CohortPart, self.header.cohort_parts))

    def subjects(self) -> Iterator[SubjectLine]:
        """Read the subjects."""
        return self._next(SubjectLine, self.header.subjects)

    def references(self) -> Iterator[ReferenceLine]:
        """Read the references."""
        return self._next(ReferenceLine, self.header.references)

    def finish(self) -> None:
        """Read the end, and see whether all before it is as it was written."""
        expected = encoded(End(self._digest.hexdigest()))
        if list(islice(self._lines, 2)) != [expected]:
            raise _damaged(self._number + 1)

    def _next(self, kind: type[L], count: int) -> Iterator[L]:
        for _ in range(count):
            yield self._read(kind, next(self._lines, b""))

    def _read(self, kind: type[L], line: bytes) -> L:
        self._number += 1
        self._digest.update(line)
        try:
            read: L = ADAPTERS[kind].validate_json(line)
        except ValidationError:
            # Without `from`: the cause quotes the line, which may hold a name.
            raise _damaged(self._number) from None
        return read


def read_export(file: BinaryIO, passphrase: Callable[[], str]) -> ExportLines:
    """Begin to read an export, whose passphrase is asked for where it is sealed.

    Raises:
        InvalidRequest: it is no export, of another version or cut off, or the passphrase is wrong.
        OSError: the file cannot be read; so do the methods of what is given.
    """
    beginning = file.read(len(SEALED_MAGIC))
    if beginning == SEALED_MAGIC:
        return ExportLines(opened_stream(file, passphrase()))
    file.seek(0)
    return ExportLines(iter(partial(file.read, _PIECE_BYTES), b""))


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give lines, each with its end; what follows the last end is a line too."""
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(held) > LONGEST_LINE_BYTES:
            break
    if held:
        yield held


def _require_version(line: bytes) -> None:
    try:
        version = json.loads(line)["likeness_export"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidRequest(
            "an export of a collection was expected and what came is none: make one with"
            " `likeness export`"
        ) from None
    if version not in READABLE:
        raise InvalidRequest(
            f"an export of version {VERSION} was expected and one of version {version!r:.20} came:"
            " import it with the Likeness that wrote it, or a newer one"
        )


def _damaged(line: int) -> InvalidRequest:
    return InvalidRequest(
        f"a whole export was expected and line {line} is damaged or cut off: fetch the file again,"
        " or export anew"
    )
