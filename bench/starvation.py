"""Others' searches while somebody tries to starve a server: does everybody else wait?"""

import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.load import as_sent, signed
from bench.server import SEARCH, Asked, Server, paced, picture_files, serve
from bench.workplace import OUT
from likeness.errors import required
from tests.certificates import make_certificate

_REFERENCES = 5_000
_PER_S, _SECONDS, _SECONDS_FULL, _WARM_UP_S = 20.0, 15.0, 60.0, 5.0
_TIMES, _MOST_MS = 3.0, 250.0
_IDLE, _UNFINISHED, _GREEDY, _LARGE = 1_100, 30, 300, 4
_UNFINISHED_BYTES, _SENT_BYTES = 14 << 20, 8 << 20
_SIDE_PX = 10_000
_SETTLE_S = 3.0

Starve = Callable[[Server], AbstractContextManager[None]]


@contextmanager
def nobody(server: Server) -> Iterator[None]:
    """Let it be quiet."""
    yield


@contextmanager
def connections(server: Server, count: int = _IDLE) -> Iterator[None]:
    """Connect again and again, and say nothing: over TLS, not even hello."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(connecting := socket.socket())
            connecting.setblocking(False)
            connecting.connect_ex(_place(server))
        time.sleep(_SETTLE_S)
        yield
    finally:
        for one in opened:
            one.close()


@contextmanager
def unfinished_bodies(server: Server) -> Iterator[None]:
    """Begin bodies under a key's id, which is no secret, and never end them."""
    liar = replace(server, key=(server.another_key("known")[0], "not its secret"))
    headers, _ = next(_requests(liar, SEARCH, 1))
    headers = {name: value for name, value in headers.items() if name != "Content-Length"}
    head = as_sent({**headers, "Content-Length": str(_UNFINISHED_BYTES)}, b"")
    opened: list[socket.socket] = []
    try:
        for _ in range(_UNFINISHED):
            opened.append(connecting := socket.create_connection(_place(server)))
            connecting.settimeout(1)
            try:
                connecting.sendall(head + b" " * _SENT_BYTES)
            except OSError:  # who is refused is not read
                continue
        yield
    finally:
        for one in opened:
            one.close()


@contextmanager
def greedy_key(server: Server) -> Iterator[None]:
    """Search with 300 pictures at once, for as long as it lasts."""
    other = replace(server, key=server.another_key("greedy"))
    with _asking(other, picture_files(), _GREEDY, count=3_000):
        yield


@contextmanager
def large_pictures(server: Server) -> Iterator[None]:
    """Search with pictures of 100 megapixels, four at once."""
    other = replace(server, key=server.another_key("large"))
    with _asking(other, _large_files(), _LARGE, count=400):
        yield


@contextmanager
def _asking(server: Server, pictures: list[str], at_once: int, count: int) -> Iterator[None]:
    """Have somebody search in a process of their own, as often as they are answered."""
    plan = {
        "url": server.url,
        "credentials": server.key,
        "asked": [asdict(SEARCH)],
        "pictures": pictures,
        "count": count,
        "concurrency": at_once,
    }
    asker = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        with required(asker.stdin, "the client's standard input") as stdin:
            stdin.write(json.dumps(plan).encode())
        time.sleep(_SETTLE_S + count / 500)  # until all is signed
        if asker.poll() is not None:
            raise NotMeasured("who was to starve the server ended before anything was measured")
        yield
    finally:
        asker.kill()
        asker.wait()


@cache
def _large_files() -> list[str]:
    """Write pictures that are small as files and large as pixels."""
    folder = OUT / "large"
    folder.mkdir(parents=True, exist_ok=True)
    side = (_SIDE_PX, _SIDE_PX)
    made: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "colour.png": (Image.new("RGB", side, (90, 120, 150)), {"optimize": False}),
        "grey.jpg": (Image.new("L", side, 90), {"quality": 20}),
        "scans.jpg": (Image.new("RGB", side, (90, 120, 150)), {"quality": 20, "progressive": True}),
    }
    for name, (picture, options) in made.items():
        held = BytesIO()
        picture.save(held, "PNG" if name.endswith("png") else "JPEG", **options)
        (folder / name).write_bytes(held.getvalue())
    return [str(folder / name) for name in made]


def _requests(server: Server, asked: Asked, count: int) -> Iterator[tuple[dict[str, str], bytes]]:
    return signed(
        {
            "url": server.url,
            "credentials": server.key,
            "asked": [asdict(asked)],
            "pictures": picture_files(),
            "count": count,
        }
    )


def _place(server: Server) -> tuple[str, int]:
    place = urlsplit(server.url)
    return place.hostname or "", place.port or 0


def _starved(starve: Starve, what: str, *, tls: bool = False) -> Callable[[bool], Measurement]:
    """Measure others' p99 in quiet, and while somebody does what `starve` does."""

    def measure(full: bool) -> Measurement:
        seconds = _SECONDS_FULL if full else _SECONDS
        OUT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=OUT) as folder:
            arguments: tuple[str, ...] = ()
            trusted = None
            if tls:
                trusted, key = make_certificate(Path(folder))
                arguments = ("--tls-cert", str(trusted), "--tls-key", str(key))
            with serve(_REFERENCES, *arguments) as server:
                paced(server, [SEARCH], _PER_S, _WARM_UP_S, trusted)
                quiet = paced(server, [SEARCH], _PER_S, seconds, trusted)
                with starve(server):
                    starved = paced(server, [SEARCH], _PER_S, seconds, trusted)
        quiet_ms, while_ms, lost = quiet.p99_ms, starved.p99_ms, starved.lost
        count = len(starved.ms)
        bound_ms = min(_MOST_MS, _TIMES * quiet_ms)
        return Measurement(
            while_ms / bound_ms if not lost else float("inf"),
            f"p99 of SearchFacesByImage, {_PER_S:g} a second for {seconds:g} s, {what}:"
            f" {while_ms:.0f} ms, quiet {quiet_ms:.0f} ms; over three times the quiet one and at"
            f" most {_MOST_MS:g} ms; {lost} of {count} not answered",
            (
                Beside("quiet", quiet_ms, "ms", "before"),
                Beside("while", while_ms, "ms", what),
                Beside("lost", lost, "requests", f"of {count}"),
            ),
        )

    return measure


def _figure(name: str, starve: Starve, what: str, *, tls: bool = False) -> Figure:
    return Figure(f"starved-{name}", "of the bound", at_most(1.0), _starved(starve, what, tls=tls))


FIGURES = (
    _figure("idle", connections, f"with {_IDLE:,} idle connections"),
    _figure("bodies", unfinished_bodies, f"with {_UNFINISHED} unfinished bodies of a known key id"),
    _figure("greedy", greedy_key, f"with {_GREEDY} pictures of another key waiting"),
    _figure("large", large_pictures, "with pictures of 100 megapixels of another key"),
    _figure("tls", connections, f"with {_IDLE:,} TLS connections that never speak", tls=True),
)
