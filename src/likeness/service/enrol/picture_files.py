"""Which picture files are meant? Files as they are named, folders searched to the bottom."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from likeness.errors import InvalidRequest


def picture_files(sources: Sequence[Path]) -> list[Path]:
    """List every file once, in an order that the order of the sources does not change.

    What is hidden in a folder is left out. Whether files are pictures, or there at all, is seen by
    whoever reads them; a folder that cannot be listed is given as a file for that.

    Raises:
        InvalidRequest: there is no file in any source.
    """
    files: dict[str, Path] = {}
    for source in sources:
        for path in _in_folder(source) if is_folder(source) else [source]:
            real = os.path.realpath(path)
            # A file that is reached in several ways has one name.
            files[real] = min(path, files.get(real, path))
    if not files:
        raise InvalidRequest(
            f"pictures were expected and there is none in {_listed(sources)}: put some there, or"
            " name another folder"
        )
    return [files[real] for real in sorted(files)]


def is_folder(path: Path) -> bool:
    """Say whether a path leads to a folder; False where that cannot be known, too.

    `Path.is_dir` fails where a name is too long or a folder above is closed to us.
    """
    return os.path.isdir(path)  # noqa: PTH112


def _in_folder(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield Path(place, name)
    yield from closed


def _listed(sources: Sequence[Path]) -> str:
    return ", ".join(repr(str(source)) for source in sources)
