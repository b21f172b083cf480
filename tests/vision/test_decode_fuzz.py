"""Damaged pictures: whatever is done to a real file, an Image or an error of ours comes out.

`LIKENESS_FUZZ_EXAMPLES` sets how many damaged files each kind of picture is tried with, e.g.
`LIKENESS_FUZZ_EXAMPLES=5000 pytest tests/vision/test_decode_fuzz.py`.
"""

import io
import os
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.errors import LikenessError
from likeness.vision.decode import DecodeLimits, inspect

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("LIKENESS_FUZZ_EXAMPLES", "20"))
# Small enough for a damaged header to exceed, large enough for it to cost something unnoticed.
LIMITS = DecodeLimits(max_bytes=1 << 20, max_pixels=1 << 20, max_side=4096, max_memory=48 << 20)
PROMISED_BYTES = LIMITS.max_memory + 2 * LIMITS.max_bytes + (16 << 20)
PHOTOGRAPHS = Path("../shared/data/deepface_pairs")


def picture(mode: str) -> PIL.Image.Image:
    y, x = np.mgrid[:40, :56]
    pixels = np.stack([x * 4, y * 6, (x * y) % 256], -1).astype(np.uint8)
    if mode == "I;16":
        return PIL.Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    return PIL.Image.fromarray(pixels).convert(mode)


def encoded(mode: str, name: str, options: dict[str, object]) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    if name in ("JPEG", "PNG", "WEBP"):
        options = {"exif": exif, "icc_profile": bytes(range(200)), **options}
    file = io.BytesIO()
    picture(mode).save(file, name, **options)
    return file.getvalue()


KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "jpeg": ("RGB", "JPEG", {}),
    "jpeg-progressive": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "jpeg-cmyk": ("CMYK", "JPEG", {}),
    "jpeg-restarts": ("L", "JPEG", {"restart_marker_blocks": 2}),
    "png": ("RGB", "PNG", {}),
    "png-palette": ("P", "PNG", {"transparency": b"\0\x7f\xff"}),
    "png-alpha": ("RGBA", "PNG", {}),
    "png-16": ("I;16", "PNG", {}),
    "webp": ("RGB", "WEBP", {}),
    "webp-lossless": ("RGBA", "WEBP", {"lossless": True}),
    "webp-alpha": ("RGBA", "WEBP", {}),
    "bmp": ("RGB", "BMP", {}),
    "bmp-palette": ("P", "BMP", {}),
    "tiff": ("RGB", "TIFF", {}),
    "tiff-lzw": ("RGBA", "TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("I;16", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-jpeg": ("RGB", "TIFF", {"compression": "jpeg"}),
    "tiff-fax": ("1", "TIFF", {"compression": "group4"}),
    "tiff-bilevel": ("1", "TIFF", {}),
    "tiff-cmyk": ("CMYK", "TIFF", {"compression": "packbits"}),
    "gif": ("P", "GIF", {"comment": b"hello"}),
    "gif-clear": ("P", "GIF", {"transparency": 3, "interlace": True}),
    "avif": ("RGB", "AVIF", {"speed": 10}),
    "avif-alpha": ("RGBA", "AVIF", {"speed": 10}),
    "jp2": ("RGB", "JPEG2000", {}),
    "j2k-tiled": ("RGBA", "JPEG2000", {"no_jp2": True, "tile_size": (16, 16)}),
    "j2k-16": ("I;16", "JPEG2000", {"no_jp2": True}),
}

# Values that break arithmetic: zeros, ones, signs, and the largest of each width.
WORDS = (b"\0\0", b"\xff\xff", b"\x7f\xff", b"\0\0\0\0", b"\0\0\0\1", b"\1\0\0\0", b"\xff" * 4)
WORDS += (b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\1\0\0", b"\xff\xd8", b"\xff\xd9")


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes after one to six changes, most of them near the beginning where headers lie."""
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        end = max(1, len(out) if draw(st.booleans()) else min(len(out), 200))
        at = draw(st.integers(0, end - 1))
        match draw(st.integers(0, 5)):
            case 0:
                out[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                word = draw(st.sampled_from(WORDS))
                out[at : at + len(word)] = word
            case 2:
                del out[at : at + draw(st.integers(1, 40))]
            case 3:
                out[at:at] = draw(st.binary(max_size=40))
            case 4:
                out[at:at] = out[at : at + draw(st.integers(1, 400))]
            case _:
                del out[draw(st.integers(at, len(out))) :]
    return bytes(out)


def peak_bytes() -> int:
    """The most memory that this process has held; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if "VmHWM" in line).split()[1])


def decode_or_refuse(data: bytes) -> None:
    """Decode; anything that comes out is an Image, an error of ours, or a failure of the test."""
    try:
        image = inspect(data, LIMITS).decode(longer_side=20)
    except LikenessError as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape[2] == 3
    assert image.width * image.height <= LIMITS.max_pixels
    assert image.pixels.shape[0] <= image.height
    assert image.pixels.shape[1] <= image.width


def try_damaged(whole: bytes) -> None:
    """Decode a file, then try many damaged copies of it, within the memory promised."""
    inspect(whole, LIMITS).decode()

    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(whole))
    def hold(data: bytes) -> None:
        decode_or_refuse(data)

    before = peak_bytes()
    hold()
    assert peak_bytes() - before <= PROMISED_BYTES


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_pictures_are_decoded_or_refused(kind: str) -> None:
    try_damaged(encoded(*KINDS[kind]))


def test_damaged_heic_is_decoded_or_refused() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra `heic` is not installed")
    file = io.BytesIO()
    pillow_heif.from_pillow(picture("RGB")).save(file)
    try_damaged(file.getvalue())


def test_damaged_photographs_are_decoded_or_refused() -> None:
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("../shared/data with real photographs is not here")
    small = min(PHOTOGRAPHS.glob("**/*.jpg"), key=lambda path: path.stat().st_size)
    try_damaged(small.read_bytes())


@settings(max_examples=EXAMPLES * 5, database=None)
@given(
    st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"RIFF\x40\0\0\0WEBPVP8X",
            b"RIFF\x40\0\0\0WEBPVP8L",
            b"BM",
            b"II*\0\x08\0\0\0",
            b"MM\0*\0\0\0\x08",
            b"\0\0\0\x0cjP  \r\n\x87\n",
            b"\xff\x4f\xff\x51",
            b"\0\0\0\x18ftypheic",
            b"\0\0\0\x18ftypavif",
            b"GIF89a\x08\0\x08\0\x80\0\0",
            b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
        ]
    ),
    st.binary(max_size=300),
)
def test_bytes_that_only_begin_like_a_picture_are_refused(head: bytes, tail: bytes) -> None:
    decode_or_refuse(head + tail)
