"""Files that are there whole or not at all, whatever is interrupted."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from likeness.errors import ArtifactUnavailable, ModelTampered

_CHUNK_BYTES = 1 << 20


class Readable(Protocol):
    """Whatever bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes; none at the end."""
        ...


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step: another process sees the old one or the new one.

    Raises:
        ArtifactUnavailable: the folder cannot be written.
    """
    with disk_faults_of(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The prefix keeps what a power cut leaves behind from being taken for a file of its own.
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=".writing-", delete=False
        ) as unfinished:
            try:
                unfinished.write(content)
                unfinished.flush()
                os.fsync(unfinished.fileno())
                Path(unfinished.name).replace(path)
            except BaseException:
                Path(unfinished.name).unlink(missing_ok=True)
                raise
        sync_folder(path.parent)


def copy_exactly(
    source: Readable,
    size: int,
    destination: Path,
    what: str,
    tell: Callable[[int], object] = lambda done: None,
) -> None:
    """Write the `size` bytes of `source` to `destination`, through to the disk.

    `tell` is called with how many bytes are written.

    Raises:
        ModelTampered: `source` holds more or fewer bytes; no more than `size` are written.
    """
    left = size
    with destination.open("xb") as target:
        while left and (chunk := source.read(min(left, _CHUNK_BYTES))):
            target.write(chunk)
            left -= len(chunk)
            tell(size - left)
        if left or source.read(1):
            raise ModelTampered(
                f"{what} holds {'more' if not left else f'{size - left:,}'}, not {size:,} bytes: it"
                " was not used. Fetch it from a source you trust."
            )
        target.flush()
        os.fsync(target.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, so that a power cut forgets none."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_faults_of(place: Path, remedy: str = "Mend it.") -> Iterator[None]:
    """Turn what the operating system says about a folder or file of ours into our own words."""
    try:
        yield
    except OSError as error:
        raise ArtifactUnavailable(
            f"{place} cannot be read or written ({error.strerror}). {remedy}"
        ) from error
