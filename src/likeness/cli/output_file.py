"""Files that a command writes for its user: whole or not at all, never over what is no file."""

import os
from pathlib import Path

from likeness.errors import InvalidRequest


def check_output(path: Path) -> None:
    """Refuse a place that cannot be written to, before the work and not after it.

    Raises:
        InvalidRequest: it is a folder or a device, or its folder is missing or closed to us.
    """
    if path.exists() and not path.is_file():
        raise InvalidRequest(f"a file to write was expected and '{path}' is none: name a file")
    folder = _final(path).parent
    if not folder.is_dir():
        raise InvalidRequest(f"'{path}' cannot be written, there is no folder '{folder}': make it")
    if not os.access(folder, os.W_OK):
        raise InvalidRequest(
            f"'{path}' cannot be written: make '{folder}' writable, or name another"
        )


def write_output(path: Path, content: bytes) -> None:
    """Write a file in one step; what was there is replaced only when all is written.

    Raises:
        InvalidRequest: it cannot be written.
    """
    check_output(path)
    final = _final(path)
    # The user's umask decides who may read it.
    unfinished = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        try:
            unfinished.write_bytes(content)
            unfinished.replace(final)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequest(
            f"'{path}' cannot be written ({error.strerror}): make room, or name another file"
        ) from error


def _final(path: Path) -> Path:
    """Where a link leads, so that it is not replaced; `Path.resolve` raises on circles of links."""
    return Path(os.path.realpath(path))
