"""The process that decodes, from outside: it is started, heard, never believed, and ended.

1. It gets nothing but the clip (a descriptor that only reads) or a socket of which a stream comes,
   two pipes and memory to share: a clean environment, no other descriptor.
2. Whatever it says may come from a clip that took it over: lines are short, each value is checked,
   sizes are those that were agreed, and the shared memory can no longer change its own.
3. Nobody waits for it for ever: one that says nothing for too long is ended.
4. It ends with whoever asked for it, however that goes.
"""

import errno
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

from likeness.errors import EngineUnavailable, Fault, InvalidClip
from likeness.video.clip import ClipLimits, Form, Sampling
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
RING_BYTES = 256 << 20
_MOST_SLOTS = 4
# Seconds of processor time for each second of the longest clip.
_PROCESSOR_TIME = 10
_ASK_EVERY_S = 0.5
# What a limit on files or memory answers with, whatever the clip is.
_SHORT_OF_MEMORY = (errno.EFBIG, errno.ENOSPC, errno.ENOMEM)
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that the process said: its kind, its values, and a thumbnail or samples."""

    kind: str
    values: dict[str, Any]
    payload: bytes = b""


class DecodingBroken(InvalidClip):
    """The process that decodes is heard no more, or makes no sense; `problem` says how."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Decoding the clip {problem}. Convert it, to MP4 for example, and retry.")
        self.problem = problem


class HeardProcess:
    """A process that decodes, for the thread that makes it; close it.

    `asked` is what it is to do, beside the descriptors that all have; `kept` are those that it has
    besides. `go_on` is called all the while that it is heard or waited for: what it raises ends
    that. `patience_s` is for all waits together. The memory for pictures has `ring_bytes`, or as
    many as the first `share` says.

    Raises:
        EngineUnavailable: PyAV is missing, or the process does not start.
    """

    def __init__(
        self,
        asked: dict[str, object],
        kept: tuple[int, ...],
        *,
        silence_s: float,
        patience_s: float = math.inf,
        ring_bytes: int = 0,
        go_on: Callable[[], object] = lambda: None,
        ask_every_s: float = _ASK_EVERY_S,
    ) -> None:
        if importlib.util.find_spec("av") is None:
            raise EngineUnavailable(MISSING)
        self._go_on = go_on
        self._ask_every_s = ask_every_s
        self._silence_s = silence_s
        self._patience_s = patience_s
        self._heard = bytearray()
        self._ready = False
        self._slots = 0
        self._memory: mmap.mmap | None = None
        self._pictures: NDArray[np.uint8] | None = None
        self._ring = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._out, out = os.pipe()
        slots_back, self._slots_back = os.pipe()
        os.set_blocking(self._slots_back, False)
        self._until = 0.0
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        try:
            if ring_bytes:
                self._make_memory(ring_bytes)
                os.set_blocking(slots_back, False)  # it never waits for a slot
            task = {
                "parent": os.getpid(),
                "out": out,
                "slots_back": slots_back,
                "ring": self._ring,
                **asked,
            }
            self._process = _start(task, (*kept, out, slots_back, self._ring))
        except (OSError, DecodingBroken) as error:
            self._close_files()
            raise EngineUnavailable(_BROKEN) from error
        finally:
            os.close(out)
            os.close(slots_back)

    @property
    def id(self) -> int:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """End the process, whatever it does, and free what it shared."""
        self._process.kill()
        self._process.wait()
        self._pictures = self._memory = None  # frames were copied out of it
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
        """Divide the memory for pictures of one size, and have the process go on."""
        picture = width * height * 3
        slots = max(1, min(_MOST_SLOTS, RING_BYTES // picture))
        memory = self._memory or self._make_memory(picture * slots)
        self._slots = slots
        whole = np.frombuffer(memory, np.uint8, picture * slots)
        self._pictures = whole.reshape(slots, height, width, 3)
        self._write(slots)

    def _make_memory(self, size: int) -> mmap.mmap:
        """Give the memory its size, for good."""
        try:
            os.ftruncate(self._ring, size)
            fcntl.fcntl(self._ring, fcntl.F_ADD_SEALS, _SEALS)
        except OSError as error:
            if error.errno in _SHORT_OF_MEMORY:
                raise Fault(
                    f"There is no memory for a clip's pictures, {size:,} bytes ({error.strerror})."
                    " Raise what limits this process, such as `ulimit -f`."
                ) from error
            raise astray() from error
        if os.fstat(self._ring).st_size != size:
            raise astray()
        self._memory = mmap.mmap(self._ring, size, prot=mmap.PROT_READ)
        return self._memory

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
                raise DecodingBroken(f"got stuck: no frame came for {self._silence_s:g} s")
            self._go_on()
        self._patience_s -= time.monotonic() - began_s
        if self._patience_s < 0:
            raise DecodingBroken("takes too long, again and again")
        data = os.read(self._out, _READ_AT_ONCE)
        if not data:
            raise self._dead()
        self._heard += data

    def _next_wait_s(self) -> float:
        return max(0.0, min(self._ask_every_s, self._until - time.monotonic()))

    def _dead(self) -> EngineUnavailable | InvalidClip:
        code = self._process.wait()
        if not self._ready:
            return EngineUnavailable(_BROKEN)
        how = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        return DecodingBroken(f"failed: the process that decodes it ended ({how})")


class DecoderProcess(HeardProcess):
    """Decodes one clip.

    `clip` is a descriptor of a regular file of `size` bytes, open to be read alone. Where `sound`
    is wanted, its sound is decoded in place of its pictures.
    """

    def __init__(
        self,
        clip: int,
        size: int,
        sampling: Sampling,
        limits: ClipLimits,
        go_on: Callable[[], object] = lambda: None,
        *,
        form: Form = Form.RGB,
        sound: bool = False,
    ) -> None:
        processor_s = math.ceil(limits.max_s * _PROCESSOR_TIME)
        asked = {
            "clip": clip,
            "size": size,
            "sound": sound,
            "form": form,
            **asdict(sampling),
            "longest_s": limits.max_s,
            "most_pixels": limits.max_pixels,
            "memory": limits.memory,
            "processor_s": processor_s,
        }
        super().__init__(
            asked,
            (clip,),
            silence_s=limits.silence_s,
            patience_s=processor_s,  # sleep between frames takes no processor time
            go_on=go_on,
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
    return DecodingBroken("went astray: what came of it makes no sense")


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
