"""Clips in which so many people are in view all the while: photographs of View 1 that move.

Each has a cell of the frame to themselves, in which they move to and fro, so nobody hides anybody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.embedded import likeness
from bench.lfw import pictures_of_lfw
from bench.workplace import OUT
from likeness.video import ClipWriter
from likeness.vision.decode import read_sample

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

RATE = 30.0
_SEED = 16
# Of a cell, the largest tile; the smallest of the largest.
_LARGEST, _SMALLEST = 0.75, 0.55
_AROUND = 0.5  # sides of the face that are shown around it
_TO_AND_FRO_S = (3.0, 8.0)
_GRAIN = 4.0  # deviation of what a camera adds
_LEAST_SURE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """A clip, and where everybody is: (f,) seconds of its frames, and (f, n, 4) boxes."""

    path: Path
    times_s: Floats
    boxes_xyxy: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Somebody:
    """A tile, (h, w, 3), the face's box in it, (4,), and where the tile is as time goes on."""

    tile: Pixels
    box_xyxy: Floats
    middle_xy: Floats
    reach_xy: Floats
    period_s: Floats
    phase: Floats

    def corner(self, time_s: float) -> tuple[int, int]:
        """Left and top of the tile at a moment."""
        swing = np.sin(2 * np.pi * (time_s / self.period_s + self.phase))
        x, y = np.round(self.middle_xy + self.reach_xy * swing).astype(int).tolist()
        return x, y


def crowd(
    people: int, width: int, height: int, seconds: float, face_px: float | None = None
) -> Crowd:
    """Make such a clip, at 30 frames a second, H.264.

    Faces are as large as cells allow, more or less; or the square root of each box's area is
    `face_px`.
    """
    path = OUT / "clips" / f"{people}-people-{width}x{height}-{seconds:g}s-{face_px or 'any'}px.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(round(seconds * RATE)) / RATE
    boxes = []
    with ClipWriter(path, width, height) as writer:
        for time_s, (frame, boxes_xyxy) in zip(
            times_s.tolist(), frames_of(people, width, height, times_s, face_px), strict=True
        ):
            writer.write(frame, time_s)
            boxes.append(boxes_xyxy)
    return Crowd(path, times_s, np.array(boxes))


def frames_of(
    people: int, width: int, height: int, times_s: Floats, face_px: float | None = None
) -> Iterator[tuple[Pixels, Floats]]:
    """Make the frames of some moments, (height, width, 3), and the boxes in each, (n, 4)."""
    random = np.random.default_rng(_SEED)
    behind = background(width, height, random)
    people_there = [
        somebody_in(number, people, (width, height), picture, box, random, face_px)
        for number, (picture, box) in enumerate(islice(portraits(), people))
    ]
    grain = grain_of(width, height, random)
    for number, time_s in enumerate(times_s.tolist()):
        yield shown(behind, grain, people_there, number, time_s)


def background(width: int, height: int, random: np.random.Generator) -> Pixels:
    """Make a place that is behind people."""
    coarse = random.integers(60, 190, (9, 16, 3)).astype(np.uint8)
    large = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def grain_of(width: int, height: int, random: np.random.Generator) -> NDArray[np.int16]:
    """Make what a camera adds to each pixel."""
    return random.normal(0, _GRAIN, (height, width, 3)).astype(np.int16)


def shown(
    behind: Pixels,
    grain: NDArray[np.int16],
    people: Sequence[Somebody],
    number: int,
    time_s: float,
) -> tuple[Pixels, Floats]:
    """Draw the frame of a moment, with its number; give the boxes in it, (n, 4)."""
    frame, boxes = behind.copy(), []
    for one in people:
        left, top = one.corner(time_s)
        rows, columns = one.tile.shape[:2]
        frame[top : top + rows, left : left + columns] = one.tile
        boxes.append(one.box_xyxy + np.array([left, top, left, top]))
    moved = np.roll(grain, (37 * number, 101 * number), axis=(0, 1))
    return np.clip(frame + moved, 0, 255).astype(np.uint8), np.array(boxes)


def somebody_in(
    place: int,
    places: int,
    size_wh: tuple[int, int],
    picture: Pixels,
    box: Floats,
    random: np.random.Generator,
    face_px: float | None = None,
) -> Somebody:
    """Let somebody of a photograph move in one of so many cells of a frame."""
    columns = int(np.ceil(np.sqrt(places * size_wh[0] / size_wh[1])))
    cell = np.array([size_wh[0] / columns, size_wh[1] / np.ceil(places / columns)])
    tile, box_xyxy = _head(picture, box)
    zoom = cell.min() * random.uniform(_SMALLEST, _LARGEST) / max(tile.shape[:2])
    if face_px is not None:
        zoom = face_px / np.sqrt((box_xyxy[2:] - box_xyxy[:2]).prod())
    tile = cv2.resize(tile, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    corner = cell * (place % columns, place // columns)
    free = cell - tile.shape[1::-1]
    return Somebody(
        np.asarray(tile, np.uint8),
        box_xyxy * zoom,
        corner + free / 2,
        free / 2 - 1,
        random.uniform(*_TO_AND_FRO_S, 2),
        random.uniform(0, 1, 2),
    )


def _head(picture: Pixels, box: Floats) -> tuple[Pixels, Floats]:
    """Cut a head out of a portrait; say where its face is in that."""
    around = _AROUND * max(box[2:] - box[:2])
    rows, columns = picture.shape[:2]
    left, top = np.maximum(np.floor(box[:2] - around), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box[2:] + around), (columns, rows)).astype(int)
    return picture[top:bottom, left:right], box - np.array([left, top, left, top])


@cache
def _first_of_each() -> tuple[Path, ...]:
    firsts = {path.parent.name: path for path in reversed(pictures_of_lfw())}
    names = np.random.default_rng(_SEED).permutation(sorted(firsts))
    return tuple(firsts[name] for name in names.tolist())


def portraits() -> Iterator[tuple[Pixels, Floats]]:
    """Give pictures of different people that show one face, and its box, (4,)."""
    finder = likeness().finder
    for path in _first_of_each():
        sample = read_sample(path)
        faces = finder.locate(sample).faces
        if len(faces) == 1 and faces[0].confidence >= _LEAST_SURE:
            box = faces[0].box
            yield sample.decode().pixels, np.array([box.left, box.top, box.right, box.bottom])
