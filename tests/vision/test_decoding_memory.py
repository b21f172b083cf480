"""However many hostile pictures are decoded at once, they take the memory that is allowed."""

import gc
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

from likeness.errors import ImageTooLarge, TooBusy
from likeness.vision.decode import DecodeLimits, inspect
from likeness.vision.decoding_memory import MEMORY, DecodingMemory
from tests.vision.tiff_files import DEFLATE, LZW, tiff

pytestmark = pytest.mark.slow


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    PIL.Image.new(mode, (width, height), 0).save(file, "PNG")
    return file.getvalue()


def test_pixels_keep_their_memory_until_they_are_let_go_of() -> None:
    gc.collect()
    before = MEMORY.taken
    image = inspect(png(400, 300)).decode()
    assert MEMORY.taken - before == 3 * 400 * 300
    rows = image.pixels[10:20]
    del image
    gc.collect()
    assert MEMORY.taken - before == 3 * 400 * 300  # a part of an array keeps it whole
    del rows
    gc.collect()
    assert MEMORY.taken == before


def test_a_failure_gives_its_memory_back() -> None:
    gc.collect()
    before = MEMORY.taken
    data = bytearray(png(400, 300))
    data[data.index(b"IDAT") + 30] ^= 0xFF
    with pytest.raises(Exception, match="amaged"):
        inspect(bytes(data)).decode()
    assert MEMORY.taken == before


def test_a_picture_waits_until_another_gives_its_memory_back() -> None:
    memory = DecodingMemory(patience_s=60)
    order: list[str] = []

    def second() -> None:
        with memory.lease(60, 100):
            order.append("second")

    with memory.lease(60, 100):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
    assert memory.taken == 0


def test_a_small_picture_does_not_wait_for_large_ones() -> None:
    memory = DecodingMemory(patience_s=0.01)
    with memory.lease(800, 1600), memory.lease(600, 1600):
        with pytest.raises(TooBusy), memory.lease(101, 1600):
            pytest.fail("an eighth is for small ones")
        with memory.lease(100, 1600), memory.lease(100, 1600):
            assert memory.taken == 1600
        with memory.lease(50, 1600):
            assert memory.taken == 1450


def test_a_picture_that_needs_more_than_large_ones_have_takes_it_all() -> None:
    memory = DecodingMemory(patience_s=0.01)
    with memory.lease(1599, 1600), pytest.raises(TooBusy), memory.lease(2, 1600):
        pytest.fail("there was no room")


def test_a_picture_that_waits_too_long_is_told_to_come_again() -> None:
    memory = DecodingMemory(patience_s=0.01)
    refused = pytest.raises(TooBusy, match="LIKENESS_DECODE_MEMORY")
    with memory.lease(60, 100), refused, memory.lease(60, 100):
        pytest.fail("there was no room")


def test_of_pictures_that_wait_for_one_another_one_is_refused_and_the_others_go_on() -> None:
    memory = DecodingMemory(patience_s=600, patience_when_stuck_s=0.01)
    all_hold, endings = threading.Barrier(3), []

    def compare() -> None:
        pixels = np.zeros(25, np.uint8)
        with memory.lease(25, 100) as lease:
            lease.keep_for(pixels)
        all_hold.wait(60)
        try:
            with memory.lease(35, 100):
                endings.append("done")
        except TooBusy:
            endings.append("refused")

    threads = [threading.Thread(target=compare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(endings) == ["done", "done", "refused"]
    assert memory.taken == 0


def test_a_thread_does_not_wait_for_what_it_holds_itself() -> None:
    memory = DecodingMemory(patience_s=600, patience_when_stuck_s=0.01)
    with memory.lease(60, 100), pytest.raises(TooBusy), memory.lease(60, 100):
        pytest.fail("there was no room")
    assert memory.taken == 0


def test_a_picture_that_needs_more_than_all_may_have_is_refused_by_its_header() -> None:
    said = r"3600x3600 pixels takes 58 MiB of memory, at most 40 MiB .* LIKENESS_DECODE_MEMORY"
    with pytest.raises(ImageTooLarge, match=said):
        inspect(png(3600, 3600), DecodeLimits(max_memory=40 << 20))


def test_a_large_picture_is_reduced_as_far_as_its_memory_asks() -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (1600, 1200)).save(file, "JPEG")
    sample = inspect(file.getvalue(), DecodeLimits(max_memory=8 << 20))
    assert sample.decode(longer_side=1600).pixels.shape == (600, 800, 3)
    with pytest.raises(ImageTooLarge, match="LIKENESS_DECODE_MEMORY"):
        sample.decode()


# Decodes one file eight times at once, each as often as asked for, and prints by how much the
# highest memory in use grew.
_AT_ONCE = """
import sys, threading
from pathlib import Path
from likeness.errors import LikenessError
from likeness.vision.decode import DecodeLimits, inspect

small, large = (Path(name).read_bytes() for name in sys.argv[1:3])
most = int(sys.argv[3])

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1])

def work(data):
    sample = inspect(data, DecodeLimits(max_memory=most))
    for side in (1152, None):
        try:
            held.append(sample.decode(side).pixels.shape)
        except LikenessError as error:
            refused.append(str(error))

held, refused = [], []
work(small)
before = peak()
threads = [threading.Thread(target=work, args=(large,)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(held) == 18 and not refused, (held, refused)
print(peak() - before)
"""
_SIDE = 1600
_MOST = 48 << 20


def dim_png(side: int) -> bytes:
    """Colours of 16 bits of which the upper bytes are zero."""
    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\0\x50" * 3 * side) * side)
    chunks = b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp_of_runs(side: int) -> bytes:
    """A palette picture in runs of one colour."""
    row = b"".join(bytes((min(255, side - at), 1)) for at in range(0, side, 255)) + b"\0\0"
    content = row * side + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(content), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    first = b"BM" + struct.pack("<IHHI", start + len(content), 0, 0, start)
    return first + header + bytes(1024) + content


def hostile(kind: str, side: int) -> bytes:
    """A flat picture, in as few bytes as its format allows."""
    if kind == "png-dim":
        return dim_png(side)
    if kind == "bmp-runs":
        return bmp_of_runs(side)
    mode = {"png-grey": "L", "png-alpha": "RGBA", "gif": "L", "bmp": "1"}.get(kind, "RGB")
    name = {"jpeg-progressive": "jpeg", "jp2": "jpeg2000"}.get(kind, kind.split("-")[0])
    if name == "tiff":
        bits = 16 if kind == "tiff-16" else 8
        flat = np.full((side, side, 3), 90, f"u{bits // 8}")
        compression = LZW if kind == "tiff-lzw" else DEFLATE
        return tiff(flat, 2, bits, compression=compression, rows_per_strip=64)
    options = {
        "jpeg-progressive": {"progressive": True, "subsampling": 0},
        "webp-lossless": {"lossless": True, "method": 0},
        "avif": {"speed": 10},
        "webp": {"method": 0},
    }.get(kind, {})
    file = io.BytesIO()
    PIL.Image.new(mode, (side, side), 1 if mode == "1" else "teal").save(file, name, **options)
    return file.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    "kind",
    [
        *("jpeg", "jpeg-progressive", "png-grey", "png", "png-alpha", "webp", "webp-lossless"),
        *("gif", "bmp", "bmp-runs", "png-dim", "tiff", "tiff-16"),
        *("tiff-lzw", "jp2", "avif"),
    ],
)
def test_eight_hostile_pictures_at_once_take_what_is_allowed(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / "small", tmp_path / "large"]
    for path, side in zip(paths, (64, _SIDE), strict=True):
        path.write_bytes(hostile(kind, side))
    # JPEG 2000 and AVIF need most of it for one; 8 whole pictures would need 3 to 8 times as much.
    most = 2 * _MOST if kind in ("jp2", "avif") else _MOST
    finished = subprocess.run(
        [sys.executable, "-c", _AT_ONCE, *map(str, paths), str(most)],
        capture_output=True,
        text=True,
        check=True,
        # What is freed goes back to the system: kept for later, so little would hide all.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
    )
    data = paths[1].stat().st_size
    assert int(finished.stdout) < most + 8 * 2 * data
