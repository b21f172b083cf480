"""What a command writes gets into no file but the one that was named."""

import os
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from likeness.cli.terminal.output_file import (
    growing_output,
    private_output,
    write_output,
    write_reports,
)
from likeness.errors import Fault

Write = Callable[[Path], None]


def write_at_once(path: Path) -> None:
    write_output(path, b"new")


def write_privately(path: Path) -> None:
    with private_output(path) as file:
        file.write(b"new")


def write_as_it_goes(path: Path) -> None:
    with growing_output(path) as file:
        file.write("new")


@pytest.mark.parametrize("write", [write_at_once, write_privately])
def test_a_link_in_place_of_the_unfinished_file_leads_nowhere(tmp_path: Path, write: Write) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / f".out.{os.getpid()}.part").symlink_to(tmp_path / "precious")
    write(tmp_path / "out")
    assert (tmp_path / "precious").read_text() == "old"
    assert not (tmp_path / "out").is_symlink()
    assert (tmp_path / "out").read_text() == "new"


@pytest.mark.parametrize("write", [write_at_once, write_privately, write_as_it_goes])
def test_a_link_that_was_named_stays_and_its_file_is_written(tmp_path: Path, write: Write) -> None:
    (tmp_path / "file").write_text("old and longer")
    (tmp_path / "link").symlink_to("file")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("write", "mode"),
    [(write_at_once, 0o644), (write_privately, 0o600), (write_as_it_goes, 0o600)],
)
def test_files_that_name_people_are_their_owners_alone(
    tmp_path: Path, write: Write, mode: int
) -> None:
    with umask(0o022):
        write(tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have the disk be full for whatever is larger."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    usual = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, usual)


@pytest.mark.parametrize("write", [write_at_once, write_privately, write_as_it_goes])
def test_a_full_disk_is_a_fault_and_nobodys_mistake(tmp_path: Path, write: Write) -> None:
    with files_of_at_most(1), pytest.raises(Fault, match=r"out' cannot be written \(File too"):
        write(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out"])


def test_of_a_report_both_files_are_written_or_neither(tmp_path: Path) -> None:
    write_reports(tmp_path, b"old", b"{}")
    for page, document in ((b"n" * 500, b"{}{}"), (b"new", b"{}" * 500)):
        with files_of_at_most(100), pytest.raises(Fault):
            write_reports(tmp_path, page, document)
        assert (tmp_path / "report.html").read_bytes() == b"old"
        assert (tmp_path / "report.json").read_bytes() == b"{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
