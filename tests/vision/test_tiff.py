"""Every kind of TIFF gives the right pixels, or a refusal that names the cause; never noise."""

import io
import itertools
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidImage, LikenessError, UnsupportedImageFormat
from likeness.vision.decode import inspect
from tests.vision.pictures import decode
from tests.vision.tiff_files import DEFLATE, LZW, NONE, PACKBITS, tiff

SIXTEEN_BITS = "its samples of more than 8 bits were reduced to 8"


def scene(width: int = 80, height: int = 48) -> NDArray[np.uint8]:
    """Gradients with a white first row: what lies where, and what the largest sample is."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 200], -1).astype(np.uint8)
    pixels[0] = 255
    return pixels


def wide(pixels: NDArray[np.uint8], bits: int) -> NDArray[np.generic]:
    return pixels.astype(f"u{bits // 8}") * ((2**bits - 1) // 255)


@pytest.mark.slow
@pytest.mark.parametrize("compression", [NONE, DEFLATE, PACKBITS, LZW])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_every_layout_gives_every_pixel(compression: int, predictor: int, bits: int) -> None:
    opaque = np.dstack([scene(), np.full(scene().shape[:2], 255, np.uint8)])
    kinds = {1: scene()[..., :1], 3: scene(), 4: opaque}
    layouts = itertools.product("<>", (False, True), (False, True), (None, (32, 16)))
    for (order, big, planar, tile), (count, pixels) in itertools.product(layouts, kinds.items()):
        data = tiff(
            wide(pixels, bits),
            1 if count == 1 else 2,
            bits,
            order=order,
            big=big,
            planar=planar,
            tile=tile,
            compression=compression,
            predictor=predictor,
            extra=[2] if count == 4 else [],
        )
        expected = np.broadcast_to(pixels[..., :3], (48, 80, 3))
        np.testing.assert_array_equal(decode(data).pixels, expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_every_depth_of_grey_is_spread_from_black_to_white(bits: int, white_is_zero: bool) -> None:
    most = 2**bits - 1
    levels = scene()[..., :1].astype(np.int64) * most // 255
    data = tiff(most - levels if white_is_zero else levels, int(not white_is_zero), bits)
    off = np.abs(decode(data).pixels[..., 0].astype(int) - scene()[..., 0])
    if white_is_zero and bits > 8:
        off[0] = 0
    assert off.max() <= 255 / most + 1


@pytest.mark.parametrize(
    ("bits", "predictor", "white"),
    [
        (bits, predictor, white)
        for bits, predictor in ((16, 1), (32, 1), (64, 1), (32, 3), (64, 3))
        for white in (1.0, 3.7, 255.0, 65535.0, 100_000.0)
        if bits > 16 or white < 65_000  # half a float ends there
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_float_samples_are_read_from_0_to_their_white(
    bits: int, predictor: int, white: float, order: str
) -> None:
    samples = (scene() / 255 * white).astype(f"f{bits // 8}")
    samples[0, 0] = white
    data = tiff(
        samples, 2, bits, order=order, predictor=predictor, sample_format=3, compression=DEFLATE
    )
    assert np.abs(decode(data).pixels.astype(int) - scene()).max() <= 1
    assert inspect(data).remarks == (SIXTEEN_BITS,)


def test_float_samples_that_are_no_numbers_are_refused() -> None:
    samples = np.full((8, 8, 1), np.nan, np.float32)
    with pytest.raises(UnsupportedImageFormat, match="no numbers"):
        decode(tiff(samples, 1, 32, sample_format=3))


@pytest.mark.parametrize("largest", [200, 1023, 4095, 30_000])
def test_samples_of_fewer_bits_than_their_16_are_not_dark(largest: int) -> None:
    samples = (scene()[..., :1].astype(np.uint32) * largest // 255).astype(np.uint16)
    shift = max(8, largest.bit_length()) - 8
    pixels = decode(tiff(samples, 1, 16)).pixels
    np.testing.assert_array_equal(pixels[..., 0], samples[..., 0] >> shift)


@pytest.mark.parametrize("associated", [True, False])
@pytest.mark.parametrize("grey", [True, False])
def test_alpha_is_laid_over_white(associated: bool, grey: bool) -> None:
    colour = [0] if grey else [0, 100, 200]
    alpha = 51
    stored = [value * alpha // 255 if associated else value for value in colour]
    samples = np.tile(np.array([*stored, alpha], np.uint8), (8, 8, 1))
    data = tiff(samples, 1 if grey else 2, 8, extra=[1 if associated else 2])
    expected = [204, 204, 204] if grey else [204, 224, 244]
    assert np.abs(decode(data).pixels[0, 0].astype(int) - expected).max() <= 1
    assert inspect(data).remarks == ("its transparent parts were laid over white",)


def test_samples_beside_colour_that_are_no_alpha_are_left_out() -> None:
    samples = np.dstack([scene(), np.zeros(scene().shape[:2], np.uint8)])
    np.testing.assert_array_equal(decode(tiff(samples, 2, 8, extra=[0])).pixels, scene())


def test_cmyk_of_one_plane_for_each_ink_keeps_its_colours() -> None:
    inks = np.asarray(PIL.Image.fromarray(scene()).convert("CMYK"))
    sample = inspect(tiff(inks, 5, 8, planar=True))
    assert np.abs(sample.decode().pixels.astype(int) - scene()).max() <= 1
    assert sample.remarks == ("its CMYK colours were converted without a colour profile",)


@pytest.mark.parametrize("scale", [1, 257])
def test_palettes_of_few_bits_are_looked_up(scale: int) -> None:
    table = np.arange(48).reshape(3, 16) * 5 * scale
    indices = np.arange(64).reshape(8, 8, 1) % 16
    data = tiff(indices, 3, 4, more=[(320, 3, table.ravel().tolist())])
    expected = (table // scale).T[indices[..., 0]]
    np.testing.assert_array_equal(decode(data).pixels, expected)


@pytest.mark.parametrize("compression", ["jpeg", "group3", "group4"])
def test_what_libtiff_alone_knows_is_read(compression: str) -> None:
    mode = "RGB" if compression == "jpeg" else "1"
    picture = PIL.Image.fromarray(scene()).convert(mode)
    file = io.BytesIO()
    picture.save(file, "TIFF", compression=compression)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(decode(file.getvalue()).pixels - expected).mean() < 4


@pytest.mark.parametrize(
    ("why", "photometric", "bits", "options"),
    [
        ("Zstandard", 1, 8, {"more": [(259, 3, [50000])]}),
        ("JPEG of before 1995", 1, 8, {"more": [(259, 3, [6])]}),
        ("CIE Lab", 8, 8, {}),
        ("signed numbers of 16 bits", 1, 16, {"sample_format": 2}),
        ("24 bits", 1, 24, {}),
        ("predictor is number 3", 1, 8, {"predictor": 3}),
        ("1 samples a pixel in place of 3", 2, 8, {}),
    ],
)
def test_what_is_not_read_is_refused_by_name(
    why: str, photometric: int, bits: int, options: dict[str, object]
) -> None:
    samples = np.zeros((8, 8, 1), np.uint8)
    options = {"predictor": 1, "sample_format": 1, "more": [], **options}
    # The tag that is there first counts.
    changed = {259: options["more"]} if options["more"] else {}
    data = tiff(samples, photometric, 8, compression=NONE)
    for tag, value in ((258, bits), (317, options["predictor"]), (339, options["sample_format"])):
        data = with_tag(data, tag, int(str(value)))
    if changed:
        data = with_tag(data, 259, options["more"][0][2][0])  # type: ignore[index]
    with pytest.raises(UnsupportedImageFormat, match=why) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """Change the one short value of a tag of a little-endian file."""
    entry = data.index(struct.pack("<HHI", tag, 3, 1))
    return data[: entry + 8] + struct.pack("<H", value) + data[entry + 10 :]


def test_a_strip_that_ends_early_is_said_to_be_truncated() -> None:
    data = tiff(scene(), 2, 8, compression=DEFLATE, rows_per_strip=48)
    short = zlib.compress(scene()[:20].tobytes())
    start = data.index(zlib.compress(scene().tobytes())[:20])
    with pytest.raises(InvalidImage, match="Truncated"):
        decode(data[:start] + short + data[start + len(short) :])


RAW = {
    "dng": [(50706, 4, [0x01040000])],
    "sensor": [(262, 3, [32803])],
    "preview": [(254, 4, [1]), (330, 4, [8])],
    "nef": [(330, 4, [8])],
}


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("order", ["<", ">"])
def test_camera_raw_is_refused_and_never_its_preview_read(kind: str, order: str) -> None:
    if kind == "nef":  # the picture deeper in the file is what a sensor saw
        data = tiff(scene(), 2, 8, order=order, more=[(330, 4, [len(tiff(scene(), 2, 8)) + 12])])
        deeper = struct.pack(order + "H", 1) + struct.pack(order + "HHIHH", 262, 3, 1, 32803, 0)
        data += bytes(len(tiff(scene(), 2, 8)) + 12 - len(data)) + deeper + bytes(4)
    elif kind == "sensor":
        data = tiff(scene()[..., :1], 32803, 8, order=order)
    else:
        data = tiff(scene(), 2, 8, order=order, more=RAW[kind])
    with pytest.raises(UnsupportedImageFormat, match="camera raw file"):
        inspect(data)


def test_directories_that_lead_to_each_other_end() -> None:
    data = bytearray(tiff(scene(), 2, 8, more=[(330, 4, [8] * 2000)]))
    start = int.from_bytes(data[4:8], "little")
    data[4:8] = struct.pack("<I", start)
    inspect(bytes(data))


def test_tags_and_directories_of_any_size_cost_next_to_nothing() -> None:
    many = tiff(scene(), 2, 8, big=True)
    start = int.from_bytes(many[8:16], "little")
    data = many[:start] + struct.pack("<Q", 1 << 20) + bytes(20 << 20)
    with pytest.raises(InvalidImage, match="a directory of 1048576 tags"):
        inspect(data)
    wide_tag = tiff(scene(), 2, 8, more=[(320, 3, [0] * (1 << 20))])
    with pytest.raises(InvalidImage, match="tag 320 has 2097152 bytes"):
        inspect(wide_tag)


def test_a_tile_larger_than_a_small_picture_is_part_of_what_it_takes() -> None:
    pixels = np.zeros((8, 8, 1), np.uint8)
    small = inspect(tiff(pixels, 1, 8, tile=(16, 16), compression=DEFLATE))
    large = inspect(tiff(pixels, 1, 8, tile=(1024, 1024), compression=DEFLATE))
    assert large.header.memory(1) - small.header.memory(1) > 1 << 20


@pytest.mark.parametrize("compression", [NONE, DEFLATE, PACKBITS])
def test_tiles_that_cost_more_than_the_picture_are_refused(compression: int) -> None:
    crumbs = tiff(np.zeros((70, 70, 1), np.uint8), 1, 8, tile=(1, 1), compression=compression)
    with pytest.raises(InvalidImage, match="70x70 pixels has 4900 tiles of 1x1"):
        inspect(crumbs)
    tall = tiff(np.zeros((20, 1, 1), np.uint8), 1, 8, tile=(1 << 20, 1), compression=compression)
    with pytest.raises(InvalidImage, match="1x20 pixels has 20 tiles of 1048576x1"):
        inspect(tall)


@pytest.mark.parametrize("compression", [DEFLATE, PACKBITS, LZW])
def test_a_strip_is_not_unpacked_in_the_place_of_another(compression: int) -> None:
    height = 20
    whole = tiff(
        np.zeros((height, 9, 1), np.uint8), 1, 8, rows_per_strip=1, compression=compression
    )
    at = whole.index(struct.pack("<HHI", 279, 4, height))
    (sizes_at,) = struct.unpack_from("<I", whole, at + 8)
    data = bytearray(whole)
    each = len(whole) // 10  # lies within the file, but only for ten of the twenty
    struct.pack_into(f"<{height}I", data, sizes_at, *[each] * height)
    with pytest.raises(InvalidImage, match=f"have {height * each} bytes together"):
        decode(bytes(data))


def test_a_second_page_is_remarked() -> None:
    file = io.BytesIO()
    pages = [PIL.Image.fromarray(scene()), PIL.Image.new("L", (8, 8))]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    sample = inspect(file.getvalue())
    assert sample.remarks == ("the first of its pages was read",)


@pytest.mark.slow
def test_large_pages_are_reduced_as_they_are_unpacked() -> None:
    pixels = np.repeat(np.repeat(scene(64, 40), 100, axis=0), 100, axis=1)  # 25.6 megapixels
    for options in ({"rows_per_strip": 4000}, {"rows_per_strip": 9}, {"tile": (512, 256)}):
        data = tiff(pixels, 2, 8, compression=DEFLATE, **options)  # type: ignore[arg-type]
        image = inspect(data).decode(longer_side=1600)
        assert image.pixels.shape == (1000, 1600, 3)
        assert (image.width, image.height) == (6400, 4000)
        np.testing.assert_array_equal(image.pixels, pixels[::4, ::4])


def test_damaged_files_are_decoded_or_refused() -> None:
    rng = np.random.default_rng(7)
    for compression, predictor in itertools.product((NONE, DEFLATE, PACKBITS, LZW), (1, 2)):
        whole = tiff(wide(scene(), 16), 2, 16, compression=compression, predictor=predictor)
        start = int.from_bytes(whole[4:8], "little")
        for _ in range(60):
            data = bytearray(whole)
            for at in rng.integers(start, len(data), 3):
                data[at] = rng.integers(0, 256)
            try:
                decode(bytes(data))
            except LikenessError as error:
                assert "\n" not in str(error)
