"""What a job keeps: segments while it runs, results and whom they mention when it is done.

Contents are sealed under the job's key, each bound to its place. Only the runner that has a job
keeps anything of it: whoever is too late raises `JobStopped`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, tuple_, update

from likeness.errors import Conflict
from likeness.jobs.job import KEPT, JobState
from likeness.jobs.keys import open_key, place_of
from likeness.jobs.rows import delete_jobs, job_stopped
from likeness.jobs.tables import JOBS, MENTIONS, RESULTS, SEGMENTS
from likeness.secrets import Key, Keyring
from likeness.storage import legible, legible_rows
from likeness.terms import in_batches

SHOT = "shot"
"""The part of results that shows people."""
CORRECTION = "correction"
"""The part of results that says what somebody says of an owner."""
OF_PEOPLE = (SHOT, CORRECTION)
"""The parts that an erasure deletes with whoever they mention."""

_AT_A_TIME = 1000
_IDS_AT_A_TIME = 900


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A row of what came of a job, sealed but for its place.

    `part` names what sort it is, `number` counts within a part, `owner` is who it is about as the
    job counts them, and `at_ms` when.
    """

    part: str
    number: int
    owner: int
    at_ms: int
    content: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Mention:
    """Somebody of a collection whom an owner resembles; the most alike has rank 0."""

    owner: int
    rank: int
    reference_id: UUID | None
    subject_id: UUID | None
    content: bytes


def keep_segment(
    connection: Connection,
    keyring: Keyring,
    job_id: str,
    number: int,
    content: bytes,
    *,
    runner: str,
) -> None:
    """Keep what a segment came to, in place of what was kept of it before.

    That is a step forward: how often the job was begun is counted anew.

    Raises:
        JobStopped: the job does not run, or is another runner's.
        KeyUnusable: a key is gone.
    """
    of_job, key = _open_running(connection, keyring, job_id, runner)
    place = SEGMENTS.c.job_number == of_job, SEGMENTS.c.number == number
    connection.execute(delete(SEGMENTS).where(*place))
    sealed = key.seal(content, _of_segment(job_id, number))
    values = {"job_number": of_job, "number": number, "sealed": sealed}
    connection.execute(insert(SEGMENTS), values)
    connection.execute(update(JOBS).where(JOBS.c.number == of_job).values(tries=0))


def segment_of(connection: Connection, keyring: Keyring, job_id: str, number: int) -> bytes | None:
    """Open what a segment came to; None where it is not kept.

    Raises:
        KeyUnusable: a key is gone.
    """
    chosen = select(*_OF_JOB, SEGMENTS.c.sealed).join_from(JOBS, SEGMENTS)
    row = connection.execute(chosen.where(JOBS.c.id == job_id, SEGMENTS.c.number == number)).first()
    if row is None:
        return None
    return open_key(keyring, row.id, row.sealed_key).unseal(row.sealed, _of_segment(job_id, number))


def segments_kept(connection: Connection, job_id: str) -> int:
    """Count the segments that are kept without a gap, from number 0 on."""
    chosen = select(SEGMENTS.c.number).join_from(JOBS, SEGMENTS).where(JOBS.c.id == job_id)
    numbers = connection.execute(chosen.order_by(SEGMENTS.c.number)).scalars().all()
    return next((at for at, number in enumerate(numbers) if number != at), len(numbers))


def keep_results(
    connection: Connection,
    keyring: Keyring,
    job_id: str,
    results: Iterable[Result],
    *,
    runner: str,
) -> None:
    """Keep results, of any number; those of one part have numbers of their own.

    Many take long, and everybody waits for who writes: keep some thousand in one act. An
    interrupted runner's are dropped by `drop_results` before they are kept again.

    Raises:
        JobStopped: the job does not run, or is another runner's.
        KeyUnusable: a key is gone.
    """
    of_job, key = _open_running(connection, keyring, job_id, runner)
    for some in in_batches(results, _AT_A_TIME):
        connection.execute(
            insert(RESULTS),
            [
                {
                    "job_number": of_job,
                    "part": one.part,
                    "number": one.number,
                    "owner": one.owner,
                    "at_ms": one.at_ms,
                    "sealed": key.seal(one.content, _of_result(job_id, one.part, one.number)),
                }
                for one in some
            ],
        )


def replace_result(
    connection: Connection, keyring: Keyring, job_id: str, result: Result, *, keep: bool = True
) -> None:
    """Put a result in place of the one of its part and number, of a job that has succeeded.

    Without `keep` nothing takes its place.

    Raises:
        Conflict: the job has not succeeded.
        KeyUnusable: a key is gone.
    """
    row = connection.execute(select(*_OF_JOB, JOBS.c.state).where(JOBS.c.id == job_id)).first()
    if row is None or row.state != JobState.SUCCEEDED:
        raise Conflict("The job has not succeeded, so it has found nothing to correct.")
    place = RESULTS.c.part == result.part, RESULTS.c.number == result.number
    connection.execute(delete(RESULTS).where(RESULTS.c.job_number == row.number, *place))
    if keep:
        key = open_key(keyring, row.id, row.sealed_key)
        sealed = key.seal(result.content, _of_result(job_id, result.part, result.number))
        values = {name: getattr(result, name) for name in ("part", "number", "owner", "at_ms")}
        connection.execute(insert(RESULTS), {"job_number": row.number, "sealed": sealed, **values})


def results_of(
    connection: Connection,
    keyring: Keyring,
    job_id: str,
    part: str,
    *,
    by_owner: bool = False,
    owners: Collection[int] | None = None,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[Result]:
    """Open some results of a part, in the order of their numbers, or of owners and then numbers.

    `owners` chooses whose, at most some thousand. `after` is owner and number of the last that is
    known already. Damaged ones are left out, and others take their places.

    Raises:
        KeyUnusable: the job's key is gone.
    """
    order = [RESULTS.c.owner, RESULTS.c.number] if by_owner else [RESULTS.c.number]
    job = connection.execute(select(*_OF_JOB).where(JOBS.c.id == job_id)).first()
    if job is None:
        return []
    chosen = select(RESULTS).where(RESULTS.c.job_number == job.number, RESULTS.c.part == part)
    if owners is not None:
        chosen = chosen.where(RESULTS.c.owner.in_(owners))
    if after is not None:
        last = after if by_owner else after[1:]
        chosen = chosen.where(tuple_(*order) > tuple_(*last))
    key = open_key(keyring, job.id, job.sealed_key)

    def opened(row: Row[Any]) -> Result:
        content = key.unseal(row.sealed, _of_result(job_id, part, row.number))
        return Result(part, row.number, row.owner, row.at_ms, content)

    found: list[Result] = []
    while lacking := limit - len(found):
        some = chosen.order_by(*order).limit(lacking)
        rows = legible_rows(connection, RESULTS.c.number, some)
        found += legible(connection, RESULTS.c.number, rows, opened)
        if not rows:
            break
        last = (rows[-1].owner, rows[-1].number)
        chosen = chosen.where(tuple_(*order) > tuple_(*(last if by_owner else last[1:])))
    return found


def last_result(connection: Connection, job_id: str, part: str) -> tuple[int, int] | None:
    """Give the highest number and the highest owner of a part; None where nothing of it is kept."""
    chosen = select(func.max(RESULTS.c.number), func.max(RESULTS.c.owner))
    number, owner = connection.execute(
        chosen.where(RESULTS.c.job_number == _number_of(job_id), RESULTS.c.part == part)
    ).one()
    return None if number is None else (number, owner)


def drop_results_until(connection: Connection, job_id: str, at_ms: int, *, runner: str) -> None:
    """Keep no result of before a moment any more, nor whom they mention.

    Owners count up with time: of those before the first who is left nobody is mentioned.

    Raises:
        JobStopped: the job does not run, or is another runner's.
    """
    of_job = _require_running(connection, job_id, runner).number
    of_it = RESULTS.c.job_number == of_job
    connection.execute(delete(RESULTS).where(of_it, RESULTS.c.at_ms < at_ms))
    # Results of nobody have owner 0.
    left = select(func.min(RESULTS.c.owner)).where(of_it, RESULTS.c.owner > 0)
    first = connection.execute(left).scalar()
    gone = MENTIONS.c.job_number == of_job
    if first is not None:
        gone = and_(gone, MENTIONS.c.owner < first)
    connection.execute(delete(MENTIONS).where(gone))


def drop_owners(
    connection: Connection,
    job_id: str,
    owners: Collection[int],
    parts: Collection[str],
    *,
    runner: str,
) -> None:
    """Keep no result of some parts of these owners any more, nor whom they resemble.

    Raises:
        JobStopped: the job does not run, or is another runner's.
    """
    of_job = _require_running(connection, job_id, runner).number
    theirs = RESULTS.c.owner.in_(owners), RESULTS.c.part.in_(parts)
    connection.execute(delete(RESULTS).where(RESULTS.c.job_number == of_job, *theirs))
    of_them = MENTIONS.c.job_number == of_job, MENTIONS.c.owner.in_(owners)
    connection.execute(delete(MENTIONS).where(*of_them))


def drop_results(connection: Connection, job_id: str, *, runner: str) -> None:
    """Keep no result of a job any more, nor whom they mention.

    Raises:
        JobStopped: the job does not run, or is another runner's.
    """
    _require_running(connection, job_id, runner)
    for table in (RESULTS, MENTIONS):
        connection.execute(delete(table).where(table.c.job_number == _number_of(job_id)))


def keep_mentions(
    connection: Connection,
    keyring: Keyring,
    job_id: str,
    mentions: Iterable[Mention],
    *,
    runner: str,
) -> None:
    """Keep whom owners resemble; an owner's have ranks of their own.

    Raises:
        JobStopped: the job does not run, or is another runner's.
        KeyUnusable: a key is gone.
    """
    of_job, key = _open_running(connection, keyring, job_id, runner)
    for some in in_batches(mentions, _AT_A_TIME):
        connection.execute(
            insert(MENTIONS),
            [
                {
                    "job_number": of_job,
                    "owner": one.owner,
                    "rank": one.rank,
                    "reference_id": one.reference_id,
                    "subject_id": one.subject_id,
                    "sealed": key.seal(one.content, _of_mention(job_id, one.owner, one.rank)),
                }
                for one in some
            ],
        )


def mentions_of(
    connection: Connection, keyring: Keyring, job_id: str, owners: Collection[int] | None = None
) -> list[Mention]:
    """Open whom owners resemble, in the order of owners and ranks; of all where none are named.

    Damaged ones are left out.

    Raises:
        KeyUnusable: the job's key is gone.
    """
    job = connection.execute(select(*_OF_JOB).where(JOBS.c.id == job_id)).first()
    if job is None:
        return []
    chosen = select(MENTIONS).where(MENTIONS.c.job_number == job.number)
    if owners is not None:
        chosen = chosen.where(MENTIONS.c.owner.in_(owners))
    key = open_key(keyring, job.id, job.sealed_key)

    def opened(row: Row[Any]) -> Mention:
        content = key.unseal(row.sealed, _of_mention(job_id, row.owner, row.rank))
        return Mention(row.owner, row.rank, row.reference_id, row.subject_id, content)

    ordered = chosen.order_by(MENTIONS.c.owner, MENTIONS.c.rank)
    rows = legible_rows(connection, MENTIONS.c.owner, ordered)
    return legible(connection, MENTIONS.c.owner, rows, opened)


def forget_people(connection: Connection, ids: Sequence[UUID]) -> None:
    """Forget erased references and subjects, by their ids: who resembles them, and pictures of it.

    An owner whom one of them was a candidate for keeps when they were seen, and where in frames.
    """
    owners = select(MENTIONS.c.job_number, MENTIONS.c.owner).where(_of_people(ids))
    for job_number, owner in connection.execute(owners.distinct()).all():
        connection.execute(
            delete(RESULTS).where(
                RESULTS.c.job_number == job_number,
                RESULTS.c.part.in_(OF_PEOPLE),
                RESULTS.c.owner == owner,
            )
        )
    connection.execute(delete(MENTIONS).where(_of_people(ids)))


def follow_references(
    connection: Connection, reference_ids: Sequence[UUID], subject_id: UUID | None
) -> None:
    """Let mentions of references be of the subject whose these are now; None where nobody's."""
    for some in in_batches(reference_ids, _IDS_AT_A_TIME):
        theirs = MENTIONS.c.reference_id.in_(some)
        connection.execute(update(MENTIONS).where(theirs).values(subject_id=subject_id))


@dataclass(frozen=True, slots=True)
class HeldByJobs:
    """What jobs over a collection hold: results `until` a moment, if any, and what is `running`."""

    until: datetime | None
    running: bool


def held_by_jobs(connection: Connection, collection_id: UUID) -> HeldByJobs:
    """Say what jobs over a collection hold of whom they have seen, and until when."""
    ours = JOBS.c.collection_id == collection_id
    last = connection.execute(select(func.max(JOBS.c.ended_at)).where(ours)).scalar()
    running = select(JOBS.c.id).where(ours, JOBS.c.ended_at.is_(None)).limit(1)
    return HeldByJobs(
        None if last is None else last + KEPT, connection.execute(running).first() is not None
    )


def forget_collection(connection: Connection, collection_id: UUID) -> None:
    """Forget an erased collection: its jobs, whole."""
    delete_jobs(connection, JOBS.c.collection_id == collection_id)


_OF_JOB = JOBS.c.number, JOBS.c.id, JOBS.c.sealed_key


def _open_running(
    connection: Connection, keyring: Keyring, job_id: str, runner: str
) -> tuple[int, Key]:
    """Give the number of a job that runs, and its key."""
    row = _require_running(connection, job_id, runner)
    return row.number, open_key(keyring, row.id, row.sealed_key)


def _require_running(connection: Connection, job_id: str, runner: str) -> Any:
    columns = (*_OF_JOB, JOBS.c.state, JOBS.c.runner)
    row = connection.execute(select(*columns).where(JOBS.c.id == job_id)).first()
    if row is None or (row.state, row.runner) != (JobState.RUNNING, runner):
        raise job_stopped()
    return row


def _number_of(job_id: str) -> Any:
    return select(JOBS.c.number).where(JOBS.c.id == job_id).scalar_subquery()


def _of_people(ids: Sequence[UUID]) -> Any:
    return or_(MENTIONS.c.reference_id.in_(ids), MENTIONS.c.subject_id.in_(ids))


def _of_segment(job_id: str, number: int) -> bytes:
    return place_of(job_id, f"segment {number}")


def _of_result(job_id: str, part: str, number: int) -> bytes:
    return place_of(job_id, f"result {number} {part}")


def _of_mention(job_id: str, owner: int, rank: int) -> bytes:
    return place_of(job_id, f"mention {owner} {rank}")
