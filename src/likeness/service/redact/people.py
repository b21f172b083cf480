"""Says who stays visible in a clip: whose face is surely theirs, at which moments.

Faces are followed as `identify` follows them. Carefully taken, a name that a track has holds for

1. a stretch of it in which nobody else came near and it was never out of sight, and
2. in that, for the moments whose nearest good look agrees with the name by itself.

Whatever is left is hidden: who was seen a second before may be somebody else now.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from likeness.service.redact.asked import MAY_BE_FMR, Manner, Whom
from likeness.service.redact.clips import Visible
from likeness.service.video.finding import FramesFinder
from likeness.service.video.seen import ClipMatch, TellMs, tell_nobody
from likeness.video import (
    LOOK_EVERY_S,
    ClipLimits,
    Following,
    Frame,
    Interval,
    NamedTrack,
    Person,
    Reason,
    Sampling,
    Shot,
    Track,
    Version,
    follow,
    people_of,
    reading,
    version_of,
)
from likeness.vision.find import FaceFinder

# Somebody else is too near where middles are no more sizes of a face apart; for so long around it.
_NEAR = 1.2
_NEAR_S = 0.15
# A face that was not found for so long may be somebody else's when it is found again.
_OUT_OF_SIGHT_S = 0.5
FEWEST_LOOKS = 2
"""Good looks that it takes to say that somebody is none of those who are to be hidden."""

Recognise = Callable[[Sequence[Shot]], Sequence[ClipMatch]]
"""Says whom somebody is like by these looks, most alike first."""
Who = UUID | str | None


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Who was followed through a clip, and which of their tracks are one person's.

    `version` is that of the clip.
    """

    people: Sequence[Person]
    version: Version | None = None

    @property
    def tracks(self) -> list[Track]:
        """Every track."""
        return [track for person in self.people for track in person.tracks]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Who is known, and what of it may be said.

    `released` are those whom each person, by number, may be called; of whoever is missing nothing
    may be said. None releases everybody.
    """

    recognise: Recognise
    released: Mapping[int, frozenset[Who]] | None = None

    def may_be_called(self, person: int, match: ClipMatch) -> bool:
        """Whether it may be said of a person that they are somebody."""
        return self.released is None or who_of(match) in self.released.get(person, ())

    def is_withheld(self, person: int) -> bool:
        """Whether nothing may be said of a person."""
        return self.released is not None and person not in self.released


def who_of(match: ClipMatch) -> Who:
    """Say who somebody known is, so that two matches of one person are the same."""
    return match.subject_id or match.reference_id or match.subject


def follow_people(
    file: BinaryIO,
    finder: FaceFinder,
    same_from: float,
    sampling: Sampling = Sampling(),
    *,
    limits: ClipLimits = ClipLimits(),
    workers: int = 1,
    tell: TellMs = tell_nobody,
    go_on: Callable[[], object] = lambda: None,
) -> Followed:
    """Follow the faces of a clip as whoever names people does.

    From a score of `same_from` on tracks apart are one person's. What `go_on` raises ends this.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be decoded.
    """
    part, version = Sampling(LOOK_EVERY_S, sampling.from_s, sampling.to_s), version_of(file)
    with reading(file, part, limits, go_on) as reader:

        def frames() -> Iterator[Frame]:
            for frame in reader:
                tell(*part.done_of_total_ms(frame.time_s, reader.clip.duration_s))
                yield frame

        segments = follow(frames(), FramesFinder(finder), Following(LOOK_EVERY_S), workers=workers)
        tracks = [track for segment in segments for track in segment.tracks]
    return Followed(people_of(tracks, same_from, go_on), version)


def visible_people(followed: Followed, known: Known, whom: Whom, manner: Manner) -> Visible:
    """Say who stays visible of those who were followed; `whom` says who is hidden."""
    crowd = _Crowd(followed.tracks) if manner.careful else None
    judge = _kept if whom is Whom.ALL_BUT else _not_asked
    named = [
        _named(track, judge(person, track, known, manner), crowd)
        for person in followed.people
        for track in person.tracks
    ]
    reason = Reason.UNSURE if whom is Whom.ALL_BUT else Reason.MAYBE
    return Visible(named, reason, followed.version)


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    """Why a track is hidden, and at which looks it is not; `bears_out` asks one by itself."""

    reason: Reason
    bears_out: Callable[[Shot], bool] | None = None
    called: str | None = None
    shots: Sequence[Shot] = ()


def _kept(person: Person, track: Track, known: Known, manner: Manner) -> _Verdict:
    """Judge a track when all are hidden but some people."""
    if known.is_withheld(person.number):
        return _Verdict(Reason.UNSURE)
    shots = track.shots if manner.careful else person.shots
    like = known.recognise(shots) if shots else ()
    matches = [one for one in like if one.match and known.may_be_called(person.number, one)]
    if not matches:
        return _Verdict(Reason.STRANGER if len(shots) >= FEWEST_LOOKS else Reason.UNSURE)
    best = matches[0]
    if manner.careful and len({who_of(one) for one in matches}) > 1:
        return _Verdict(Reason.UNSURE)

    def bears_out(shot: Shot) -> bool:
        first = known.recognise([shot])[:1]
        return any(who_of(one) == who_of(best) and one.agreeing > 0 for one in first)

    return _Verdict(Reason.UNSURE, bears_out, best.name, track.shots)


def _not_asked(person: Person, track: Track, known: Known, manner: Manner) -> _Verdict:
    """Judge a track when only some people are hidden."""
    if known.is_withheld(person.number):
        return _Verdict(Reason.MAYBE)
    like = known.recognise(person.shots) if person.shots else ()
    if any(one.match and known.may_be_called(person.number, one) for one in like):
        return _Verdict(Reason.ASKED)
    if not manner.careful:
        return _Verdict(Reason.ASKED, lambda shot: True)
    if len(track.shots) < FEWEST_LOOKS or any(one.fmr <= MAY_BE_FMR for one in like):
        return _Verdict(Reason.MAYBE)

    def bears_out(shot: Shot) -> bool:
        return not any(one.agreeing for one in known.recognise([shot]))

    return _Verdict(Reason.MAYBE, bears_out, None, track.shots)


def _named(track: Track, verdict: _Verdict, crowd: "_Crowd | None") -> NamedTrack:
    return replace(_spans_of(track, verdict, crowd), ended=track.ended)


def _spans_of(track: Track, verdict: _Verdict, crowd: "_Crowd | None") -> NamedTrack:
    path = track.path()
    if verdict.bears_out is None:
        return NamedTrack(path, verdict.reason)
    if crowd is None:
        whole = (Interval(track.begins_s, track.ends_s),)
        return NamedTrack(path, verdict.reason, whole, called=verdict.called)
    near = crowd.near(track)
    stretches = _without(_in_sight(path), near)
    times = [shot.look.time_s for shot in verdict.shots]
    good = [verdict.bears_out(shot) for shot in verdict.shots]
    shown = [span for stretch in stretches for span in _borne_out(stretch, times, good)]
    reasons = tuple((span, Reason.NEAR) for span in near)
    return NamedTrack(path, verdict.reason, tuple(shown), reasons, verdict.called)


def _borne_out(stretch: Interval, times: Sequence[float], good: Sequence[bool]) -> list[Interval]:
    """Give the moments of a stretch whose nearest look within it agrees with a name."""
    begin, end = (bisect_left(times, at) for at in (stretch.begins_s, stretch.ends_s + 1e-9))
    within = times[begin:end]
    middles = [(a + b) / 2 for a, b in pairwise(within)]
    edges = [stretch.begins_s, *middles, stretch.ends_s]
    return [
        Interval(*span)
        for span, agrees in zip(pairwise(edges), good[begin:end], strict=False)
        if agrees
    ]


def _in_sight(path: NDArray[np.floating]) -> list[Interval]:
    """Give the stretches in which a face was not out of sight for long."""
    times = path[:, 0]
    gaps = np.flatnonzero(np.diff(times) > _OUT_OF_SIGHT_S)
    begins = [0, *(gaps + 1).tolist()]
    ends = [*gaps.tolist(), len(times) - 1]
    return [Interval(float(times[a]), float(times[b])) for a, b in zip(begins, ends, strict=True)]


def _without(stretches: Sequence[Interval], spans: Sequence[Interval]) -> list[Interval]:
    """Take spans of time out of stretches."""
    left = list(stretches)
    for span in spans:
        left = [
            Interval(begins_s, ends_s)
            for one in left
            for begins_s, ends_s in (
                (one.begins_s, min(one.ends_s, span.begins_s)),
                (max(one.begins_s, span.ends_s), one.ends_s),
            )
            if begins_s < ends_s
        ]
    return left


class _Crowd:
    """Everybody who was followed, and who comes near whom."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = sorted(tracks, key=lambda track: track.begins_s)
        self._paths = [track.path() for track in self._tracks]

    def near(self, track: Track) -> list[Interval]:
        """Say when somebody else is near a track."""
        path = track.path()
        near = np.zeros(len(path), np.bool_)
        for other, theirs in zip(self._tracks, self._paths, strict=True):
            if other is track or other.ends_s < track.begins_s - _NEAR_S:
                continue
            if other.begins_s > track.ends_s + _NEAR_S:
                break
            near |= _are_near(path, theirs)
        spans: list[Interval] = []
        for time_s in path[near, 0].tolist():
            begins_s, ends_s = time_s - _NEAR_S, time_s + _NEAR_S
            if spans and begins_s <= spans[-1].ends_s:
                spans[-1] = Interval(spans[-1].begins_s, ends_s)
            else:
                spans.append(Interval(begins_s, ends_s))
        return spans


def _are_near(path: NDArray[np.floating], theirs: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say of each look of a path whether another's face is near then: (n,)."""
    there = (path[:, 0] >= theirs[0, 0] - _NEAR_S) & (path[:, 0] <= theirs[-1, 0] + _NEAR_S)
    sides = np.stack([np.interp(path[:, 0], theirs[:, 0], theirs[:, one]) for one in range(1, 5)])
    mine = path[:, 1:].T
    apart = np.hypot(
        (mine[0] + mine[2] - sides[0] - sides[2]) / 2, (mine[1] + mine[3] - sides[1] - sides[3]) / 2
    )
    size = (mine[2] - mine[0] + mine[3] - mine[1] + sides[2] - sides[0] + sides[3] - sides[1]) / 4
    return np.asarray(there & (apart <= _NEAR * np.maximum(size, 1.0)), np.bool_)
