"""Whose are the pictures that a CSV manifest lists?"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import inside, read_rows
from likeness.service.enrol.named_picture import NamedPicture, picture_file

NEEDED = ("path", "subject")
COLUMNS = (*NEEDED, "external_id", "expires_at")


def read_manifest(manifest: Path, root: Path) -> list[NamedPicture]:
    """List the pictures of a manifest, whose paths are relative to `root` and may not leave it.

    Other columns than `COLUMNS` are somebody else's. Whether the pictures are there is seen later.

    Raises:
        InvalidRequest: the file cannot be read, or a row is not as it must be.
    """
    pictures: list[NamedPicture] = []
    for line, row in read_rows(manifest, NEEDED):
        try:
            if not pictures:
                _refuse_misspelt(row)
            pictures.append(_picture(row, root))
        except InvalidRequest as error:
            raise InvalidRequest(f"'{manifest}', line {line}: {error}") from error
    return pictures


def _refuse_misspelt(columns: Iterable[str]) -> None:
    """Notice a date of expiry that nobody would read."""
    for column in columns:
        for meant in get_close_matches(column, COLUMNS, n=1):
            if column != meant:
                raise InvalidRequest(
                    f"column {meant} was expected and {column!r} came: rename it, or leave it out"
                )


def _picture(row: Mapping[str, str], root: Path) -> NamedPicture:
    expires_at = row.get("expires_at")
    return picture_file(
        inside(root, row["path"]),
        row["subject"],
        row.get("external_id") or None,
        _instant(expires_at) if expires_at else None,
    )


def _instant(text: str) -> datetime:
    """Read a time with its zone; a day is its beginning in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (OverflowError, ValueError):
        pass
    raise InvalidRequest(
        "expires_at is a day or a time with its zone, such as 2030-01-31 or"
        f" 2030-01-31T12:00+01:00, {text!r} came: correct it"
    )
