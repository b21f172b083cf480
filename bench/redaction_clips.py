"""Clips of stills that move, whose every face is labelled: WIDER's pictures and View 1's portraits.

Over a plain place three pictures of WIDER are shown, in their true proportions and no larger than
they are, and portraits of View 1. Each moves to and fro, grows and shrinks a little, by itself, and
the grain of a camera is over all. Labels are the data's own, and for portraits the box that a
detector finds in the portrait itself.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.crowds import portraits
from bench.workplace import OUT, data
from likeness.video import ClipWriter
from likeness.vision.decode import read_sample

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 25.0, 1.2
CLIPS, CLIPS_FULL = 34, 66
_WIDER_EACH, _PORTRAITS_EACH = 3, 3
_LONGER_SIDE, _PORTRAIT_SIDE = 416, 230
_HEAVY = 2
_GRAIN = 3.0
# Nothing in them is as dark as what is blacked out.
_DARKEST = 48
_SEED = 17

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """A face in a frame: its box, (4,), and whether it has to be hidden: some are occluded."""

    box_xyxy: Floats
    counts: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Still:
    """A picture, (h, w, 3), its faces, and how it moves: a cell's middle and how far, how fast."""

    pixels: Pixels
    faces: Sequence[LabelledFace]
    middle_xy: Floats
    reach_xy: Floats
    period_s: Floats
    phase: Floats

    def onto(self, time_s: float) -> Floats:
        """Give what takes its pixels onto a frame at a moment: (2, 3)."""
        swing = np.sin(2 * np.pi * (time_s / self.period_s + self.phase))
        zoom = 1 + 0.05 * swing[2]
        size = np.array(self.pixels.shape[1::-1]) * zoom
        corner = self.middle_xy + self.reach_xy * swing[:2] - size / 2
        return np.array([[zoom, 0, corner[0]], [0, zoom, corner[1]]])


@dataclass(frozen=True, slots=True, eq=False)
class LabelledClip:
    """A clip, and of each of its frames when it is and which faces are in it."""

    path: Path
    times_s: Floats
    faces: Sequence[Sequence[LabelledFace]]


def labelled_clips(count: int = CLIPS) -> Iterator[LabelledClip]:
    """Make the clips, H.264, the same every time.

    Raises:
        NotMeasured: the pictures are not here.
    """
    for number in range(count):
        stills = _stills(number)
        path = OUT / "clips" / f"labelled-{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        times_s = np.arange(round(SECONDS * RATE)) / RATE
        faces = []
        random = np.random.default_rng([_SEED, number])
        grain = random.normal(0, _GRAIN, (HEIGHT, WIDTH, 3)).astype(np.int16)
        behind = cv2.resize(
            random.integers(60, 190, (9, 16, 3)).astype(np.uint8),
            (WIDTH, HEIGHT),
            interpolation=cv2.INTER_CUBIC,
        )
        with ClipWriter(path, WIDTH, HEIGHT) as writer:
            for which, time_s in enumerate(times_s.tolist()):
                frame, labels = behind.copy(), []
                for still in stills:
                    labels += _drawn(frame, still, time_s)
                moved = np.roll(grain, (37 * which, 101 * which), axis=(0, 1))
                writer.write(np.clip(frame + moved, _DARKEST, 255).astype(np.uint8), time_s)
                faces.append(labels)
        yield LabelledClip(path, times_s, faces)


def _drawn(frame: Pixels, still: _Still, time_s: float) -> list[LabelledFace]:
    onto = still.onto(time_s)
    ones = np.full(still.pixels.shape[:2], 255, np.uint8)
    drawn = cv2.warpAffine(still.pixels, onto, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    there = cv2.warpAffine(ones, onto, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST) > 0
    frame[there] = drawn[there]
    labels = []
    for face in still.faces:
        box = face.box_xyxy * onto[0, 0] + np.tile(onto[:, 2], 2)
        # One that leaves the frame is there as far as its middle is.
        middle = (box[:2] + box[2:]) / 2
        inside = 0 <= middle[0] < WIDTH and 0 <= middle[1] < HEIGHT
        labels.append(LabelledFace(box, face.counts and bool(inside)))
    return labels


def _stills(number: int) -> list[_Still]:
    random = np.random.default_rng([_SEED, number, 1])
    wider = [_wider()[(number * _WIDER_EACH + one) % len(_wider())] for one in range(_WIDER_EACH)]
    begin = number * _PORTRAITS_EACH
    heads = _portraits(CLIPS_FULL * _PORTRAITS_EACH)[begin : begin + _PORTRAITS_EACH]
    cell = WIDTH / 3
    pictures = [
        *((one, (cell * (place + 0.5), 215.0)) for place, one in enumerate(wider)),
        *((one, (cell * (place + 0.5), 575.0)) for place, one in enumerate(heads)),
    ]
    stills = []
    for (pixels, faces), middle in pictures:
        free = np.array([cell, 430.0 if middle[1] < 400 else 280.0]) - pixels.shape[1::-1]
        stills.append(
            _Still(
                pixels,
                faces,
                np.array(middle),
                np.maximum(free / 2 - 10, 3.0),
                random.uniform((3, 3, 3), (8, 8, 8)),
                random.uniform(0, 1, 3),
            )
        )
    return stills


@cache
def _wider() -> Sequence[tuple[Pixels, Sequence[LabelledFace]]]:
    folder = data("wider_mini")
    pictures = []
    for entry in json.loads((folder / "gt.json").read_text()):
        zoom = _LONGER_SIDE / max(entry["orig_w"], entry["orig_h"])
        size = round(entry["orig_w"] * zoom), round(entry["orig_h"] * zoom)
        squeezed = read_sample(folder / entry["file"]).decode().pixels
        pixels = cv2.resize(squeezed, size, interpolation=cv2.INTER_AREA)
        faces = []
        for face in entry["faces"]:
            left, top, width, height = (side * zoom for side in face["xywh_orig"])
            box = np.array([left, top, left + width, top + height])
            heavy = face["occlusion"] >= _HEAVY or bool(face["invalid"])
            faces.append(LabelledFace(box, not heavy))
        pictures.append((np.asarray(pixels, np.uint8), faces))
    random = np.random.default_rng(_SEED)
    return [pictures[one] for one in random.permutation(len(pictures)).tolist()]


@cache
def _portraits(count: int) -> Sequence[tuple[Pixels, Sequence[LabelledFace]]]:
    made = []
    for pixels, box in islice(portraits(), count):
        zoom = _PORTRAIT_SIDE / max(pixels.shape[:2])
        shrunk = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        made.append((np.asarray(shrunk, np.uint8), [LabelledFace(box * zoom, counts=True)]))
    return made
