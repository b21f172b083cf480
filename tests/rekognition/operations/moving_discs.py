"""Clips of people who are discs, and waiting for jobs as AWS's samples do."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.rekognition.operations.discs import Colour
from tests.video.clips import every, make_clip

Seen = tuple[Colour, int, int, int]


def clip_of(path: Path, *seen: Seen, frames: int = 40) -> Path:
    """Make a clip of discs, ten frames a second.

    Each has a colour, a place from the left, and the frames from one on and before another.
    """
    grain = np.random.default_rng(3).normal(0, 25, (180, 320, 3))

    def draw(number: int) -> NDArray[np.uint8]:
        pixels = np.full((180, 320, 3), 128.0)
        for colour, x, begin, end in seen:
            if begin <= number < end:
                inside = np.zeros((180, 320), np.uint8)
                cv2.circle(inside, (x + number // 2, 90), 40, 255, -1)
                pixels[inside > 0] = (np.array(colour) + grain)[inside > 0]
        return pixels.clip(0, 255).astype(np.uint8)

    return make_clip(path, times_s=every(0.1, frames), size=(320, 180), draw=draw)


def finished(get: Callable[..., Any], job_id: str) -> Any:
    """Wait until a job has ended; give its first page."""
    ends = time.monotonic() + 120
    while (page := get(JobId=job_id))["JobStatus"] == "IN_PROGRESS":
        assert time.monotonic() < ends
        time.sleep(0.1)
    return page
