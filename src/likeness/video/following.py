"""Follows faces through a clip, segment by segment.

A segment is worked on by itself: neither its tracks nor its cuts depend on what was before, so that
a clip is resumed at any of them and gives the same. Of what comes after, cuts need a moment.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from likeness.terms import Face, Image
from likeness.video.clip import Frame
from likeness.video.cuts import AHEAD_S, CutFinder
from likeness.video.looks import Ending, FrameFinder, Look, Segment, Track
from likeness.video.shots import Cutout, cut_out, goodness_of
from likeness.video.tracker import Tracker
from likeness.video.trails import Trail, tracks_of

# What a detector is less sure of goes on with a track and begins none.
_SURE = 0.6


@dataclass(frozen=True, slots=True)
class Following:
    """How closely faces are followed.

    `look_every_s` is the time between two frames in which faces are looked for; 0 looks at all.
    `lost_after_s` is how long a face may be out of sight within one track. Without `templates`
    there are no shots, and faces are followed by place alone.
    """

    look_every_s: float = 0.1
    lost_after_s: float = 1.0
    templates: bool = True


def follow(
    frames: Iterable[Frame],
    finder: FrameFinder,
    settings: Following = Following(),
    *,
    segment_s: float = 30.0,
    first: int = 0,
) -> Iterator[Segment]:
    """Follow every face; give each segment of a clip when it is done, in order.

    Frames ascend in time. `first` is the number of the segment to begin with: frames before it are
    passed over.
    """
    before: _Segment | None = None
    current = _Segment(first, segment_s, finder, settings)
    last_s = -np.inf
    for frame in frames:
        if frame.time_s <= last_s or frame.time_s < current.from_s:
            continue
        last_s = frame.time_s
        if before is not None and last_s > before.to_s + AHEAD_S:
            yield before.done(Ending.SEGMENT)
            before = None
        while last_s >= current.to_s:
            if before is not None:
                yield before.done(Ending.SEGMENT)
            before = current
            current = _Segment(current.number + 1, segment_s, finder, settings)
        if before is not None:
            before.foresee(frame)
        current.see(frame)
    if before is not None:
        yield before.done(Ending.SEGMENT)
    if current.frames:
        yield current.done(Ending.CLIP)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The faces of one frame, and what is kept of those that somebody is recognised by."""

    time_s: float
    faces: Sequence[Face]
    cutouts: Sequence[Cutout | None]


class _Segment:
    """A segment that is worked on."""

    def __init__(
        self, number: int, segment_s: float, finder: FrameFinder, settings: Following
    ) -> None:
        self.number = number
        self.from_s = number * segment_s
        self.to_s = (number + 1) * segment_s
        self.frames = 0
        self._looked_at = 0
        self._finder = finder
        self._settings = settings
        self._cuts = CutFinder()
        self._waiting: deque[_Seen] = deque()
        self._slot = -1
        self._next_s = np.inf
        self._tracker = Tracker(settings.lost_after_s)
        self._trails: dict[int, Trail] = {}
        self._tracks: list[Track] = []

    def see(self, frame: Frame) -> None:
        """Take a frame of this segment."""
        self.frames += 1
        self._cuts.see(frame.time_s, frame.thumbnail)
        if frame.image is not None and self._is_due(frame.time_s):
            self._looked_at += 1
            faces = tuple(self._finder.locate(frame.image))
            cutouts = [self._cutout(frame.image, frame.time_s, face, faces) for face in faces]
            self._waiting.append(_Seen(frame.time_s, faces, cutouts))
        self._go_on(self._cuts.known_until_s)

    def foresee(self, frame: Frame) -> None:
        """Take a frame from after this segment, which tells of cuts at its end."""
        self._next_s = min(self._next_s, frame.time_s)
        self._cuts.see(frame.time_s, frame.thumbnail)

    def done(self, ending: Ending) -> Segment:
        """End what goes on, and give the segment."""
        self._cuts.finish()
        self._go_on(np.inf)
        at_end = ending is Ending.SEGMENT and self._cuts.take_until(self._next_s)
        self._end(Ending.CUT if at_end else ending)
        tracks = sorted(
            self._tracks, key=lambda track: (track.begins_s, track.looks[0].face.box.left)
        )
        return Segment(
            self.number, self.from_s, self.to_s, tuple(tracks), self.frames, self._looked_at
        )

    def _is_due(self, time_s: float) -> bool:
        if self._settings.look_every_s <= 0:
            return True
        # A hair more, lest a frame right at its time is counted to the one before.
        slot = int((time_s - self.from_s) / self._settings.look_every_s + 1e-3)
        due = slot != self._slot
        self._slot = slot
        return due

    def _cutout(
        self, image: Image, time_s: float, face: Face, faces: Sequence[Face]
    ) -> Cutout | None:
        if not self._settings.templates or not face.quality.fit_to_enrol:
            return None
        hidden = max((face.box.overlap(one.box) for one in faces if one is not face), default=0.0)
        return cut_out(image, Look(time_s, face), goodness_of(face, 2 * hidden))

    def _go_on(self, until_s: float) -> None:
        """Follow the faces of frames before which every cut is known."""
        while self._waiting and self._waiting[0].time_s < until_s:
            seen = self._waiting.popleft()
            if self._cuts.take_until(seen.time_s):
                self._end(Ending.CUT)
            self._follow(seen)

    def _follow(self, seen: _Seen) -> None:
        boxes = np.array(
            [(b.left, b.top, b.right, b.bottom) for b in (face.box for face in seen.faces)]
        ).reshape(-1, 4)
        sure = np.array([face.confidence >= _SURE for face in seen.faces], np.bool_)
        step = self._tracker.look(seen.time_s, boxes, sure)
        for number in step.lost:
            self._trails[number].ended = Ending.LOST
        for which, number in enumerate(step.numbers.tolist()):
            if number >= 0:
                trail = self._trails.get(number)
                if trail is None:
                    trail = self._trails[number] = Trail(self._finder)
                look = Look(seen.time_s, seen.faces[which])
                trail.add(look, seen.cutouts[which], doubtful=bool(step.doubtful[which]))

    def _end(self, ending: Ending) -> None:
        self._tracks += tracks_of(list(self._trails.values()), ending)
        self._trails = {}
        self._tracker = Tracker(self._settings.lost_after_s)
