"""Labels of pictures and of people, from a manifest: a CSV file of which further columns label."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import has_columns, of_text, read_rows
from likeness.service.enrol.sources import COLUMNS
from likeness.service.evaluate.findings import RowProblem
from likeness.service.evaluate.readers.problems import Problems
from likeness.terms import checked_name, checked_text, composed


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A row of a manifest: its line, the picture's path as it is written, and what it says.

    `path` or `subject` is empty where the manifest has no such column.
    """

    line: int
    path: str
    subject: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Labels:
    """What a manifest says of pictures by their names (`key_of`), and of people by theirs."""

    of_pictures: Mapping[str, LabelledRow] = field(default_factory=dict)
    of_people: Mapping[str, LabelledRow] = field(default_factory=dict)
    problems: tuple[RowProblem, ...] = ()


NO_LABELS = Labels()
_LONGEST_PATH = 4096


def key_of(name: str) -> str:
    """Give the one spelling of a picture's name by which files are joined."""
    return composed(os.path.normpath(name))


def checked_picture(name: str) -> str:
    """Give the name of a picture, a path, as it came.

    Raises:
        InvalidRequest: it is too long, or holds what breaks a line.
    """
    return checked_text(name, "A picture's name", longest=_LONGEST_PATH)


def labelled_rows(manifest: Path, problems: Problems, needed: tuple[str, ...]) -> list[LabelledRow]:
    """Read every row of a manifest; those that are not as they must be are among the problems.

    Raises:
        InvalidRequest: it is no such file, or a column is missing, comes twice, or has no name
            that can be kept.
    """
    rows = []

    def skip(line: int, error: InvalidRequest) -> None:
        problems.add_row("rows that cannot be read", line, f"{error} The row is left out.")

    columns = None
    for line, row in read_rows(manifest, needed, skip=skip, distinct=True):
        if columns is None:
            columns = [checked_text(one, "A column's name") for one in row if one]
        try:
            subject = row.get("subject", "").strip()
            if subject or "subject" in needed:
                subject = checked_name(subject, "A subject's name")
            path = of_text(row.get("path", ""))
            if path:
                checked_picture(path)
        except InvalidRequest as error:
            skip(line, error)
            continue
        rows.append(LabelledRow(line, path, subject, _labels(line, row, problems)))
    return rows


def _labels(line: int, row: Mapping[str, str], problems: Problems) -> dict[str, str]:
    labels = {}
    for column, value in row.items():
        if not column or column in COLUMNS:
            continue
        value = composed(value.strip())
        try:
            labels[column] = checked_text(value, column) if value else ""
        except InvalidRequest as error:
            labels[column] = ""
            problems.add_row("labels that cannot be used", line, f"{error} It counts as unknown.")
    return labels


def read_labels(manifest: Path) -> Labels:
    """Read labels of pictures (column `path`), or of people where there is only `subject`.

    Raises:
        InvalidRequest: it is no such file, or names neither.
    """
    problems = Problems(manifest.name)
    by_path = has_columns(manifest, ("path",)) or not has_columns(manifest, ("subject",))
    rows = labelled_rows(manifest, problems, ("path",) if by_path else ("subject",))
    found: dict[str, LabelledRow] = {}
    for row in rows:
        key = key_of(row.path) if by_path else row.subject
        first = found.setdefault(key, row)
        if first is not row:
            what = row.path if by_path else row.subject
            problems.add_row(
                "rows of what an earlier row labels",
                row.line,
                f"'{what}' is labelled in line {first.line} already. This row is left out.",
            )
    if not found:
        raise InvalidRequest(f"'{manifest}' has no rows that can be read. Give it some.")
    if by_path:
        return Labels(found, {}, problems.all())
    return Labels({}, found, problems.all())
