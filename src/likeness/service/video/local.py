"""Searches a collection for the people of a clip at once, for whoever waits for it.

The work is a job like others: what was cut off goes on where it was, and what is done is not done
again while clip, collection and all that was asked for are the same.
"""

import hashlib
import json
from dataclasses import asdict
from functools import partial

from likeness.buckets import Buckets
from likeness.errors import required
from likeness.gallery import OpenCollection
from likeness.jobs import run_here
from likeness.service.uses import Caller, Home
from likeness.service.video.asked import Asked, ClipAct, clip_sha256
from likeness.service.video.results import people_seen
from likeness.service.video.run import ClipJobs
from likeness.service.video.seen import ClipSeen, TellMs, tell_nobody
from likeness.service.video.start import start_search
from likeness.terms import Action
from likeness.video import ClipLimits


def search_clip(
    home: Home,
    buckets: Buckets,
    caller: Caller,
    collection: str,
    asked: Asked,
    tell: TellMs = tell_nobody,
    workers: int = 1,
) -> ClipSeen:
    """Say who is seen in a clip, and whom of a collection they are like.

    Raises:
        NoSuchCollection: there is none of that name.
        InvalidRequest, NotFound, InvalidClip, ClipTooLarge: the clip cannot be looked at.
        Denied: it may not be done, or the results not be given.
        Conflict: another program works on the same clip, or what the collection needs is not here.
    """
    work = ClipJobs(home, buckets, workers=workers, tell=tell)
    of = home.collection(caller, Action.SEARCH, collection)
    same_as = partial(_same_as, home, of, caller, asked, buckets, work.limits)
    job = start_search(home, buckets, caller, collection, asked, same_as=same_as)
    if not job.state.ended:
        run_here(home.database, home.keyring, job.id, work.acts[job.act], home.clock)
    return required(people_seen(home, caller, ClipAct.SEARCH, job.id).seen, "who is seen in a clip")


def _same_as(
    home: Home,
    of: OpenCollection,
    caller: Caller,
    asked: Asked,
    buckets: Buckets,
    limits: ClipLimits,
) -> bytes:
    """Say what makes another search the same: who asks for what, of which clip and collection."""
    with asked.place.open(buckets, limits) as file:
        sha256 = clip_sha256(file)
    whole = {
        "clip": sha256,
        "collection": [str(of.id), of.model, of.cohort_version, of.state()],
        "principal": caller.principal.id,
        "stated": asdict(caller.stated),
        "sampling": asdict(asked.sampling),
        "threshold": asked.threshold,
        "rates": [home.fmr, home.fpir],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).digest()
