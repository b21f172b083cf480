"""What a command writes gets into no file but the one that was named."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from likeness.cli.terminal.output_file import growing_output, private_output, write_output

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
