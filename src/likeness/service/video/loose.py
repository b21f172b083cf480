"""Says who is seen in clips that are no home's: a library's work, outside the policy's reach."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from likeness.service.search.folder_gallery import FolderGallery
from likeness.service.video.finding import FramesFinder
from likeness.service.video.gathering import (
    SAME_PERSON_FMR,
    FollowedPeople,
    FollowedPerson,
    Gathering,
    best_shot,
    worth_of,
)
from likeness.service.video.naming import name_from_folder
from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen, TellMs, tell_nobody
from likeness.service.video.track_scores import TrackNaming
from likeness.terms import Calibration
from likeness.video import (
    ClipLimits,
    Following,
    Frame,
    FrameFinder,
    Look,
    Sampling,
    Segment,
    Track,
    follow,
    reading,
)
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Known:
    """How people of a clip are recognised: tracks are joined from a score on, people are named."""

    same_from: float
    name: Callable[[FollowedPerson], tuple[ClipMatch, ...]]


def see_clip(
    file: BinaryIO,
    finder: FrameFinder,
    sampling: Sampling,
    *,
    known: Known | None = None,
    limits: ClipLimits = ClipLimits(),
    workers: int = 1,
    tell: TellMs = tell_nobody,
) -> ClipSeen:
    """Follow the faces of a clip, and say when each person is in view.

    Without `known` nobody makes templates: tracks are joined by place and time alone, so that
    somebody who leaves and returns is two people. So many `workers` search frames at a time.

    Raises:
        InvalidClip, ClipTooLarge: the clip cannot be looked at.
        EngineUnavailable: what reads video is not installed.
    """
    gathering, best = Gathering(), _Best()
    following = Following(look_every_s=sampling.every_s, templates=known is not None)
    at_s = sampling.from_s
    with reading(file, sampling, limits) as reader:

        def frames() -> Iterator[Frame]:
            nonlocal at_s
            for frame in reader:
                at_s = max(at_s, frame.time_s)
                tell(*sampling.done_of_total_ms(at_s, reader.clip.duration_s))
                yield frame

        for segment in follow(frames(), finder, following, workers=workers):
            gathering.add(segment)
            best.add(segment)
        clip, damaged, remarks = reader.clip, reader.damaged.frames, reader.remarks
    seen = gathering.people(None if known is None else known.same_from)
    if known is None:
        looks = best.of_people(seen)
        people = [_person(one, looks.get(one.number)) for one in seen.people]
    else:
        people = [_recognised(one, known) for one in seen.people]
    return ClipSeen(
        clip,
        tuple(people),
        sampling.from_s,
        at_s,
        gathering.frames,
        gathering.looked_at,
        damaged,
        tuple(remarks),
    )


class ClipIdentifier:
    """Names the people of clips, from one folder, at the error rates that its size allows.

    `naming` says which scores of a track name somebody, and `same_from` from which score on two
    tracks are one person's.
    """

    def __init__(
        self,
        finder: FaceFinder,
        one_look: Calibration,
        tracks: Calibration | None,
        gallery: FolderGallery,
        *,
        fmr: float,
        fpir: float,
        warn_from: float = 0.0,
    ) -> None:
        """Make one; `one_look` and `tracks` say what scores mean, of a look and of a track."""
        self._finder = finder
        self.gallery = gallery
        self.same_from = one_look.point(SAME_PERSON_FMR).threshold
        self.naming = TrackNaming.of(
            one_look,
            tracks,
            gallery.own_strangers,
            len(gallery.references),
            fmr=fmr,
            fpir=fpir,
            warn_from=warn_from,
        )

    def identify(
        self,
        file: BinaryIO,
        sampling: Sampling,
        *,
        limit: int = 3,
        limits: ClipLimits = ClipLimits(),
        workers: int = 1,
        tell: TellMs = tell_nobody,
    ) -> ClipSeen:
        """Say who is seen when, with at most `limit` candidates for each; see `see_clip`."""

        def name(person: FollowedPerson) -> tuple[ClipMatch, ...]:
            found = name_from_folder(
                self.gallery, self._finder.cohort, self.naming, person.shots, limit
            )
            return tuple(one.as_match(one.candidate.subject) for one in found)

        known = Known(self.same_from, name)
        return see_clip(
            file,
            FramesFinder(self._finder),
            sampling,
            known=known,
            limits=limits,
            workers=workers,
            tell=tell,
        )


@dataclass(slots=True, eq=False)
class _Best:
    """The best look of each track of all segments so far; no more of them is kept."""

    _segments: list[Segment] = field(default_factory=list)

    def add(self, segment: Segment) -> None:
        self._segments.append(replace(segment, tracks=tuple(map(_with_best_alone, segment.tracks))))

    def of_people(self, seen: FollowedPeople) -> Mapping[int, Look]:
        """Give the best look at each person, by number."""
        found: dict[int, Look] = {}
        for segment in self._segments:
            for one in seen.timeline(segment):
                look = Look(one.at_ms / 1000, one.face)
                if one.person not in found or _worth(look) > _worth(found[one.person]):
                    found[one.person] = look
        return found


def _with_best_alone(track: Track) -> Track:
    return replace(track, looks=(max(track.looks, key=_worth),), shots=())


def _worth(look: Look) -> tuple[bool, float]:
    return look.face.quality.fit_to_enrol, worth_of(look.face)


def _recognised(person: FollowedPerson, known: Known) -> ClipPerson:
    shot = best_shot(person.shots)
    return _person(
        person, None if shot is None else shot.look, known.name(person) if person.shots else ()
    )


def _person(
    person: FollowedPerson, best: Look | None, candidates: Sequence[ClipMatch] = ()
) -> ClipPerson:
    return ClipPerson(
        person.number,
        person.intervals,
        None if best is None else best.time_s,
        None if best is None else best.face,
        person.box_at,
        len(person.shots),
        tuple(candidates),
    )
