"""What does a CSV file from outside hold? Rows by the names of its columns, each with its line."""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from likeness.errors import InvalidRequest


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of a line and its values by column; columns not `needed` may be empty.

    Raises:
        InvalidRequest: the file is no CSV file in UTF-8, its first line lacks a column, or a row
            has too many values or lacks one that is needed.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or ()
            if not set(needed) <= set(columns):
                raise InvalidRequest(
                    f"'{path}' needs a first line with the columns {','.join(needed)}; it has"
                    f" {','.join(columns) or 'none'}: add them"
                )
            for row in reader:
                for column in needed:
                    if not row[column]:
                        raise InvalidRequest(
                            f"'{path}', line {reader.line_num}: {column} was expected and is"
                            " missing: mend the line"
                        )
                if None in row:
                    raise InvalidRequest(
                        f"'{path}', line {reader.line_num}: {len(columns)} values were expected and"
                        " more came: quote a value that holds a comma"
                    )
                yield reader.line_num, {column: row[column] or "" for column in columns}
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}): check it") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(
            f"'{path}' is no CSV file in UTF-8 ({error}): save it as one"
        ) from error


def inside(root: Path, name: str) -> Path:
    """Find a file that a row names under the root, wherever a link or `..` in its name leads.

    Raises:
        InvalidRequest: it leads out of the root, or is no path.
    """
    path = root / name
    try:
        # `Path.resolve` raises where links lead in circles.
        within = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
    except ValueError as error:
        raise InvalidRequest(f"{name!r} is no path ({error}): correct it") from error
    if not within:
        raise InvalidRequest(f"'{name}' leads out of '{root}': name pictures inside it")
    return path
