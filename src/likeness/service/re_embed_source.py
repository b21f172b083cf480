"""Which pictures come again? Files, folders, and those that manifests of enrolments list."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.csv_rows import inside, read_rows
from likeness.service.picture_files import picture_files


def read_sources(sources: Sequence[Path]) -> list[Path]:
    """List the pictures of sources; whether they are there is seen when they are read.

    A manifest (`.csv`) has a column `path`, relative to its folder, and its paths may not leave it.

    Raises:
        InvalidRequest: a manifest is not as it must be, a folder cannot be listed, or sources hold
            nothing.
    """
    named = [path for source in sources for path in _named(source)]
    return picture_files(named) if sources else []


def _named(source: Path) -> Iterator[Path]:
    if source.suffix.lower() != ".csv" or source.is_dir():
        yield source
        return
    for line, row in read_rows(source, ("path",)):
        try:
            yield inside(source.parent, row["path"])
        except InvalidRequest as error:
            raise InvalidRequest(f"'{source}', line {line}: {error}") from error
