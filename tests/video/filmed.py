"""A stand-in for what watches a source: it gives the frames of a script, as fast as it is asked."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Closing, Image
from likeness.video import Frame, LiveFrame, StreamState, StreamStatus

STEP_S = 0.2
AWAY = "The source stopped sending."

Script = Sequence[NDArray[np.uint8] | None]
"""Pictures, (h, w, 3) RGB, a fifth of a second apart; None where the source is away."""


def watching(script: Script) -> Callable[..., "FilmedStream"]:
    """Give what takes the place of `LiveStream`, for any source."""

    def watch(source: object, *, clock: Callable[[], datetime], **unused: object) -> FilmedStream:
        return FilmedStream(script, clock())

    return watch


class FilmedStream(Closing):
    """Gives the frames of a script, and ends."""

    def __init__(self, script: Script, began: datetime) -> None:
        self._script = list(script)
        self._began = began
        self._next = 0
        self.status = StreamStatus()

    def next(self, timeout_s: float) -> LiveFrame | None:
        """Give the next frame; nothing newer has come whenever nobody waits."""
        if not timeout_s:
            return None
        number, self._next = self._next, self._next + 1
        if number >= len(self._script):
            self.status = StreamStatus(StreamState.ENDED)
            return None
        pixels = self._script[number]
        if pixels is None:
            self.status = StreamStatus(StreamState.WAITING, AWAY)
            return None
        self.status = StreamStatus(StreamState.RECEIVING)
        time_s = number * STEP_S
        thumbnail = cv2.resize(pixels, (64, 36), interpolation=cv2.INTER_AREA)
        frame = Frame(number, time_s, np.asarray(thumbnail, np.uint8), Image.of(pixels.copy()))
        return LiveFrame(frame, 1, monotonic(), self._began + timedelta(seconds=time_s))

    def close(self) -> None:
        """Let go of nothing."""
