"""Whose are the files of a folder? One folder a person, or one file a person."""

from collections.abc import Iterator
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.picture_files import is_folder
from likeness.terms import composed


def files_of_people(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give every person's name with each of their files, sorted; hidden files are left out.

    Names that are spelt in two ways are one person's.

    What is no file, such as a folder in a person's, is given too, and so is a person's folder that
    cannot be listed: whoever reads it says so.

    Raises:
        InvalidRequest: there is no such folder, or it cannot be listed.
    """
    try:
        entries = _shown(folder)
    except OSError as error:
        raise InvalidRequest(
            f"a folder of pictures was expected and '{folder}' cannot be listed"
            f" ({error.strerror}): name a folder with one folder or one file a person"
        ) from error
    for entry in entries:
        if not is_folder(entry):
            yield composed(entry.stem), entry
            continue
        try:
            paths = _shown(entry)
        except OSError:
            paths = [entry]
        for path in paths:
            yield composed(entry.name), path


def _shown(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
