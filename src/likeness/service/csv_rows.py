"""Rows of CSV files from outside, by the names of their columns, each with its line.

Values are separated by commas, semicolons or tabs, whichever gives the first line the columns that
are needed. Text is UTF-8, or UTF-16 with a byte order mark; lines end as on any system.
"""

import codecs
import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from likeness.errors import InvalidRequest
from likeness.gallery.names import spellings

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LONGEST_LINE = 1 << 20


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of a line and its values by column; columns not `needed` may be empty.

    Rows without any value are left out.

    Raises:
        InvalidRequest: the file is no such CSV file, its first line lacks a column, or a row has
            too many values or lacks one that is needed.
    """
    last = 0
    try:
        with path.open("rb") as file, _as_text(file) as text:
            lines = _lines(path, text)
            first = next(lines, "")
            separator = _separator(path, first, needed)
            reader = csv.reader(chain([first], lines), strict=True, delimiter=separator)
            columns = _columns(next(reader, []))
            for values in reader:
                last = reader.line_num
                if any(values):
                    yield last, _row(f"'{path}', line {last}", columns, values, needed, separator)
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}): check it") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"'{path}' is no CSV file in UTF-8 or UTF-16: save it as one"
        ) from error
    except csv.Error as error:
        raise InvalidRequest(
            f"'{path}', line {last + 1}: this is no CSV ({error}): look for a quotation mark that"
            " is not closed"
        ) from error


def _as_text(file: BinaryIO) -> io.TextIOWrapper:
    """Decode a file as its byte order mark says; bytes that are no UTF-8 become surrogates."""
    start = file.peek(2)[:2] if isinstance(file, io.BufferedReader) else b""
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.TextIOWrapper(file, "utf-16", newline="")
    return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")


def _lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        if len(line) >= _LONGEST_LINE:
            raise InvalidRequest(
                f"'{path}', line {number} has more than {_LONGEST_LINE:,} characters: this is no"
                " list of pictures; name another file"
            )
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(
                f"'{path}', line {number} is no CSV file in UTF-8: a character of another encoding"
                f" is in column {error.start + 1}; save the file as 'CSV UTF-8'"
            ) from error
        yield line


def _separator(path: Path, first: str, needed: Sequence[str]) -> str:
    """Choose what separates values: it makes the columns that are needed of the first line."""
    columns = {one: _columns(next(csv.reader([first], delimiter=one), [])) for one in _SEPARATORS}
    fitting = [one for one in _SEPARATORS if set(needed) <= set(columns[one])]
    if not fitting:
        likeliest = max(_SEPARATORS, key=lambda one: len(columns[one]))
        raise InvalidRequest(
            f"'{path}' needs a first line with the columns {','.join(needed)}; it has"
            f" {','.join(columns[likeliest]) or 'none'}: add them"
        )
    if len({tuple(columns[one]) for one in fitting}) > 1:
        raise InvalidRequest(
            f"'{path}', line 1: commas, semicolons or tabs separate the columns, and it is not"
            " clear which: use one of them"
        )
    twice = [one for one in needed if columns[fitting[0]].count(one) > 1]
    if twice:
        raise InvalidRequest(f"'{path}', line 1: column {twice[0]} comes twice: rename one")
    return fitting[0]


def _columns(first: Sequence[str]) -> list[str]:
    return [column.strip() for column in first]


def _row(
    place: str,
    columns: Sequence[str],
    values: Sequence[str],
    needed: Sequence[str],
    separator: str,
) -> dict[str, str]:
    if len(values) > len(columns):
        raise InvalidRequest(
            f"{place}: {len(columns)} values were expected and more came: quote a value that holds"
            f" a {_SEPARATORS[separator]}"
        )
    row = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    for column in needed:
        if not row[column]:
            raise InvalidRequest(f"{place}: {column} was expected and is missing: mend the line")
    return row


def inside(root: Path, name: str) -> Path:
    """Find a file that a row names under the root, wherever a link or `..` in its name leads.

    Its name may be spelt otherwise there, as names of files from a Mac are.

    Raises:
        InvalidRequest: it leads out of the root, or is no path.
    """
    path = _as_spelt(root, name)
    try:
        # `Path.resolve` raises where links lead in circles.
        within = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
    except ValueError as error:
        raise InvalidRequest(f"{name!r} is no path ({error}): correct it") from error
    if not within:
        raise InvalidRequest(f"'{name}' leads out of '{root}': name pictures inside it")
    return path


def _as_spelt(root: Path, name: str) -> Path:
    places = [root / one for one in spellings(name)]
    if len(places) == 1:
        return places[0]
    return next((one for one in places if os.path.lexists(one)), places[0])
