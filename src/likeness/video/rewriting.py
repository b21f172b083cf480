"""From a clip to a new one in which each frame was edited: nothing else of it goes along.

The new clip is made of pixels alone. No byte of the old container is copied: no metadata, no
subtitles, no thumbnails, nothing hidden.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidClip
from likeness.video.clip import Clip, ClipLimits, Frame, Sampling
from likeness.video.reader import reading
from likeness.video.writing import ClipWriter

Edit = Callable[[Frame], NDArray[np.uint8]]
"""Gives the pixels to write for a frame; it may change those of the frame in place."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What was written: of which clip, how many frames of how many seconds.

    `remarks` say what was converted or lost in reading.
    """

    clip: Clip
    frames: int
    seconds: float
    remarks: tuple[str, ...]


def rewrite(
    file: BinaryIO,
    out: Path,
    edit: Edit,
    sampling: Sampling | None = None,
    limits: ClipLimits | None = None,
    tell: Callable[[float], None] = lambda done_s: None,
) -> Rewritten:
    """Write an edited copy of a clip, or of the part that `sampling` names.

    Every frame that can be decoded is in it, upright and at its time from the beginning of the
    part. Nothing is left under the name of `out` unless all of it was written. `tell` is told up to
    which second of the clip it is done.

    Raises:
        InvalidClip: the clip cannot be decoded, or has no frame in that part.
        ClipTooLarge: it has too many bytes, or frames of too many pixels.
        InvalidRequest: `out` cannot be written.
        EngineUnavailable: PyAV is missing.
    """
    sampling = sampling or Sampling()
    frames, last_s = 0, sampling.from_s
    with reading(file, replace(sampling, every_s=0.0), limits) as reader:
        clip = reader.clip
        with ClipWriter(out, clip.width, clip.height) as writer:
            for frame in reader:
                if frame.image is None:
                    continue
                writer.write(edit(frame), frame.time_s - sampling.from_s)
                frames, last_s = frames + 1, frame.time_s
                tell(frame.time_s)
            if not frames:
                raise InvalidClip(
                    "No frame of the clip is in the part that was asked for. Give other times."
                )
        return Rewritten(clip, frames, last_s - sampling.from_s, reader.remarks)
