"""How much of the faces in clips is hidden, and of the rest, in the pixels that are stored."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figure import Beside, Figure, Measurement, at_least
from bench.redaction_clips import (
    CLIPS,
    CLIPS_FULL,
    HEIGHT,
    WIDTH,
    LabelledClip,
    LabelledFace,
    labelled_clips,
)
from bench.workplace import OUT, installation
from likeness.app import Workload
from likeness.errors import required
from likeness.service.redact.asked import Manner
from likeness.service.redact.clips import EveryFaceOfFrames, find_faces, write_redacted
from likeness.video import Style, reading
from likeness.vision.every_face import FRAME, GLANCE

_LEAST_PX = 20.0
# A face is hidden where so much of the ellipse in its box is; black is what is stored as so much.
_HIDDEN, _BLACK = 0.9, 24
# Of a labelled box on each side: what is around a face is no background yet.
_AROUND = 0.25
_FEW = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A face in one frame of a clip, and how much of it is hidden, 0 to 1."""

    clip: int
    time_s: float
    face: int
    box_xyxy: Floats
    hidden: float


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Faces that had to be hidden, and shares of the background that were hidden beside them.

    `beyond_heads` leaves out what is right around a face, `beyond_faces` does not.
    """

    faces: Sequence[Judged]
    beyond_heads: float
    beyond_faces: float

    @property
    def share(self) -> float:
        """The share of faces, over all frames, that is hidden."""
        return float(np.mean([one.hidden >= _HIDDEN for one in self.faces]))

    @property
    def misses(self) -> list[Judged]:
        """Those that are not."""
        return [one for one in self.faces if one.hidden < _HIDDEN]


def _hidden(full: bool) -> Measurement:
    clips = CLIPS_FULL if full else CLIPS
    careful, fast = (measured(careful=one, clips=clips) for one in (True, False))
    _write(careful.misses)
    per_face = len({(one.clip, one.face) for one in careful.misses})
    return Measurement(
        careful.share,
        f"--careful, {len(careful.faces):,} faces of {_LEAST_PX:g} px and more in the frames of"
        f" clips at {WIDTH}x{HEIGHT} with stills of wider_mini and portraits of View 1, heavily"
        f" occluded ones left out; hidden where {_HIDDEN:.0%} of the ellipse in the labelled box"
        f" is black in the stored clip; {per_face} of"
        f" {len({(one.clip, one.face) for one in careful.faces})} are missed in some frame:"
        " bench-out/redact-misses.csv",
        (
            Beside(
                "background",
                careful.beyond_heads,
                "share hidden",
                f"of what is further from a labelled face than {_AROUND:.0%} of its box; target at"
                " most 0.02",
            ),
            Beside("around", careful.beyond_faces, "share hidden", "of what is in no labelled box"),
            Beside("fast", fast.share, "share hidden", "of the same faces, with --fast"),
            Beside("fast-background", fast.beyond_heads, "share hidden", "with --fast"),
        ),
    )


FIGURES = (Figure("redact-hidden", "share hidden", at_least(0.98), _hidden),)


@cache
def measured(*, careful: bool, clips: int) -> Measured:
    """Redact the clips and judge what is stored."""
    here = installation()
    every_face = here.every_face(here.engine(Workload.MANY), FRAME if careful else GLANCE)
    finder = EveryFaceOfFrames(every_face)
    manner = Manner(Style.BLACK, careful)
    faces: list[Judged] = []
    sums = np.zeros(4)
    for number, clip in enumerate(labelled_clips(clips)):
        out = OUT / "clips" / f"redacted-{number}.mp4"
        with clip.path.open("rb") as file:
            found_in = find_faces(file, finder, manner, workers=here.workers(Workload.MANY))
            write_redacted(file, out, found_in, manner)
        for found, areas in _judged(number, clip, out):
            faces += found
            sums += areas
    return Measured(faces, float(sums[0] / sums[1]), float(sums[2] / sums[3]))


def _judged(number: int, clip: LabelledClip, out: Path) -> Iterator[tuple[list[Judged], Floats]]:
    """Judge each frame of a stored clip: its faces, and the background hidden and there."""
    with out.open("rb") as file, reading(file) as reader:
        for frame, time_s, labels in zip(reader, clip.times_s.tolist(), clip.faces, strict=True):
            black = required(frame.image, "the pixels of a frame").pixels.max(axis=2) <= _BLACK
            found = [
                Judged(number, time_s, which, face.box_xyxy, _share(black, face.box_xyxy))
                for which, face in enumerate(labels)
                if face.counts and (face.box_xyxy[2:] - face.box_xyxy[:2]).min() >= _LEAST_PX
            ]
            heads, bare = _free(labels, _AROUND), _free(labels, 0.0)
            yield (
                found,
                np.array(
                    [(black & heads).sum(), heads.sum(), (black & bare).sum(), bare.sum()], float
                ),
            )


def _share(black: NDArray[np.bool_], box_xyxy: Floats) -> float:
    """Say how much of the ellipse in a box is black, as far as it is in the frame."""
    left, top = np.floor(np.maximum(box_xyxy[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box_xyxy[2:], (WIDTH, HEIGHT))).astype(int)
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    middle, half = (box_xyxy[:2] + box_xyxy[2:]) / 2, (box_xyxy[2:] - box_xyxy[:2]) / 2
    inside = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 <= 1
    return float(black[top:bottom, left:right][inside].mean())


def _free(labels: Sequence[LabelledFace], around: float) -> NDArray[np.bool_]:
    """Say what of a frame is in no labelled box, grown by a share of its sides."""
    free = np.ones((HEIGHT, WIDTH), np.bool_)
    for face in labels:
        grown = around * (face.box_xyxy[2:] - face.box_xyxy[:2])
        left, top = np.floor(np.maximum(face.box_xyxy[:2] - grown, 0)).astype(int)
        right, bottom = np.ceil(np.maximum(face.box_xyxy[2:] + grown, 0)).astype(int)
        free[top:bottom, left:right] = False
    return free


def _write(misses: Sequence[Judged]) -> None:
    """List what was missed."""
    with (OUT / "redact-misses.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["clip", "time_s", "face", "left", "top", "right", "bottom", "hidden"])
        for one in misses:
            box = [round(side) for side in one.box_xyxy.tolist()]
            table.writerow([one.clip, f"{one.time_s:.2f}", one.face, *box, f"{one.hidden:.2f}"])
