"""Lists the pictures of a source, and whose they are: a picture, a folder, or a CSV manifest."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path

from likeness.errors import InvalidRequest, LikenessError, SeveralFaces
from likeness.service.enrol.csv_rows import each_row, inside
from likeness.terms import checked_name, composed
from likeness.vision.decode import DecodeLimits, Sample, read_sample
from likeness.vision.find import Located

NEEDED = ("path", "subject")
COLUMNS = (*NEEDED, "external_id", "expires_at")


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture of a subject; names are kept composed, however they come.

    `place` says where it comes from, such as its path; `read` reads it, and its header, when it is
    its turn. A reference made of it has `external_id` and is erased at `expires_at`.

    Raises:
        InvalidRequest: a name cannot be kept.
    """

    place: str
    read: Callable[[DecodeLimits], Sample]
    subject: str
    external_id: str | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """Compose names, and refuse those that cannot be kept."""
        subject = checked_name(self.subject, "A subject's name")
        object.__setattr__(self, "subject", subject)
        if self.external_id is not None:
            external_id = checked_name(self.external_id, "An external id")
            object.__setattr__(self, "external_id", external_id)


def refused_picture(
    place: str, error: LikenessError, external_id: str | None = None
) -> NamedPicture:
    """Name a picture that cannot be enrolled, since its subject's name cannot be kept, say."""

    def refuse(limits: DecodeLimits) -> Sample:
        raise error

    return NamedPicture(place, refuse, "(cannot be kept)", external_id)


def picture_file(
    path: Path,
    subject: str,
    external_id: str | None = None,
    expires_at: datetime | None = None,
) -> NamedPicture:
    """Name the picture in a file; raises what `NamedPicture` raises."""
    return NamedPicture(str(path), partial(read_sample, path), subject, external_id, expires_at)


def read_source(
    source: Path, subject: str | None = None, root: Path | None = None
) -> list[NamedPicture]:
    """List the pictures of a source; they are read later.

    Args:
        source: a picture; a folder with one folder or one picture a person; or a manifest `.csv`.
        subject: whose the one picture is, and only that.
        root: the folder that a manifest's paths start from; without, the manifest's own.

    Raises:
        InvalidRequest: there is no such source, or it is not as it must be, or holds no picture.
    """
    folder = _is_folder(source)
    manifest = not folder and source.suffix.lower() == ".csv"
    if subject is None and not (manifest or folder):
        raise InvalidRequest(f"'{source}' is one picture. Say whose: --subject NAME.")
    if subject is not None and (manifest or folder):
        raise InvalidRequest(f"'{source}' says itself who is in its pictures. Leave out --subject.")
    if root is not None and not manifest:
        raise InvalidRequest(f"'{source}' is no manifest (.csv). Leave out --root.")
    if subject is not None:
        return [picture_file(source, subject)]
    pictures = list(_in_folder(source)) if folder else read_manifest(source, root or source.parent)
    if not pictures:
        raise InvalidRequest(
            f"No pictures in '{source}'. Put some into it, one folder or one row a person."
        )
    return pictures


def _is_folder(source: Path) -> bool:
    try:
        return stat.S_ISDIR(source.stat().st_mode)
    except OSError as error:
        raise InvalidRequest(
            f"'{source}' cannot be read ({error.strerror}). Name a picture, a folder or a manifest."
        ) from error


def _in_folder(folder: Path) -> Iterator[NamedPicture]:
    for subject, path in files_of_people(folder):
        try:
            yield picture_file(path, subject)
        except InvalidRequest as error:
            yield refused_picture(str(path), error)


def read_manifest(manifest: Path, root: Path) -> list[NamedPicture]:
    """List the pictures of a manifest, whose paths are relative to `root` and may not leave it.

    Other columns than `COLUMNS` are somebody else's. Whether the pictures are there is seen later.

    Raises:
        InvalidRequest: the file cannot be read, or a row is not as it must be.
    """
    return list(each_row(manifest, NEEDED, partial(_picture, root)))


@cache
def _refuse_misspelt(columns: tuple[str, ...]) -> None:
    """Notice a date of expiry that nobody would read."""
    for column in columns:
        for meant in get_close_matches(column, COLUMNS, n=1):
            if column != meant:
                raise InvalidRequest(
                    f"Column {column!r} looks like {meant}. Rename it, or leave it out."
                )


def _picture(root: Path, row: Mapping[str, str]) -> NamedPicture:
    _refuse_misspelt(tuple(row))
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
        f"expires_at {text!r} is no date. Give a day, or a time with its zone, such as 2030-01-31"
        " or 2030-01-31T12:00+01:00."
    )


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
            f"'{folder}' cannot be listed ({error.strerror}). Name a folder with one folder or one"
            " file a person."
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


def picture_files(sources: Sequence[Path]) -> list[Path]:
    """List every file once, in an order that the order of the sources does not change.

    What is hidden in a folder is left out. Whether files are pictures, or there at all, is seen by
    whoever reads them; a folder that cannot be listed is given as a file for that.

    Raises:
        InvalidRequest: there is no file in any source.
    """
    files: dict[str, Path] = {}
    for source in sources:
        for path in _files_below(source) if is_folder(source) else [source]:
            real = os.path.realpath(path)
            # A file that is reached in several ways has one name.
            files[real] = min(path, files.get(real, path))
    if not files:
        raise InvalidRequest(
            f"No pictures in {', '.join(repr(str(one)) for one in sources)}. Put some there, or"
            " name another folder."
        )
    return [files[real] for real in sorted(files)]


def is_folder(path: Path) -> bool:
    """Say whether a path leads to a folder; False where that cannot be known, too.

    `Path.is_dir` fails where a name is too long or a folder above is closed to us.
    """
    return os.path.isdir(path)  # noqa: PTH112


def _files_below(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield Path(place, name)
    yield from closed


def person_meant(located: Located, *, or_else: str = "") -> int:
    """Give the index of the face that is alone, or has four times the area of the next.

    `or_else` is what else may be done about several, beside cutting the picture.

    Raises:
        NoFace: there is none.
        SeveralFaces: none stands out.
    """
    foremost = located.foremost
    if not located.stands_out:
        raise SeveralFaces(
            f"{len(located.faces)} faces, and the largest has less than four times the area of the"
            f" next. Cut the picture to the person's face{or_else}."
        )
    return foremost
