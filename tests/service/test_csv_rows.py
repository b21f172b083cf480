"""Rows of CSV files from outside, and the files they name."""

from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.csv_rows import inside, read_rows


def rows(tmp_path: Path, content: bytes) -> list[tuple[int, dict[str, str]]]:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    return list(read_rows(path, ["a", "b"]))


def test_rows_come_by_column_with_their_lines(tmp_path: Path) -> None:
    content = '\ufeffb,a,c\r\n1,"x\ny",\r\n2,z\r\n'.encode()
    assert rows(tmp_path, content) == [
        (3, {"a": "x\ny", "b": "1", "c": ""}),
        (4, {"a": "z", "b": "2", "c": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has none: add"),
        (b"a,c\n1,2\n", "it has a,c: add"),
        (b"a,b\n1,2\n3\n", "line 3: b was expected"),
        (b"a,b\n1,2\n,3\n", "line 3: a was expected"),
        (b"a,b\n1,2,3\n", "line 2: 2 values were expected"),
        (b"a,b\n\xff,2\n", "no CSV file in UTF-8"),
        (b'a,b\n"1,2\n', "no CSV file in UTF-8"),
    ],
    ids=["empty", "column", "short", "missing", "long", "encoding", "quote"],
)
def test_a_file_that_is_not_as_it_must_be_says_where(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        rows(tmp_path, content)


def test_a_row_names_files_under_the_root_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "away").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    assert inside(root, "a/../b.jpg") == root / "a/../b.jpg"
    assert inside(root, "circle") == root / "circle"
    for name in ("../x.jpg", "/etc/passwd", "away/x.jpg", "x\0.jpg"):
        with pytest.raises(InvalidRequest):
            inside(root, name)
