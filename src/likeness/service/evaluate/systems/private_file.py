"""A file of an interrupted run: nobody else may read it, nor has put it there."""

import os
import stat
from pathlib import Path

from likeness.errors import InvalidRequest


def open_private(path: Path) -> int:
    """Open a file to read and write, and make it, with its folder, where it is not there.

    Raises:
        InvalidRequest: it cannot be opened, leads elsewhere, or belongs or is open to others.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise InvalidRequest(
            f"{str(path)!r} cannot be opened ({error.strerror}). Name another folder to work in."
        ) from error
    status = os.fstat(descriptor)
    wrong = _wrong_with(status)
    if wrong:
        os.close(descriptor)
        raise InvalidRequest(
            f"{str(path)!r} {wrong}. Remove it, or name another folder to work in."
        )
    return descriptor


def _wrong_with(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        return "is no file of its own"
    if status.st_uid != os.geteuid():
        return f"belongs to user {status.st_uid}, who is not running this"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return f"is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""
