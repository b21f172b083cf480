"""Which picture files are meant?"""

from itertools import permutations
from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.enrol.sources import picture_files


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_folders_are_searched_to_the_bottom_but_for_what_is_hidden(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a/deep/er/c.png", ".hidden.jpg", "a/.hidden/d.jpg")
    assert picture_files([tmp_path]) == [tmp_path / "a/deep/er/c.png", tmp_path / "b.jpg"]


def test_a_file_that_is_named_in_several_ways_counts_once(tmp_path: Path) -> None:
    make(tmp_path, "a/b.jpg", "c.jpg")
    (tmp_path / "a" / "again.jpg").symlink_to(tmp_path / "c.jpg")
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    sources = [tmp_path, tmp_path / "a", tmp_path / "c.jpg", tmp_path / "a" / ".." / "c.jpg"]
    listings = {tuple(picture_files(order)) for order in permutations(sources)}
    assert listings == {(tmp_path / "a/b.jpg", tmp_path / "a/../c.jpg")}


def test_a_file_that_is_not_there_is_left_to_its_reader(tmp_path: Path) -> None:
    assert picture_files([tmp_path / "nowhere.jpg"]) == [tmp_path / "nowhere.jpg"]


def test_folders_without_a_file_are_said(tmp_path: Path) -> None:
    make(tmp_path, "a/.hidden.jpg")
    with pytest.raises(InvalidRequest, match="No pictures in"):
        picture_files([tmp_path, tmp_path / "a"])
