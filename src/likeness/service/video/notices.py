"""Tells topics that jobs have ended."""

import logging
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from likeness import jobs
from likeness.errors import NotifierUnavailable
from likeness.jobs import Job, Notice
from likeness.notify import SnsTopics
from likeness.service.review.upkeep import Told
from likeness.service.uses import Rows

Word = Callable[[Job, bytes], str]
"""Says in a door's words that a job has ended; the bytes are what the job was asked."""

_logger = logging.getLogger(__name__)

# A server that ends waits for it.
_MOST_S = 10.0


def tell_of_jobs(rows: Rows, topics: SnsTopics, word: Word) -> Told:
    """Send what is due, one after the other, for some time: a slow endpoint leaves some for later.

    What a topic did not take is sent again, later and later, and given up at last.

    Raises:
        KeyUnusable: a key is gone.
        DatabaseUnavailable: the database cannot be written.
    """
    database, keyring = rows.database, rows.keyring
    arrived = put_off = given_up = 0
    ends_s = time.monotonic() + _MOST_S

    def claim(connection: Connection) -> tuple[Notice, bytes | None] | None:
        """Take the next notice, and what its job was asked; None of one that is given up."""
        for notice in jobs.due_notices(connection, keyring, rows.clock(), limit=1):
            job_id = notice.job.id
            if not jobs.put_off(connection, job_id, rows.clock()):
                return notice, None
            return notice, jobs.request_of(connection, keyring, job_id)
        return None

    while database.read(lambda connection: jobs.any_notice_due(connection, rows.clock())):
        claimed = database.write(claim)
        if claimed is None:  # another server was faster
            break
        notice, request = claimed
        job = notice.job
        if request is None:
            given_up += 1
            _logger.warning("job %s: its topic is not told any more", job.id)
            continue
        try:
            topics.publish(notice.told.decode(), word(job, request))
        except NotifierUnavailable as error:
            put_off += 1
            _logger.warning("job %s: its topic was not told: %s", job.id, error)
        else:
            database.write(partial(jobs.notice_arrived, job_id=job.id))
            arrived += 1
        if time.monotonic() >= ends_s:
            break
    return Told(arrived, put_off, given_up)
