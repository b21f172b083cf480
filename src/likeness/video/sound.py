"""A clip's sound as plain samples, decoded in a process of its own, without a gap in time."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidClip
from likeness.video.clip import ClipLimits, Sampling
from likeness.video.decoding import messages
from likeness.video.process import DecoderProcess, Heard, astray, flag, number, whole

Samples = NDArray[np.int16]

# Sound that is less beside its time is left where it is: nobody sees it, and each correction is
# heard. Lips that are late by 45 ms are (ITU-R BT.1359).
_SLACK_S = 0.03
# Silence is given in pieces of a second.
_MOST_SILENCE_S = 1.0
# Behind the last frame, sound goes on up to a gap that is longer.
_LONGEST_GAP_S = 10.0
_MOST_CHANNELS = 2
_RATES = 8000, 48_000


@dataclass(frozen=True, slots=True)
class SoundForm:
    """How many samples a second there are, and channels: one or two."""

    rate: int
    channels: int


class ClipSound:
    """The sound of a clip, from where `sampling` begins: (n, channels) int16, once, in order.

    It is silent where the clip has no sound. It belongs to the thread that opened it; another may
    read it. `remarks` say what is lost or converted, and are whole once all was read. `form` is
    None where the clip has no sound that can be decoded.
    """

    def __init__(self, process: DecoderProcess, sampling: Sampling, limits: ClipLimits) -> None:
        self._process = process
        self._begins_s = sampling.from_s
        self._most_s = limits.max_s
        self._most = math.inf
        self._at = 0
        self._apart = False
        self._piece: tuple[int, Samples] | None = None
        self._over = False
        self.remarks: tuple[str, ...] = ()
        self.form = self._opened()
        if self.form is not None and sampling.to_s is not None:
            self._most = round((sampling.to_s - sampling.from_s) * self.form.rate)

    def _opened(self) -> SoundForm | None:
        if self._process.hear().kind != messages.READY:
            raise astray()
        heard = self._process.hear()
        if heard.kind == messages.FAILED:
            self._over = True
            if heard.values.get("reason") != messages.NO_SOUND:
                self._remark("its sound cannot be decoded: it was left out")
            return None
        if heard.kind != messages.SOUND_OPENED:
            raise astray()
        tracks = whole(heard.values, "tracks", 1, 1 << 20)
        if tracks > 1:
            self._remark(f"only one of its {tracks} soundtracks was kept")
        if flag(heard.values, "mixed"):
            self._remark("its sound of many channels was mixed down to two")
        return SoundForm(
            whole(heard.values, "rate", *_RATES), whole(heard.values, "channels", 1, _MOST_CHANNELS)
        )

    def until(self, time_s: float) -> Iterator[Samples]:
        """Give what comes before a moment, in seconds from where it begins, or a little more."""
        if self.form is not None:
            yield from self._given(self.form, time_s * self.form.rate, math.inf)

    def rest(self) -> Iterator[Samples]:
        """Give all that comes yet, up to the next long gap."""
        if self.form is not None:
            yield from self._given(self.form, math.inf, _LONGEST_GAP_S * self.form.rate)

    def _given(self, form: SoundForm, ends: float, longest_gap: float) -> Iterator[Samples]:
        ends = min(ends, self._most)
        while self._at < ends:
            if self._piece is None and not self._over:
                self._piece = self._heard()
            if self._piece is None or self._piece[0] - self._at > longest_gap:
                return
            samples = self._next(form, *self._piece, ends)
            self._at += len(samples)
            if samples.size:
                yield samples

    def _next(self, form: SoundForm, begins: int, samples: Samples, ends: float) -> Samples:
        """Give silence before a piece, or the piece, or what is left of one that is late."""
        beside = begins - self._at
        slack = 0 if self._apart else _SLACK_S * form.rate
        self._apart = beside > slack
        if self._apart:
            most = min(beside, _MOST_SILENCE_S * form.rate, ends - self._at + 1)
            return np.zeros((int(most), form.channels), np.int16)
        self._piece = None
        if beside < -slack:
            samples = samples[-beside:]
        return samples[: int(min(len(samples), self._most - self._at))]

    def _heard(self) -> tuple[int, Samples] | None:
        """Hear the next piece, and at which sample it begins; pictures go on without sound."""
        try:
            heard = self._process.hear()
            while heard.kind == messages.PASSED:
                heard = self._process.hear()
            if heard.kind == messages.SOUND:
                return self._read(heard)
            if heard.kind != messages.ENDED:
                raise astray()
            if whole(heard.values, "damaged", 0, 1 << 40):
                self._remark("damaged pieces of its sound were left out")
        except InvalidClip:
            at_s = self._at / self.form.rate if self.form else 0.0
            self._remark(f"its sound cannot be decoded beyond {self._begins_s + at_s:.1f} s")
        self._over = True
        return None

    def _read(self, heard: Heard) -> tuple[int, Samples]:
        form, time_s = self.form, number(heard.values, "time_s", self._most_s)
        if form is None or len(heard.payload) % (2 * form.channels):
            raise astray()
        samples = np.frombuffer(heard.payload, "<i2").reshape(-1, form.channels)
        return round((time_s - self._begins_s) * form.rate), samples

    def _remark(self, remark: str) -> None:
        self.remarks = (*self.remarks, remark)


@contextmanager
def sound_of(
    descriptor: int,
    sampling: Sampling,
    limits: ClipLimits,
    go_on: Callable[[], object] = lambda: None,
) -> Iterator[ClipSound]:
    """Open the sound of a clip, and end the process that decodes it afterwards.

    `descriptor` is of a regular file, open to be read alone. `go_on` is called while sound is
    waited for: what it raises ends that.

    Raises:
        InvalidClip: the process that decodes it dies at once, or makes no sense.
        EngineUnavailable: PyAV is missing.
    """
    size = os.fstat(descriptor).st_size
    process = DecoderProcess(descriptor, size, sampling, limits, go_on, sound=True)
    try:
        yield ClipSound(process, sampling, limits)
    finally:
        process.close()
