"""Whose is this home? One process's at a time: its indexes must hear of every change."""

import fcntl
import os
from pathlib import Path

from likeness.errors import DatabaseUnavailable, HomeInUse

_NAME = "gallery.lock"


class HomeLock:
    """Held from its making until `release`; the system lets go of it when a process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock of a folder, which is made where there is none.

        Raises:
            HomeInUse: another process holds it.
            DatabaseUnavailable: the folder cannot be written.
        """
        path = folder / _NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseUnavailable(
                f"a folder that can be written was expected and {folder} cannot be"
                f" ({error.strerror}): mend it"
            ) from error
        self._file = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read(20).strip()
            self._file.close()
            raise HomeInUse(
                f"the gallery in {folder} was expected to be free and process {holder or 'unknown'}"
                " (a server, or another command) has it open: end that first"
            ) from None
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another process have it; to do so twice is harmless."""
        self._file.close()
