"""Goes through a clip once more, when it is known who is seen when, to mark people or cut stills.

The clip is read again rather than kept: memory does not grow with its length.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidClip
from likeness.terms import Box
from likeness.video import ClipLimits, Frame, Sampling, reading, rewrite
from likeness.vision.draw import Mark, face_crop_jpeg, mark_boxes

TellMoment = Callable[[float], None]
"""Is told how many seconds of the clip are done."""

# Results count milliseconds, and a frame is to be found by one.
_SAME_MOMENT_S = 0.0011


@dataclass(frozen=True, slots=True)
class Marked:
    """Somebody to be marked in a clip: what is written beside them, in which colour, and where."""

    label: str
    mark: Mark
    box_at: Callable[[float], Box | None]


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of a face that is to be cut from a clip: when, and where in the frame."""

    time_s: float
    box: Box


def annotate_clip(
    file: BinaryIO,
    out: Path,
    people: Sequence[Marked],
    sampling: Sampling,
    limits: ClipLimits = ClipLimits(),
    tell: TellMoment = lambda done_s: None,
) -> None:
    """Write a copy of a clip, or of the part that `sampling` names, with people marked.

    Every frame is in it, at its time from the beginning of the part, and so is the sound. Nothing
    is left under the name of `out` unless all of it was written.

    Raises:
        InvalidClip: the clip cannot be decoded, or has no frame in that part.
        InvalidRequest: `out` cannot be written.
    """

    def edit(frame: Frame) -> NDArray[np.uint8]:
        if frame.image is None:  # every frame that is rewritten has pixels
            raise InvalidClip("A frame of the clip has no pixels. Convert it, and retry.")
        places = [(one, one.box_at(frame.time_s)) for one in people]
        seen = [(one, box) for one, box in places if box is not None]
        return mark_boxes(
            frame.image,
            [box for _, box in seen],
            [one.label for one, _ in seen],
            [one.mark for one, _ in seen],
        ).pixels

    rewrite(file, out, edit, sampling, limits, tell)


def stills_of(
    file: BinaryIO, wanted: Mapping[int, Still], sampling: Sampling, limits: ClipLimits
) -> dict[int, bytes]:
    """Cut stills from a clip, as JPEGs; one whose frame cannot be decoded any more is left out.

    Raises:
        InvalidClip: the clip cannot be decoded.
    """
    if not wanted:
        return {}
    moments = [one.time_s for one in wanted.values()]
    part = replace(
        sampling,
        every_s=0.0,
        from_s=max(sampling.from_s, min(moments) - _SAME_MOMENT_S),
        to_s=max(moments) + 2 * _SAME_MOMENT_S,
    )
    found: dict[int, bytes] = {}
    with reading(file, part, limits) as reader:
        for frame in reader:
            if frame.image is None:
                continue
            for number, still in wanted.items():
                if number not in found and abs(frame.time_s - still.time_s) < _SAME_MOMENT_S:
                    found[number] = face_crop_jpeg(frame.image, still.box)
    return found
