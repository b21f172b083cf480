"""Searches a collection for the people of a clip at once, for whoever waits for it.

The work is a job like others: what was cut off goes on where it was, and what is done is not done
again while clip, collection and all that was asked for are the same.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from likeness import jobs
from likeness.buckets import Buckets
from likeness.gallery import OpenCollection
from likeness.jobs import JobState, run_here
from likeness.service.uses import Caller, Home
from likeness.service.video.asked import Asked, ClipAct
from likeness.service.video.results import PeopleSeen, people_seen
from likeness.service.video.run import ClipJobs
from likeness.service.video.start import start_local_search
from likeness.terms import Action
from likeness.video import ClipLimits

_CHUNK_BYTES = 1 << 20

Tell = Callable[[int, int], None]
"""Is told how many of how many milliseconds of a clip are done; of 0 where nobody knows."""


def search_clip(
    home: Home,
    buckets: Buckets,
    caller: Caller,
    collection: str,
    asked: Asked,
    tell: Tell = lambda done_ms, total_ms: None,
    workers: int = 1,
) -> PeopleSeen:
    """Say who is seen in a clip, and whom of a collection they are like.

    Raises:
        NoSuchCollection: there is none of that name.
        InvalidRequest, NotFound, InvalidClip, ClipTooLarge: the clip cannot be looked at.
        Denied: it may not be done, or the results not be given.
        Conflict: another program works on the same clip, or what the collection needs is not here.
    """
    work = ClipJobs(home, buckets, workers=workers, tell=tell)
    of = home.collection(caller, Action.SEARCH, collection)
    same_as = _same_as(home, of, caller, asked, buckets, work.limits)
    job = home.database.read(partial(jobs.latest_same, keyring=home.keyring, same_as=same_as))
    if job is None or job.state in (JobState.FAILED, JobState.CANCELLED):
        job = start_local_search(home, caller, collection, asked, same_as)
    if not job.state.ended:
        run_here(home.database, home.keyring, job.id, work.acts[job.act], home.clock)
    return people_seen(home, caller, ClipAct.SEARCH, job.id)


def _same_as(
    home: Home,
    of: OpenCollection,
    caller: Caller,
    asked: Asked,
    buckets: Buckets,
    limits: ClipLimits,
) -> bytes:
    """Say what makes another search the same: who asks for what, of which clip and collection."""
    digest = hashlib.sha256()
    with asked.place.open(buckets, limits) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    whole = {
        "clip": digest.hexdigest(),
        "collection": [str(of.id), of.model, of.cohort_version, of.state()],
        "principal": caller.principal.id,
        "stated": asdict(caller.stated),
        "sampling": asdict(asked.sampling),
        "threshold": asked.threshold,
        "rates": [home.fmr, home.fpir],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).digest()
