"""The demonstration's clip: portraits that come, go and return before two backgrounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from likeness.demo.group_picture import BACKGROUND, HEIGHT, WIDTH, Pixels
from likeness.terms import Box
from likeness.video import ClipWriter

CLIP_WIDTH, CLIP_HEIGHT = 960, 540
FRAMES_PER_S = 25
CUT_S, LENGTH_S = 4.0, 8.0
_STRIP_HEIGHT = 60
_SCALE = 0.6
_TEXT_SIZE = 17
_INK, _WARNING_INK = (200, 200, 200), (255, 196, 87)
# What is behind people before the cut and after it: from left to right.
_BEHIND = ((40, 70, 90), (90, 70, 40)), ((110, 120, 105), (60, 75, 95))


@dataclass(frozen=True, slots=True)
class Sight:
    """When somebody is in the clip, and where their portrait's middle goes, in shares of a frame.

    Beyond 0 and 1 it is out of view, so that they come in and go out.
    """

    name: str
    from_s: float
    to_s: float
    from_xy: tuple[float, float]
    to_xy: tuple[float, float]

    def middle(self, time_s: float) -> tuple[float, float] | None:
        """Say where the middle is at a moment; None where they are not there."""
        if not self.from_s <= time_s < self.to_s:
            return None
        done = (time_s - self.from_s) / (self.to_s - self.from_s)
        (x, y), (to_x, to_y) = self.from_xy, self.to_xy
        return x + done * (to_x - x), y + done * (to_y - y)


def shown_at(sights: tuple[Sight, ...], time_s: float, box: Box) -> str | None:
    """Say who the clip shows where a box is; None where it shows nobody at all."""
    middle = (box.left + box.right) / 2 / CLIP_WIDTH
    there = [
        (abs(at[0] - middle), one.name) for one in sights if (at := one.middle(time_s)) is not None
    ]
    return min(there, default=(0.0, None))[1]


def write_clip(
    path: Path, portraits: Mapping[str, Pixels], sights: tuple[Sight, ...], lines: tuple[str, str]
) -> None:
    """Write the clip.

    Args:
        path: where.
        portraits: of each name (600, 480, 3) RGB.
        sights: when who is where.
        lines: what is below every frame; the second is a warning.
    """
    small = {name: _small(pixels) for name, pixels in portraits.items()}
    strip = _strip(lines)
    with ClipWriter(path, CLIP_WIDTH, CLIP_HEIGHT) as writer:
        for time_s, frame in _frames(small, sights):
            frame[-_STRIP_HEIGHT:] = strip
            writer.write(frame, time_s)


def _frames(
    portraits: Mapping[str, Pixels], sights: tuple[Sight, ...]
) -> Iterator[tuple[float, Pixels]]:
    backgrounds = [_background(*colours) for colours in _BEHIND]
    for number in range(round(LENGTH_S * FRAMES_PER_S)):
        time_s = number / FRAMES_PER_S
        frame = backgrounds[time_s >= CUT_S].copy()
        for sight in sights:
            if (middle := sight.middle(time_s)) is not None:
                _paste(frame, portraits[sight.name], *middle)
        yield time_s, frame


def _background(left: tuple[int, int, int], right: tuple[int, int, int]) -> Pixels:
    share = np.linspace(0, 1, CLIP_WIDTH)[None, :, None]
    row = (1 - share) * np.array(left) + share * np.array(right)
    return np.ascontiguousarray(np.broadcast_to(row, (CLIP_HEIGHT, CLIP_WIDTH, 3)), np.uint8)


def _small(pixels: Pixels) -> Pixels:
    size = round(WIDTH * _SCALE), round(HEIGHT * _SCALE)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _paste(frame: Pixels, portrait: Pixels, x: float, y: float) -> None:
    """Paste a portrait with its middle somewhere; what is beyond the frame is cut off."""
    height, width = portrait.shape[:2]
    left, top = round(x * CLIP_WIDTH - width / 2), round(y * CLIP_HEIGHT - height / 2)
    from_x, from_y = max(0, -left), max(0, -top)
    to_x, to_y = min(width, CLIP_WIDTH - left), min(height, CLIP_HEIGHT - top)
    if from_x < to_x and from_y < to_y:
        frame[top + from_y : top + to_y, left + from_x : left + to_x] = portrait[
            from_y:to_y, from_x:to_x
        ]


def _strip(lines: tuple[str, str]) -> Pixels:
    picture = Pillow.new("RGB", (CLIP_WIDTH, _STRIP_HEIGHT), (BACKGROUND,) * 3)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(_TEXT_SIZE)
    for place, (line, ink) in enumerate(zip(lines, (_INK, _WARNING_INK), strict=True)):
        pen.text((12, 8 + place * (_TEXT_SIZE + 6)), line, ink, font)
    return np.asarray(picture)
