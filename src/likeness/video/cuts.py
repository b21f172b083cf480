"""Finds where a camera cuts, from thumbnails alone.

Two frames are compared by the correlation of their pixels, which neither light nor contrast
changes, and where that is low, by the best one of all shifts, so that a pan is none. A cut is

1. a change far greater than those right before and after it (a fast pan, or somebody who walks
   through the picture, changes many frames in a row),
2. that lasts: after a flash, a strobe, an explosion or a damaged frame the picture comes back; or
3. a dissolve: a frame that is a mixture of what was before and what comes after.

Frames in which nothing is seen, all black or all white, are passed over, so that a fade through
black is a change like any other; where they last, the camera has cut to them.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

AHEAD_S = 0.6
"""How much later it is known for certain that there was a cut."""
_BEHIND_S = 1.2

_SMALL = (32, 18)  # columns, rows
_PADDED = (36, 64)  # rows, columns: room for every shift
_LEAST_OVERLAP = 0.35
_NOTHING_SEEN = 4.0  # standard deviation of grey values, 0 to 255
_ALIKE = 0.9
# A change that is a cut, and how many times greater it is than those beside it.
_CHANGE, _TIMES = 0.10, 5.0
_GREAT_CHANGE, _GREAT_TIMES = 0.35, 2.5
_BESIDE = 2
# The picture that comes back is as it was but for this share of the change.
_BACK = 0.5
# It comes back after so long whatever was between, and later where that was light or dark.
_BLINK_S = 0.13
_LIGHT = 18.0  # grey values, 0 to 255, by which a flash is lighter
# A dissolve is looked for between frames so far before and after.
_DISSOLVES_S = 0.5
_UNLIKE = 0.6
_MIXED = 0.92  # of the variance
_SHARE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame: `rows` is its small picture about the mean of each channel, of length one."""

    time_s: float
    rows: Grey
    grey: Grey
    light: float
    change: float
    """From the frame before in which something is seen, 0 to 2."""
    begins_s: float
    """When a cut before it is: at the first frame in which nothing is seen, else its own time."""


class CutFinder:
    """Finds the cuts of a clip; frames come in the order of time."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque()
        self._undecided = 0  # index of the first frame of which nothing is decided
        self._blank_s: float | None = None
        self._blank_is_cut = False
        self._last_cut_s = -np.inf
        self._now_s = -np.inf
        self._found: list[float] = []

    def see(self, time_s: float, thumbnail: NDArray[np.uint8]) -> None:
        """Take the next frame, (h, w, 3) uint8."""
        self._now_s = time_s
        small = cv2.resize(thumbnail, _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
        grey = np.asarray(small @ np.array([0.299, 0.587, 0.114], np.float32))
        if float(grey.std()) < _NOTHING_SEEN:
            self._see_nothing(time_s)
        else:
            self._see_something(time_s, small, grey)
        self._decide(time_s - AHEAD_S)

    def finish(self) -> None:
        """Decide on every frame with what was seen; nothing comes any more."""
        self._decide(np.inf)

    @property
    def suspects(self) -> bool:
        """Whether the newest frame may be the first after a cut, as far as is known by now."""
        return bool(self._seen) and self._is_hard_cut(len(self._seen) - 1)

    @property
    def last_cut_s(self) -> float:
        """When the latest cut that is known was."""
        return self._last_cut_s

    @property
    def known_until_s(self) -> float:
        """Before this moment every cut is known."""
        if self._undecided < len(self._seen):
            return min(self._seen[self._undecided].begins_s, self._now_s - AHEAD_S)
        return self._now_s - AHEAD_S

    def take_until(self, time_s: float) -> bool:
        """Say whether there are cuts up to a moment, and forget them."""
        found = [cut_s for cut_s in self._found if cut_s <= time_s]
        self._found = self._found[len(found) :]
        return bool(found)

    def _see_nothing(self, time_s: float) -> None:
        if self._blank_s is None:
            self._blank_s, self._blank_is_cut = time_s, False
        if self._seen and not self._blank_is_cut and time_s - self._blank_s >= AHEAD_S:
            self._decide(np.inf)
            self._cut_at(self._blank_s)
            self._blank_is_cut = True

    def _see_something(self, time_s: float, small: Grey, grey: Grey) -> None:
        begins_s = time_s if self._blank_s is None else self._blank_s
        after_cut = self._blank_s is not None and self._blank_is_cut
        self._blank_s = None
        rows = (small - small.mean(axis=(0, 1))).ravel()
        rows /= max(float(np.linalg.norm(rows)), 1e-6)
        if after_cut or not self._seen:
            # What is before a long darkness is no matter to what comes after it.
            self._seen.clear()
            self._undecided = 0
        before = self._seen[-1] if self._seen else None
        seen = _Seen(time_s, rows, grey, float(grey.mean()), 0.0, begins_s)
        if before is not None:
            change = 1 - _alikeness(before, seen)
            seen = _Seen(time_s, rows, grey, seen.light, change, begins_s)
        self._seen.append(seen)

    def _decide(self, until_s: float) -> None:
        while self._undecided < len(self._seen) and self._seen[self._undecided].time_s <= until_s:
            seen = self._seen[self._undecided]
            if self._is_hard_cut(self._undecided):
                self._cut_at(seen.begins_s)
            elif self._is_dissolve(self._undecided):
                self._cut_at(seen.time_s)
            self._undecided += 1
            while self._seen[0].time_s < seen.time_s - _BEHIND_S:
                self._seen.popleft()
                self._undecided -= 1

    def _cut_at(self, time_s: float) -> None:
        self._found.append(time_s)
        self._last_cut_s = time_s

    def _is_hard_cut(self, index: int) -> bool:
        change = self._seen[index].change
        if change < _CHANGE:
            return False
        beside = [
            self._seen[other].change
            for other in range(index - _BESIDE, index + _BESIDE + 1)
            if other != index and 0 < other < len(self._seen)
        ]
        usual = sorted(beside)[-2] if len(beside) > 1 else 0.0
        isolated = change >= _TIMES * usual or (
            change >= _GREAT_CHANGE and change >= _GREAT_TIMES * usual
        )
        return isolated and not self._comes_back(index)

    def _comes_back(self, index: int) -> bool:
        """Whether the picture from before a change is there again after it."""
        seen = self._seen
        change = seen[index].change
        for before in range(index - 1, -1, -1):
            a = seen[before]
            if seen[index].time_s - a.time_s > AHEAD_S:
                break
            for after in range(index, len(seen)):
                b = seen[after]
                if b.time_s - seen[index].time_s > AHEAD_S:
                    break
                between = [seen[one] for one in range(before + 1, after)]
                if not between:
                    continue
                blink = between[-1].time_s - between[0].time_s < _BLINK_S
                light = all(
                    min(abs(one.light - a.light), abs(one.light - b.light)) >= _LIGHT
                    for one in between
                )
                if (blink or light) and 1 - _alikeness(a, b) <= _BACK * change:
                    return True
        return False

    def _is_dissolve(self, index: int) -> bool:
        seen, middle = self._seen, self._seen[index]
        if middle.time_s - self._last_cut_s < 2 * _DISSOLVES_S:
            return False
        before = _at(seen, index, -1)
        after = _at(seen, index, 1)
        if before is None or after is None or float(before.rows @ after.rows) > _UNLIKE:
            return False
        ends = np.stack([before.rows, after.rows])
        shares = np.linalg.lstsq(ends @ ends.T, ends @ middle.rows, rcond=None)[0]
        explained = float(shares @ ends @ middle.rows)
        least = float(shares.min() / max(shares.sum(), 1e-6))
        if explained < _MIXED or least < _SHARE:
            return False
        return _alikeness(before, after) < _UNLIKE


def _at(seen: deque[_Seen], index: int, direction: int) -> _Seen | None:
    """Give the first frame that is half a second before or after another; None without one."""
    other = index
    while 0 <= other < len(seen):
        if abs(seen[other].time_s - seen[index].time_s) >= _DISSOLVES_S:
            return seen[other]
        other += direction
    return None


def _alikeness(a: _Seen, b: _Seen) -> float:
    """Correlate two frames, -1 to 1, where one may be the other shifted."""
    plain = float(a.rows @ b.rows)
    return plain if plain >= _ALIKE else max(plain, _best_shifted(a.grey, b.grey))


_MASK = np.zeros(_PADDED, np.float32)
_MASK[: _SMALL[1], : _SMALL[0]] = 1
_MASK_F = np.fft.rfft2(_MASK)


def _correlated(a: NDArray[np.complex128], b: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.fft.irfft2(np.conj(a) * b, _PADDED)


_SHARED = np.maximum(_correlated(_MASK_F, _MASK_F), 1e-3)
_ALLOWED = _LEAST_OVERLAP * _MASK.sum() <= _SHARED


def _best_shifted(a: Grey, b: Grey) -> float:
    """Give the best correlation of what two pictures share, over all shifts of one of them.

    Padfield, Masked Object Registration in the Fourier Domain, 2012.
    """
    first, second = a - a.mean(), b - b.mean()
    padded = np.zeros((4, *_PADDED))
    padded[:, : _SMALL[1], : _SMALL[0]] = first, first**2, second, second**2
    a_f, a2_f, b_f, b2_f = np.fft.rfft2(padded)
    sum_a, sum_b = _correlated(a_f, _MASK_F), _correlated(_MASK_F, b_f)
    shared = _correlated(a_f, b_f) - sum_a * sum_b / _SHARED
    spread_a = _correlated(a2_f, _MASK_F) - sum_a**2 / _SHARED
    spread_b = _correlated(_MASK_F, b2_f) - sum_b**2 / _SHARED
    least = _NOTHING_SEEN**2 * _SHARED
    allowed = _ALLOWED & (spread_a > least) & (spread_b > least)
    if not allowed.any():
        return -1.0
    return float((shared[allowed] / np.sqrt(spread_a[allowed] * spread_b[allowed])).max())
