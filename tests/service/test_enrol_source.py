"""What pictures does a source hold, and whose are they?"""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from likeness.errors import InvalidRequest
from likeness.service.enrol.sources import NamedPicture, read_source
from likeness.vision.decode import DEFAULT_LIMITS


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def facts(picture: NamedPicture) -> tuple[object, ...]:
    return (picture.place, picture.subject, picture.external_id, picture.expires_at)


def test_a_picture_is_the_subjects_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (picture,) = read_source(tmp_path / "a.jpg", "Rosa")
    assert facts(picture) == (str(tmp_path / "a.jpg"), "Rosa", None, None)


def test_a_folder_names_its_people(tmp_path: Path) -> None:
    (tmp_path / "Rosa").mkdir()
    (tmp_path / "Rosa" / "1.jpg").touch()
    (tmp_path / "Greta.jpg").touch()
    assert [picture.subject for picture in read_source(tmp_path)] == ["Greta", "Rosa"]


def test_a_manifest_says_whose_pictures_are_and_how_long_they_are_kept(manifest: Path) -> None:
    manifest.write_text(
        "subject,cluster,path,external_id,expires_at\n"
        "Rosa,7,a.jpg,badge-7,2030-01-31\n"
        '"Greta, the second",7,b/c.jpg,,2030-01-31T12:00+01:00\n'
        "Ilse,8,d.jpg,,\n"
    )
    day = datetime(2030, 1, 31, tzinfo=UTC)
    noon = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=1)))
    assert [facts(picture) for picture in read_source(manifest)] == [
        (str(manifest.parent / "a.jpg"), "Rosa", "badge-7", day),
        (str(manifest.parent / "b/c.jpg"), "Greta, the second", None, noon),
        (str(manifest.parent / "d.jpg"), "Ilse", None, None),
    ]


def test_a_manifests_pictures_lie_under_the_root_that_is_said(manifest: Path) -> None:
    manifest.write_text("path,subject\na.jpg,Rosa\n")
    (picture,) = read_source(manifest, root=Path("/elsewhere"))
    assert picture.place == "/elsewhere/a.jpg"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.jpg,", "line 3: subject is missing"),
        (",Rosa", "line 3: path is missing"),
        ("a.jpg,Rosa,x,,more", "line 3: more values than the 4 columns"),
        ("../a.jpg,Rosa", "line 3: '../a.jpg' leads out of"),
        ("/etc/a.jpg,Rosa", "line 3: '/etc/a.jpg' leads out of"),
        ("a.jpg,Ro\x1bsa", "line 3: A subject's name holds a control character"),
        (f"a.jpg,{'R' * 256}", "line 3: A subject's name has 256 characters"),
        ("a.jpg,Rosa,\u2028", "line 3: An external id holds a control character"),
        ("a.jpg,Rosa,,2030-13-01", "line 3: expires_at .* is no date"),
        ("a.jpg,Rosa,,2030-01-31T12:00", "line 3: expires_at .* is no date"),
        ("a.jpg,Rosa,,9999-12-31T23:59-14:00", "line 3: expires_at .* is no date"),
        ("a\0.jpg,Rosa", "line 3: .* is no path"),
    ],
)
def test_a_bad_row_is_said_by_its_line(manifest: Path, row: str, said: str) -> None:
    manifest.write_text(f"path,subject,external_id,expires_at\ngood.jpg,Rosa,,\n{row}\n")
    with pytest.raises(InvalidRequest, match=said):
        read_source(manifest)


@pytest.mark.parametrize("column", ["expires", "expire_at", "external-id", "Expires_at"])
def test_a_column_that_is_misspelt_is_refused(manifest: Path, column: str) -> None:
    manifest.write_text(f"path,subject,{column}\na.jpg,Rosa,2030-01-31\n")
    with pytest.raises(InvalidRequest, match="Rename it"):
        read_source(manifest)


def test_a_source_that_is_not_as_it_must_be_is_refused(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.jpg").touch()
    manifest.write_text("path,subject\n")
    for source, subject, root, said in [
        (manifest, None, None, "No pictures in"),
        (manifest, "Rosa", None, "Leave out --subject"),
        (tmp_path / "missing.csv", None, None, "cannot be read"),
        (tmp_path / "a.jpg" / "b.jpg", "Rosa", None, "cannot be read"),
        (tmp_path / "empty", None, None, "No pictures in"),
        (tmp_path / "empty", "Rosa", None, "Leave out --subject"),
        (tmp_path / "empty", None, tmp_path, "Leave out --root"),
        (tmp_path / "a.jpg", None, None, "is one picture. Say whose: --subject NAME"),
        (tmp_path / "a.jpg", "Rosa", tmp_path, "Leave out --root"),
    ]:
        with pytest.raises(InvalidRequest, match=said):
            read_source(source, subject, root)


def test_a_folder_whose_name_nobody_can_have_is_refused_when_it_is_read(tmp_path: Path) -> None:
    for name in ("\udcff", "Rosa"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").touch()
    named, refused = read_source(tmp_path)
    assert (named.subject, refused.subject) == ("Rosa", "(cannot be kept)")
    with pytest.raises(InvalidRequest, match="U\\+DCFF"):
        refused.read(DEFAULT_LIMITS)
