"""A clip, its frames, and what may be asked of it and what it may cost.

Times are seconds from the clip's first moment, made of timestamps (`pts` times the stream's time
base), never of a count of frames: rates vary, and frames are missing.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.terms import Image
from likeness.video.decoding import messages
from likeness.video.planes import Planes


@dataclass(frozen=True, slots=True)
class Clip:
    """What a clip's container and first frame say of it.

    `container` and `codec` are FFmpeg's short names, such as `mov` and `h264`. `width` and `height`
    are pixels of the upright frame with square pixels. `duration_s` is what the container claims,
    None where it claims nothing; nobody may rely on it. `frame_rate` is the mean, None where
    unknown. `full_range` says that its black is 0, not 16. `remarks` say what is converted or lost
    in decoding, such as HDR.
    """

    container: str
    codec: str
    width: int
    height: int
    duration_s: float | None
    frame_rate: float | None
    full_range: bool = False
    remarks: tuple[str, ...] = ()


class Form(StrEnum):
    """In what form the pixels of frames are given."""

    RGB = "rgb"
    PLANES = messages.PLANES
    """As video codes them: for who writes them to a clip again."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame that was decoded.

    `number` counts decoded frames and is no time. `thumbnail` is (36, 64, 3) uint8 RGB of the whole
    frame, whatever its shape: enough to see that a camera cuts. `image` has the pixels where they
    were asked for (`Sampling`), else None; `planes` has them where they were asked for in that
    form. All frames of a clip have the size of its first: a resolution that changes is resized.
    """

    number: int
    time_s: float
    thumbnail: NDArray[np.uint8]
    image: Image | None
    planes: Planes | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Of which moments pixels are wanted: those from `from_s` on and before `to_s`.

    `every_s` wants one frame, the first, of each stretch of so many seconds, counted from the
    clip's first moment wherever reading begins; 0 wants every frame.

    Raises:
        InvalidRequest: the times are negative, or leave nothing between them.
    """

    every_s: float = 0.0
    from_s: float = 0.0
    to_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse times that select nothing."""
        if not self.every_s >= 0 or not self.from_s >= 0:
            raise InvalidRequest("A time of a clip is negative. Give seconds from its beginning.")
        if self.to_s is not None and not self.to_s > self.from_s:
            raise InvalidRequest(
                f"Nothing to look at between {self.from_s:g} s and {self.to_s:g} s. Give an end"
                " after the beginning."
            )

    def done_of_total_ms(self, time_s: float, duration_s: float | None) -> tuple[int, int]:
        """Say at a moment how many of how many milliseconds are done; of 0 where nobody knows."""
        ends_s = min(filter(None, (self.to_s, duration_s)), default=0.0)
        done_s, total_s = max(0.0, time_s - self.from_s), max(0.0, ends_s - self.from_s)
        return round(1000 * done_s), round(1000 * total_s)


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """What a clip may cost at most.

    10 GiB and 6 hours are AWS's for stored video; 8K has 33.2 million pixels a frame. `memory` is
    bytes of the process that decodes, and `silence_s` how long it may be silent between two frames.
    """

    max_bytes: int = 10 << 30
    max_s: float = 6 * 3600.0
    max_pixels: int = 7680 * 4320
    memory: int = 2 << 30
    silence_s: float = 60.0
