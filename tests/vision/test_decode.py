"""Every format, kind of sample, orientation, limit and kind of damage that `decode` knows."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from likeness.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LikenessError,
    UnsupportedImageFormat,
)
from likeness.vision.decode import DecodeLimits, decode, inspect, read_sample

LOSSLESS = {"PNG": {}, "WebP": {"lossless": True}, "BMP": {}, "TIFF": {}, "JPEG 2000": {}}
ALL = ("JPEG", *LOSSLESS)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def scene(width: int = 80, height: int = 48) -> NDArray[np.uint8]:
    """Smooth gradients with a red, a green and a blue corner: no two turns of it look alike."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 200], -1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (250, 10, 10)
    pixels[: height // 4, -(width // 4) :] = (10, 250, 10)
    pixels[-(height // 4) :, : width // 4] = (10, 10, 250)
    return pixels


def encoded(picture: PIL.Image.Image | NDArray[np.uint8], name: str, **options: object) -> bytes:
    if not isinstance(picture, PIL.Image.Image):
        picture = PIL.Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, name.replace(" ", ""), **options)
    return file.getvalue()


def exif_orientation(value: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def png_after_header(data: bytes, *chunks: bytes) -> bytes:
    header_end = len(PNG_SIGNATURE) + 25
    return data[:header_end] + b"".join(chunks) + data[header_end:]


def promising(name: str, width: int, height: int) -> bytes:
    """The smallest header of a format that promises a size, and nothing behind it."""
    if name == "JPEG":
        frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
        return b"\xff\xd8\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame
    if name == "PNG":
        sides = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return PNG_SIGNATURE + chunk(b"IHDR", sides)
    if name == "WebP":
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + sides
    if name == "BMP":
        return b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, width, height, 1, 24, 0) + bytes(24)
    if name == "TIFF":
        tags = struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height)
        return b"II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)
    assert name == "JPEG 2000"
    tile_w, tile_h = max(1, width), max(1, height)
    size = struct.pack(">H8IH", 0, width, height, 0, 0, tile_w, tile_h, 0, 0, 3) + b"\7\1\1" * 3
    return b"\xff\x4f\xff\x51" + struct.pack(">H", 2 + len(size)) + size


def assert_one_line(error: BaseException) -> None:
    assert str(error)
    assert "\n" not in str(error)


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


def test_heic_without_its_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedImageFormat, match=r"pip install 'likeness\[heic\]'"):
        inspect(b"\0\0\0\x18ftypheic" + bytes(40))


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


@pytest.mark.parametrize("name", ALL)
def test_a_huge_promise_is_refused_before_anything_is_decoded(name: str) -> None:
    with pytest.raises(ImageTooLarge, match=r"50000x50000") as caught:
        inspect(promising(name, 50_000, 50_000))
    assert_one_line(caught.value)
    assert "30000" in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_too_many_pixels_are_refused_though_each_side_is_allowed(name: str) -> None:
    with pytest.raises(ImageTooLarge, match="1001x1000"):
        inspect(promising(name, 1001, 1000), DecodeLimits(max_pixels=1_000_000))


@pytest.mark.parametrize("name", [name for name in ALL if name != "WebP"])
def test_a_picture_without_area_is_refused(name: str) -> None:
    # Pillow, which reads BMP's header, says that it is damaged.
    with pytest.raises(InvalidImage, match=r"area|amaged") as caught:
        inspect(promising(name, 0, 10))
    assert_one_line(caught.value)


def test_a_jpeg_cut_off_in_its_header_is_said_to_be_truncated() -> None:
    with pytest.raises(InvalidImage, match="stops after 30 bytes"):
        inspect(encoded(scene(), "JPEG")[:30])


def test_too_many_bytes_are_refused() -> None:
    data = encoded(scene(), "PNG")
    with pytest.raises(ImageTooLarge, match=f"{len(data)}"):
        inspect(data, DecodeLimits(max_bytes=len(data) - 1))
    assert inspect(data, DecodeLimits(max_bytes=len(data))).width == 80


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


@pytest.mark.parametrize(
    ("data", "came"),
    [
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x1cftypmp42" + bytes(20), r"a video \(MP4\)"),
        (b"\0\0\0\x14ftypqt  " + bytes(20), r"a video \(QuickTime\)"),
        (b"\x1aE\xdf\xa3" + bytes(20), "Matroska"),
        (b"RIFF\0\0\0\0AVI LIST", r"a video \(AVI\)"),
        (b"\xff\x0a" + bytes(20), "a JPEG XL"),
        (b"8BPS\0\1" + bytes(20), "Photoshop"),
        (b"PK\3\4" + bytes(20), "an archive"),
        (b"<?xml version='1.0'?>\n<svg xmlns='...'>", "a drawing"),
        (b"\n<!DOCTYPE html><title>404", "a web page"),
        ("Liebe Grüße,\n".encode(), "a text file"),
        ("Liebe Grüße,\n".encode("latin-1") * 9, "a text file"),
        (b"P6 2 2 255\n" + bytes(12), "a Netpbm picture"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0hevc", "an animation"),
        (b"\xff\xfe\x00\x80\x01", "a text file"),
        (bytes(range(5)), "something unknown"),
        (b"\xff", "something unknown"),
    ],
)
def test_what_is_no_picture_is_named_and_refused(data: bytes, came: str) -> None:
    with pytest.raises(UnsupportedImageFormat, match=came) as caught:
        inspect(data)
    assert_one_line(caught.value)


def test_nothing_is_refused() -> None:
    with pytest.raises(InvalidImage, match="no bytes"):
        inspect(b"")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
    ],
)
def test_camera_raw_is_refused_by_name(start: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedImageFormat, match=f"camera raw file .{kind}.") as caught:
        inspect(start + bytes(200))
    assert "Convert it to JPEG or TIFF first." in str(caught.value)


def test_what_the_header_says_is_found_among_the_brands_of_a_heif_file() -> None:
    data = encoded(scene(), "AVIF")
    assert data[8:12] == b"avif"
    general = data[:8] + b"mif1" + data[12:]
    assert inspect(data).format == inspect(general).format == "AVIF"
    assert np.abs(decode(general).pixels.astype(int) - scene()).mean() < 8


def test_an_avif_is_as_large_as_its_frames_are() -> None:
    data = encoded(PIL.Image.new("RGB", (1200, 900), "teal"), "AVIF", speed=10)
    sides = struct.pack(">II", 1200, 900)
    assert data.count(sides) == 1
    small = inspect(data.replace(sides, struct.pack(">II", 12, 9)))
    assert (small.width, small.height) == (12, 9)
    assert small.header.memory(1) > inspect(data).header.memory(1) - 8 * 1200 * 900
    with pytest.raises(ImageTooLarge, match="LIKENESS_DECODE_MEMORY"):
        inspect(small.data, DecodeLimits(max_memory=16 << 20))


def test_an_avif_with_metadata_and_alpha_takes_no_more_than_its_pixels() -> None:
    plain = inspect(encoded(scene(), "AVIF")).header.memory(1)
    clear = PIL.Image.fromarray(scene()).convert("RGBA")
    clear.putalpha(PIL.Image.linear_gradient("L").resize(clear.size))
    data = encoded(clear, "AVIF", xmp=b"\n\x30<x:xmpmeta>" * 9, exif=exif_orientation(1))
    assert inspect(data).header.memory(1) == plain


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


def test_clear_parts_of_a_gif_are_white() -> None:
    palette = PIL.Image.fromarray(np.zeros((4, 4), np.uint8), "L").convert("P")
    sample = inspect(encoded(palette, "GIF", transparency=0))
    assert (sample.decode().pixels == 255).all()
    assert sample.remarks == ("its transparent parts were laid over white",)


@pytest.mark.parametrize("name", ["PNG", "WebP", "GIF", "AVIF"])
def test_an_animation_is_refused(name: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], name, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedImageFormat, match="animation") as caught:
        inspect(data)
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [
        (0xC1, 12, "12 bits"),
        (0xC3, 8, "lossless"),
        (0xC9, 8, "arithmetic"),
        (0xC5, 8, "hierarchical"),
        (0xF7, 8, "JPEG-LS"),
    ],
)
def test_a_jpeg_of_another_kind_is_named(marker: int, bits: int, name: str) -> None:
    data = encoded(scene(), "JPEG")
    frame = data.index(b"\xff\xc0")
    other = data[: frame + 1] + bytes((marker,)) + data[frame + 2 : frame + 4]
    with pytest.raises(UnsupportedImageFormat, match=name):
        inspect(other + bytes((bits,)) + data[frame + 5 :])


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


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(scene(), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(InvalidImage, match="scans"):
        decode(data[:-2] + last_scan * 200 + b"\xff\xd9")


def test_a_png_text_bomb_costs_nothing() -> None:
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200 << 20), 9))
    data = png_after_header(encoded(scene(), "PNG"), bomb)
    np.testing.assert_array_equal(decode(data).pixels, scene())


def test_a_tiff_of_tiles_larger_than_the_picture_is_refused() -> None:
    tags = [
        (256, 4, 64),
        (257, 4, 64),
        (258, 3, 8),
        (259, 3, 8),
        (262, 3, 1),
        (277, 3, 1),
        (322, 4, 60_000),
        (323, 4, 60_000),
        (324, 4, 8),
        (325, 4, 4),
    ]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4)
    with pytest.raises(InvalidImage, match="tiles"):
        decode(data)


def test_a_jpeg2000_of_countless_parts_is_refused() -> None:
    data = encoded(scene(), "JPEG 2000", no_jp2=True)
    many_tiles = data[:24] + struct.pack(">II", 1, 1) + data[32:]
    with pytest.raises(InvalidImage, match="tiles"):
        decode(many_tiles)
    coding = data.index(b"\xff\x52")
    many_layers = data[: coding + 6] + b"\xff\xff" + data[coding + 8 :]
    with pytest.raises(InvalidImage, match="layers"):
        decode(many_layers)
    wide = data[:8] + struct.pack(">II", 4000, 4000) + data[16:24] + struct.pack(">II", 4000, 4000)
    tiny_blocks = wide + data[32 : coding + 10] + b"\0\0" + data[coding + 12 :]
    with pytest.raises(InvalidImage, match="code-blocks"):
        decode(tiny_blocks)


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


def test_files_that_are_none_get_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, error, words in [
        (tmp_path, InvalidRequest, "folder"),
        (tmp_path / "absent.jpg", InvalidRequest, "does not exist"),
        (tmp_path / "two\nlines", InvalidRequest, "does not exist"),
        (tmp_path / "empty.jpg" / "below", InvalidRequest, "cannot be read"),
        (tmp_path / "pipe", InvalidRequest, "pipe"),
        (Path("/dev/zero"), InvalidRequest, "device"),
        (Path("nul\0byte"), InvalidRequest, "path"),
        (tmp_path / "empty.jpg", InvalidImage, "Empty"),
    ]:
        with pytest.raises(error, match=words) as caught:
            read_sample(path)
        assert_one_line(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_gets_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "locked.jpg"
    path.write_bytes(b"secret")
    path.chmod(0)
    with pytest.raises(InvalidRequest, match="permission"):
        read_sample(path)


def test_a_file_over_the_byte_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageTooLarge, match="bytes"):
        read_sample(path)


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


# Prints by how much the highest memory in use grew while one file was decoded.
_PEAK = """
import sys
from pathlib import Path
from likeness.vision.decode import decode

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1])

small, large = (Path(name).read_bytes() for name in sys.argv[1:])
decode(small)
before = peak()
decode(large)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
        ("JPEG", "CMYK", {"progressive": True, "subsampling": 0}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "P", {"compress_level": 1}),
        ("WebP", "RGBA", {"lossless": True, "method": 0}),
        ("BMP", "RGBA", {}),
        ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
        ("TIFF", "CMYK", {}),
        ("JPEG 2000", "RGBA", {}),
    ],
)
def test_decoding_stays_within_the_memory_promised(
    tmp_path: Path, name: str, mode: str, options: dict[str, object]
) -> None:
    side = 2048
    picture = PIL.Image.fromarray(scene(side, side)).convert(mode)
    paths = [tmp_path / "small", tmp_path / "large"]
    for path, size in zip(paths, (32, side), strict=True):
        path.write_bytes(encoded(picture.resize((size, size)), name, **options))
    finished = subprocess.run(
        [sys.executable, "-c", _PEAK, *map(str, paths)], capture_output=True, text=True, check=True
    )
    factor = 2 if name == "JPEG 2000" else 1
    promised = 16 * factor * side * side + 3 * paths[1].stat().st_size
    # Without the constant of 96 MiB, which would hide a third copy of so small a picture.
    assert int(finished.stdout) < promised + (8 << 20)


def test_every_error_is_of_our_tree() -> None:
    for name in ALL:
        head = promising(name, 16, 16)
        for tail in (b"", b"\0" * 64, b"\xff" * 64):
            with pytest.raises(LikenessError):
                decode(head + tail)
