"""Pictures as Rekognition takes them."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.errors import ImageTooLarge, InvalidImage, LikenessError
from likeness.service.evaluate.systems.endpoint import sendable as module
from likeness.service.evaluate.systems.endpoint.sendable import sendable


def noise(width: int, height: int, kind: str) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    done, data = cv2.imencode(kind, pixels)
    assert done
    return bytes(data)


def file_of(folder: Path, data: bytes) -> tuple[Path, str]:
    path = folder / "picture"
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_jpeg_or_png_that_is_small_enough_is_sent_as_it_is(tmp_path: Path, kind: str) -> None:
    data = noise(50, 40, kind)
    sent = sendable(*file_of(tmp_path, data))
    assert (sent.data, sent.change) == (data, "")


def test_what_passes_for_a_jpeg_is_for_the_endpoint_to_judge(tmp_path: Path) -> None:
    data = b"\xff\xd8\xff and nothing else"
    assert sendable(*file_of(tmp_path, data)).data == data


def test_another_format_is_sent_as_a_jpeg_which_is_said(tmp_path: Path) -> None:
    sent = sendable(*file_of(tmp_path, noise(50, 40, ".webp")))
    decoded = cv2.imdecode(np.frombuffer(sent.data, np.uint8), 1)
    assert sent.data.startswith(b"\xff\xd8\xff") and decoded.shape == (40, 50, 3)
    assert "Sent as a JPEG of 95% quality: the file is a WebP" in sent.change


def test_a_picture_that_is_too_large_is_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    sent = sendable(*file_of(tmp_path, noise(400, 300, ".png")))
    assert len(sent.data) <= 20_000
    assert "50% of the size" in sent.change or "25% of the size" in sent.change


def test_a_picture_that_cannot_be_made_small_enough_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(InvalidImage, match="small enough"):
        sendable(*file_of(tmp_path, noise(400, 300, ".png")))


@pytest.mark.parametrize("data", [b"", b"text", b"II*\x00broken"])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(LikenessError):
        sendable(*file_of(tmp_path, data))


def test_a_file_of_any_length_is_read_no_further_than_pictures_are(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageTooLarge, match="more than"):
        sendable(path, "")
