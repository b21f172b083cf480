"""Rows of CSV files from outside, and the files they name."""

from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import inside, read_rows

Form = Literal["NFC", "NFD"]


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


@pytest.mark.parametrize("declared", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_separator_that_a_first_line_declares_is_obeyed(
    tmp_path: Path, declared: str, encoding: str
) -> None:
    content = f"{declared}\r\na;b;a,b\r\nÜ;x,y;\r\n".encode(encoding)
    assert rows(tmp_path, content) == [(3, {"a": "Ü", "b": "x,y", "a,b": ""})]


@pytest.mark.parametrize("before", ["\n\n", ";;\r\n", "sep=;\n\n", "\nsep=;\n", " \n\t\n"])
def test_empty_lines_before_the_columns_are_skipped_and_counted(
    tmp_path: Path, before: str
) -> None:
    content = f"{before}a;b\n1;2\n"
    line = len(content.splitlines())
    assert rows(tmp_path, content.encode()) == [(line, {"a": "1", "b": "2"})]
    with pytest.raises(InvalidRequest, match=f"line {line}: b is missing"):
        rows(tmp_path, f"{before}a;b\n1\n".encode())


def test_one_column_alone_needs_no_separator_and_names_hold_any(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("path\na;b.jpg\n")
    assert list(read_rows(path, ["path"])) == [(2, {"path": "a;b.jpg"})]
    path.write_text("path;subject\na,b.jpg;Rosa\n")
    assert list(read_rows(path, ["path"])) == [(2, {"path": "a,b.jpg", "subject": "Rosa"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: no column a and none b, the columns are none"),
        (b"a,c\n1,2\n", "no column b, the columns are a,c. Begin the file with a,b"),
        (b"a,b\n1,2\n3\n", "line 3: b is missing"),
        (b"a,b\n1,2\n,3\n", "line 3: a is missing"),
        (b"a,b\n1,2,3\n", "line 2: more values than the 2 columns"),
        (b"a;b\n1;2;3\n", "line 2: .* Quote a value that holds a semicolon"),
        (b"a,b\n1,2\nM\xfcller,2\n", "line 3: not UTF-8.* column 2"),
        (
            "a,b\n1,2\n".encode("utf-16")[:-1],
            "not a CSV file in UTF-8 or UTF-16 with a byte order mark",
        ),
        (b'a,b\n1,2\n"1,2\n3,4\n', "line 3: not CSV"),
        (b"a,b,x;a;b\n", "line 1: it is not clear whether"),
        (b"a,b,a\n", "line 1: column a comes twice"),
        (b"sep=;\na,b\n", "line 2: no column a"),
        (b"sep=;\na;b\n1;2;3\n", "line 3: more values"),
        (b"sep=|\na|b\n", "line 1: values are separated by '|'"),
        (b"a\0,b\n", "not a CSV file"),
        ("a,b\n".encode("utf-16-le"), "not a CSV file"),
        ("a,b\n".encode("utf-32"), "not a CSV file"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "not a CSV file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a CSV file"),
        (b"a,b\n" + b"x" * 2_000_000, "line 2 has more than"),
        (b"a,b" + b"," * 999 + b"\n", "line 1: 1,001 columns, at most 1,000 are read"),
    ],
    ids=[
        *("empty", "column", "short", "missing", "long", "long by semicolons", "encoding"),
        *("half a character", "quote", "two separators", "twice", "declared otherwise"),
        *("declared and long", "declared bar", "NUL", "no mark", "32 bits", "JPEG", "PNG"),
        *("endless", "columns"),
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
    for name in ("../x.jpg", "/etc/passwd", "away/x.jpg", "x\0.jpg", "x/" * 2100):
        with pytest.raises(InvalidRequest):
            inside(root, name)


@pytest.mark.parametrize("folder", ["NFC", "NFD"])
@pytest.mark.parametrize("file", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_every_part_of_a_path_is_found_in_either_spelling(
    tmp_path: Path, folder: Form, file: Form, asked: Form
) -> None:
    kept = tmp_path / normalize(folder, "Zoë") / "plain" / normalize(file, "Jörg.jpg")
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert inside(tmp_path, normalize(asked, "Zoë/plain/Jörg.jpg")) == kept
    missing = normalize(asked, "Zoë/plain/Jürgen.jpg")
    assert inside(tmp_path, missing) == tmp_path / missing


def test_of_a_folder_in_two_spellings_the_one_with_the_file_is_found(tmp_path: Path) -> None:
    forms: tuple[Form, ...] = ("NFC", "NFD")
    for form in forms:
        (tmp_path / normalize(form, "Zoë")).mkdir()
    kept = tmp_path / normalize("NFD", "Zoë/Jörg.jpg")
    kept.touch()
    assert inside(tmp_path, normalize("NFC", "Zoë/Jörg.jpg")) == kept
    # Ever more ways to one folder are not followed.
    assert inside(tmp_path, normalize("NFC", "Zoë/../" * 200 + "ü")).name == "ü"
