"""What the library takes for a picture: a path, bytes, an array; and what it does not."""

import io
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.app import Workload
from likeness.config import Settings
from likeness.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LikenessError,
    NoFace,
)
from likeness.library import Likeness
from tests.cli.conftest import RED, InstallationWithDiscs, ship_standards


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Likeness:
    shipped = ship_standards(tmp_path / "shipped")
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped, raising=False)
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache", max_pixels=1 << 20)
    return Likeness(InstallationWithDiscs(settings), Workload.ONE, None)


class PathOfBytes(PathLike[bytes]):
    def __fspath__(self) -> bytes:
        return b"disc.png"


def disc() -> NDArray[np.uint8]:
    pixels = np.full((160, 200, 3), 128, np.uint8)
    cv2.circle(pixels, (100, 80), 55, RED, -1)
    return pixels


@pytest.mark.slow
def test_a_path_bytes_and_an_array_are_one_picture(faces: Likeness, tmp_path: Path) -> None:
    path = tmp_path / "disc.png"
    cv2.imwrite(str(path), disc()[..., ::-1])
    given = [str(path), path, path.read_bytes(), bytearray(path.read_bytes()), disc()]
    given += [np.asfortranarray(disc()), disc()[::-1][::-1]]
    for each in given:
        assert faces.detect(each) == faces.detect(path)
        assert faces.compare(path, each).answer == "pass"
        assert faces.foremost(each)[0] == faces.foremost(path)[0]


def test_an_array_is_one_picture_with_itself_and_is_not_changed(faces: Likeness) -> None:
    pixels = disc()
    assert faces.compare(pixels, pixels.copy()).similarity == 100
    np.testing.assert_array_equal(pixels, disc())
    # The same bytes in another shape are another picture.
    other = pixels.reshape(200, 160, 3)
    assert faces.sample(pixels).data != faces.sample(other).data


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (np.zeros((8, 8), np.uint8), InvalidRequest, r"uint8 of shape \(8, 8\)"),
        (np.zeros((8, 8, 4), np.uint8), InvalidRequest, r"\(8, 8, 4\)"),
        (np.zeros((8, 8, 3), np.float32), InvalidRequest, "float32"),
        (np.zeros((0, 8, 3), np.uint8), InvalidImage, "no area"),
        (np.broadcast_to(np.uint8(0), (2000, 2000, 3)), ImageTooLarge, "2000x2000"),
        (
            b"Dear all,\n",
            InvalidImage,
            "picture of 10 bytes: Not a supported picture: this is a text file",
        ),
        (b"", InvalidImage, "Empty"),
        (None, InvalidRequest, "NoneType was given"),
        (7, InvalidRequest, "int was given"),
        ("", InvalidRequest, "^The path of a picture is empty"),
        ("./nope.jpg", InvalidRequest, "^'nope.jpg' does not exist"),
        (PathOfBytes(), InvalidRequest, "^Not the path of a picture: PathOfBytes was given"),
        (np.zeros((160, 160, 3), np.uint8), NoFace, r"array of shape \(160, 160, 3\): "),
    ],
)
def test_what_is_no_picture_is_refused_on_one_line(
    given: object, error: type[LikenessError], said: str, faces: Likeness
) -> None:
    with pytest.raises(error, match=said) as caught:
        faces.foremost(given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"nope", "Not the path of a folder of people: bytes was given"),
        (None, "Not the path of a folder of people: NoneType was given"),
        ("", "The path of a folder of people is empty"),
        ("a\0b", "is no path: it holds a NUL"),
    ],
)
def test_what_is_no_path_of_a_gallery_is_refused_on_one_line(
    given: object, said: str, faces: Likeness
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        faces.gallery(given)  # type: ignore[arg-type]


def test_what_is_no_path_of_pairs_is_refused_on_one_line(faces: Likeness, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Not the path of a file of pairs: bytes was given"):
        faces.compare_pairs(b"pairs.csv", tmp_path, io.StringIO())  # type: ignore[arg-type]
