"""What a picture may cost: refused from its header, or held to what is promised."""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from likeness.errors import (
    ImageTooLarge,
    InvalidImage,
)
from likeness.vision.decode import DecodeLimits, inspect, read_sample
from tests.vision.pictures import (
    ALL,
    assert_one_line,
    chunk,
    decode,
    encoded,
    exif_orientation,
    png_after_header,
    promising,
    scene,
)


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


@pytest.mark.parametrize("name", ALL)
def test_a_header_tells_large_pictures_from_small_ones(name: str) -> None:
    small, large = (inspect(promising(name, *sides)).cost for sides in ((1600, 1200), (7000, 5000)))
    assert not small.is_large
    assert large.is_large
    assert large.memory > 10 * small.memory > 0
    assert large.seconds > 18 * small.seconds > 0


def test_too_many_bytes_are_refused() -> None:
    data = encoded(scene(), "PNG")
    with pytest.raises(ImageTooLarge, match=f"{len(data)}"):
        inspect(data, DecodeLimits(max_bytes=len(data) - 1))
    assert inspect(data, DecodeLimits(max_bytes=len(data))).width == 80


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


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(scene(), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(InvalidImage, match="scans"):
        decode(data[:-2] + last_scan * 200 + b"\xff\xd9")


def test_padding_before_a_jpeg_s_markers_costs_next_to_nothing() -> None:
    data = encoded(scene(), "JPEG")
    padded = data[:2] + b"\xff" * (4 << 20) + data[2:]
    began_s = time.process_time()
    assert inspect(padded).width == 80
    with pytest.raises(InvalidImage, match="before it says its size"):
        inspect(data[:2] + b"\xff" * (4 << 20))
    assert time.process_time() - began_s < 0.2  # a loop in Python took half a second
    assert inspect(data[:2] + b"\xff" * 100 + data[2:]).header == inspect(data).header


@pytest.mark.slow
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


def test_a_file_over_the_byte_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageTooLarge, match="bytes"):
        read_sample(path)


# Prints by how much the highest memory in use grew while one file was decoded.
_PEAK = """
import sys
from pathlib import Path
from likeness.vision.decode import inspect

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1])

small, large = (Path(name).read_bytes() for name in sys.argv[1:])
inspect(small).decode()
before = peak()
inspect(large).decode()
print(peak() - before)
"""


@pytest.mark.slow
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
