"""What is lost or guessed in decoding is said of every format, and nothing that is not so."""

import io
import struct

import numpy as np
import PIL.Image
import pytest

from likeness.vision.decode import inspect
from likeness.vision.formats.header import ALPHA, CMYK, SIXTEEN_BITS
from tests.vision.pictures import encoded
from tests.vision.tiff_files import tiff


def gradient(mode: str, name: str, **options: object) -> bytes:
    picture = PIL.Image.linear_gradient("L").convert("RGB").convert(mode)
    return encoded(picture, name, **options)


@pytest.mark.parametrize("no_jp2", [False, True], ids=["file", "codestream"])
@pytest.mark.parametrize(
    ("mode", "remarks"), [("RGB", ()), ("L", ()), ("LA", (ALPHA,)), ("RGBA", (ALPHA,))]
)
def test_of_a_jpeg2000_alpha_is_told(mode: str, remarks: tuple[str, ...], no_jp2: bool) -> None:
    assert inspect(gradient(mode, "JPEG2000", no_jp2=no_jp2)).remarks == remarks


def test_the_inks_of_a_jpeg2000_are_not_taken_for_alpha() -> None:
    sample = inspect(gradient("CMYK", "JPEG2000"))
    assert sample.remarks == (CMYK,)
    grey = np.asarray(PIL.Image.linear_gradient("L")).astype(int)
    assert np.abs(sample.decode().pixels - grey[..., None]).mean() < 3


@pytest.mark.parametrize(
    ("flags", "bits", "remarks"),
    [(0, 8, ()), (0x40, 10, (SIXTEEN_BITS,)), (0x60, 12, (SIXTEEN_BITS,))],
)
def test_of_an_avif_samples_of_more_than_8_bits_are_told(
    flags: int, bits: int, remarks: tuple[str, ...]
) -> None:
    data = bytearray(gradient("RGB", "AVIF"))
    data[data.index(b"av1C") + 6] |= flags
    depths = data.index(b"pixi") + 9
    data[depths : depths + 3] = struct.pack("3B", bits, bits, bits)
    assert inspect(bytes(data)).remarks == remarks


@pytest.mark.parametrize(
    ("mode", "bits", "count", "remarks"),
    [
        ("RGB", 8, 1, ()),
        ("RGBA", 8, 1, (ALPHA,)),
        ("RGB;16", 10, 1, (SIXTEEN_BITS,)),
        ("RGB", 8, 2, ("the main one of its 2 pictures was read",)),
    ],
)
def test_of_a_heic_alpha_depth_and_number_are_told(
    mode: str, bits: int, count: int, remarks: tuple[str, ...]
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra `heic` is not installed")
    pixels = bytes(64 * 64 * (6 if bits > 8 else len(mode)))
    one = pillow_heif.from_bytes(mode, (64, 64), pixels)
    for _ in range(count - 1):
        one.add_frombytes(mode, (64, 64), pixels)
    file = io.BytesIO()
    one.save(file, bit_depth=bits)
    assert inspect(file.getvalue()).remarks == remarks


def test_inks_of_a_tiff_beside_alpha_are_not_laid_over_white() -> None:
    inks = np.zeros((8, 8, 5), np.uint8)
    sample = inspect(tiff(inks, 5, 8, extra=(2,)))
    assert sample.remarks == (CMYK,)
    assert (sample.decode().pixels == 255).all()
