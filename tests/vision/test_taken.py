"""The day on which a camera says that a picture was taken."""

import io
from datetime import date

import pytest
from PIL import Image

from likeness.vision.taken import day_taken


def picture(form: str, original: str | None, changed: str = "2024:01:01 00:00:00") -> bytes:
    exif = Image.Exif()
    exif[0x0132] = changed
    if original is not None:
        exif.get_ifd(0x8769)[0x9003] = original
    if form == "TIFF":  # EXIF is one
        return exif.tobytes().removeprefix(b"Exif\0\0")
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 10, 10)).save(file, form, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_day_is_the_cameras(form: str) -> None:
    assert day_taken(picture(form, "2012:03:04 05:06:07")) == date(2012, 3, 4)


@pytest.mark.parametrize(
    "original",
    [
        *(None, "", "2012:13:04 05:06:07", "0000:00:00 00:00:00", "    :  :     :  :  "),
        *("2012:03:04", "2012:03:04 05:06:07 and more", "0012:03:04 05:06:07"),
        "99999999999:1:1 0:0",
    ],
)
def test_what_is_no_day_is_none(original: str | None) -> None:
    assert day_taken(picture("JPEG", original)) is None


def test_damage_raises_nothing() -> None:
    whole = picture("JPEG", "2012:03:04 05:06:07")
    for end in range(0, 400, 3):
        day_taken(whole[:end])
    for at in range(min(len(whole), 300)):
        day_taken(whole[:at] + b"\xff" + whole[at + 1 :])
    assert day_taken(b"Exif\0\0II*\0\x08\0\0\0") is None
    assert day_taken(b"") is None
