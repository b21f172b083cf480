"""Notices of jobs that ended: due once, put off before they are sent, given up after some."""

import pytest

from likeness.jobs import (
    MOST_ATTEMPTS,
    Job,
    JobState,
    Notice,
    any_notice_due,
    cancel_job,
    delete_job,
    due_notices,
    end_job,
    notice_arrived,
    put_off,
)
from tests.jobs.jobbing import Bench


def end(bench: Bench, job: Job, state: JobState = JobState.SUCCEEDED) -> None:
    bench.write(lambda c: end_job(c, bench.keyring, job.id, "runner 1", state, bench.now))


def due(bench: Bench) -> list[Notice]:
    found = bench.read(lambda c: due_notices(c, bench.keyring, bench.now))
    assert bool(found) == bench.read(lambda c: any_notice_due(c, bench.now))
    return found


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_notice_is_due_when_a_job_ends_however_it_does(bench: Bench, state: JobState) -> None:
    job, silent = bench.running(told=b"topic"), bench.running()
    assert due(bench) == []

    if state is JobState.CANCELLED:
        bench.write(lambda c: cancel_job(c, bench.keyring, job.id, bench.now))
    else:
        end(bench, job, state)
    end(bench, silent)

    (notice,) = due(bench)
    assert (notice.job.id, notice.job.state, notice.told) == (job.id, state, b"topic")


def test_notice_that_arrived_is_told_no_more(bench: Bench) -> None:
    job = bench.running(told=b"topic")
    end(bench, job)

    bench.write(lambda c: notice_arrived(c, job.id))

    bench.later(days=30)
    assert due(bench) == []


def test_notice_is_tried_ever_more_rarely_and_given_up_at_last(bench: Bench) -> None:
    job = bench.running(told=b"topic")
    end(bench, job)
    for attempt in range(MOST_ATTEMPTS):
        (notice,) = due(bench)
        assert notice.attempts == attempt
        assert bench.write(lambda c: put_off(c, job.id, bench.now))
        bench.later(seconds=4)
        assert due(bench) == []
        bench.later(days=1)

    assert len(due(bench)) == 1
    assert not bench.write(lambda c: put_off(c, job.id, bench.now))

    bench.later(days=30)
    assert due(bench) == []


def test_notice_of_a_job_that_is_gone_is_not_sent(bench: Bench) -> None:
    job = bench.running(told=b"topic")
    end(bench, job)
    bench.write(lambda c: delete_job(c, job.id))

    assert not bench.write(lambda c: put_off(c, job.id, bench.now))
    assert due(bench) == []
