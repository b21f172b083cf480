"""`likeness redact` on pictures, through the real command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from .conftest import BLUE, GREEN, RED, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]

_COMMENT = b"Anna Schmidt, 12 Long Street"


def pixels_of(path: Path) -> NDArray[np.int16]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def strong(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Say where colours are strong: discs are, what is around them is not."""
    return np.asarray(np.ptp(pixels, axis=2) > 60, np.bool_)


def test_every_face_is_hidden_and_all_else_stays(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    path, out = picture("two.png", RED, GREEN), tmp_path / "out.png"
    outcome = likeness("redact", path, "--all", "--style", "black", "-o", out)
    assert outcome.code == 0
    assert "2 faces hidden in 320x160 pixels" in outcome.out
    before, after = pixels_of(path), pixels_of(out)
    assert strong(before).any()
    assert not strong(after).any()
    black = (after == 0).all(axis=2)
    assert (after[~black] == before[~black]).all()
    assert 0.2 < black.mean() < 0.9


@pytest.mark.parametrize("style", ["blur", "pixelate"])
def test_what_is_seen_instead_has_few_colours(
    likeness: Command, picture: Make, tmp_path: Path, style: str
) -> None:
    path, out = picture("one.png", RED), tmp_path / "out.png"
    assert likeness("redact", path, "--all", "--style", style, "-o", out).code == 0
    before, after = pixels_of(path), pixels_of(out)
    changed = (before != after).any(axis=2)
    assert changed[strong(before)].mean() > 0.9


def test_nothing_of_the_file_goes_along_but_its_pixels_upright(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    path, out = tmp_path / "tagged.jpg", tmp_path / "out.jpg"
    with Image.open(picture("one.png", RED, GREEN)) as image:
        exif = image.getexif()
        exif[0x0112] = 6  # to be turned by 90 degrees
        exif[0x010E] = _COMMENT.decode()
        image.convert("RGB").save(path, exif=exif, comment=_COMMENT)
    assert _COMMENT in path.read_bytes()
    assert likeness("redact", path, "--all", "-o", out).code == 0
    assert _COMMENT not in out.read_bytes()
    with Image.open(out) as written:
        assert written.size == (160, 320)
        assert not written.getexif()
        assert "comment" not in written.info


def test_a_picture_that_is_cut_off_leaves_one_line_and_no_file(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    whole, half, out = picture("one.png", RED), tmp_path / "half.png", tmp_path / "out.png"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    outcome = likeness("redact", half, "--all", "-o", out)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert "Truncated" in outcome.err
    assert not out.exists()
    assert sorted(one.name for one in tmp_path.iterdir() if one.suffix == ".part") == []


def test_copies_of_several_go_into_a_folder_in_the_format_of_each(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    png = picture("one.png", RED)
    tiff = tmp_path / "scan.tif"
    with Image.open(png) as image:
        image.save(tiff)
    assert likeness("redact", png, tiff, "--all", "-o", folder).code == 0
    assert sorted(one.name for one in folder.iterdir()) == ["one.png", "scan.tif.png"]


def test_a_copy_never_replaces_its_picture(likeness: Command, picture: Make) -> None:
    path = picture("one.png", RED)
    before = path.read_bytes()
    outcome = likeness("redact", path, "--all", "-o", path)
    assert outcome.code == 2
    assert "would replace a picture" in outcome.err
    assert path.read_bytes() == before


def test_somebody_has_to_be_named(likeness: Command, picture: Make, tmp_path: Path) -> None:
    outcome = likeness("redact", picture("one.png", RED), "-o", tmp_path / "out.png")
    assert outcome.code == 2
    assert "--all" in outcome.err


def test_json_says_where_what_is_hidden_and_why(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    path, out = picture("two.png", RED, BLUE), tmp_path / "out.png"
    (answer,) = json.loads(likeness("redact", path, "--all", "-o", out, "--json").out)["pictures"]
    assert answer["written"] == str(out)
    assert len(answer["hidden"]) == 2
    first = answer["hidden"][0]
    assert set(first) == {"box", "sight", "reason", "confidence"}
    assert (first["sight"], first["reason"]) == ("seen", "every face is hidden")


@pytest.fixture
def gallery(picture: Make, tmp_path: Path) -> Path:
    picture("gallery/Rosa.png", RED)
    return tmp_path / "gallery"


def colours_left(path: Path, likeness: Command, *options: object) -> tuple[bool, bool]:
    """Redact a picture of red at the left and green at the right; say which is still seen."""
    out = path.with_name("redacted.png")
    outcome = likeness("redact", path, *options, "--style", "black", "-o", out)
    assert outcome.code == 0, outcome.err
    seen = strong(pixels_of(out))
    return bool(seen[:, :160].mean() > 0.1), bool(seen[:, 160:].mean() > 0.1)


def test_all_but_those_of_a_folder_are_hidden(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    path = picture("two.png", RED, GREEN)
    assert colours_left(path, likeness, "--keep-folder", gallery) == (True, False)


def test_only_those_of_a_folder_are_hidden(likeness: Command, picture: Make, gallery: Path) -> None:
    path = picture("two.png", RED, GREEN)
    assert colours_left(path, likeness, "--only-folder", gallery, "--fast") == (False, True)


def test_only_those_of_a_folder_and_whoever_may_be_one_are_hidden_with_care(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    # A disc has no detail: nothing of that sort tells who it is not.
    path = picture("two.png", RED, GREEN)
    assert colours_left(path, likeness, "--only-folder", gallery) == (False, False)


def test_who_stays_visible_is_said_and_why_others_do_not(
    likeness: Command, picture: Make, gallery: Path, tmp_path: Path
) -> None:
    path = picture("two.png", RED, GREEN)
    options = "--keep-folder", gallery, "-o", tmp_path / "out.png"
    assert "visible: Rosa, box" in likeness("redact", path, *options).out
    (answer,) = json.loads(likeness("redact", path, *options, "--json").out)["pictures"]
    assert [one["called"] for one in answer["shown"]] == ["Rosa"]
    assert [one["reason"] for one in answer["hidden"]] == ["not one of those who stay visible"]


@pytest.mark.parametrize(
    "options",
    [("--all", "--keep", "staff"), ("--keep", "a", "--only", "b"), ("--all", "--footage", "drone")],
)
def test_options_that_contradict_each_other_are_refused(
    likeness: Command, picture: Make, tmp_path: Path, options: tuple[str, ...]
) -> None:
    outcome = likeness("redact", picture("one.png", RED), *options, "-o", tmp_path / "out.png")
    assert outcome.code == 2
    assert "--keep" in outcome.err


def test_a_sheet_and_a_report_of_pictures(likeness: Command, picture: Make, tmp_path: Path) -> None:
    folder, sheet, report = tmp_path / "out", tmp_path / "sheet.jpg", tmp_path / "report.json"
    folder.mkdir()
    pictures = picture("one.png", RED), picture("two.png", GREEN, BLUE)
    options = "--all", "-o", folder, "--preview", sheet, "--report", report
    assert likeness("redact", *pictures, *options).code == 0
    with Image.open(sheet) as image:
        assert image.size[0] == 2 * 486 + 6
    said = json.loads(report.read_text())
    assert [len(one["faces"]) for one in said["frames"]] == [1, 2]
    assert [one["hidden"] for one in said["sources"]] == [1, 2]


def test_a_page_of_a_picture_tells_no_times(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    page, out = tmp_path / "report.html", tmp_path / "out.png"
    options = "--all", "-o", out, "--report", page
    assert likeness("redact", picture("two.png", RED, GREEN), *options).code == 0
    html = page.read_text()
    assert "All that is hidden" in html
    assert not any(f">{one}</" in html for one in ("When", "Frames", "0.00"))
