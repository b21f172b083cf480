"""Whose are the files of a folder?"""

from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.enrol.sources import files_of_people


def test_everything_but_hidden_files_is_somebodys(tmp_path: Path) -> None:
    (tmp_path / "Rosa" / "deeper").mkdir(parents=True)
    for name in ("Rosa/b.png", "Rosa/a.png", "Rosa/.hidden", "Greta.v2.jpg", ".hidden"):
        (tmp_path / name).touch()
    assert [(name, path.name) for name, path in files_of_people(tmp_path)] == [
        ("Greta.v2", "Greta.v2.jpg"),
        ("Rosa", "a.png"),
        ("Rosa", "b.png"),
        ("Rosa", "deeper"),
    ]


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be listed"):
        list(files_of_people(tmp_path / "nowhere"))
