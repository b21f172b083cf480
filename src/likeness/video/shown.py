"""What the process that decodes says of all frames, and what it gives of each, made upright."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.video.clip import Clip
from likeness.video.decoding import messages
from likeness.video.planes import Planes
from likeness.video.process import (
    Heard,
    HeardProcess,
    astray,
    flag,
    number_or_none,
    short_name,
    whole,
)

_TURNS = {
    1: cv2.ROTATE_90_COUNTERCLOCKWISE,
    2: cv2.ROTATE_180,
    3: cv2.ROTATE_90_CLOCKWISE,
}


class Shown:
    """What all frames are like, by what `opened` says.

    `shape` is their width and height before they are turned.
    """

    def __init__(self, opened: dict[str, Any], most_pixels: int) -> None:
        width = whole(opened, "width", 1, most_pixels)
        height = whole(opened, "height", 1, most_pixels)
        if width * height > most_pixels:
            raise astray()
        self.shape = width, height
        self._quarters = whole(opened, "quarters", 0, 3)
        self._mirrored = flag(opened, "mirrored")
        self.clip = Clip(
            container=short_name(opened, "container"),
            codec=short_name(opened, "codec"),
            width=height if self._quarters % 2 else width,
            height=width if self._quarters % 2 else height,
            duration_s=number_or_none(opened, "duration_s"),
            frame_rate=number_or_none(opened, "frame_rate"),
            full_range=flag(opened, "full_range"),
            remarks=_remarks(opened),
        )

    def picture(self, process: HeardProcess, heard: Heard) -> Image:
        """Copy a frame's picture, and let its memory be written into again."""
        slot = whole(heard.values, "slot", 0, 255)
        image = Image.of(self._upright(process.picture(slot)))
        process.give_back(slot)
        return image

    def planes(self, process: HeardProcess, heard: Heard) -> Planes:
        """Copy a frame's samples, and let their memory be written into again."""
        slot = whole(heard.values, "slot", 0, 255)
        planes = Planes.of(process.picture(slot).reshape(-1), *self.shape).within_range()
        process.give_back(slot)
        return planes.each(self._upright) if self._mirrored or self._quarters else planes

    def thumbnail(self, heard: Heard) -> NDArray[np.uint8]:
        """Copy a frame's thumbnail, upright: (h, w, 3) RGB."""
        across, down = messages.THUMBNAIL_WH
        if self._quarters % 2:
            across, down = down, across
        return self._upright(np.frombuffer(heard.payload, np.uint8).reshape(down, across, 3))

    def _upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Copy pixels or samples, turned as they have to be."""
        if self._mirrored:
            pixels = pixels[:, ::-1].copy()  # of one column it would be contiguous as it is
        if self._quarters:
            return np.asarray(cv2.rotate(pixels, _TURNS[self._quarters]), np.uint8)
        return pixels if self._mirrored else pixels.copy()


def _remarks(opened: dict[str, Any]) -> tuple[str, ...]:
    hdr, interlaced = flag(opened, "hdr"), flag(opened, "interlaced")
    deep = whole(opened, "bits", 1, 64) > 8
    stretched = flag(opened, "stretched")
    return (
        *(("its pixels are not square: frames were stretched",) if stretched else ()),
        *(("its HDR light was brought to the usual range",) if hdr else ()),
        *(("its samples of more than 8 bits were reduced to 8",) if deep and not hdr else ()),
        *(("its interlaced frames were made whole",) if interlaced else ()),
    )
