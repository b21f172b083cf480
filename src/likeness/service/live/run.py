"""Does live searches: looks at a source until somebody ends that, and tells who is seen.

1. The rules are asked when the work begins, and four times a second while it goes on: a rule that
   came, a stop, a key that was disabled, or a source that was removed ends it.
2. Frames that nobody has time for are dropped, never kept for later: what is told is of now.
3. Nobody is told of before that is released by the rules, and in the ledger: each look that
   decides who somebody is is a use of its own.
4. What was told is kept sealed, and goes 7 days later, as does the search itself after its end.
5. Whatever fails is raised, and its runner ends this search alone, with the reason.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from likeness import jobs, sources
from likeness.errors import NotFound, required
from likeness.gallery import OpenCollection
from likeness.jobs import Job, JobState, Running
from likeness.review import Sighting as WatchedSighting
from likeness.review import is_anybody_watched
from likeness.service.live import kept
from likeness.service.live.asked import LIVE_SEARCH, LiveRequest, read_request
from likeness.service.live.in_view import InView
from likeness.service.live.opening import opened_source
from likeness.service.live.sighting import AnalysedFace, AnalysedFrame, FrameOutput, Sighting
from likeness.service.live.telling import Tell, Telling, is_sighting, moment
from likeness.service.uses import Home, Outcome, Record, use_in
from likeness.service.video.finding import FramesFinder
from likeness.service.video.naming import SeenMatch, best_shots, fuse, name_person
from likeness.service.video.people_like import Among
from likeness.service.video.track_scores import TrackNaming, tracks_named_from
from likeness.service.watch.sightings import watch_seen
from likeness.terms import Action
from likeness.video import (
    EndedFace,
    FairLane,
    Following,
    LiveFollower,
    LiveFrame,
    LiveStream,
    Seen,
    StreamLimits,
    StreamState,
)

# With what it takes until a change of rules is known, a search ends within a second.
_ASK_AGAIN_S = 0.25
_WAIT_S = 0.25
_MOST_CANDIDATES = 5
# Rates go by the collection's size, which changes slowly.
_NAMING_HOLDS_S = 10.0

MakeOutput = Callable[[Job, LiveRequest], FrameOutput | None]
"""Makes what is told of every frame; None where nobody is."""


def tell_nobody(sighting: Sighting) -> None:
    """Tell nobody of a sighting: it is kept, and may be asked for."""


def _no_output(job: Job, request: LiveRequest) -> None:
    """Tell nobody of frames."""


def goes_on() -> bool:
    """Say that nobody here wants the end of a search."""
    return False


@dataclass(frozen=True, slots=True)
class LiveJobs:
    """What does live searches, on a home that is open.

    Searches take turns in `lane`. `tell` is told of sightings by whoever runs the search in its own
    process, and `wants_end` asked whether it is to end.
    """

    home: Home
    lane: FairLane
    make_output: MakeOutput = _no_output
    limits: StreamLimits | None = None
    tell: Tell = tell_nobody
    wants_end: Callable[[], bool] = goes_on

    @property
    def acts(self) -> dict[str, Callable[[Running], None]]:
        """What a runner calls, by the names of acts."""
        return {LIVE_SEARCH: self.search}

    def search(self, running: Running) -> None:
        """Search a source for the people of a collection, until that ends."""
        request, home = read_request(running.request), self.home
        of = home.gallery.by_id(required(running.job.collection_id, "a search's collection"))
        caller = request.caller("RunLiveSearch")
        use = use_in(caller.use(Action.SEARCH), of.id, of.tags, of.model)
        with home.record_use(caller, use, request.ongoing) as record:
            finder = FramesFinder(home.comparable_finder(of))
            follower = LiveFollower(finder, Following(1 / request.asked.looks_per_s))
            telling = Telling(home, running, request, of, self.tell)
            work = _Work(self, running, request, record, of, follower, telling)
            work.watch()
            record.write(work.end, lambda _: work.outcome())


@dataclass(slots=True, eq=False)
class _Work:
    """One search, from its source to its end."""

    of: LiveJobs
    running: Running
    request: LiveRequest
    record: Record
    collection: OpenCollection
    follower: LiveFollower
    telling: Telling
    _people: int = 0
    _frames: int = 0
    _session: int | None = None
    _in_view: dict[int, InView] = field(default_factory=dict)
    _is_lost: bool = False
    _is_over: bool = False
    _asked_s: float = 0.0
    _naming: TrackNaming | None = None
    _naming_s: float = 0.0

    def watch(self) -> None:
        """Look at the source until the search is to end, or the source has ended."""
        home, job = self.of.home, self.running.job
        self._count_on()
        with ExitStack() as opened:
            output = self.of.make_output(job, self.request)
            if output is not None:
                opened.enter_context(closing(output))
            opened.callback(self.of.lane.leave, job.id)
            stream = opened.enter_context(
                LiveStream(
                    opened_source(home, self.request.source_id),
                    every_s=1 / self.request.asked.looks_per_s,
                    limits=self.of.limits,
                    clock=home.clock,
                )
            )
            while not self._ends():
                frame = stream.next(_WAIT_S)
                self._tell_of_source(stream, frame)
                if frame is not None:
                    self._look(stream, frame, output)
                elif stream.status.state is StreamState.ENDED:
                    break
            self._let_go(self.follower.reset())

    def end(self, connection: Connection) -> None:
        """End the job, in the transaction of its entry."""
        home, running = self.of.home, self.running
        now = home.clock()
        jobs.end_job(
            connection, home.keyring, running.job.id, running.runner, JobState.SUCCEEDED, now
        )

    def outcome(self) -> Outcome:
        """Say in the last entry what came of the search, and of which period it was."""
        job, telling = self.running.job, self.telling
        return Outcome(
            faces=self._people,
            candidates=len(telling.references),
            reference_ids=tuple(telling.references),
            subject_ids=tuple(telling.subjects),
            details={
                "job_id": job.id,
                "source_id": str(self.request.source_id),
                "from": moment(job.begun_at or job.made_at),
                "to": moment(self.of.home.clock()),
                "frames": str(self._frames),
                "sightings": str(telling.sightings),
            },
        )

    def _look(self, stream: LiveStream, frame: LiveFrame, output: FrameOutput | None) -> None:
        seen = None
        while seen is None:
            # A turn may take longer to come than an end may take.
            with self.of.lane.turn(self.running.job.id, _WAIT_S) as has_come:
                if has_come:
                    frame = stream.next(0.0) or frame  # what is newest, now that it has come
                    if frame.session != self._session:
                        self._let_go(self.follower.reset())
                        self._session = frame.session
                    seen = self.follower.see(frame.frame)
            if seen is not None:
                self._let_go(seen.ended)
            if self._ends():
                return
        if not seen.looked:
            return
        self._count_frame(frame)
        for face in seen.faces:
            person = self._person(face.number, frame.at)
            at_s = kept.since(self.running.job, frame.at) / 1000
            person.look(frame.at, at_s, face.look.face.box, face.shots)
        self._decide(
            [
                self._in_view[face.number]
                for face in seen.faces
                if face.has_new_shot and not face.doubtful
            ],
            frame,
        )
        if output is not None:
            output.tell(self._analysed(frame, seen))

    def _person(self, number: int, at: datetime) -> InView:
        """Give somebody who is in view, by the follower's number."""
        person = self._in_view.get(number)
        if person is None:
            self._people += 1
            person = self._in_view[number] = InView(self._people, at)
        return person

    def _decide(self, seen_better: Sequence[InView], frame: LiveFrame) -> None:
        """Search the collection for people in view, and tell of those who are decided about."""
        people = [one for one in seen_better if one.may_be_named]
        if not people:
            return
        naming = self._current_naming()
        found = {one.number: self._like(naming, one) for one in people}

        def among(person: InView) -> Among:
            return lambda ids: name_person(self.collection, naming, person.shots, len(ids), ids)

        named = [one for one in people if one.is_news(found[one.number])]
        if named:
            self.telling.named(named, found, frame, among)
        strangers = [one for one in people if one.is_stranger and not found[one.number]]
        self.telling.strangers(strangers, frame)
        self._show_watches(people)

    def _like(self, naming: TrackNaming, person: InView) -> list[SeenMatch]:
        """Say whom somebody is like, of those whom anybody is told of.

        The stream that is told of every frame gets candidates by their similarity alone.
        """
        asked = self.request.asked
        found = name_person(self.collection, naming, person.shots, _MOST_CANDIDATES)
        by_similarity = asked.kinesis_arn is not None
        return [
            one
            for one in found
            if is_sighting(one) or (by_similarity and one.is_candidate(asked.threshold))
        ]

    def _show_watches(self, people: Sequence[InView]) -> None:
        """Let standing searches see people, each once, where pictures may be kept."""
        home, of = self.of.home, self.collection
        fresh = [one for one in people if not one.watched]
        for one in fresh:
            one.watched = True
        if not (fresh and home.keeps_crops and self._is_anybody_watched()):
            return
        seen = []
        for one in fresh:
            shots, picture = best_shots(one.shots), one.picture
            if shots and picture is not None:
                (template,) = of.as_evened_out([fuse(shots)])
                known_as = one.known_as(self.running.job.id)
                seen.append(WatchedSighting(known_as, template, picture))
        use, now = self.record.use, home.clock()
        home.database.write(
            lambda connection: watch_seen(connection, home, of, seen, use=use, now=now)
        )

    def _is_anybody_watched(self) -> bool:
        of_id, now = self.collection.id, self.of.home.clock()
        return self.of.home.database.read(
            lambda connection: is_anybody_watched(connection, of_id, now)
        )

    def _let_go(self, ended: Sequence[EndedFace]) -> None:
        gone = [self._in_view.pop(one.number, None) for one in ended]
        self.telling.left([one for one in gone if one is not None])

    def _tell_of_source(self, stream: LiveStream, frame: LiveFrame | None) -> None:
        """Tell that the source has stopped, and that it is there again."""
        status = stream.status
        if frame is not None:
            if self._is_lost:
                self._is_lost = False
                again = " again" if self._frames else ""
                self.telling.of_source(f"The source is there{again}.")
        elif status.state is StreamState.WAITING and not self._is_lost:
            self._is_lost = True
            # Nobody is in view of what sends nothing; who is there later is somebody new.
            self._let_go(self.follower.reset())
            self.telling.of_source(status.reason or "The source has stopped.")

    def _analysed(self, frame: LiveFrame, seen: Seen) -> AnalysedFrame:
        width, height = self.telling.size
        people = [(face, self._in_view.get(face.number)) for face in seen.faces]
        return AnalysedFrame(
            self.running.job.id,
            self._frames,
            frame.at,
            frame.frame.time_s,
            width,
            height,
            tuple(
                AnalysedFace(person.number, face.look.face, person.matches)
                for face, person in people
                if person is not None
            ),
        )

    def _ends(self) -> bool:
        """See now and then whether the search is wanted and allowed still, and not over."""
        if self.of.wants_end():
            return True
        if time.monotonic() < self._asked_s + _ASK_AGAIN_S:
            return self._is_over
        home, job_id = self.of.home, self.running.job.id
        self.running.require_wanted()
        self.record.require_still_admitted(self.collection)
        source_id = self.request.source_id
        if not home.database.read(partial(sources.is_registered, source_id=source_id)):
            raise NotFound("The source was removed while it was searched. Register it again.")
        self.telling.look_again(self.record, [*self._in_view.values()])
        self.telling.tidy()
        job = home.database.read(partial(jobs.get_job, keyring=home.keyring, job_id=job_id))
        if job.runner != self.running.runner:  # cancelled, or another's
            self.running.stop()
            self.running.require_wanted()
        ends_at = self.request.asked.statement.ends_at
        in_time = ends_at is None or home.clock() < ends_at
        self._is_over = job.asked_to_end_at is not None or not in_time
        self._asked_s = time.monotonic()
        return self._is_over

    def _count_on(self) -> None:
        """Go on counting where an earlier runner of the search stopped."""
        last = partial(jobs.last_result, job_id=self.running.job.id, part=kept.SIGHTING)
        self.telling.sightings, self._people = self.of.home.database.read(last) or (0, 0)

    def _count_frame(self, frame: LiveFrame) -> None:
        running, home = self.running, self.of.home
        self._frames += 1
        if self._frames == 1:
            further = partial(jobs.got_further, job_id=running.job.id, runner=running.runner)
            home.database.write(further)
        if frame.frame.image is not None:
            height, width = frame.frame.image.pixels.shape[:2]
            self.telling.size = width, height
        ends_at = self.request.asked.statement.ends_at
        total_ms = 0 if ends_at is None else kept.since(running.job, ends_at)
        running.tell(max(1, kept.since(running.job, frame.at)), total_ms)
        if self._frames == 1:
            running.beat()  # so that it is known at once that it runs

    def _current_naming(self) -> TrackNaming:
        """Give what scores mean, by the collection's size of some seconds ago."""
        if self._naming is None or time.monotonic() > self._naming_s + _NAMING_HOLDS_S:
            home = self.of.home
            self._naming = tracks_named_from(home, self.collection, fmr=home.fmr, fpir=home.fpir)
            self._naming_s = time.monotonic()
        return self._naming
