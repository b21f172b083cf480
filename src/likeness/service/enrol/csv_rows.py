"""Rows of CSV files from outside, by the names of their columns, each with its line.

Values are separated by commas, semicolons or tabs, whichever gives the first line the columns that
are needed, or what a line `sep=;` before it says. Text is UTF-8, or UTF-16 with a byte order mark;
lines end as on any system.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from likeness.errors import InvalidRequest
from likeness.terms import spellings

T = TypeVar("T")

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LONGEST_LINE = 1 << 20
# Each row has a value of each, if an empty one: a short file could fill the memory.
_MOST_COLUMNS = 1000
# What Excel writes and reads before the columns, so that others know what separates values.
_DECLARED = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
# Bytes at the beginning of a file that tell what kind it is.
_START = 16
# No system has longer paths. To follow one takes time that grows with its length.
_LONGEST_PATH = 4096
# What is on a line that a spreadsheet has nothing in.
_NOTHING = " \t\r\n,;"
# What begins a formula (OWASP, "CSV injection").
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
# Parts of a path that are looked for in several spellings, and places of one at a time.
_MOST_PARTS = 64
_MOST_PLACES = 8


def read_rows(
    path: Path,
    needed: Sequence[str],
    *,
    skip: Callable[[int, InvalidRequest], object] | None = None,
    distinct: bool = False,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of a line and its values by column; columns not `needed` may be empty.

    Rows without any value are left out.

    Args:
        path: the file.
        needed: columns that must be there, with a value in each row.
        skip: is told the line and the fault of a row that is not as it must be, which is then left
            out; without, such a row is an error.
        distinct: refuse any column that comes twice, not only one that is needed.

    Raises:
        InvalidRequest: the file is no such CSV file, its first line lacks a column, or a row has
            too many values or lacks one that is needed.
    """
    last = 0
    try:
        with path.open("rb") as file, _as_text(path, file) as text:
            lines = _lines(path, text)
            before, first, choice = _head(path, lines)
            place = f"'{path}', line {before + 1}"
            separator = _separator(place, first, needed, choice, distinct)
            reader = csv.reader(chain([first], lines), strict=True, delimiter=separator)
            columns = _columns(next(reader, []))
            if len(columns) > _MOST_COLUMNS:
                raise InvalidRequest(
                    f"{place}: {len(columns):,} columns, at most {_MOST_COLUMNS:,} are read. Leave"
                    " some out."
                )
            for values in reader:
                last = before + reader.line_num
                if not any(values):
                    continue
                try:
                    row = _row(columns, values, needed, separator)
                except InvalidRequest as error:
                    if skip is None:
                        raise InvalidRequest(f"'{path}', line {last}: {error}") from error
                    skip(last, error)
                else:
                    yield last, row
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}). Check it.") from error
    except UnicodeDecodeError as error:
        raise _not_csv(path) from error
    except csv.Error as error:
        raise InvalidRequest(
            f"'{path}', line {last + 1}: not CSV ({error}). Look for a quotation mark that is not"
            " closed."
        ) from error


def has_columns(path: Path, needed: Sequence[str]) -> bool:
    """Say whether the first line of a CSV file has some columns, whatever separates them.

    Raises:
        InvalidRequest: the file cannot be read, or is no text.
    """
    return any(set(needed) <= set(each) for each in _readings(path))


def columns_of(path: Path) -> list[str]:
    """Give the columns that the first line of a CSV file most likely has.

    Raises:
        InvalidRequest: the file cannot be read, or is no text.
    """
    return max(_readings(path), key=len, default=[])


def _readings(path: Path) -> list[list[str]]:
    """Read the columns by whatever may separate them."""
    try:
        if path.exists() and not path.is_file():
            raise InvalidRequest(
                f"'{path}' is no file, and this one is read more than once. Save what comes of it"
                " as a file."
            )
        with path.open("rb") as file, _as_text(path, file) as text:
            _, first, choice = _head(path, _lines(path, text))
            return [_columns(next(csv.reader([first], delimiter=one), [])) for one in choice]
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}). Check it.") from error
    except UnicodeDecodeError as error:
        raise _not_csv(path) from error
    except csv.Error:
        return []


def each_row(
    path: Path, needed: Sequence[str], read: Callable[[Mapping[str, str]], T]
) -> Iterator[T]:
    """Yield what is read of each row; what is wrong with one is said by its line.

    Raises:
        InvalidRequest: what `read` or `read_rows` raises.
    """
    for line, row in read_rows(path, needed):
        try:
            yield read(row)
        except InvalidRequest as error:
            raise InvalidRequest(f"'{path}', line {line}: {error}") from error


def _not_csv(path: Path) -> InvalidRequest:
    return InvalidRequest(
        f"'{path}' is not a CSV file in UTF-8 or UTF-16 with a byte order mark. Save it as one."
    )


def _as_text(path: Path, file: BinaryIO) -> io.TextIOWrapper:
    """Decode a file as its byte order mark says; bytes that are no UTF-8 become surrogates.

    Raises:
        InvalidRequest: it begins as no text does: a picture, a workbook, UTF-16 without a mark.
    """
    start = file.peek(_START)[:_START] if isinstance(file, io.BufferedReader) else b""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.TextIOWrapper(file, "utf-16", newline="")
    if b"\0" in start:
        raise _not_csv(path)
    return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")


def _head(path: Path, lines: Iterator[str]) -> tuple[int, str, Sequence[str]]:
    """Read up to the columns: lines before them, the line itself, and what may separate values."""
    before, first = _next_said(lines)
    declared = _DECLARED.fullmatch(first)
    if declared is not None:
        empty, first = _next_said(lines)
        before += 1 + empty
    if "\0" in first:
        raise _not_csv(path)
    return before, first, tuple(_SEPARATORS) if declared is None else _declared(path, declared[1])


def _next_said(lines: Iterator[str]) -> tuple[int, str]:
    """Skip empty lines; give how many, and the next line."""
    empty = 0
    for line in lines:
        if line.strip(_NOTHING):
            return empty, line
        empty += 1
    return empty, ""


def _lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        if len(line) >= _LONGEST_LINE:
            raise InvalidRequest(
                f"'{path}', line {number} has more than {_LONGEST_LINE:,} characters: not a list of"
                " pictures. Name another file."
            )
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(
                f"'{path}', line {number}: not UTF-8, a character of another encoding is in column"
                f" {error.start + 1}. Save the file as 'CSV UTF-8'."
            ) from error
        yield line


def _declared(path: Path, separator: str) -> Sequence[str]:
    if separator not in _SEPARATORS:
        raise InvalidRequest(
            f"'{path}', line 1: values are separated by {separator!r}. Use commas, semicolons or"
            " tabs."
        )
    return separator


def _separator(
    place: str, first: str, needed: Sequence[str], choice: Iterable[str], distinct: bool
) -> str:
    """Choose what separates values: it makes the columns that are needed of the first line."""
    columns = {one: _columns(next(csv.reader([first], delimiter=one), [])) for one in choice}
    fitting = [one for one in columns if set(needed) <= set(columns[one])]
    if not fitting:
        likeliest = max(columns.values(), key=len)
        missing = [column for column in needed if column not in likeliest]
        raise InvalidRequest(
            f"{place}: no column {' and none '.join(missing)}, the columns are"
            f" {','.join(likeliest) or 'none'}. Begin the file with {','.join(needed)}."
        )
    if len({tuple(columns[one]) for one in fitting}) > 1:
        raise InvalidRequest(
            f"{place}: it is not clear whether commas, semicolons or tabs separate the columns. Use"
            " one of them."
        )
    names = columns[fitting[0]]
    twice = [one for one in (names if distinct else needed) if one and names.count(one) > 1]
    if twice:
        raise InvalidRequest(f"{place}: column {twice[0]} comes twice. Rename one.")
    return fitting[0]


def _columns(first: Sequence[str]) -> list[str]:
    return [column.strip() for column in first]


def _row(
    columns: Sequence[str],
    values: Sequence[str],
    needed: Sequence[str],
    separator: str,
) -> dict[str, str]:
    if len(values) > len(columns):
        raise InvalidRequest(
            f"more values than the {len(columns)} columns. Quote a value that holds a"
            f" {_SEPARATORS[separator]}."
        )
    row = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    for column in needed:
        if not row[column]:
            raise InvalidRequest(f"{column} is missing. Mend the line.")
    return row


def inside(root: Path, name: str) -> Path:
    """Find a file that a row names under the root, wherever a link or `..` in its name leads.

    Each folder's name and the file's may be spelt otherwise there, as names from a Mac are.

    Raises:
        InvalidRequest: it leads out of the root, or is no path.
    """
    if len(name) > _LONGEST_PATH:
        raise InvalidRequest(
            f"{name[:60]!r}... is no path: it has {len(name):,} characters. Correct it."
        )
    path = _as_spelt(root, name)
    try:
        # `Path.resolve` raises where links lead in circles.
        within = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
    except ValueError as error:
        raise InvalidRequest(f"{name!r} is no path ({error}). Correct it.") from error
    if not within:
        raise InvalidRequest(f"'{name}' leads out of '{root}'. Name pictures inside it.")
    return path


def _as_spelt(root: Path, name: str) -> Path:
    """Look for each part of a name in each of its spellings, without listing a folder."""
    parts = Path(name).parts
    if len(spellings(name)) == 1 or len(parts) > _MOST_PARTS:
        return root / name
    places = [root]
    for part in parts:
        further = (place / one for place in places for one in spellings(part))
        places = list(islice(filter(os.path.lexists, further), _MOST_PLACES))
    return places[0] if places else root / name


def of_text(value: str) -> str:
    """Give back what `as_text` made text of."""
    return value[1:] if value.startswith("'") and value[1:].startswith(_COMPUTED) else value


def as_text(value: str) -> str:
    """Put an apostrophe before what a spreadsheet takes for a formula; it shows the text then."""
    return f"'{value}" if value.startswith(_COMPUTED) else value
