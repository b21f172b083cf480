"""Gives what jobs over clips have found, as far as rules and people let it be given now.

Whoever asks for results makes a use of them: the rules are asked, whom people told apart is left
out, and what people have to look at first is withheld until they have. While a job runs, how far it
has come is read, and nothing else.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from likeness import jobs
from likeness.errors import NotFound, required
from likeness.gallery import OpenCollection
from likeness.jobs import Job, JobState, Result
from likeness.service.search.naming import Expected
from likeness.service.uses import Caller, Home, Outcome, Record, use_in
from likeness.service.video import kept
from likeness.service.video.asked import Asked, ClipAct, Request, read_request
from likeness.service.video.corrections import corrected, read_correction
from likeness.service.video.gathering import SeenLook, box_on
from likeness.service.video.kept import ClipFacts
from likeness.service.video.manage import required_job
from likeness.service.video.naming import SeenMatch
from likeness.service.video.people_like import among_those_found, people_like, release_person
from likeness.service.video.seen import ClipPerson, ClipSeen
from likeness.service.video.track_scores import expected_of_person
from likeness.terms import UNDECLARED, Action, GroupWarning

_MOST_PEOPLE = 100_000
_MOST_PATHS = 1_000_000


class Order(Enum):
    """How looks are listed."""

    TIME = "by time"
    PERSON = "by person, then by time"


After = tuple[int, int]
"""Owner and number of the last look that is known already."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipJob:
    """A job and what it was asked for; `facts` are None until it succeeded."""

    job: Job
    asked: Asked
    facts: ClipFacts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LooksPage:
    """Some of the looks of a clip, and where the next page begins; None at the end.

    `matches` are whom the people are like, by their numbers, most alike first: empty of a job that
    searched nobody, and where the answer is withheld. `expected` is how many false candidates each
    stranger has at the similarity that was asked for, None where nobody measured that, or searched.
    """

    of: ClipJob
    looks: tuple[SeenLook, ...] = ()
    matches: Mapping[int, Sequence[SeenMatch]] = field(default_factory=dict)
    after: After | None = None
    case_ids: tuple[UUID, ...] = ()
    expected: Expected | None = None
    group_warning: GroupWarning | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PeopleSeen:
    """A job and who is seen in its clip; `seen` is None until the job succeeded."""

    of: ClipJob
    seen: ClipSeen | None = None


def looks_page(
    home: Home,
    caller: Caller,
    act: ClipAct,
    job_id: str,
    *,
    order: Order = Order.TIME,
    after: After | None = None,
    limit: int,
) -> LooksPage:
    """Give looks of a clip; none while the job has not succeeded.

    Raises:
        NotFound: the caller has no such job.
        Denied: the results may not be given.
    """
    with _results(home, caller, act, job_id) as found:
        if found.of.facts is None:
            return LooksPage(found.of)
        rows = found.read(
            partial(
                jobs.results_of,
                part=kept.LOOK,
                by_owner=order is Order.PERSON,
                after=after,
                limit=limit + 1,
            )
        )
        listed = rows[:limit]
        people = {one.owner for one in listed}
        matches = found.released(lambda one, asked: one.is_candidate(asked.threshold), people)
        found.answered(len(listed))
        last = listed[-1] if len(rows) > limit else None
        expected, group_warning = found.expected()
        return LooksPage(
            found.of,
            tuple(map(kept.read_look, listed)),
            matches,
            None if last is None else (last.owner, last.number),
            tuple(dict.fromkeys(found.case_ids.values())),
            expected,
            group_warning,
        )


def people_seen(home: Home, caller: Caller, act: ClipAct | None, job_id: str) -> PeopleSeen:
    """Say who is seen in a clip, from when to when, and whom they are like.

    Nobody is, while the job has not succeeded. It may be of any act where none is named.

    Raises:
        NotFound: the caller has no such job.
        Denied: the results may not be given.
    """
    with _results(home, caller, act, job_id) as found:
        facts = found.of.facts
        if facts is None:
            return PeopleSeen(found.of)
        paths: dict[int, list[NDArray[np.float32]]] = {}
        for row in found.read(
            partial(jobs.results_of, part=kept.PATH, after=None, limit=_MOST_PATHS)
        ):
            paths.setdefault(row.owner, []).append(kept.read_path(row))
        matches = found.released(lambda one, asked: True)
        people = tuple(
            ClipPerson(
                one.number,
                one.intervals,
                None if one.best_at_ms is None else one.best_at_ms / 1000,
                one.best_face,
                partial(box_on, paths.get(one.number, ())),
                one.shots,
                tuple(each.as_told for each in matches.get(one.number, ())),
                found.case_ids.get(one.number),
                one.number in found.withheld,
                one.number in found.decided,
            )
            for one in map(kept.read_person, found.part(kept.PERSON))
        )
        people = corrected(people, map(read_correction, found.part(jobs.CORRECTION)))
        found.answered(len(people))
        seen = ClipSeen(
            facts.clip,
            people,
            facts.from_ms / 1000,
            facts.to_ms / 1000,
            facts.frames,
            facts.looked_at,
            facts.damaged,
            facts.remarks,
        )
        return PeopleSeen(found.of, seen)


@dataclass(slots=True, eq=False)
class _Found:
    """A job's results while a use gives them."""

    home: Home
    record: Record
    of: ClipJob
    request: Request
    collection: OpenCollection | None = None
    # Of people, by their numbers.
    case_ids: dict[int, UUID] = field(default_factory=dict)
    withheld: set[int] = field(default_factory=set)
    decided: set[int] = field(default_factory=set)
    _matches: dict[int, tuple[SeenMatch, ...]] = field(default_factory=dict)

    def read(self, read: Callable[..., list[Result]]) -> list[Result]:
        """Read rows of the job's results."""
        keyring, job_id = self.home.keyring, self.of.job.id
        return self.home.database.read(
            lambda connection: read(connection, keyring=keyring, job_id=job_id)
        )

    def released(
        self, wanted: Callable[[SeenMatch, Asked], bool], people: Collection[int] | None = None
    ) -> Mapping[int, Sequence[SeenMatch]]:
        """Give whom people are like, of those who are wanted, as far as it may be answered.

        `people` are the numbers of those who are asked about; without them everybody is.
        Whoever people have to look at first is named once they have. Nobody can tell those from
        strangers until then.
        """
        if self.collection is None:
            return {}
        found = people_like(self.home, self.collection, self.of.job.id, people)
        pictures = {one.owner: one.content for one in self.part(jobs.SHOT, people)}
        # Of those too who are like nobody: else it would be told whose answer is withheld.
        for marks in self.part(kept.MARK, people):
            matches = [one for one in found.get(marks.owner, ()) if wanted(one, self.request.asked)]
            self._release(marks, matches, pictures.get(marks.owner))
        return self._matches

    def expected(self) -> tuple[Expected | None, GroupWarning | None]:
        """Say what the similarity that was asked for means for each person seen."""
        if self.collection is None:
            return None, None
        try:
            return expected_of_person(self.home, self.collection, self.request.asked.threshold)
        except NotFound:  # what its scores mean was there when the job was done
            return None, None

    def answered(self, faces: int) -> None:
        """Leave the entry of what is given."""
        given = [one for some in self._matches.values() for one in some]
        references = dict.fromkeys(one.reference_id for one in given if one.reference_id)
        subjects = dict.fromkeys(one.subject_id for one in given if one.subject_id)
        details = {"job_id": self.of.job.id}
        outcome = Outcome(faces, len(given), tuple(references), tuple(subjects), details=details)
        if self.withheld and given:
            self.record.answered_in_part(outcome)
        else:
            self.record.answered(outcome)

    def part(self, part: str, people: Collection[int] | None = None) -> list[Result]:
        """Read a part of the results, of some people or of all."""
        return self.read(
            partial(jobs.results_of, part=part, owners=people, after=None, limit=_MOST_PEOPLE)
        )

    def _release(self, marks: Result, matches: list[SeenMatch], picture: bytes | None) -> None:
        # Without a picture there is nothing to look at.
        given = release_person(
            self.record,
            kept.read_marks(marks, required(self.of.facts, "what a clip is").sha256),
            picture,
            matches,
            threshold=self.request.asked.threshold,
            among=among_those_found(matches),
            refers=not self.withheld,
        )
        if given.withheld:
            self.withheld.add(marks.owner)
        elif given.decided:
            self.decided.add(marks.owner)
        if given.case_id is not None:
            self.case_ids[marks.owner] = given.case_id
        if given.matches:
            self._matches[marks.owner] = given.matches


@contextmanager
def _results(home: Home, caller: Caller, act: ClipAct | None, job_id: str) -> Iterator[_Found]:
    """Open the results of a job as a use of them; of one that has none yet, its progress."""
    reads = caller.use(Action.READ, UNDECLARED)
    try:
        job = required_job(home, caller, job_id, act)
        if job.act not in set(ClipAct):
            raise NotFound("This job is over no clip. Look among the live searches.")
    except NotFound:
        with home.record_use(caller, reads):
            raise
    request = read_request(
        home.database.read(partial(jobs.request_of, keyring=home.keyring, job_id=job.id))
    )
    of = ClipJob(job, request.asked)
    if job.state is not JobState.SUCCEEDED:
        with home.record_use(caller, reads) as record:
            record.answered(Outcome(details={"job_id": job.id}))
            yield _Found(home, record, of, request)
        return
    # What was stated when the job was begun holds for what it found.
    asker = replace(caller, stated=request.stated)
    collection = None if job.collection_id is None else home.gallery.by_id(job.collection_id)
    if collection is None:
        use = asker.use(Action.DETECT)
    else:
        use = use_in(asker.use(Action.SEARCH), collection.id, collection.tags, collection.model)
    with home.record_use(caller, use) as record:
        found = _Found(home, record, of, request, collection)
        (facts,) = found.read(partial(jobs.results_of, part=kept.CLIP, after=None, limit=1))
        found.of = replace(of, facts=kept.read_facts(facts))
        yield found
