"""Finds out who stays visible in a clip: by a folder of people, or a collection of the home.

A folder is a library's work. A search of a collection is a use: it is admitted by the rules and
recorded, and of whom the rules or people withhold it is not told whether they are known, so they
are hidden like anybody who is not.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from uuid import UUID

from likeness.gallery import OpenCollection
from likeness.review import ClipFace
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.clips import Visible
from likeness.service.redact.people import (
    Followed,
    Known,
    Who,
    follow_people,
    visible_people,
    who_of,
)
from likeness.service.search.folder_gallery import FolderGallery
from likeness.service.search.naming import SIMILARITY
from likeness.service.uses import Caller, Home, Outcome, Record
from likeness.service.video.asked import clip_sha256
from likeness.service.video.gathering import SAME_PERSON_FMR, best_shot
from likeness.service.video.loose import ClipIdentifier
from likeness.service.video.naming import SeenMatch, name_from_folder, name_person
from likeness.service.video.people_like import Released, release_person
from likeness.service.video.seen import ClipMatch, TellMs, tell_nobody
from likeness.service.video.track_scores import TrackNaming, tracks_named_from
from likeness.terms import Action
from likeness.video import ClipLimits, Person, Sampling, Shot
from likeness.vision.find import FaceFinder

_MOST_CANDIDATES = 5
_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPart:
    """A clip, or a part of it, that is looked through for people; so many frames at a time."""

    file: BinaryIO
    sampling: Sampling = Sampling()
    limits: ClipLimits = ClipLimits()
    workers: int = 1
    tell: TellMs = tell_nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOfPeople:
    """A folder's people, and how tracks are called theirs."""

    gallery: FolderGallery
    finder: FaceFinder
    naming: TrackNaming
    same_from: float

    @classmethod
    def of(cls, finder: FaceFinder, identifier: ClipIdentifier) -> "FolderOfPeople":
        """Take those whom a clip's people are named from."""
        return cls(
            gallery=identifier.gallery,
            finder=finder,
            naming=identifier.naming,
            same_from=identifier.same_from,
        )

    def visible(self, part: ClipPart, whom: Whom, manner: Manner) -> Visible:
        """Say who stays visible in a clip.

        Raises:
            InvalidClip, ClipTooLarge: the clip cannot be decoded.
        """
        return visible_people(self.follow(part), self.known(), whom, manner)

    def follow(self, part: ClipPart) -> Followed:
        """Follow the people of a clip; raises what `visible` raises."""
        return _followed(part, self.finder, self.same_from)

    def known(self) -> Known:
        """Say how people are recognised: whatever is found may be said."""
        return Known(self._recognise)

    def _recognise(self, shots: Sequence[Shot]) -> list[ClipMatch]:
        cohort = self.finder.cohort
        found = name_from_folder(self.gallery, cohort, self.naming, shots, _MOST_CANDIDATES)
        return [one.as_match(one.candidate.subject) for one in found]


def visible_by_collection(
    home: Home, caller: Caller, name: str, part: ClipPart, whom: Whom, manner: Manner
) -> Visible:
    """Say who stays visible in a clip, by the people of a collection.

    Raises:
        NoSuchCollection: there is none of that name.
        InvalidClip, ClipTooLarge: the clip cannot be decoded.
        Denied: it may not be done.
        Conflict: what the collection needs is not here.
    """
    of = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, of) as record:
        finder = home.comparable_finder(of)
        naming = tracks_named_from(home, of, fmr=home.fmr, fpir=home.fpir)
        same_from = home.calibration_of(of).point(SAME_PERSON_FMR).threshold
        sha256 = clip_sha256(part.file)
        followed = _followed(part, finder, same_from, _asking_again(record, of))
        search = _Search(home, record, of, naming, bytes.fromhex(sha256))
        released = {
            person.number: given
            for person in followed.people
            if (given := search.released(person)) is not None
        }
        visible = visible_people(followed, Known(search.recognise, released), whom, manner)
        search.answer(len(followed.people), {"clip_sha256": sha256})
    return visible


def _followed(
    part: ClipPart,
    finder: FaceFinder,
    same_from: float,
    go_on: Callable[[], object] = lambda: None,
) -> Followed:
    return follow_people(
        part.file,
        finder,
        same_from,
        part.sampling,
        limits=part.limits,
        workers=part.workers,
        tell=part.tell,
        go_on=go_on,
    )


def _asking_again(record: Record, of: OpenCollection) -> Callable[[], None]:
    """Ask now and then whether the search is allowed still."""
    asked_at = time.monotonic()

    def ask() -> None:
        nonlocal asked_at
        if time.monotonic() >= asked_at + _ASK_AGAIN_S:
            record.require_still_admitted(of)
            asked_at = time.monotonic()

    return ask


class _Search:
    """The search of a collection for the people of one clip."""

    def __init__(
        self,
        home: Home,
        record: Record,
        of: OpenCollection,
        naming: TrackNaming,
        clip_sha256: bytes,
    ) -> None:
        self._home = home
        self._record = record
        self._of = of
        self._naming = naming
        self._sha256 = clip_sha256
        self._given: list[SeenMatch] = []
        self._withheld = False

    def recognise(self, shots: Sequence[Shot]) -> list[ClipMatch]:
        """Say whom somebody is like, whatever may be said of it."""
        found = name_person(self._of, self._naming, shots, _MOST_CANDIDATES)
        return [one.as_told for one in found]

    def released(self, person: Person) -> frozenset[Who] | None:
        """Say who a person may be called; None where that is withheld."""
        among = partial(self._among, person.shots)
        released = release_person(
            self._record,
            ClipFace.at(self._sha256, ((one.time_s, one.face.box) for one in person.looks)),
            self._crop(person),
            [one for one in self._found(person.shots) if one.similarity > 0],
            threshold=SIMILARITY,
            among=among,
            refers=not self._withheld,
        )
        if released.withheld:
            self._withheld = True
            return None
        self._given += released.matches
        return _who(released)

    def answer(self, people: int, details: dict[str, str]) -> None:
        """Leave the entry of what is answered."""
        references = dict.fromkeys(one.reference_id for one in self._given if one.reference_id)
        subjects = dict.fromkeys(one.subject_id for one in self._given if one.subject_id)
        outcome = Outcome(
            people, len(self._given), tuple(references), tuple(subjects), details=details
        )
        if self._withheld and self._given:
            self._record.answered_in_part(outcome)
        else:
            self._record.answered(outcome)

    def _found(self, shots: Sequence[Shot]) -> list[SeenMatch]:
        return name_person(self._of, self._naming, shots, _MOST_CANDIDATES) if shots else []

    def _among(self, shots: Sequence[Shot], ids: Sequence[UUID]) -> list[SeenMatch]:
        return name_person(self._of, self._naming, shots, len(ids), ids) if shots else []

    def _crop(self, person: Person) -> bytes | None:
        shot = best_shot(person.shots) if self._home.keeps_crops else None
        return None if shot is None else shot.crop_jpeg or None


def _who(released: Released) -> frozenset[Who]:
    return frozenset(who_of(one.as_told) for one in released.matches)
