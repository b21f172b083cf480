"""What pictures does a source hold, and whose are they? A picture, a folder or a manifest."""

import stat
from collections.abc import Iterator
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.manifest import read_manifest
from likeness.service.enrol.named_picture import NamedPicture, picture_file, refused_picture
from likeness.service.enrol.people_folder import files_of_people


def read_source(
    source: Path, subject: str | None = None, root: Path | None = None
) -> list[NamedPicture]:
    """List the pictures of a source; they are read later.

    Args:
        source: a picture; a folder with one folder or one picture a person; or a manifest `.csv`.
        subject: whose the one picture is, and only that.
        root: where a manifest's pictures lie; the manifest's folder without.

    Raises:
        InvalidRequest: there is no such source, or it is not as it must be, or holds no picture.
    """
    folder = _is_folder(source)
    manifest = not folder and source.suffix.lower() == ".csv"
    if (subject is None) != (manifest or folder):
        came, mend = ("without", "give") if subject is None else ("with", "leave out")
        raise InvalidRequest(
            "a folder or a manifest, or one picture and its subject's name, was expected and"
            f" '{source}' came {came} a name: {mend} --subject"
        )
    if root is not None and not manifest:
        raise InvalidRequest("a root was given and the source is no manifest (.csv): leave it out")
    if subject is not None:
        return [picture_file(source, subject)]
    pictures = list(_in_folder(source)) if folder else read_manifest(source, root or source.parent)
    if not pictures:
        raise InvalidRequest(
            f"pictures were expected and '{source}' names none: put some into it, one folder or one"
            " row a person"
        )
    return pictures


def _is_folder(source: Path) -> bool:
    try:
        return stat.S_ISDIR(source.stat().st_mode)
    except OSError as error:
        raise InvalidRequest(
            f"a picture, a folder or a manifest was expected and '{source}' cannot be read"
            f" ({error.strerror}): check the path"
        ) from error


def _in_folder(folder: Path) -> Iterator[NamedPicture]:
    for subject, path in files_of_people(folder):
        try:
            yield picture_file(path, subject)
        except InvalidRequest as error:
            yield refused_picture(str(path), error)
