"""Clips of discs that come and go, for the networks that see discs (`conftest.py`)."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.video.clips import every, make_clip

Colour = tuple[int, int, int]

WIDTH, HEIGHT = 480, 240
FRAMES_PER_S = 10
_SPOTS = np.random.default_rng(0).integers(-20, 21, (HEIGHT // 4, WIDTH // 4)).astype(np.float32)
_GRAIN = cv2.resize(_SPOTS, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)[..., None]


def frame(*discs: tuple[Colour, float, float]) -> NDArray[np.uint8]:
    """Discs on grey: of each its colour, and where its middle is.

    They have a grain, since nobody is recognised by a look without any detail.
    """
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    shown = np.zeros((HEIGHT, WIDTH), np.uint8)
    for colour, x, y in discs:
        middle = round(x), round(y)
        cv2.circle(pixels, middle, 50, colour, -1)
        cv2.circle(shown, middle, 48, 1, -1)
    grain = np.where(shown[..., None], _GRAIN, 0)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def clip_of(
    path: Path, sights: Sequence[tuple[Colour, float, float, float]], length_s: float = 4.0
) -> Path:
    """Make a clip in which discs of a colour are in view from a moment to another, at some x."""

    def draw(number: int) -> NDArray[np.uint8]:
        at_s = number / FRAMES_PER_S
        return frame(
            *(
                (colour, x + 4 * (at_s - begins_s), HEIGHT / 2)
                for colour, begins_s, ends_s, x in sights
                if begins_s <= at_s < ends_s
            )
        )

    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = every(1 / FRAMES_PER_S, round(length_s * FRAMES_PER_S))
    return make_clip(path, times_s=times_s, size=(WIDTH, HEIGHT), draw=draw)
