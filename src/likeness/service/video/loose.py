"""Says who is seen in a clip that is no home's: a library's work, outside the policy's reach."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from likeness.service.video.run import SEGMENT_S
from likeness.service.video.seeing import Gathering, SeenPerson
from likeness.video import (
    Clip,
    ClipLimits,
    Following,
    Frame,
    FrameFinder,
    Sampling,
    follow,
    reading,
)


@dataclass(frozen=True, slots=True, eq=False)
class LooseClip:
    """A clip, and who is seen in it.

    It was looked at to `to_s`; `damaged` frames were passed over.
    """

    clip: Clip
    people: tuple[SeenPerson, ...]
    to_s: float
    frames: int
    looked_at: int
    damaged: int
    remarks: tuple[str, ...]


def see_clip(
    file: BinaryIO,
    finder: FrameFinder,
    sampling: Sampling,
    *,
    same_from: float | None = None,
    limits: ClipLimits = ClipLimits(),  # noqa: B008  # frozen
    workers: int = 1,
    tell: Callable[[int, int], None] = lambda done_ms, total_ms: None,
) -> LooseClip:
    """Follow the faces of a clip.

    From a score of `same_from` on, tracks apart are one person's; without it nobody makes
    templates, and tracks are joined by place and time alone.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be looked at.
        EngineUnavailable: what reads video is not installed.
    """
    gathering = Gathering()
    with reading(file, sampling, limits) as reader:
        duration_s = reader.clip.duration_s
        ends_s = min(filter(None, (sampling.to_s, duration_s)), default=0.0)
        at_s = sampling.from_s

        def frames() -> Iterator[Frame]:
            nonlocal at_s
            for frame in reader:
                at_s = frame.time_s
                tell(
                    round(1000 * (at_s - sampling.from_s)),
                    round(1000 * (ends_s - sampling.from_s)),
                )
                yield frame

        following = Following(templates=same_from is not None)
        for segment in follow(frames(), finder, following, segment_s=SEGMENT_S, workers=workers):
            gathering.add(segment)
        return LooseClip(
            reader.clip,
            gathering.people(same_from).people,
            at_s,
            gathering.frames,
            gathering.looked_at,
            reader.damaged.frames,
            reader.remarks,
        )
