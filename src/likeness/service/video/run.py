"""Does the jobs over clips: looks at the clip, segment by segment, and keeps what it found.

1. The rules are asked when the work begins, and again while it goes on: a rule that came, a stop,
   or a key that was disabled ends the job as refused.
2. Every segment that is done is kept, so that a job that was cut off goes on behind the last.
3. The clip has to be the one whose segments are kept, to the byte.
4. What was found is kept before the job ends, and the job ends in the transaction of the ledger's
   entry that says so: period, collection, and which inputs led to whom.
5. Whatever fails is raised, and its runner ends this job alone, with the reason.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import Connection

from likeness import jobs
from likeness.buckets import Buckets
from likeness.errors import Conflict, required
from likeness.gallery import Collection, OpenCollection
from likeness.jobs import JobState, Running
from likeness.review import Sighting
from likeness.service.uses import Home, Outcome, Record, use_in
from likeness.service.video import kept
from likeness.service.video.asked import ClipAct, Request, clip_sha256, read_request
from likeness.service.video.finding import FramesFinder
from likeness.service.video.gathering import (
    SAME_PERSON_FMR,
    FollowedPeople,
    FollowedPerson,
    Gathering,
    best_shot,
)
from likeness.service.video.kept import ClipFacts, KeptSegment
from likeness.service.video.naming import SeenMatch, best_shots, fuse, name_person
from likeness.service.video.seen import TellMs, tell_nobody
from likeness.service.video.track_scores import tracks_named_from
from likeness.service.watch.sightings import watch_seen
from likeness.terms import Action
from likeness.video import ClipLimits, ClipReader, Following, Frame, Segment, follow, reading

SEGMENT_S = 30.0
_ASK_AGAIN_S = 0.5
_MOST_CANDIDATES = 5
_LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class ClipJobs:
    """What does jobs over clips, on a home that is open.

    So many `workers` search frames at a time.
    """

    home: Home
    buckets: Buckets
    limits: ClipLimits = ClipLimits()
    workers: int = 1
    tell: TellMs = tell_nobody

    @property
    def acts(self) -> Mapping[str, Callable[[Running], None]]:
        """What a runner calls, by the names of acts."""
        return {ClipAct.DETECT: self.detect, ClipAct.SEARCH: self.search}

    def detect(self, running: Running) -> None:
        """Find the faces of a clip."""
        request = read_request(running.request)
        caller = request.caller("RunFaceDetection")
        with self.home.record(caller, Action.DETECT) as record:
            finder = FramesFinder(self.home.load_finder(None))
            following = Following(request.asked.sampling.every_s, templates=False)
            work = _Work(self, running, request, record, finder, following)
            seen = work.see(same_from=None)
            work.keep(seen)
            record.write(
                partial(work.end, then=lambda connection: None),
                lambda _: Outcome(faces=len(seen.people), details=work.details()),
            )

    def search(self, running: Running) -> None:
        """Find the people of a clip, and search a collection for each."""
        request, home = read_request(running.request), self.home
        of = home.gallery.by_id(required(running.job.collection_id, "a job's collection"))
        caller = request.caller("RunFaceSearch")
        use = use_in(caller.use(Action.SEARCH), of.id, of.tags, of.model)
        with home.record_use(caller, use) as record:
            finder = FramesFinder(home.comparable_finder(of))
            following = Following(request.asked.sampling.every_s)
            work = _Work(self, running, request, record, finder, following, of)
            same_from = home.calibration_of(of).point(SAME_PERSON_FMR).threshold
            seen = work.see(same_from)
            matches = _matches(home, of, seen.people, running.require_wanted)
            sightings = work.sightings(of, seen)
            work.keep(seen)
            record.write(
                partial(
                    work.end, then=partial(_found, home, of, running, record, matches, sightings)
                ),
                lambda _: _outcome(seen, matches, request.asked.threshold, work.details()),
            )


@dataclass(slots=True, eq=False)
class _Work:
    """One job, from its clip to its results."""

    of: ClipJobs
    running: Running
    request: Request
    record: Record
    finder: FramesFinder
    following: Following
    collection: Collection | None = None
    _gathering: Gathering = field(default_factory=Gathering)
    _sha256: str = ""
    _damaged: int = 0
    _to_s: float = 0.0
    _asked_at: float = 0.0
    _facts: ClipFacts | None = None

    def see(self, same_from: float | None) -> FollowedPeople:
        """Look at what is left of the clip; say who is seen in all of it."""
        asked = self.request.asked
        with asked.place.open(self.of.buckets, self.of.limits, self._ask_again) as file:
            self._sha256 = clip_sha256(file, self._ask_again)
            place, from_s = self._resume()
            sampling = replace(asked.sampling, from_s=max(asked.sampling.from_s, from_s))
            with reading(file, sampling, self.of.limits, self._ask_again) as reader:
                first = int(sampling.from_s // SEGMENT_S)
                frames = self._while_wanted(reader)
                for segment in follow(
                    frames,
                    self.finder,
                    self.following,
                    segment_s=SEGMENT_S,
                    first=first,
                    workers=self.of.workers,
                ):
                    kept_as = KeptSegment(
                        segment, self._sha256, self._damaged + reader.damaged.frames
                    )
                    self._keep_segment(place, kept_as)
                    self._gathering.add(segment)
                    place += 1
                self._facts = self._facts_of(reader)
        return self._gathering.people(same_from, self._ask_again)

    def keep(self, seen: FollowedPeople) -> None:
        """Keep what was found; what an earlier run had begun to keep is dropped."""
        rows, job_id, runner = self.of.home, self.running.job.id, self.running.runner
        facts = required(self._facts, "what a clip is")
        people = kept.of_people(seen.people, keeps_pictures=rows.keeps_crops)
        rows.database.write(partial(jobs.drop_results, job_id=job_id, runner=runner))
        kept.keep(rows, job_id, [kept.of_clip(facts), *people], runner)
        count = 0
        for one in kept.kept_segments(rows, job_id):
            looks = list(kept.of_looks(seen.timeline(one.segment), count))
            kept.keep(rows, job_id, looks, runner)
            count += len(looks)
            self.running.require_wanted()

    def end(self, connection: Connection, then: Callable[[Connection], None]) -> None:
        """End the job in a transaction, in which `then` keeps what else there is to keep."""
        home, job_id = self.of.home, self.running.job.id
        then(connection)
        jobs.end_job(
            connection,
            home.keyring,
            job_id,
            self.running.runner,
            JobState.SUCCEEDED,
            home.clock(),
        )

    def details(self) -> dict[str, str]:
        """Say in the job's entry which job it was, of which clip, and of which of its time."""
        facts = required(self._facts, "what a clip is")
        return {
            "job_id": self.running.job.id,
            "clip_sha256": facts.sha256,
            "from_ms": str(facts.from_ms),
            "to_ms": str(facts.to_ms),
        }

    def sightings(self, of: OpenCollection, seen: FollowedPeople) -> list[Sighting]:
        """Make ready who was seen for standing searches, where pictures may be kept."""
        if not self.of.home.keeps_crops:
            return []
        clip_sha256, made = required(self._facts, "what a clip is").sha256, []
        for person in seen.people:
            shots, shown = best_shots(person.shots), best_shot(person.shots)
            if shots and shown is not None and shown.crop_jpeg:
                (template,) = of.as_evened_out([fuse(shots)])
                face = kept.clip_face_of(person, clip_sha256)
                made.append(Sighting(face, template, shown.crop_jpeg))
        return made

    def _resume(self) -> tuple[int, float]:
        """Take in the segments that are done; say how many, and where the work goes on."""
        place, from_s = 0, 0.0
        for one in kept.kept_segments(self.of.home, self.running.job.id):
            if one.clip_sha256 != self._sha256:
                raise Conflict(
                    f"{self.request.asked.place.name}: The clip was changed while it was worked on."
                    " Start again."
                )
            self._gathering.add(one.segment)
            self._damaged, self._to_s = one.damaged, one.segment.to_s
            place, from_s = place + 1, one.segment.to_s
        return place, from_s

    def _while_wanted(self, reader: ClipReader) -> Iterator[Frame]:
        sampling, duration_s = self.request.asked.sampling, reader.clip.duration_s
        for frame in reader:
            self._to_s = max(self._to_s, frame.time_s)
            done_of_total = sampling.done_of_total_ms(frame.time_s, duration_s)
            self.running.tell(*done_of_total)
            self.of.tell(*done_of_total)
            self._ask_again()
            yield frame

    def _ask_again(self) -> None:
        """See now and then whether the job is wanted and allowed still."""
        if time.monotonic() < self._asked_at + _ASK_AGAIN_S:
            return
        self.running.require_wanted()
        self.record.require_still_admitted(self.collection)
        self._asked_at = time.monotonic()

    def _keep_segment(self, place: int, one: KeptSegment) -> None:
        home = self.of.home
        if not home.keeps_crops:
            one = replace(one, segment=_without_pictures(one.segment))
        content = one.to_bytes()
        self.running.require_wanted()
        home.database.write(
            lambda connection: jobs.keep_segment(
                connection,
                home.keyring,
                self.running.job.id,
                place,
                content,
                runner=self.running.runner,
            )
        )

    def _facts_of(self, reader: ClipReader) -> ClipFacts:
        return ClipFacts(
            reader.clip,
            self._sha256,
            round(1000 * self.request.asked.sampling.from_s),
            round(1000 * self._to_s),
            self._gathering.frames,
            self._gathering.looked_at,
            self._damaged + reader.damaged.frames,
            reader.remarks,
        )


def _without_pictures(segment: Segment) -> Segment:
    """Leave the pictures of faces out, where none may be kept."""
    return replace(
        segment,
        tracks=tuple(
            replace(track, shots=tuple(replace(shot, crop_jpeg=b"") for shot in track.shots))
            for track in segment.tracks
        ),
    )


Matches = Mapping[int, Sequence[SeenMatch]]
"""Whom each person is like, by the person's number."""


def _matches(
    home: Home,
    of: OpenCollection,
    people: Iterable[FollowedPerson],
    require_wanted: Callable[[], None],
) -> Matches:
    naming = tracks_named_from(home, of, fmr=home.fmr, fpir=home.fpir)
    found = {}
    for person in people:
        require_wanted()
        if person.shots:
            like = name_person(of, naming, person.shots, _MOST_CANDIDATES)
            # Whom everybody is as like as that is nobody to keep.
            found[person.number] = [one for one in like if one.similarity > 0]
    return found


def _found(
    home: Home,
    of: OpenCollection,
    running: Running,
    record: Record,
    matches: Matches,
    sightings: Sequence[Sighting],
    connection: Connection,
) -> None:
    """Keep whom people are like, but for who was erased meanwhile; tell standing searches."""
    found = [
        mention for number, some in matches.items() for mention in kept.of_matches(number, some)
    ]
    there = {one.id for one in kept.enrolled_still(of.within(connection), found)}
    mentions = [one for one in found if one.reference_id in there]
    jobs.keep_mentions(connection, home.keyring, running.job.id, mentions, runner=running.runner)
    watch_seen(connection, home, of, sightings, use=record.use, now=home.clock())


def _outcome(
    seen: FollowedPeople, matches: Matches, threshold: float, details: dict[str, str]
) -> Outcome:
    """Say in the job's entry whom the clip's people match, and by which shots."""
    by_person = {
        number: [one for one in some if one.verdict.match or one.is_candidate(threshold)]
        for number, some in matches.items()
    }
    of_people = [one for some in by_person.values() for one in some]
    shots = [
        str(round(1000 * shot.look.time_s))
        for person in seen.people
        if by_person.get(person.number)
        for shot in person.shots
    ]
    return Outcome(
        faces=len(seen.people),
        candidates=len(of_people),
        reference_ids=tuple(dict.fromkeys(filter(None, (one.reference_id for one in of_people)))),
        subject_ids=tuple(dict.fromkeys(filter(None, (one.subject_id for one in of_people)))),
        details={**details, "shots_ms": _as_many(shots)} if shots else details,
    )


def _as_many(words: Sequence[str]) -> str:
    """Join as many words as an entry's text may hold."""
    text = " ".join(words)
    if len(text) <= _LONGEST_DETAIL:
        return text
    return text[: _LONGEST_DETAIL - 4].rpartition(" ")[0] + " ..."
