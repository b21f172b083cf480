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


PLAIN = [(2, {"a": "Ü", "b": "x,y"}), (3, {"a": "1", "b": "2"})]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_separators_marks_and_line_ends_of_every_spreadsheet_are_read(
    tmp_path: Path, separator: str, encoding: str, ends: str
) -> None:
    lines = [["a", "b"], ["Ü", '"x,y"'], ["1", "2"], ["", ""], []]
    content = ends.join(separator.join(line) for line in lines)
    assert rows(tmp_path, content.encode(encoding)) == PLAIN


def test_one_column_alone_needs_no_separator_and_names_hold_any(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("path\na;b.jpg\n")
    assert list(read_rows(path, ["path"])) == [(2, {"path": "a;b.jpg"})]
    path.write_text("path;subject\na,b.jpg;Rosa\n")
    assert list(read_rows(path, ["path"])) == [(2, {"path": "a,b.jpg", "subject": "Rosa"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has none: add"),
        (b"a,c\n1,2\n", "it has a,c: add"),
        (b"a,b\n1,2\n3\n", "line 3: b was expected"),
        (b"a,b\n1,2\n,3\n", "line 3: a was expected"),
        (b"a,b\n1,2,3\n", "line 2: 2 values were expected"),
        (b"a;b\n1;2;3\n", "line 2: .* quote a value that holds a semicolon"),
        (b"a,b\n1,2\nM\xfcller,2\n", "line 3 is no CSV file in UTF-8.* column 2"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "no CSV file in UTF-8 or UTF-16"),
        (b'a,b\n1,2\n"1,2\n3,4\n', "line 3: this is no CSV"),
        (b"a,b,x;a;b\n", "line 1: .* not clear which"),
        (b"a,b,a\n", "line 1: column a comes twice"),
        (b"a,b\n" + b"x" * 2_000_000, "line 2 has more than"),
    ],
    ids=[
        *("empty", "column", "short", "missing", "long", "long by semicolons", "encoding"),
        *("half a character", "quote", "two separators", "twice", "endless"),
    ],
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
