"""Every kind of bad picture, through the command: one line, the right code, nothing written."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from .conftest import RED, Outcome

Command = Callable[..., Outcome]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    content = cv2.imencode(".png", noise)[1].tobytes()
    path.write_bytes(content[: len(content) // 2])


def mislabelled(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7 not a picture at all")


def enormous(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def animated(path: Path) -> None:
    frames = [Pillow.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(path, format="WEBP", save_all=True, append_images=frames[1:])


def zero_area(path: Path) -> None:
    path.write_bytes(
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0)
    )


def folder(path: Path) -> None:
    path.mkdir()


def missing(path: Path) -> None:
    """There is nothing to make."""


def unreadable(path: Path) -> None:
    path.symlink_to(path)  # permissions would not hold an administrator


def pipe(path: Path) -> None:
    os.mkfifo(path)


def all_black(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((300, 300, 3), np.uint8))


def no_face(path: Path) -> None:
    cv2.imwrite(str(path), np.full((300, 300, 3), 130, np.uint8))


NO_PICTURES = [
    empty,
    truncated,
    mislabelled,
    enormous,
    animated,
    zero_area,
    folder,
    missing,
    unreadable,
    pipe,
]
NO_FACES = [all_black, no_face]


def made(make: Callable[[Path], None], where: Path) -> Path:
    path = where / f"{make.__name__}.png"
    make(path)
    return path


def says_one_line(outcome: Outcome, about: Path) -> bool:
    (line,) = outcome.err.splitlines()
    return line.startswith("likeness: ") and str(about) in line and "Traceback" not in line


@pytest.mark.parametrize("make", NO_PICTURES)
def test_what_is_no_picture_is_one_line_and_nothing_is_written(
    make: Callable[[Path], None], likeness: Command, tmp_path: Path
) -> None:
    path = made(make, tmp_path)
    before = set(tmp_path.iterdir())
    outcome = likeness("detect", path, "--annotate", tmp_path / "out.png")
    assert outcome.code == 2
    assert says_one_line(outcome, path)
    assert set(tmp_path.iterdir()) <= before | {tmp_path / "cache"}


@pytest.mark.parametrize("make", NO_FACES)
def test_a_picture_without_a_face_is_found_to_have_none(
    make: Callable[[Path], None], likeness: Command, tmp_path: Path
) -> None:
    outcome = likeness("detect", made(make, tmp_path))
    assert (outcome.code, outcome.err) == (0, "")
    assert "0 faces" in outcome.out


@pytest.mark.parametrize("make", [*NO_PICTURES, *NO_FACES])
def test_what_has_no_face_cannot_be_compared(
    make: Callable[[Path], None],
    likeness: Command,
    picture: Callable[..., Path],
    tmp_path: Path,
) -> None:
    path = made(make, tmp_path)
    outcome = likeness("compare", picture("good.png", RED), path)
    assert (outcome.code, outcome.out) == (2, "")
    assert says_one_line(outcome, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [make for make in [*NO_PICTURES, *NO_FACES] if make not in (folder, missing)]
)
def test_a_gallery_reports_what_it_cannot_enrol(
    make: Callable[[Path], None],
    likeness: Command,
    picture: Callable[..., Path],
    tmp_path: Path,
) -> None:
    gallery = picture("gallery/red.png", RED).parent
    path = made(make, gallery)
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", RED))
    assert outcome.code == (2 if make in (unreadable, pipe) else 0)
    assert says_one_line(outcome, path)


@pytest.mark.slow
def test_five_hundred_faces_are_five_hundred_answers(likeness: Command, tmp_path: Path) -> None:
    pixels = np.full((800, 1000, 3), 128, np.uint8)
    for row in range(20):
        for column in range(25):
            cv2.circle(pixels, (20 + 40 * column, 20 + 40 * row), 14, RED, -1)
    path = tmp_path / "crowd.png"
    cv2.imwrite(str(path), pixels)
    outcome = likeness("detect", path, "--annotate", tmp_path / "marked.png")
    assert outcome.code == 0
    assert "500 faces" in outcome.out
