"""Makes a clip safe to share: it is looked through for faces, and written anew without them.

The clip is read once to find where faces are, a second time where it matters who they are, and once
more to be written: memory does not grow with its frames.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from likeness.errors import Fault, InvalidClip, required
from likeness.service.redact.asked import Manner
from likeness.service.video.seen import TellMs, tell_nobody
from likeness.terms import Box, Face, Image, Pose, Quality, Template
from likeness.video import (
    SURELY_A_FACE,
    ClipLimits,
    ClipReader,
    Following,
    Form,
    Frame,
    FrameFinder,
    HiddenTrack,
    Hiding,
    Moment,
    NamedTrack,
    Plan,
    Planes,
    Reason,
    Rewritten,
    Sampling,
    Track,
    Version,
    follow,
    reading,
    rewrite,
    version_of,
)
from likeness.vision.every_face import EveryFace

# Fifteen looks a second: no face goes far between two.
_CAREFUL_EVERY_S = 0.066
_FAST_EVERY_S = 0.1
# Frames that bear nearly the same time are as many pictures: of more than so many in a row, such as
# at 240 a second, every one is looked at.
_MOST_APART = 24
# How often what may be a face has to be found to be hidden, by how likely it is one where that is
# likeliest: what is found again and again is one more often. docs/redact.md has what this rests on.
_LOOKS_NEEDED = ((SURELY_A_FACE, 1), (0.5, 3), (0.3, 5))
_MOST_PREVIEWED = 24
_NOT_LOOKED_AT = Pose(0.0, 0.0, 0.0)

TellMoment = Callable[[Frame, Moment], None]
"""Is told, of each frame before it is written, what is hidden in it."""


class EveryFaceOfFrames:
    """Finds whatever may be a face in frames; it is a `video.FrameFinder` that makes no templates.

    How a face is turned, and how good it looks, is not looked at.
    """

    def __init__(self, every_face: EveryFace) -> None:
        self._every_face = every_face

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        """Find it, largest first; what has fewer than `least` pixels may be missed."""
        return [
            Face(
                one.box,
                one.landmarks,
                one.confidence,
                _NOT_LOOKED_AT,
                Quality(0.0, 0.0, min(one.box.width, one.box.height)),
            )
            for one in self._every_face.find(image, least or 0.0, turn)
        ]

    def templates(self, image: Image, faces: Sequence[Face]) -> Sequence[Template]:
        """Make none.

        Raises:
            Fault: whoever hides faces recognises nobody.
        """
        raise Fault("Templates were asked of what only looks for faces. Please report this.")

    def crop_jpeg(self, image: Image, box: Box) -> bytes:
        """Cut nothing out: pictures of faces that are to be hidden are not kept."""
        return b""


@dataclass(frozen=True, slots=True, eq=False)
class Visible:
    """Who stays visible in a clip: the faces that were followed, and why others are hidden.

    `version` is that of the clip that was looked at.
    """

    named: Sequence[NamedTrack] = ()
    reason: Reason = Reason.EVERYBODY
    version: Version | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FacesOfClip:
    """What may be faces in a clip and was followed; `looked_at` frames were searched.

    `ends_s` is when the last frame is. `version` is that of the clip that was looked at.
    """

    tracks: Sequence[HiddenTrack]
    looked_at: int
    ends_s: float
    version: Version | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RedactedClip:
    """A clip that was written with faces hidden; `hidden` counts them over all frames."""

    written: Rewritten
    faces: FacesOfClip
    hidden: int


def find_faces(
    file: BinaryIO,
    finder: FrameFinder,
    manner: Manner,
    sampling: Sampling = Sampling(),
    *,
    limits: ClipLimits = ClipLimits(),
    workers: int = 1,
    tell: TellMs = tell_nobody,
) -> FacesOfClip:
    """Follow whatever may be a face through a clip, or through a part of it.

    `finder` finds it (`EveryFaceOfFrames`), so many `workers` search frames at a time.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be decoded.
        EngineUnavailable: what reads video is not installed.
    """
    usual_s = _CAREFUL_EVERY_S if manner.careful else _FAST_EVERY_S
    for every_s in (usual_s, 0.0):
        part = Sampling(every_s, sampling.from_s, sampling.to_s)
        searched = _Searched(file, finder, manner, part)
        faces = searched.faces(limits, workers, tell)
        if searched.most_apart <= _MOST_APART:
            break
    return faces


@dataclass(slots=True, eq=False)
class _Searched:
    """A clip that is searched for faces; looks are `most_apart` frames from each other at most."""

    file: BinaryIO
    finder: FrameFinder
    manner: Manner
    part: Sampling
    most_apart: int = 0
    _ends_s: float = 0.0

    def faces(self, limits: ClipLimits, workers: int, tell: TellMs) -> FacesOfClip:
        """Follow whatever may be a face."""
        version, self._ends_s = version_of(self.file), self.part.from_s
        following = Following(self.part.every_s, templates=False, sure_from=0.0)
        found: list[HiddenTrack] = []
        looked_at = 0
        with reading(self.file, self.part, limits) as reader:
            frames = self._frames(reader, tell)
            for segment in follow(frames, self.finder, following, workers=workers):
                looked_at += segment.looked_at
                tracks = [_as_hidden(one) for one in segment.tracks]
                found += [one for one in tracks if not self.manner.careful or _is_worth_hiding(one)]
        numbered = [replace(one, number=number) for number, one in enumerate(found)]
        return FacesOfClip(numbered, looked_at, self._ends_s, version)

    def _frames(self, reader: ClipReader, tell: TellMs) -> Iterator[Frame]:
        apart = 0
        for frame in reader:
            apart = 1 if frame.image is not None else apart + 1
            self.most_apart = max(self.most_apart, apart)
            self._ends_s = max(self._ends_s, frame.time_s)
            tell(*self.part.done_of_total_ms(self._ends_s, reader.clip.duration_s))
            yield frame


def plan_of(faces: FacesOfClip, manner: Manner, visible: Visible = Visible()) -> Plan:
    """Say what is hidden in a clip, moment by moment, given who stays visible."""
    # What was found by whoever looked for people is a face, too.
    own = [
        HiddenTrack(
            len(faces.tracks) + number,
            one.path,
            np.ones(len(one.path)),
            one.ended,
            is_named=True,
        )
        for number, one in enumerate(visible.named)
    ]
    return Plan([*faces.tracks, *own], manner.holding, visible.named, visible.reason)


def write_redacted(
    file: BinaryIO,
    out: Path,
    faces: FacesOfClip,
    manner: Manner,
    sampling: Sampling = Sampling(),
    *,
    visible: Visible = Visible(),
    limits: ClipLimits = ClipLimits(),
    tell: Callable[[float], None] = lambda done_s: None,
    tell_moment: TellMoment = lambda frame, moment: None,
) -> RedactedClip:
    """Write a copy of a clip, or of a part of it, in which faces are hidden.

    Nothing is left under the name of `out` unless all of it was written.

    Args:
        file: the clip.
        out: where the copy goes.
        faces: what was found in that part of it.
        manner: how faces are hidden.
        sampling: which part of the clip is meant.
        visible: who stays visible.
        limits: what the clip may cost.
        tell: is told up to which second the copy is written.
        tell_moment: is told what is hidden in each frame, before it is.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be decoded, or is another than was looked at.
        InvalidRequest: `out` cannot be written.
        EngineUnavailable: what reads video is not installed.
    """
    plan = plan_of(faces, manner, visible)
    hiding, hidden = Hiding(manner.style), 0

    def edit(frame: Frame) -> Planes:
        nonlocal hidden
        _require_unchanged(file, frame, faces, visible)
        moment = plan.at(frame.time_s)
        tell_moment(frame, moment)
        planes = required(frame.planes, "the pixels of a frame")
        moment.hide(planes, hiding)
        hidden += len(moment.hidden)
        return planes

    written = rewrite(file, out, edit, sampling, limits, tell, Form.PLANES)
    return RedactedClip(written, faces, hidden)


def preview(
    file: BinaryIO,
    faces: FacesOfClip,
    manner: Manner,
    sampling: Sampling = Sampling(),
    *,
    visible: Visible = Visible(),
    limits: ClipLimits = ClipLimits(),
) -> Iterator[tuple[Image, float, Moment]]:
    """Give two dozen frames at most, evenly apart, with faces hidden, and what is hidden in each.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be decoded, or is another than was looked at.
    """
    plan = plan_of(faces, manner, visible)
    every_s = max((faces.ends_s - sampling.from_s) / _MOST_PREVIEWED, 1e-3)
    hiding, given = Hiding(manner.style), 0
    with reading(file, Sampling(every_s, sampling.from_s, sampling.to_s), limits) as reader:
        for frame in reader:
            if frame.image is not None and given < _MOST_PREVIEWED:
                _require_unchanged(file, frame, faces, visible)
                moment = plan.at(frame.time_s)
                moment.hide(frame.image.pixels, hiding)
                given += 1
                yield frame.image, frame.time_s, moment


def _require_unchanged(file: BinaryIO, frame: Frame, faces: FacesOfClip, visible: Visible) -> None:
    """Refuse frames that nobody has looked at: a clip may be written to meanwhile."""
    known = [one for one in (faces.version, visible.version) if one is not None]
    if frame.time_s > faces.ends_s + 1e-6 or any(one != version_of(file) for one in known):
        raise InvalidClip(
            "The clip changed while its faces were looked for. Wait until all of it is written, and"
            " try again."
        )


def _as_hidden(track: Track) -> HiddenTrack:
    sure = np.array([look.face.confidence for look in track.looks], np.float32)
    return HiddenTrack(0, track.path(), sure, track.ended)


def _is_worth_hiding(track: HiddenTrack) -> bool:
    """Say whether it was found often enough for how likely it is a face."""
    return any(
        track.surest >= likely and len(track.sure) >= looks for likely, looks in _LOOKS_NEEDED
    )
