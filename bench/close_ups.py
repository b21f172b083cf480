"""Is a face that fills the picture found, and found once? Photographs cropped to the face.

Each crop is 1 to 2 times as wide and as tall as the box of the largest face, as far as the picture
goes, and is scaled to 160 to 3,000 px along its longer side. A crop into which another face of the
picture reaches is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bench.detection import Floats, Pixels, overlaps
from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, at_least
from bench.workplace import data, pictures_in, sample_of
from likeness.terms import in_parallel
from likeness.vision.decode import read_sample
from likeness.vision.detections import areas, shared_areas

_CROPS = {"fairface540": 120, "lfw_view1": 120, "deepface_pairs": 60}
_LEAST_ZOOM, _MOST_ZOOM = 1.0, 2.0
_LEAST_SIDE, _LARGE, _MOST_SIDE = 160, 1000, 3000
_LEAST_FACE = 40
# What shares more of its own area with the face is found of the same face.
_SAME = 0.5
_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class CloseUp:
    """A crop, (h, w, 3) RGB, of a picture of a set; where the face is in it, (4,)."""

    group: str
    pixels: Pixels
    face_xyxy: Floats

    @property
    def side(self) -> int:
        """Pixels along the longer side."""
        return int(max(self.pixels.shape[:2]))


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many faces were found in a crop, and whether one is where it is known to be.

    `overlap` is the most intersection over union with the box in the whole picture.
    """

    group: str
    side: int
    faces: int
    in_place: bool
    overlap: float

    @property
    def once(self) -> bool:
        return self.faces == 1 and self.in_place


def _close_ups(full: bool) -> Measurement:
    counted = [
        one
        for name, crops in _CROPS.items()
        for one in in_parallel(_count, _crops(name, crops), likeness().workers)
    ]
    by_set = {name: [one for one in counted if one.group == name] for name in _CROPS}
    small = [one for one in counted if one.side < _LARGE]
    large = [one for one in counted if one.side >= _LARGE]
    sets = ", ".join(f"{len(each)} of {name}" for name, each in by_set.items())
    return Measurement(
        _share_once(counted),
        f"{len(counted)} crops ({sets}) of {_LEAST_ZOOM:g} to {_MOST_ZOOM:g} times the face,"
        f" {_LEAST_SIDE} to {_MOST_SIDE} px, in which one face is found, its middle in the box that"
        " the face has in the whole picture",
        (
            *(_of(name, each) for name, each in by_set.items()),
            Beside(
                "tight",
                _share([one.once and one.overlap < _OVERLAP for one in counted]),
                "of 1",
                f"found once, intersection over union with the box there below {_OVERLAP}",
            ),
            _of(f"under-{_LARGE}", small),
            _of(f"from-{_LARGE}", large),
            Beside("none", _share([one.faces == 0 for one in counted]), "of 1", "no face found"),
            Beside("several", _share([one.faces > 1 for one in counted]), "of 1", "two or more"),
        ),
    )


FIGURES = (Figure("close-ups", "counted once", at_least(0.99), _close_ups),)


def _of(name: str, counted: Sequence[_Counted]) -> Beside:
    return Beside(name, _share_once(counted), "counted once", f"{len(counted)} crops")


def _share_once(counted: Sequence[_Counted]) -> float:
    return _share([one.once for one in counted])


def _share(those: Sequence[bool]) -> float:
    return float(np.mean(those)) if those else float("nan")


def _count(crop: CloseUp) -> _Counted:
    boxes = likeness().finder.locate(sample_of(crop.pixels)).detections.boxes_xyxy
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    within = (middles >= crop.face_xyxy[:2]) & (middles <= crop.face_xyxy[2:])
    overlap = float(overlaps(boxes, crop.face_xyxy[None]).max(initial=0))
    return _Counted(crop.group, crop.side, len(boxes), bool(within.all(1).any()), overlap)


def _crops(name: str, wanted: int) -> Iterator[CloseUp]:
    """Crop pictures of a set, in an order drawn by lot, until there are enough."""
    random = np.random.default_rng(0)
    pictures = pictures_in(data(name))
    made = 0
    for number in random.permutation(len(pictures)).tolist():
        sample = read_sample(pictures[number])
        boxes = likeness().finder.locate(sample).detections.boxes_xyxy
        crop = _cropped(random, name, sample.decode().pixels, boxes) if len(boxes) else None
        if crop is not None:
            yield crop
            made += 1
        if made == wanted:
            return


def _cropped(
    random: np.random.Generator, name: str, pixels: Pixels, boxes: Floats
) -> CloseUp | None:
    """Crop to the first of n boxes; None where it is small, or where another face reaches in."""
    zoom = random.uniform(_LEAST_ZOOM, _MOST_ZOOM)
    side = np.exp(random.uniform(*np.log((_LEAST_SIDE, _MOST_SIDE))))
    face, size_wh = boxes[0], boxes[0, 2:] - boxes[0, :2]
    middle = (face[:2] + face[2:]) / 2
    left, top = np.maximum(0, middle - size_wh * zoom / 2).astype(int)
    right, bottom = np.minimum(pixels.shape[1::-1], middle + size_wh * zoom / 2).astype(int)
    window = np.array([left, top, right, bottom], np.float32)
    if size_wh.min() < _LEAST_FACE or reaches_in(boxes, window):
        return None
    scale = side / max(right - left, bottom - top)
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    cut = cv2.resize(pixels[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=way)
    return CloseUp(name, np.asarray(cut, np.uint8), (face - np.tile(window[:2], 2)) * scale)


def reaches_in(boxes: Floats, window: Floats) -> bool:
    """Say whether another face than the first of n boxes is in part within a window, (4,)."""
    others = boxes[1:]
    another = shared_areas(others, boxes[:1])[:, 0] <= _SAME * areas(others)
    return bool((shared_areas(others, window[None])[another] > 0).any())
