"""Damage of every kind is told in one line, unless the picture is whole all the same."""

import struct

import numpy as np
import PIL.Image
import pytest

from likeness.errors import (
    InvalidImage,
    LikenessError,
)
from likeness.vision.decode import inspect
from tests.vision.pictures import (
    ALL,
    LOSSLESS,
    assert_one_line,
    chunk,
    decode,
    encoded,
    png_after_header,
    promising,
    scene,
)


@pytest.mark.parametrize("name", [name for name in ALL if name != "WebP"])
def test_a_picture_without_area_is_refused(name: str) -> None:
    # Pillow, which reads BMP's header, says that it is damaged.
    with pytest.raises(InvalidImage, match=r"area|amaged") as caught:
        inspect(promising(name, 0, 10))
    assert_one_line(caught.value)


def test_a_jpeg_cut_off_in_its_header_is_said_to_be_truncated() -> None:
    with pytest.raises(InvalidImage, match="stops after 30 bytes"):
        inspect(encoded(scene(), "JPEG")[:30])


@pytest.mark.parametrize("name", [*LOSSLESS, "GIF", "AVIF"])
def test_every_truncation_is_refused(name: str) -> None:
    data = encoded(scene(), name, **LOSSLESS.get(name, {}))
    cuts = {*range(1, len(data), max(1, len(data) // 150)), len(data) - 4}
    for cut in cuts:
        with pytest.raises(InvalidImage) as caught:
            decode(data[:cut])
        assert_one_line(caught.value)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("rest", [b"", bytes(500), b"\xff"])
def test_a_jpeg_that_lacks_only_its_end_marker_is_read(
    options: dict[str, object], rest: bytes
) -> None:
    data = encoded(scene(400, 300), "JPEG", **options)
    np.testing.assert_array_equal(decode(data[:-2] + rest).pixels, decode(data).pixels)


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 4}, {"quality": 98}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_cut_jpeg_says_how_much_of_it_came(mode: str, options: dict[str, object]) -> None:
    # Noise has as many bytes in every row.
    noise = np.random.default_rng(1).integers(0, 256, (320, 400, 3)).astype(np.uint8)
    data = encoded(PIL.Image.fromarray(noise).convert(mode), "JPEG", **options)
    scan = data.index(b"\xff\xda")
    for share in (0.2, 0.6, 0.9):
        with pytest.raises(InvalidImage, match=r"about (\d+)% of the picture came") as caught:
            decode(data[: scan + int(share * (len(data) - scan))])
        said = int(str(caught.value).split("about ")[1].split("%")[0])
        assert abs(said - 100 * share) < 8
        assert_one_line(caught.value)


def test_every_truncation_of_a_jpeg_is_refused_or_leaves_the_picture(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for progressive in (False, True):
        data = encoded(scene(), "JPEG", progressive=progressive)
        whole = decode(data).pixels.astype(int)
        for cut in range(1, len(data), 7):
            try:
                pixels = decode(data[:cut]).pixels
            except InvalidImage as error:
                assert_one_line(error)
            else:
                assert progressive or cut > len(data) - 20
                assert np.abs(pixels - whole).mean() < 8
    assert capfd.readouterr() == ("", "")


def test_what_a_library_says_of_damage_does_not_reach_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = bytearray(encoded(scene(400, 300), "JPEG"))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(range(40))
    assert decode(bytes(data)).pixels.shape == (300, 400, 3)
    assert capfd.readouterr() == ("", "")


def test_a_whole_thumbnail_inside_does_not_hide_that_a_jpeg_is_cut() -> None:
    thumbnail = encoded(scene(16, 16), "JPEG")
    data = encoded(scene(400, 300), "JPEG", exif=b"Exif\0\0" + thumbnail)
    decode(data)
    with pytest.raises(InvalidImage, match="Truncated"):
        decode(data[: len(data) // 2])


def test_damaged_metadata_does_not_make_a_warning_or_an_error() -> None:
    # A directory that points outside itself: Pillow warns of such, and warnings are errors here.
    broken = b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHII", 0x010E, 2, 9999, 99999) + b"\x12\x01"
    jpeg = encoded(scene(), "JPEG", exif=b"Exif\0\0" + broken)
    assert decode(jpeg).pixels.shape == scene().shape
    png = png_after_header(encoded(scene(), "PNG"), chunk(b"eXIf", broken))
    np.testing.assert_array_equal(decode(png).pixels, scene())


def test_foreign_errors_are_wrapped_with_their_cause() -> None:
    data = bytearray(encoded(scene(), "PNG"))
    data[data.index(b"IDAT") + 40] ^= 0xFF
    with pytest.raises(InvalidImage, match="PNG") as caught:
        decode(bytes(data))
    assert caught.value.__cause__ is not None
    assert_one_line(caught.value)


def test_every_error_is_of_our_tree() -> None:
    for name in ALL:
        head = promising(name, 16, 16)
        for tail in (b"", b"\0" * 64, b"\xff" * 64):
            with pytest.raises(LikenessError):
                decode(head + tail)
