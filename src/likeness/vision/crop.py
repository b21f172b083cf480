"""Cuts a face out of its picture, for people to look at when they compare."""

import cv2

from likeness.errors import Fault
from likeness.terms import Box, Image

_SIDE_PX = 256
_MARGIN = 0.35
_JPEG_QUALITY = 90
_GREY = (128, 128, 128)


def face_crop_jpeg(image: Image, box: Box) -> bytes:
    """Cut a face out, with a third of its size around it, as a JPEG of at most 256x256 pixels.

    `box` is in the picture's full frame. What lies beyond the picture is grey.
    """
    scale_x, scale_y = image.scale_xy
    height, width = image.pixels.shape[:2]
    half = max(box.width, box.height) * (0.5 + _MARGIN)
    centre_x, centre_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, right = round((centre_x - half) * scale_x), round((centre_x + half) * scale_x)
    top, bottom = round((centre_y - half) * scale_y), round((centre_y + half) * scale_y)
    inside = image.pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    crop = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=_GREY)
    if max(crop.shape) > _SIDE_PX:
        crop = cv2.resize(crop, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    parameters = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise Fault("OpenCV could not write a face as JPEG. Please report this.")
    return encoded.tobytes()


def box_in_crop(box: Box, width: int, height: int) -> Box:
    """Say where the face with a box in its picture is in a crop of it, of some size in pixels."""
    whole = max(box.width, box.height) * (1 + 2 * _MARGIN)
    half_x, half_y = width * box.width / whole / 2, height * box.height / whole / 2
    return Box(width / 2 - half_x, height / 2 - half_y, width / 2 + half_x, height / 2 + half_y)
