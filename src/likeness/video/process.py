"""The process that decodes a clip, from outside: it is started, heard, never believed, and ended.

1. It gets nothing but the clip (a descriptor that only reads), two pipes and memory to share: a
   clean environment, no other descriptor.
2. Whatever it says may come from a clip that took it over: lines are short, each value is checked,
   sizes are those that were agreed, and the shared memory can no longer change its own.
3. Nobody waits for it for ever: one that says nothing for too long is ended.
4. It ends with whoever asked for it, however that goes.
"""

import fcntl
import importlib.util
import json
import math
import mmap
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import EngineUnavailable, InvalidClip
from likeness.video.clip import ClipLimits, Sampling
from likeness.video.decoding import messages

MISSING = "PyAV is missing, which reads video. Run `pip install 'likeness[video]'`."
_BROKEN = (
    "The process that decodes clips does not start. `python -c 'import av'` says whether PyAV is"
    " broken; else free some memory."
)
# Where PyAV finds an FFmpeg that did not come with it.
_KEPT = ("LD_LIBRARY_PATH",)
_PROGRAM = ("-m", "decoding")
_NAME = re.compile(r"[a-z0-9_.-]{1,40}")
# FFmpeg's own times end here: 64 bits of microseconds.
_MOST_S = 1e13
_READ_AT_ONCE = 1 << 16
# Memory in which pictures wait, and how many of them do.
_RING_BYTES = 256 << 20
_MOST_SLOTS = 4
# Seconds of processor time for each second of the longest clip.
_PROCESSOR_TIME = 10
_ASK_EVERY_S = 0.5
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that the process said: its kind, its values, and a thumbnail or samples."""

    kind: str
    values: dict[str, Any]
    payload: bytes = b""


class DecoderProcess:
    """Decodes one clip in a process of its own, for the thread that makes it; close it.

    `clip` is a descriptor of a regular file of `size` bytes, open to be read alone. Where `sound`
    is wanted, its sound is decoded in place of its pictures. `go_on` is called all the while that
    it is heard or waited for: what it raises ends that.

    Raises:
        EngineUnavailable: PyAV is missing, or the process does not start.
    """

    def __init__(
        self,
        clip: int,
        size: int,
        sampling: Sampling,
        limits: ClipLimits,
        go_on: Callable[[], object] = lambda: None,
        *,
        sound: bool = False,
    ) -> None:
        if importlib.util.find_spec("av") is None:
            raise EngineUnavailable(MISSING)
        self._go_on = go_on
        self._silence_s = limits.silence_s
        processor_s = math.ceil(limits.max_s * _PROCESSOR_TIME)
        # For all waits together: sleep between frames takes no processor time.
        self._patience_s = float(processor_s)
        self._heard = bytearray()
        self._ready = False
        self._slots = 0
        self._pictures: NDArray[np.uint8] | None = None
        self._ring = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._out, out = os.pipe()
        slots_back, self._slots_back = os.pipe()
        os.set_blocking(self._slots_back, False)
        self._until = 0.0
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        task = {
            "parent": os.getpid(),
            "clip": clip,
            "size": size,
            "out": out,
            "slots_back": slots_back,
            "ring": self._ring,
            "sound": sound,
            **asdict(sampling),
            "longest_s": limits.max_s,
            "most_pixels": limits.max_pixels,
            "memory": limits.memory,
            "processor_s": processor_s,
        }
        try:
            self._process = _start(task, (clip, out, slots_back, self._ring))
        except OSError as error:
            self._close_files()
            raise EngineUnavailable(_BROKEN) from error
        finally:
            os.close(out)
            os.close(slots_back)

    def close(self) -> None:
        """End the process, whatever it does, and free what it shared."""
        self._process.kill()
        self._process.wait()
        self._pictures = None  # frames were copied out of it
        self._close_files()

    def _close_files(self) -> None:
        for descriptor in (self._out, self._slots_back, self._ring):
            os.close(descriptor)

    def hear(self) -> Heard:
        """Wait for the next thing that it says.

        Raises:
            InvalidClip: it died, says nothing for too long, or nothing that makes sense.
        """
        self._go_on()
        self._until = time.monotonic() + self._silence_s
        line = self._line()
        try:
            values = json.loads(line)
            kind = values.pop("kind")
        except (ValueError, KeyError, AttributeError, RecursionError, TypeError) as error:
            raise astray() from error
        self._ready = True
        if kind == messages.FRAME:
            return Heard(kind, values, self._bytes(messages.THUMBNAIL_BYTES))
        if kind == messages.SOUND:
            return Heard(
                kind, values, self._bytes(whole(values, "bytes", 0, messages.MOST_SOUND_BYTES))
            )
        return Heard(str(kind), values)

    def share(self, width: int, height: int) -> None:
        """Make the memory for pictures of one size, fix its size, and have the process go on."""
        picture = width * height * 3
        slots = max(1, min(_MOST_SLOTS, _RING_BYTES // picture))
        try:
            os.ftruncate(self._ring, picture * slots)
            fcntl.fcntl(self._ring, fcntl.F_ADD_SEALS, _SEALS)
        except OSError as error:
            raise astray() from error
        if os.fstat(self._ring).st_size != picture * slots:
            raise astray()
        ring = mmap.mmap(self._ring, picture * slots, prot=mmap.PROT_READ)
        self._slots = slots
        self._pictures = np.frombuffer(ring, np.uint8).reshape(slots, height, width, 3)
        self._write(slots)

    def picture(self, slot: int) -> NDArray[np.uint8]:
        """Give the picture in a slot: it holds until `give_back`."""
        if self._pictures is None or not 0 <= slot < self._slots:
            raise astray()
        picture: NDArray[np.uint8] = self._pictures[slot]
        return picture

    def give_back(self, slot: int) -> None:
        """Let the process write into a slot again; one that has said all needs none any more."""
        self._write(slot)

    def _write(self, number: int) -> None:
        # Whether a process that has ended died is seen by what it said last.
        with suppress(BrokenPipeError):
            try:
                os.write(self._slots_back, bytes([number]))
            except BlockingIOError as error:  # it takes none of its slots back
                raise astray() from error

    def _line(self) -> bytes:
        end = self._heard.find(b"\n")
        while end < 0:
            if len(self._heard) > messages.LONGEST_LINE:
                raise astray()
            self._read_more()
            end = self._heard.find(b"\n")
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._heard) < count:
            self._read_more()
        data = bytes(self._heard[:count])
        del self._heard[:count]
        return data

    def _read_more(self) -> None:
        began_s = time.monotonic()
        while not self._poll.poll(1000 * self._next_wait_s()):
            if not self._next_wait_s():
                raise InvalidClip(
                    f"Decoding the clip got stuck: no frame came for {self._silence_s:g} s. Convert"
                    " it, to MP4 for example, and retry."
                )
            self._go_on()
        self._patience_s -= time.monotonic() - began_s
        if self._patience_s < 0:
            raise InvalidClip(
                "Decoding the clip takes too long, again and again. Convert it, to MP4 for example,"
                " and retry."
            )
        data = os.read(self._out, _READ_AT_ONCE)
        if not data:
            raise self._dead()
        self._heard += data

    def _next_wait_s(self) -> float:
        return max(0.0, min(_ASK_EVERY_S, self._until - time.monotonic()))

    def _dead(self) -> EngineUnavailable | InvalidClip:
        code = self._process.wait()
        if not self._ready:
            return EngineUnavailable(_BROKEN)
        how = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        return InvalidClip(
            f"Decoding the clip failed: the process that decodes it ended ({how}). Convert it, to"
            " MP4 for example, and retry."
        )


def _start(task: dict[str, object], kept: tuple[int, ...]) -> "subprocess.Popen[bytes]":
    paths = [str(Path(path).resolve()) for path in sys.path if path]
    return subprocess.Popen(  # noqa: S603 -- this Python, with a program of ours
        [sys.executable, "-S", "-P", *_PROGRAM, json.dumps(task)],
        env={
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *paths]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            # Each thread that decodes would else set 64 MiB of addresses aside.
            "MALLOC_ARENA_MAX": "2",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        pass_fds=kept,
    )


def astray() -> InvalidClip:
    """Word that what a process says makes no sense: its clip may have taken it over."""
    return InvalidClip(
        "Decoding the clip went astray: what came of it makes no sense. Convert it, to MP4 for"
        " example, and retry."
    )


def whole(values: dict[str, Any], name: str, least: int, most: int) -> int:
    """Read a whole number; `astray` where it is none, or beyond what it may be."""
    value = values.get(name)
    if type(value) is not int or not least <= value <= most:
        raise astray()
    return value


def flag(values: dict[str, Any], name: str) -> bool:
    """Read whether something is so."""
    value = values.get(name)
    if type(value) is not bool:
        raise astray()
    return value


def number(values: dict[str, Any], name: str, most: float) -> float:
    """Read a number from 0 on."""
    value = values.get(name)
    if type(value) is not float or not 0 <= value <= most:
        raise astray()
    return value


def number_or_none(values: dict[str, Any], name: str) -> float | None:
    """Read a time that the clip claims; what is no time is none."""
    value = values.get(name)
    if type(value) is float and 0 <= value <= _MOST_S:
        return value
    return None


def short_name(values: dict[str, Any], name: str) -> str:
    """Read one of FFmpeg's short names."""
    value = values.get(name)
    if type(value) is not str or not _NAME.fullmatch(value):
        raise astray()
    return value
