"""Begins jobs over clips: they are admitted, recorded and kept, and run later."""

from collections.abc import Callable
from functools import partial

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness import jobs
from likeness.buckets import Buckets
from likeness.errors import InvalidRequest, required
from likeness.gallery import Collection
from likeness.jobs import Job, JobState, NewJob
from likeness.service.redact.asked import Whom
from likeness.service.uses import Caller, Home, Once, Outcome, Record
from likeness.service.video.asked import Asked, BucketClip, ClipAct, Request
from likeness.terms import Action
from likeness.video import ClipLimits

_ID = TypeAdapter(str)
_LIMITS = ClipLimits()


def start_detection(
    home: Home, buckets: Buckets, caller: Caller, asked: Asked, once: Once | None = None
) -> Job:
    """Begin to find the faces of a clip; again with the same token, give the job begun before.

    Raises:
        NotFound, InvalidRequest: there is no such clip, or it may not be read.
        ClipTooLarge: the clip has too many bytes.
        LimitReached: as many jobs as may be have not ended yet.
        TokenReused: the token came with another request.
        Denied: it may not be done.
    """
    with home.record(caller, Action.DETECT) as record:
        _require_there(buckets, asked)
        return _added(home, caller, record, ClipAct.DETECT, None, asked, once)


def start_search(
    home: Home,
    buckets: Buckets,
    caller: Caller,
    collection: str,
    asked: Asked,
    once: Once | None = None,
    same_as: Callable[[], bytes] | None = None,
) -> Job:
    """Begin to search a collection for the people of a clip; see `start_detection`.

    With `same_as`, which says which jobs are the same, this program has to run it itself. It may
    read the clip, and is asked once the search is admitted; where the same was begun before and did
    not fail, that job is given.

    Raises:
        NoSuchCollection: there is none.
        Conflict: its model or cohort is not to be had here.
    """
    of = home.collection(caller, Action.SEARCH, collection)
    with home.record(caller, Action.SEARCH, of) as record:
        home.calibration_of(of)  # what nobody measured could name nobody
        _require_there(buckets, asked)
        sameness = None if same_as is None else same_as()
        if sameness is not None and (known := _begun_before(home, sameness)) is not None:
            record.answered(Outcome(details={"job_id": known.id}))
            return known
        return _added(home, caller, record, ClipAct.SEARCH, of, asked, once, sameness)


def start_redaction(
    home: Home, buckets: Buckets, caller: Caller, collection: str | None, asked: Asked
) -> Job:
    """Begin to write a copy of a clip in which faces are hidden.

    Where `asked.hiding` goes by who somebody is, it goes by the people of a collection.

    Raises:
        NoSuchCollection: there is none.
        NotFound, InvalidRequest: there is no such clip, or it may not be read.
        LimitReached: as many jobs as may be have not ended yet.
        Conflict: the collection's model or cohort is not to be had here.
        Denied: it may not be done.
    """
    whom = required(asked.hiding, "whose faces are hidden").whom
    if (whom is Whom.ALL) is not (collection is None):
        raise InvalidRequest(
            "Whose faces are hidden goes by a collection, and by none where all are. Choose one, or"
            " hide all."
        )
    if collection is None:
        of, action = None, Action.DETECT
    else:
        of, action = home.collection(caller, Action.SEARCH, collection), Action.SEARCH
    with home.record(caller, action, of) as record:
        if of is not None:
            home.calibration_of(of)
        _require_there(buckets, asked)
        return _added(home, caller, record, ClipAct.REDACT, of, asked)


def _begun_before(home: Home, same_as: bytes) -> Job | None:
    find = partial(jobs.latest_same, keyring=home.keyring, same_as=same_as)
    known = home.database.read(find)
    if known is None or known.state in (JobState.FAILED, JobState.CANCELLED):
        return None
    return known


def _require_there(buckets: Buckets, asked: Asked) -> None:
    match asked.place:
        case BucketClip() as clip:
            clip.require_within(buckets, _LIMITS)
        case file:
            with file.open(buckets, _LIMITS):
                pass


def _added(
    home: Home,
    caller: Caller,
    record: Record,
    act: ClipAct,
    of: Collection | None,
    asked: Asked,
    once: Once | None = None,
    same_as: bytes | None = None,
) -> Job:
    new = NewJob(
        act=act,
        principal_id=caller.principal.id,
        collection_id=None if of is None else of.id,
        request=Request.of(caller, asked).to_bytes(),
        same_as=same_as,
        local=same_as is not None,
        told=None if asked.topic is None else asked.topic.arn.encode(),
    )

    def add(connection: Connection) -> str:
        return jobs.add_job(connection, home.keyring, new, home.clock()).id

    write = add if once is None else once.act(caller, of, _ID, add)
    job_id = record.write(write, lambda job_id: Outcome(details={"job_id": job_id}))
    return home.database.read(partial(jobs.get_job, keyring=home.keyring, job_id=job_id))
