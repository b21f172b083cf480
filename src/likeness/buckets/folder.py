"""Buckets that are the sub-folders of one folder.

Who asks chooses names, and may even be able to write into a bucket. So:

1. No name holds `..`, an empty part, a backslash or a control character (`_parts`).
2. Every folder on the way, and the file, is opened by its name in the one before, never by a path:
   what is moved or replaced meanwhile leads nowhere else.
3. A symbolic link is followed nowhere below the folder itself.
4. Only plain files are read; opening does not wait for the other end of a pipe.
5. Size is asked of the open file, and never more than the limit is read, even if it grows (of a
   file that `open` gives, whoever reads it sees to that).
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from likeness.buckets.buckets import (
    LONGEST_KEY_BYTES,
    check_bucket,
    clip_too_large,
    nothing_there,
    too_large,
)
from likeness.errors import BucketsUnavailable, InvalidRequest

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# There is none, a link (3), none that may be read, or what can only be something else (4).
_NOTHING_THERE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EACCES,
    errno.EPERM,
    errno.ENXIO,
    errno.ENODEV,
}


# Control characters and halves of a character.
_FORBIDDEN = {"Cc", "Cs"}


class FolderBuckets:
    """Reads files below `root`, whose sub-folders are buckets; they have no versions."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Read a file; see `Buckets`."""
        with self._file(bucket, key, version) as (opened, size_bytes):
            if size_bytes > max_bytes:
                raise too_large(max_bytes)
            content = opened.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise too_large(max_bytes)
        return content

    def size(self, bucket: str, key: str, version: str | None) -> int:
        """Ask an open file for its size; see `Buckets`."""
        with self._file(bucket, key, version) as (_, size_bytes):
            return size_bytes

    def open(
        self,
        bucket: str,
        key: str,
        version: str | None,
        max_bytes: int,
        require_wanted: Callable[[], object] | None = None,
    ) -> BinaryIO:
        """Open the file itself, at once; see `Buckets`."""
        with self._file(bucket, key, version) as (opened, size_bytes):
            if size_bytes > max_bytes:
                raise clip_too_large(max_bytes)
            # Another descriptor, since this one is closed here.
            return os.fdopen(os.dup(opened.fileno()), "rb")

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List plain files, none behind a link; see `Buckets`."""
        folder = self._open([check_bucket(bucket)], _FOLDER)
        found: list[str] = []
        try:
            with self._faults():
                for place, _, names, here in os.fwalk(".", dir_fd=folder, onerror=_refuse):
                    below = place.removeprefix(".").removeprefix("/")
                    found += [
                        key
                        for name in names
                        if (key := f"{below}/{name}" if below else name).startswith(prefix)
                        and _is_key(key)
                        and _is_plain(name, here)
                    ]
        finally:
            os.close(folder)
        return sorted(found)

    @contextmanager
    def _file(self, bucket: str, key: str, version: str | None) -> Iterator[tuple[BinaryIO, int]]:
        """Open a plain file for a moment, and say its size."""
        names = [check_bucket(bucket), *_parts(key)]
        if version is not None:
            raise nothing_there()
        file = self._open(names)
        try:
            with self._faults():
                status = os.fstat(file)
                if not stat.S_ISREG(status.st_mode):
                    raise nothing_there()
                with os.fdopen(file, "rb", closefd=False) as opened:
                    yield opened, status.st_size
        finally:
            os.close(file)

    def _open(self, names: list[str], as_what: int = _FILE) -> int:
        *folders, name = names
        with self._faults(errno.ENOENT):
            here = os.open(self._root, _FOLDER)
        try:
            with self._faults(*_NOTHING_THERE):
                for folder in folders:
                    inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                    os.close(here)
                    here = inner
                return os.open(name, as_what | os.O_NOFOLLOW, dir_fd=here)
        finally:
            os.close(here)

    @contextmanager
    def _faults(self, *nothing_there_at: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in nothing_there_at:
                raise nothing_there() from error
            raise BucketsUnavailable(
                f"The folder of buckets {self._root} cannot be read ({error.strerror}). Mend it, or"
                " name another in LIKENESS_BUCKETS."
            ) from error


def _is_plain(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:  # it was there a moment ago
        return False


def _refuse(error: OSError) -> None:
    raise error


def _parts(key: str) -> list[str]:
    """Split a key at its slashes; each part can be the name of a folder or a file.

    S3 takes more, but from these a path could be made that leads elsewhere.

    Raises:
        InvalidRequest: it is no key, or one that leads somewhere else.
    """
    parts = key.split("/")
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\\" in key
        or any(unicodedata.category(character) in _FORBIDDEN for character in key)
        or len(key.encode()) > LONGEST_KEY_BYTES
    ):
        raise InvalidRequest(
            f"Not an object's key. Give at most {LONGEST_KEY_BYTES} bytes, names with single"
            " slashes between, without '.', '..', backslashes and control characters."
        )
    return parts


def _is_key(key: str) -> bool:
    try:
        _parts(key)
    except InvalidRequest:
        return False
    return True
