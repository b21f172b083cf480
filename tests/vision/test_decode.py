"""Every format, orientation and reduced size is decoded to the pixels that it has."""

import io
import struct
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from likeness.vision.decode import DecodeLimits, inspect, read_sample
from tests.vision.pictures import (
    LOSSLESS,
    chunk,
    decode,
    encoded,
    exif_orientation,
    png_after_header,
    scene,
)


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_back_every_pixel(name: str) -> None:
    sample = inspect(encoded(scene(), name, **LOSSLESS[name]))
    assert (sample.format, sample.width, sample.height) == (name, 80, 48)
    image = sample.decode()
    np.testing.assert_array_equal(image.pixels, scene())
    assert (image.width, image.height) == (80, 48)
    assert image.pixels.flags.c_contiguous


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_decoded_to_the_pixels_that_pillow_gives(options: dict[str, object]) -> None:
    data = encoded(scene(), "JPEG", **options)
    expected = np.asarray(PIL.Image.open(io.BytesIO(data)))
    np.testing.assert_allclose(decode(data).pixels.astype(int), expected, atol=2)


def test_bare_jpeg2000_codestream_is_read_like_a_file() -> None:
    data = encoded(scene(), "JPEG 2000", no_jp2=True)
    assert data.startswith(b"\xff\x4f")
    np.testing.assert_array_equal(decode(data).pixels, scene())


def test_tiled_jpeg2000_is_read() -> None:
    data = encoded(scene(), "JPEG 2000", tile_size=(32, 32))
    np.testing.assert_array_equal(decode(data).pixels, scene())


def test_run_length_encoded_bmp_is_read() -> None:
    header = struct.pack("<IiiHHIIIIII", 40, 4, 2, 1, 8, 1, 0, 0, 0, 2, 0)
    palette = bytes((10, 20, 30, 0, 40, 50, 60, 0))
    rows_upwards = b"\4\1\0\0" + b"\2\0\2\1\0\1"
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 62) + header + palette + rows_upwards
    pixels = decode(data).pixels
    assert pixels[0].tolist() == [[30, 20, 10]] * 2 + [[60, 50, 40]] * 2
    assert pixels[1].tolist() == [[60, 50, 40]] * 4


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff_is_read(compression: str) -> None:
    data = encoded(scene(), "TIFF", compression=compression)
    np.testing.assert_array_equal(decode(data).pixels, scene())


def test_the_first_page_of_a_tiff_is_read() -> None:
    second = PIL.Image.new("RGB", (30, 20))
    data = encoded(scene(), "TIFF", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode(data).pixels, scene())


def test_the_first_picture_of_a_jpeg_with_several_is_read() -> None:
    second = PIL.Image.new("RGB", (30, 20))
    data = encoded(scene(), "MPO", save_all=True, append_images=[second])
    assert inspect(data).format == "JPEG"
    assert decode(data).pixels.shape == scene().shape


def test_heic_is_read_where_its_decoder_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra `heic` is not installed")
    file = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.fromarray(scene())).save(file, quality=95)
    image = decode(file.getvalue())
    assert np.abs(image.pixels.astype(int) - scene()).mean() < 8


def test_content_decides_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really.jpg"
    path.write_bytes(encoded(scene(), "PNG"))
    sample = read_sample(path, DecodeLimits())
    assert sample.format == "PNG"
    np.testing.assert_array_equal(sample.decode().pixels, scene())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "TIFF"])
def test_every_exif_orientation_is_made_upright(name: str, orientation: int) -> None:
    options: dict[str, object] = dict(LOSSLESS.get(name, {"quality": 95, "subsampling": 0}))
    if name == "TIFF":
        options["tiffinfo"] = {0x0112: orientation}
    else:
        options["exif"] = exif_orientation(orientation)
    sample = inspect(encoded(scene(), name, **options))
    # Pillow's own words for what each orientation asks of a viewer.
    method = {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_270,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_90,
    }.get(orientation)
    picture = PIL.Image.fromarray(scene())
    expected = np.asarray(picture if method is None else picture.transpose(method))
    image = sample.decode()
    assert (sample.height, sample.width) == (image.height, image.width) == expected.shape[:2]
    assert np.abs(image.pixels.astype(int) - expected).mean() < (2 if name == "JPEG" else 1e-9)


def test_reduced_decode_is_upright_too() -> None:
    data = encoded(scene(801, 480), "JPEG", exif=exif_orientation(6))
    image = inspect(data).decode(longer_side=200)
    assert image.pixels.shape == (201, 120, 3)
    assert (image.width, image.height) == (480, 801)
    whole = decode(data).pixels[2::4, 2::4].astype(int)
    assert np.abs(image.pixels[: len(whole)].astype(int) - whole).mean() < 6


@pytest.mark.parametrize(
    ("longer_side", "held"),
    [(None, 800), (801, 800), (800, 800), (401, 800), (400, 400), (101, 200), (100, 100), (1, 100)],
)
def test_jpeg_is_reduced_only_as_far_as_the_need_allows(longer_side: int | None, held: int) -> None:
    image = inspect(encoded(scene(800, 480), "JPEG")).decode(longer_side)
    assert image.pixels.shape == (held * 480 // 800, held, 3)
    assert (image.width, image.height) == (800, 480)
    assert image.scale_xy == pytest.approx((held / 800, held / 800))


def test_what_the_header_says_is_found_among_the_brands_of_a_heif_file() -> None:
    data = encoded(scene(), "AVIF")
    assert data[8:12] == b"avif"
    general = data[:8] + b"mif1" + data[12:]
    assert inspect(data).format == inspect(general).format == "AVIF"
    assert np.abs(decode(general).pixels.astype(int) - scene()).mean() < 8


def test_an_avif_is_turned_upright() -> None:
    data = encoded(scene(), "AVIF", exif=exif_orientation(6), quality=95)
    sample = inspect(data)
    assert (sample.width, sample.height) == (48, 80)
    expected = np.rot90(scene(), -1).astype(int)
    assert np.abs(sample.decode().pixels - expected).mean() < 8


@pytest.mark.parametrize("name", ["PNG", "WebP", "GIF"])
def test_an_animation_of_one_frame_is_a_picture(name: str) -> None:
    options = LOSSLESS.get(name, {})
    if name == "PNG":
        control = chunk(b"acTL", struct.pack(">II", 1, 0))
        data = png_after_header(encoded(scene(), name), control)
    elif name == "WebP":
        frame = encoded(scene(), name, **options)[12:]
        sides = (79).to_bytes(3, "little") + (47).to_bytes(3, "little")
        content = bytes(6) + sides + bytes(4) + frame
        data = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + sides
        data += b"ANIM" + struct.pack("<I", 6) + bytes(6)
        data += b"ANMF" + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        data = b"RIFF" + struct.pack("<I", len(data)) + data
    else:
        data = encoded(PIL.Image.fromarray(scene()).quantize(64), name, comment=b"hello" * 200)
    sample = inspect(data)
    assert (sample.width, sample.height) == (80, 48)
    tolerance = 12 if name == "GIF" else 0
    assert np.abs(sample.decode().pixels.astype(int) - scene()).mean() <= tolerance


def test_many_threads_decode_at_once() -> None:
    files = {name: encoded(scene(), name, **options) for name, options in LOSSLESS.items()}
    wrong: list[str] = []

    def work() -> None:
        for _ in range(10):
            wrong.extend(
                name
                for name, data in files.items()
                if not np.array_equal(decode(data).pixels, scene())
            )

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
