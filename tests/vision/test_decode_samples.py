"""Samples of every kind become RGB of 8 bits: inks, depths, palettes, and what is clear."""

import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from likeness.vision.decode import inspect
from tests.vision.pictures import LOSSLESS, PNG_SIGNATURE, chunk, decode, encoded, scene


def test_cmyk_jpeg_keeps_its_colours() -> None:
    data = encoded(PIL.Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=98, subsampling=0)
    assert np.abs(decode(data).pixels.astype(int) - scene()).mean() < 3


def test_cmyk_tiff_keeps_its_colours() -> None:
    data = encoded(PIL.Image.fromarray(scene()).convert("CMYK"), "TIFF")
    assert np.abs(decode(data).pixels.astype(int) - scene()).mean() < 3


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "BMP", "TIFF", "JPEG 2000"])
def test_greyscale_has_three_equal_channels(name: str) -> None:
    options = LOSSLESS.get(name, {})
    pixels = decode(encoded(scene()[..., 0], name, **options)).pixels
    assert np.abs(pixels[..., 0].astype(int) - scene()[..., 0]).mean() < 2
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


@pytest.mark.parametrize("name", ["PNG", "TIFF", "JPEG 2000"])
def test_sixteen_bit_greyscale_keeps_its_upper_byte(name: str) -> None:
    samples = scene()[..., 0].astype(np.uint16) * 257
    pixels = decode(encoded(PIL.Image.fromarray(samples), name)).pixels
    np.testing.assert_array_equal(pixels[..., 1], scene()[..., 0])


def test_sixteen_bit_colour_keeps_its_upper_byte() -> None:
    samples = (scene().astype(">u2") * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", 80, 48, 16, 2, 0, 0, 0)
    data = (
        PNG_SIGNATURE
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    np.testing.assert_array_equal(decode(data).pixels, scene())


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF"])
def test_one_bit_is_black_and_white(name: str) -> None:
    black_and_white = PIL.Image.fromarray(scene()).convert("1")
    pixels = decode(encoded(black_and_white, name)).pixels
    np.testing.assert_array_equal(pixels[..., 0] > 0, np.asarray(black_and_white))
    assert set(np.unique(pixels)) == {0, 255}


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF"])
def test_palette_colours_are_looked_up(name: str) -> None:
    palette = PIL.Image.fromarray(scene()).quantize(32)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(decode(encoded(palette, name)).pixels, expected)


@pytest.mark.parametrize("name", ["PNG", "WebP", "TIFF", "JPEG 2000"])
def test_alpha_is_composited_over_white(name: str) -> None:
    rgba = np.dstack([scene(), np.full(scene().shape[:2], 255, np.uint8)])
    rgba[:10] = (0, 0, 0, 0)
    rgba[10:20] = (0, 100, 200, 51)
    options = {"lossless": True, "exact": True} if name == "WebP" else {}
    pixels = decode(encoded(rgba, name, **options)).pixels
    assert (pixels[:10] == 255).all()
    np.testing.assert_allclose(pixels[10:20, 0].astype(int), [[204, 224, 244]] * 10, atol=1)
    np.testing.assert_array_equal(pixels[20:], scene()[20:])


@pytest.mark.parametrize("transparency", [0, bytes([0, 128, 255])])
def test_transparent_palette_entries_are_white(transparency: int | bytes) -> None:
    palette = PIL.Image.fromarray(np.zeros((4, 4), np.uint8), "L").convert("P")
    pixels = decode(encoded(palette, "PNG", transparency=transparency)).pixels
    assert (pixels == 255).all()


def test_grey_with_alpha_is_composited_over_white() -> None:
    grey = PIL.Image.merge("LA", [PIL.Image.new("L", (4, 4), v) for v in (0, 51)])
    assert (decode(encoded(grey, "PNG")).pixels == 204).all()


def test_clear_parts_of_a_gif_are_white() -> None:
    palette = PIL.Image.fromarray(np.zeros((4, 4), np.uint8), "L").convert("P")
    sample = inspect(encoded(palette, "GIF", transparency=0))
    assert (sample.decode().pixels == 255).all()
    assert sample.remarks == ("its transparent parts were laid over white",)


@pytest.mark.parametrize("largest", [40, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_sixteen_bits_are_reduced_by_the_range_that_is_used(kind: str, largest: int) -> None:
    samples = (scene().astype(np.uint32) * largest // 255).astype(">u2")
    samples[0, 0] = largest
    rows = samples[..., :1] if kind == "grey" else samples
    header = struct.pack(">IIBBBBB", 80, 48, 16, 0 if kind == "grey" else 2, 0, 0, 0)
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(content)), (b"IEND", b"")
    sample = inspect(PNG_SIGNATURE + b"".join(chunk(*part) for part in parts))
    assert sample.remarks == ("its samples of more than 8 bits were reduced to 8",)
    shift = max(8, largest.bit_length()) - 8
    expected = np.broadcast_to(rows >> shift, (48, 80, 3))
    np.testing.assert_array_equal(sample.decode().pixels, expected)
