"""Pictures that are built to cost much, sent to a server eight at a time: what memory it takes."""

import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import cv2
import numpy as np
from botocore.config import Config
from botocore.exceptions import ClientError

from bench.figure import Beside, Figure, Measurement, at_most
from bench.filled_home import COLLECTION
from bench.server import SEARCH, Server, load, serve

_REFERENCES, _AT_ONCE, _MOST_MIB = 1000, 8, 1536
_SIDE = 10_000  # the longest of the wire: 100 million pixels, in files of 12 to 2,400 KB
_WARM_UP = 100
_EVERY_S = 0.01


def _jpeg(channels: int, *, progressive: bool, cut: int = 0) -> bytes:
    pixels = np.full((_SIDE, _SIDE, channels), 90, np.uint8)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    jpeg: bytes = cv2.imencode(".jpg", pixels, options + sampling)[1].tobytes()
    return jpeg[: len(jpeg) - cut]


def _png(depth: int, colour: int, *, interlaced: bool = False) -> bytes:
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packing = zlib.compressobj(6)
    row = bytes(1 + _SIDE * samples * depth // 8)
    rows = _SIDE + _SIDE // 10  # of an interlaced one more bytes say how their rows are filtered
    content = b"".join(packing.compress(row) for _ in range(rows)) + packing.flush()
    sides = struct.pack(">IIBBBBB", _SIDE, _SIDE, depth, colour, 0, 0, int(interlaced))
    chunks = [(b"IHDR", sides), (b"IDAT", content), (b"IEND", b"")]
    if colour == 3:
        chunks[1:1] = [(b"PLTE", bytes(768)), (b"tRNS", bytes(256))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in chunks
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "JPEG": partial(_jpeg, 3, progressive=False),
    "progressive JPEG": partial(_jpeg, 3, progressive=True),
    "progressive JPEG without its end": partial(_jpeg, 3, progressive=True, cut=2),
    "PNG": partial(_png, 8, 2),
    "PNG with a palette": partial(_png, 8, 3),
    "PNG of 16 bits": partial(_png, 16, 2),
    "PNG of 16 bits with alpha": partial(_png, 16, 6),
    "grey PNG of 16 bits": partial(_png, 16, 0),
    "interlaced PNG": partial(_png, 8, 2, interlaced=True),
}


@contextmanager
def _most_of(server: Server) -> Iterator[list[float]]:
    """Look how much of memory a server has, until the end of the block."""
    mib, over = [server.resident_mib()], threading.Event()

    def look() -> None:
        while not over.wait(_EVERY_S):
            mib[0] = max(mib[0], server.resident_mib())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield mib
    finally:
        over.set()
        thread.join()


def _ask(server: Server, picture: bytes) -> str:
    patient = Config(read_timeout=300, retries={"total_max_attempts": 1})
    try:
        server.client(patient).search_faces_by_image(
            CollectionId=COLLECTION, Image={"Bytes": picture}
        )
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "OK"


def _memory(full: bool) -> Measurement:
    codes: Counter[str] = Counter()
    each: dict[str, float] = {}
    with serve(_REFERENCES) as server:
        load(server, [SEARCH], _WARM_UP)
        idle = server.resident_mib()
        with ThreadPoolExecutor(_AT_ONCE) as clients:
            for name, make in HOSTILE.items():
                picture = make()
                with _most_of(server) as most:
                    codes.update(clients.map(partial(_ask, server), [picture] * _AT_ONCE))
                each[name] = most[0] - idle
        end = server.resident_mib()
    return Measurement(
        max(each.values()),
        f"resident memory beyond the idle server's {idle:.0f} MiB, at most, while {_AT_ONCE}"
        f" pictures of {_SIDE:,}x{_SIDE:,} pixels come at once; {dict(codes)}",
        (
            *(Beside(name, mib, "MiB", f"{_AT_ONCE} at once") for name, mib in each.items()),
            Beside("end", end - idle, "MiB", "once all were answered"),
        ),
    )


FIGURES = (Figure("hostile-memory", "MiB", at_most(_MOST_MIB), _memory),)
