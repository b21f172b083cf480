"""Clips whose people are discs of a colour, as homes of `tests.service.people` see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.video.clips import every, make_clip

SIZE_WH = 320, 240
RADIUS = 34


@dataclass(frozen=True)
class Disc:
    """Somebody who moves in a straight line while they are in view."""

    colour: tuple[int, int, int]
    from_s: float = 0.0
    to_s: float = 1e9
    from_xy: tuple[float, float] = (160, 120)
    to_xy: tuple[float, float] | None = None

    def at(self, time_s: float, seconds: float) -> tuple[int, int]:
        """Say where the middle is at a moment."""
        end_s = min(self.to_s, seconds)
        share = (time_s - self.from_s) / max(1e-6, end_s - self.from_s)
        (x, y), (u, v) = self.from_xy, self.to_xy or self.from_xy
        return round(x + share * (u - x)), round(y + share * (v - y))


def clip_of_discs(
    path: Path, discs: Sequence[Disc], seconds: float = 3.0, fps: int = 10, **recipe: object
) -> Path:
    """Draw a clip on grey; the discs have grain, so that they look sharp."""
    width, height = SIZE_WH
    grain = np.random.default_rng(3).normal(0, 25, (height, width, 3))
    times_s = every(1 / fps, round(seconds * fps))

    def draw(number: int) -> NDArray[np.uint8]:
        pixels = np.full((height, width, 3), 128.0)
        for disc in discs:
            if disc.from_s <= times_s[number] < disc.to_s:
                place = np.zeros((height, width), np.uint8)
                cv2.circle(place, disc.at(times_s[number], seconds), RADIUS, 255, -1)
                pixels[place > 0] = (np.array(disc.colour) + grain)[place > 0]
        return pixels.clip(0, 255).astype(np.uint8)

    path.parent.mkdir(parents=True, exist_ok=True)
    return make_clip(path, times_s=times_s, size=SIZE_WH, draw=draw, **recipe)
