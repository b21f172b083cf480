"""Says which parts of each frame are hidden: all that a face may be in, over time, from its sights.

1. Between two sights a face is where a straight line has it, the less surely the longer that is.
2. It was there before it is seen first, and after it is seen last: what is hidden reaches from
   where it was seen to where it most likely went.
3. Whoever stays visible does so at moments that are named, at places that are known; whatever else
   a face may be in is hidden, and where both meet, so is the one that stays visible: but for what
   was never surely a face.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Box
from likeness.video.hiding import Hiding, Picture, Region, sparing
from likeness.video.looks import Ending, Interval

# Velocity is taken from the last looks of so long, and believed for so long.
_SPEED_S = 0.3
# Two looks no further apart leave no doubt where a face is between them: two of one view, where
# views take turns.
_NEXT_S = 0.25
_AFTER_CUT_S = 0.15
# What is hidden grows by as much of a face's size for each size that it went between two looks.
_DOUBT = 0.3
_MOST_DOUBT = 1.0
_BUCKET_S = 1.0

LIKELY_A_FACE = 0.5
"""From this likelihood on a find is likelier a face than none."""
SURELY_A_FACE = 0.9
"""What is found once, this likely, is a face; what never is gives way to one that stays visible."""
ONE_FACE = 0.4
"""Two finds with boxes that share so much of what they cover are one face."""

T = TypeVar("T")


class Sight(StrEnum):
    """How it is known that a face is where something is hidden."""

    SEEN = "seen"
    PERHAPS = "perhaps a face"
    BETWEEN = "between two sights"
    BEFORE = "before it is first seen"
    AFTER = "after it is last seen"


class Reason(StrEnum):
    """Why a face is hidden."""

    EVERYBODY = "every face is hidden"
    STRANGER = "not one of those who stay visible"
    UNSURE = "it is not sure who it is"
    NEAR = "somebody else is too near"
    ASKED = "one of those to be hidden"
    MAYBE = "may be one of those to be hidden"


@dataclass(frozen=True, slots=True)
class Holding:
    """How long, and how widely, a face is hidden where it was not found.

    `before_s` and `after_s` reach beyond the first and the last sight, `doubtful_s` does so in both
    directions where it was never surely a face. `margin` is that of `Region`; a face of fewer than
    `small` pixels gets `small_margin`.
    """

    before_s: float = 0.5
    after_s: float = 0.5
    doubtful_s: float = 0.3
    margin: float = 0.25
    small: float = 40.0
    small_margin: float = 0.4

    def margin_of(self, box: Box) -> float:
        """Say how far beyond its box a face is hidden, as a share of its sides."""
        return self.small_margin if min(box.width, box.height) < self.small else self.margin


@dataclass(frozen=True, slots=True, eq=False)
class HiddenTrack:
    """What may be a face and was followed.

    `path` is (n, 5): seconds, left, top, right and bottom of each look; `sure` is (n,), how likely
    each is a face, 0 to 1. `is_named` is whether it is a named track as well.
    """

    number: int
    path: NDArray[np.floating]
    sure: NDArray[np.floating]
    ended: Ending = Ending.LOST
    is_named: bool = False

    @property
    def surest(self) -> float:
        """How likely it is a face where that is likeliest."""
        return float(self.sure.max())


@dataclass(frozen=True, slots=True, eq=False)
class NamedTrack:
    """A face that was followed and, where it can be, recognised.

    It stays visible in the spans of `shown`. At other moments it is hidden: in one of `reasons`'
    spans for that reason, else for `reason`. `path` is as a `HiddenTrack`'s; `called` is who it is,
    as far as that is known.
    """

    path: NDArray[np.floating]
    reason: Reason
    shown: tuple[Interval, ...] = ()
    reasons: tuple[tuple[Interval, Reason], ...] = ()
    called: str | None = None
    ended: Ending = Ending.LOST

    def box_at(self, time_s: float) -> Box | None:
        """Say where it is at a moment; None where it is out of view."""
        if not self.path[0, 0] <= time_s <= self.path[-1, 0]:
            return None
        return _box(_between(self.path, time_s))

    def reason_at(self, time_s: float) -> Reason | None:
        """Say why it is hidden at a moment; None where it stays visible."""
        if any(one.begins_s <= time_s <= one.ends_s for one in self.shown):
            return None
        return next(
            (why for span, why in self.reasons if span.begins_s <= time_s <= span.ends_s),
            self.reason,
        )


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden at one moment: where, and why; `track` is the number of what was followed.

    `confidence` is how likely it is a face at that moment. What `gives_way` hides nothing of a face
    that stays visible: it was never surely a face, and nobody asked for some to be hidden.
    """

    region: Region
    sight: Sight
    reason: Reason
    confidence: float
    track: int
    gives_way: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A face that stays visible at one moment, and who it is, as far as that is known."""

    box: Box
    called: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What is hidden at one moment of a clip, and who stays visible."""

    hidden: tuple[Hidden, ...] = ()
    shown: tuple[Shown, ...] = ()

    def hide(self, picture: Picture, hiding: Hiding) -> None:
        """Hide in a picture, in place, what is hidden at this moment."""
        if doubtful := self._regions(gives_way=True):
            with sparing(picture, [one.box for one in self.shown]):
                hiding.hide(picture, doubtful)
        hiding.hide(picture, self._regions(gives_way=False))

    def _regions(self, *, gives_way: bool) -> list[tuple[int, Region]]:
        return [(one.track, one.region) for one in self.hidden if one.gives_way is gives_way]


class Plan:
    """What is hidden in a clip, moment by moment.

    Whatever of `tracks` is at no face that stays visible is hidden, for `reason` where nothing else
    is known of it: `MAYBE` where some people alone are to be hidden. So is each of `named` where it
    does not stay visible, and where two faces are seen in its place.
    """

    def __init__(
        self,
        tracks: Iterable[HiddenTrack],
        holding: Holding = Holding(),
        named: Iterable[NamedTrack] = (),
        reason: Reason = Reason.EVERYBODY,
    ) -> None:
        self._holding = holding
        self._reason = reason
        found = tuple(tracks)
        # The last sights before a cut: what was before is another picture.
        ended_s = {float(one.path[-1, 0]) for one in found if one.ended is Ending.CUT}
        self._cuts_s = np.array(sorted(ended_s))
        self._tracks = _ByTime((self._reach(one), one) for one in found)
        self._named = _ByTime(((one.path[0, 0], one.path[-1, 0]), one) for one in named)

    def at(self, time_s: float) -> Moment:
        """Say what is hidden at a moment, and who stays visible."""
        there = [
            (one, box) for one in self._named.at(time_s) if (box := one.box_at(time_s)) is not None
        ]
        found = [(track, self._hidden(track, time_s)) for track in self._tracks.at(time_s)]
        there_for_sure = (Sight.SEEN, Sight.BETWEEN)
        seen = [one for track, one in found if one.sight in there_for_sure and not track.is_named]
        visible = [
            (one, box)
            for one, box in there
            if one.reason_at(time_s) is None and sum(_is_at(each, box) for each in seen) < 2
        ]
        hidden = [
            replace(one, reason=self._reason_of(one, there, time_s))
            for _, one in found
            if not any(_is_at(one, box) for _, box in visible)
        ]
        return Moment(tuple(hidden), tuple(Shown(box, one.called) for one, box in visible))

    def _reason_of(
        self, hidden: Hidden, there: Sequence[tuple[NamedTrack, Box]], time_s: float
    ) -> Reason:
        """Say why something is hidden: as is known of whoever is there, if anybody is."""
        for named, box in there:
            if _is_at(hidden, box):
                # Of two faces in one place nobody knows which is whose.
                return named.reason_at(time_s) or Reason.NEAR
        return self._reason

    def _reach(self, track: HiddenTrack) -> tuple[float, float]:
        """Say from when to when it is hidden."""
        held, first_s, last_s = self._holding, float(track.path[0, 0]), float(track.path[-1, 0])
        doubtful = track.surest < SURELY_A_FACE
        before_s = held.doubtful_s if doubtful else held.before_s
        after_s = held.doubtful_s if doubtful else held.after_s
        if track.ended is Ending.CUT:
            # What comes after a cut is another picture.
            after_s = min(after_s, _AFTER_CUT_S)
        cuts_before = self._cuts_s[self._cuts_s < first_s]
        earliest_s = float(cuts_before[-1]) if len(cuts_before) else 0.0
        return max(earliest_s, first_s - before_s), last_s + after_s

    def _hidden(self, track: HiddenTrack, time_s: float) -> Hidden:
        path, doubt = track.path, 0.0
        if time_s < path[0, 0]:
            sides, sight = _held(path, time_s, first=True), Sight.BEFORE
        elif time_s > path[-1, 0]:
            sides, sight = _held(path, time_s, first=False), Sight.AFTER
        else:
            sides, sight, doubt = self._inside(track, time_s)
        box = _box(sides)
        margin = self._holding.margin_of(box) + doubt
        nearest = int(np.abs(path[:, 0] - time_s).argmin())
        sure = float(track.sure[nearest])
        if sight is Sight.SEEN and sure < LIKELY_A_FACE:
            sight = Sight.PERHAPS
        gives_way = self._reason is not Reason.MAYBE and track.surest < SURELY_A_FACE
        return Hidden(
            Region(box, margin), sight, self._reason, round(sure, 3), track.number, gives_way
        )

    def _inside(
        self, track: HiddenTrack, time_s: float
    ) -> tuple[NDArray[np.floating], Sight, float]:
        path = track.path
        after = int(np.searchsorted(path[:, 0], time_s))
        if path[after, 0] == time_s or after == 0:
            return path[after, 1:], Sight.SEEN, 0.0
        before = after - 1
        sides, gap_s = _between(path, time_s), float(path[after, 0] - path[before, 0])
        if gap_s <= _NEXT_S:
            return sides, Sight.SEEN, 0.0
        return (
            sides,
            Sight.BETWEEN,
            min(_MOST_DOUBT, _DOUBT * _sizes_apart(path[before], path[after])),
        )


def _is_at(hidden: Hidden, box: Box) -> bool:
    """Whether something is in the place of a face."""
    return box.overlap(hidden.region.box) >= ONE_FACE


def _between(path: NDArray[np.floating], time_s: float) -> NDArray[np.floating]:
    return np.array([np.interp(time_s, path[:, 0], path[:, side]) for side in range(1, 5)])


def _held(path: NDArray[np.floating], time_s: float, *, first: bool) -> NDArray[np.floating]:
    """Give the sides of what holds a face beyond its sights: where it was, and where it may be."""
    end = path[0] if first else path[-1]
    span = np.abs(path[:, 0] - end[0]) <= _SPEED_S
    other = path[span][-1] if first else path[span][0]
    seen_s = float(other[0] - end[0])
    away_s = time_s - float(end[0])
    moved = np.zeros(4)
    if seen_s:
        speed = (other[1:] - end[1:]) / seen_s
        # Only its place: sizes that go on growing would hide whole frames.
        middle = np.array([speed[0] + speed[2], speed[1] + speed[3]]) / 2
        moved = np.tile(middle * float(np.clip(away_s, -_SPEED_S, _SPEED_S)), 2)
    sides = np.stack([end[1:], end[1:] + moved])
    return np.concatenate([sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)])


def _sizes_apart(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    off = (a[1:3] + a[3:5] - b[1:3] - b[3:5]) / 2
    size = max(1.0, float(min(a[3] - a[1], b[3] - b[1])))
    return float(np.hypot(*off)) / size


def _box(sides: NDArray[np.floating]) -> Box:
    return Box(*map(float, sides))


class _ByTime(Generic[T]):
    """What is there from some moment to another, found by moments."""

    def __init__(self, spans: Iterable[tuple[tuple[float, float], T]]) -> None:
        self._by_second: dict[int, list[tuple[float, float, T]]] = defaultdict(list)
        for (begins_s, ends_s), one in spans:
            for second in range(int(begins_s // _BUCKET_S), int(ends_s // _BUCKET_S) + 1):
                self._by_second[second].append((begins_s, ends_s, one))

    def at(self, time_s: float) -> list[T]:
        """Give what is there at a moment."""
        near = self._by_second.get(int(time_s // _BUCKET_S), ())
        return [one for begins_s, ends_s, one in near if begins_s <= time_s <= ends_s]
