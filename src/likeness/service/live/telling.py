"""Keeps what a live search tells, and tells it: nobody is told of before that is in the ledger."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs
from likeness.gallery import OpenCollection
from likeness.jobs import KEPT, SHOT, Job, Mention, Running
from likeness.service.live import kept
from likeness.service.live.asked import LiveRequest
from likeness.service.live.in_view import InView
from likeness.service.live.sighting import OPERATION, Sighting, SightingKind
from likeness.service.uses import Home, Outcome, Probe, Record, use_in
from likeness.service.video.kept import enrolled_still, of_matches
from likeness.service.video.naming import SeenMatch
from likeness.service.video.people_like import Among, Released, release_person
from likeness.terms import Action
from likeness.video import LiveFrame

_MOST_KEPT = 10_000
_TIDY_EVERY_S = 600.0

Tell = Callable[[Sighting], None]
"""Is told of each sighting, once it may be."""

Found = Mapping[int, Sequence[SeenMatch]]
"""Whom people in view are like, by their numbers."""


@dataclass(slots=True, eq=False)
class Telling:
    """What one search has told; `size` is that of its frames, in pixels."""

    home: Home
    running: Running
    request: LiveRequest
    collection: OpenCollection
    tell: Tell
    size: tuple[int, int] = (0, 0)
    sightings: int = 0
    references: dict[UUID, None] = field(default_factory=dict)
    subjects: dict[UUID, None] = field(default_factory=dict)
    _tidied_s: float = 0.0

    @property
    def job(self) -> Job:
        """The search's job."""
        return self.running.job

    def named(
        self,
        people: Sequence[InView],
        found: Found,
        frame: LiveFrame,
        among: Callable[[InView], Among],
    ) -> None:
        """Release whom people are like, in one use of its own, and tell that.

        `among` compares a person with those whom people confirmed.
        """
        of = self.collection
        caller = self.request.caller(OPERATION)
        use = use_in(caller.use(Action.SEARCH), of.id, of.tags, of.model)
        with self.home.record_use(caller, use, self.request.ongoing) as record:
            told: list[tuple[InView, Sighting]] = []
            for person in people:
                given = self._release(record, person, found[person.number], among(person))
                person.matches, person.withheld = given.matches, given.withheld
                if given.withheld or any(map(is_sighting, given.matches)):
                    person.told = SightingKind.SEEN
                    told.append((person, self._of(SightingKind.SEEN, person, frame, given)))
            keep = partial(self._keep_seen, told=told, found=found)
            if any(person.matches for person in people):
                record.write(keep, lambda _: self._outcome_of(people, frame))
            elif told:  # all of it is withheld, as its entry says
                self.home.database.write(keep)
            else:  # people told them apart
                record.answered(Outcome(faces=len(people), details={"job_id": self.job.id}))
        for _, sighting in told:
            late_ms = _ms_since(frame)
            self.tell(replace(sighting, latency_ms=late_ms, receipt=record.receipt))

    def look_again(self, record: Record, people: Sequence[InView]) -> None:
        """Name those who are in view no more who were erased, or told apart by people, since."""
        named = [one for one in people if one.matches]
        if not named:
            return
        ids = {match.reference_id for one in named for match in one.matches if match.reference_id}
        listed = self.collection.read(lambda its: its.references.page(ids=[*ids], limit=len(ids)))
        enrolled = {one.id for one in listed}
        for person in named:
            still = [one for one in person.matches if one.reference_id in enrolled]
            probe = Probe.of_clip(person.known_as(self.job.id), person.picture)
            person.matches = tuple(record.not_told_apart(still, probe))

    def strangers(self, people: Sequence[InView], frame: LiveFrame) -> None:
        """Tell of people who are like nobody of the collection."""
        for person in people:
            person.told = SightingKind.STRANGER
        self._keep([self._of(SightingKind.STRANGER, one, frame) for one in people])

    def left(self, people: Sequence[InView]) -> None:
        """Tell that people are in view no more of whom it was told that they are."""
        self._keep([self._of(SightingKind.LEFT, one) for one in people if one.told is not None])

    def of_source(self, remark: str) -> None:
        """Tell that the source has stopped, or is there again."""
        self.sightings += 1
        at = self.home.clock()
        self._keep([Sighting(self.sightings, SightingKind.SOURCE, at, remark=remark)])

    def tidy(self) -> None:
        """Drop now and then what was told too long ago, or too much of."""
        if time.monotonic() < self._tidied_s + _TIDY_EVERY_S:
            return
        self._tidied_s = time.monotonic()
        until_ms = kept.since(self.job, self.home.clock() - KEPT)
        if self.sightings > _MOST_KEPT:
            oldest = (0, self.sightings - _MOST_KEPT)
            rows = self.home.database.read(
                partial(
                    jobs.results_of,
                    keyring=self.home.keyring,
                    job_id=self.job.id,
                    part=kept.SIGHTING,
                    after=oldest,
                    limit=1,
                )
            )
            until_ms = max([until_ms, *(one.at_ms for one in rows)])
        if until_ms > 0:
            drop = partial(jobs.drop_results_until, job_id=self.job.id, at_ms=until_ms)
            self.home.database.write(partial(drop, runner=self.running.runner))

    def _release(
        self, record: Record, person: InView, matches: Sequence[SeenMatch], among: Among
    ) -> Released:
        return release_person(
            record,
            person.known_as(self.job.id),
            person.picture,
            matches,
            threshold=self.request.asked.threshold,
            among=among,
        )

    def _of(
        self,
        kind: SightingKind,
        person: InView,
        frame: LiveFrame | None = None,
        given: Released | None = None,
    ) -> Sighting:
        self.sightings += 1
        width, height = self.size
        return Sighting(
            self.sightings,
            kind,
            self.home.clock() if frame is None else frame.at,
            person=person.number,
            first_at=person.first_at,
            last_at=person.last_at,
            box=person.box,
            width=width,
            height=height,
            match=person.matches[0].as_told if person.matches else None,
            withheld=given is not None and given.withheld,
            case_id=None if given is None else given.case_id,
            latency_ms=0 if frame is None else _ms_since(frame),
        )

    def _keep(self, sightings: Sequence[Sighting]) -> None:
        """Keep and tell what names nobody anew."""
        if not sightings:
            return
        self.home.database.write(
            partial(
                jobs.keep_results,
                keyring=self.home.keyring,
                job_id=self.job.id,
                results=[kept.of_sighting(one, self.job) for one in sightings],
                runner=self.running.runner,
            )
        )
        for one in sightings:
            self.tell(one)

    def _keep_seen(
        self, connection: Connection, told: Sequence[tuple[InView, Sighting]], found: Found
    ) -> None:
        """Keep what is told of people, and whom they are like, but for who was erased meanwhile."""
        job, keyring, runner = self.job, self.home.keyring, self.running.runner
        results = [kept.of_sighting(sighting, job) for _, sighting in told]
        mentions: list[Mention] = []
        again = [person.number for person, _ in told]
        jobs.drop_owners(connection, job.id, again, (kept.MARK, SHOT), runner=runner)
        for person, sighting in told:
            picture = person.picture if self.home.keeps_crops else None
            at_ms = kept.since(job, sighting.at)
            known_as = person.known_as(job.id)
            results += kept.of_person(person.number, known_as, picture or b"", at_ms)
            mentions += of_matches(person.number, found[person.number])
        there = {one.id for one in enrolled_still(self.collection.within(connection), mentions)}
        mentions = [one for one in mentions if one.reference_id in there]
        jobs.keep_results(connection, keyring, job.id, results, runner=runner)
        jobs.keep_mentions(connection, keyring, job.id, mentions, runner=runner)

    def _outcome_of(self, people: Sequence[InView], frame: LiveFrame) -> Outcome:
        """Say in a sighting's entry whom it names, and when that was."""
        given = [match for person in people for match in person.matches]
        references = dict.fromkeys(one.reference_id for one in given if one.reference_id)
        subjects = dict.fromkeys(one.subject_id for one in given if one.subject_id)
        self.references.update(references)
        self.subjects.update(subjects)
        details = {"job_id": self.job.id, "at": moment(frame.at)}
        return Outcome(len(people), len(given), tuple(references), tuple(subjects), details=details)


def is_sighting(match: SeenMatch) -> bool:
    """Whether it is told as a sighting: a name, or whom people may be asked about.

    Whoever is a candidate by similarity alone is none: of a long list somebody is for every
    passer-by.
    """
    return match.verdict.match or (match.is_unsettled and match.looks_agree)


def moment(at: datetime) -> str:
    """Write a moment as entries have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ms_since(frame: LiveFrame) -> int:
    return max(0, round(1000 * (time.monotonic() - frame.arrived_s)))
