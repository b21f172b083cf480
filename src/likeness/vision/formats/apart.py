"""Decodes a picture in a process of its own, where its library holds Python's lock meanwhile.

No other thread can do anything as long as that is held. The process gets the file's bytes and what
to divide its sides by; it is believed nothing but pixels of the size that was agreed, or one line
on what is wrong. What a hostile file breaks there breaks nothing here.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidImage, UnsupportedImageFormat, required
from likeness.vision.formats.header import Header

_RAISED: dict[str, type[Exception]] = {
    one.__name__: one for one in (InvalidImage, UnsupportedImageFormat, MemoryError)
}
_MOST_SAID, _MOST_WORDS = 4000, 300
# Far more than the largest picture takes.
_LONGEST_S = 120.0


def decode_apart(module: str, data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    """Decode to (h, w, 3) uint8 RGB by a module that runs `answer` as a program.

    Raises what the module's decoder raises (`answer`), and ValueError where it breaks off.
    """
    width, height = header.reduced_wh(reduction)
    with _started(module, reduction) as (stdin, stdout):
        with suppress(BrokenPipeError), stdin:
            stdin.write(data)
        said = _said(stdout.readline(_MOST_SAID))
        if said is not None:
            kind, words = said
            raise _RAISED.get(kind, ValueError)(words)
        pixels = np.empty((height, width, 3), np.uint8)
        _fill(pixels.data.cast("B"), stdout)
        return pixels


def answer(
    header: Callable[[bytes], Header], pixels: Callable[[bytes, Header, int], NDArray[np.uint8]]
) -> None:
    """Decode what comes on standard input for `decode_apart`, as the program of a module."""
    data, reduction = sys.stdin.buffer.read(), int(sys.argv[1])
    out = sys.stdout.buffer
    try:
        found = np.ascontiguousarray(pixels(data, header(data), reduction))
    except Exception as error:
        words = " ".join(str(error).split())[:_MOST_WORDS] or type(error).__name__
        out.write(json.dumps([type(error).__name__, words]).encode() + b"\n")
    else:
        out.write(b"null\n")
        out.write(found.data)
    out.flush()


@contextmanager
def _started(module: str, reduction: int) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Start a process, and end it however this goes."""
    process = subprocess.Popen(  # noqa: S603 -- this Python, with a program of ours
        [sys.executable, "-S", "-P", "-m", module, str(reduction)],
        env={
            "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    patience = threading.Timer(_LONGEST_S, process.kill)
    patience.daemon = True
    patience.start()
    with process:
        try:
            yield (
                required(process.stdin, "a pipe"),  # type: ignore[misc]  # typed as IO[bytes]
                required(process.stdout, "a pipe"),
            )
        finally:
            patience.cancel()
            process.kill()


def _said(line: bytes) -> tuple[str, str] | None:
    """Read whether pixels follow, or the kind of an error and words on it."""
    if line == b"null\n":
        return None
    try:
        kind, words = json.loads(line)
    except ValueError:
        kind, words = "", "its decoder broke off"
    return str(kind), str(words)[:_MOST_WORDS]


def _fill(pixels: memoryview, stdout: BinaryIO) -> None:
    filled = 0
    while filled < len(pixels):
        came = stdout.readinto(pixels[filled:])  # type: ignore[attr-defined]  # it is buffered
        if not came:
            raise ValueError("its decoder broke off")
        filled += came
