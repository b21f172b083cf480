"""Files that a command writes for its user: never over what is no file.

They are written whole or not at all, but for one that tells of long work as it goes.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from likeness.errors import InvalidRequest, unwritable

# Of Linux, macOS and Windows alike.
_LONGEST_NAME_BYTES = 255


def check_output(path: Path) -> None:
    """Refuse a place that cannot be written to, before the work and not after it.

    Raises:
        InvalidRequest: it is a folder or a device, or its folder is missing or closed to us.
    """
    if path.exists() and not path.is_file():
        raise InvalidRequest(f"'{path}' is no file that can be written. Name a file.")
    folder = _final(path).parent
    if not folder.is_dir():
        raise InvalidRequest(f"'{path}' cannot be written: there is no folder '{folder}'. Make it.")
    if not os.access(folder, os.W_OK):
        raise InvalidRequest(
            f"'{path}' cannot be written. Make '{folder}' writable, or name another place."
        )


def name_beside(name: str, ending: str) -> str:
    """Give a name with an ending, cut where it would be longer than file systems take."""
    kept = os.fsencode(name)[: _LONGEST_NAME_BYTES - len(os.fsencode(ending))]
    # A character that was cut through goes with the rest of it.
    return kept.decode(errors="ignore") + ending


def unfinished_name(final: Path) -> Path:
    """Name the file, or folder, that becomes another when all of it is written."""
    digest = hashlib.blake2b(os.fsencode(final.name), digest_size=8).hexdigest()
    return final.with_name(f".{digest}.{os.getpid()}.part")


def write_output(path: Path, content: bytes) -> None:
    """Write a file in one step; what was there is replaced only when all is written.

    Raises:
        Fault: the disk is full or broken.
        InvalidRequest: it cannot be written.
    """
    # The user's umask decides who may read it.
    with _replacing(path, 0o666) as file:
        file.write(content)


def check_report_folder(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, before the work and not after it.

    Raises:
        InvalidRequest: it is a file, or lies in one, or where we may not write.
    """
    place = Path.cwd() / folder
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise InvalidRequest(
            f"'{folder}' cannot be made: '{place}' is no folder. Name another folder."
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise InvalidRequest(
            f"'{folder}' cannot be written to. Make '{place}' writable, or name another folder."
        )


def write_reports(folder: Path, html: bytes, document: bytes) -> tuple[Path, Path]:
    """Write report.html and report.json into a folder, which is made, and give their places.

    Raises:
        Fault: the disk is full or broken.
        InvalidRequest: they cannot be written.
    """
    check_report_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(
            f"'{folder}' cannot be made ({error.strerror}). Name another folder."
        ) from error
    page, written = folder / "report.html", folder / "report.json"
    # Neither takes its place before there is room for both.
    with _replacing(page, 0o666) as file:
        file.write(html)
        file.flush()
        write_output(written, document)
    return page, written


@contextmanager
def growing_output(path: Path) -> Iterator[TextIO]:
    """Give a file to write to; a line that is written is there, whatever happens after.

    A new one can be read by its owner alone, for it names people.

    Raises:
        Fault: the disk is full or broken.
        InvalidRequest: it cannot be written.
    """
    check_output(path)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(
            descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            yield file
    except BrokenPipeError:  # of another stream: a file has none
        raise
    except OSError as error:
        raise unwritable(path, error, "name another file") from error


@contextmanager
def private_output(path: Path) -> Iterator[BinaryIO]:
    """Give a file that only its owner may read; it replaces what was there when all is written.

    Raises:
        Fault: the disk is full or broken.
        InvalidRequest: it cannot be written.
    """
    with _replacing(path, 0o600) as file:
        yield file


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    check_output(path)
    final = _final(path)
    unfinished = unfinished_name(final)
    try:
        try:
            unfinished.unlink(missing_ok=True)  # of a process of that number that was killed
            # Never through a link that somebody put there.
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(final)
        finally:
            unfinished.unlink(missing_ok=True)
    except BrokenPipeError:  # of another stream: a file has none
        raise
    except OSError as error:
        raise unwritable(path, error, "name another file") from error


def _final(path: Path) -> Path:
    """Where a link leads, so that it is not replaced; `Path.resolve` raises on circles of links."""
    return Path(os.path.realpath(path))
