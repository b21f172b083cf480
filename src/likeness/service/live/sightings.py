"""Gives what a live search has told, as far as rules and people let it be given now.

Whoever asks makes a use of it: the rules are asked, whom people told apart is left out, and what
people have to look at first is withheld until they have.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from likeness import jobs
from likeness.errors import NotFound, required
from likeness.gallery import OpenCollection
from likeness.jobs import SHOT, Job, Result
from likeness.service.live import kept
from likeness.service.live.asked import LIVE_SEARCH, LiveRequest, read_request
from likeness.service.live.manage import LiveJob
from likeness.service.live.sighting import OPERATION, Sighting
from likeness.service.uses import Caller, Home, Outcome, Record, Rows, use_in
from likeness.service.video.manage import required_job
from likeness.service.video.people_like import (
    Released,
    among_those_found,
    people_like,
    release_person,
)
from likeness.terms import UNDECLARED, Action

_MOST_PEOPLE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class SightingsPage:
    """Some of what a live search told, in its order; the last's number asks for what follows."""

    of: LiveJob
    sightings: tuple[Sighting, ...]


def any_sighting_after(rows: Rows, job_id: str, after: int) -> bool:
    """Say whether a live search has told anything since, without giving any of it."""
    return bool(_rows_after(rows, job_id, after, 1))


def last_sighting(rows: Rows, job_id: str) -> int:
    """Give the number of the last thing that a live search told; 0 where it told nothing."""
    last = rows.database.read(
        lambda connection: jobs.last_result(connection, job_id, kept.SIGHTING)
    )
    return 0 if last is None else last[0]


def sightings_after(
    home: Home, caller: Caller, job_id: str, after: int, limit: int
) -> SightingsPage:
    """Give what a live search told behind the sighting of a number; 0 is before the first.

    Raises:
        NotFound: the caller has no such search.
        Denied: it may not be given.
    """
    try:
        job = required_job(home, caller, job_id, LIVE_SEARCH)
    except NotFound:
        with home.record_use(caller, caller.use(Action.READ, UNDECLARED)):
            raise
    request = _request_of(home, job)
    of = home.gallery.by_id(required(job.collection_id, "a search's collection"))
    # What was stated when the search was begun holds for what it tells. The operation is that of
    # telling it first, so that it is the same case.
    asker = replace(caller, stated=request.stated, operation=OPERATION)
    use = use_in(asker.use(Action.SEARCH), of.id, of.tags, of.model)
    with home.record_use(caller, use, request.ongoing) as record:
        told = [kept.read_sighting(one) for one in _rows_after(home, job.id, after, limit)]
        people = {one.person for one in told if one.person is not None}
        given = _released(home, record, of, request.asked.threshold, job.id, people)
        _answer(record, job, len(told), given)
    sightings = (replace(_as_given(one, given), receipt=record.receipt) for one in told)
    return SightingsPage(LiveJob(job, request.asked, request.case_id), tuple(sightings))


def _rows_after(rows: Rows, job_id: str, after: int, limit: int) -> list[Result]:
    return rows.database.read(
        lambda connection: jobs.results_of(
            connection, rows.keyring, job_id, kept.SIGHTING, after=(0, after), limit=limit
        )
    )


def _request_of(rows: Rows, job: Job) -> LiveRequest:
    read = partial(jobs.request_of, keyring=rows.keyring, job_id=job.id)
    return read_request(rows.database.read(read))


def _released(
    home: Home,
    record: Record,
    of: OpenCollection,
    threshold: float,
    job_id: str,
    people: Collection[int],
) -> Mapping[int, Released]:
    """Ask of each person of whom it was told that they are like somebody."""
    if not people:
        return {}

    def part(part: str) -> list[Result]:
        return home.database.read(
            lambda connection: jobs.results_of(
                connection, home.keyring, job_id, part, owners=people, limit=_MOST_PEOPLE
            )
        )

    found = people_like(home, of, job_id, people)
    pictures = {one.owner: one.content for one in part(SHOT)}
    given: dict[int, Released] = {}
    for marks in part(kept.MARK):
        matches = found.get(marks.owner, [])
        given[marks.owner] = release_person(
            record,
            kept.read_marks(marks, job_id),
            pictures.get(marks.owner),
            matches,
            threshold=threshold,
            among=among_those_found(matches),
            refers=not any(one.withheld for one in given.values()),
        )
    return given


def _as_given(sighting: Sighting, given: Mapping[int, Released]) -> Sighting:
    """Say of a sighting who it is, as far as that is given now."""
    released = None if sighting.person is None else given.get(sighting.person)
    if released is None:
        return sighting
    best = released.matches[0].as_told if released.matches else None
    return replace(sighting, match=best, withheld=released.withheld, case_id=released.case_id)


def _answer(record: Record, job: Job, sightings: int, given: Mapping[int, Released]) -> None:
    """Leave the entry of what is given."""
    matches = [match for one in given.values() for match in one.matches]
    outcome = Outcome(
        sightings,
        len(matches),
        tuple(dict.fromkeys(one.reference_id for one in matches if one.reference_id)),
        tuple(dict.fromkeys(one.subject_id for one in matches if one.subject_id)),
        details={"job_id": job.id},
    )
    if matches and any(one.withheld for one in given.values()):
        record.answered_in_part(outcome)
    else:
        record.answered(outcome)
