"""Results are delivered in order, once each as far as possible, and a job's end behind them all."""

from datetime import timedelta

import pytest

from likeness import jobs
from likeness.jobs import Delivery, Job, JobState, Result

from .jobbing import Bench

PART = "sighting"


def begin(bench: Bench) -> Job:
    job = bench.running()
    bench.write(lambda c: jobs.begin_delivery(c, job.id, PART, bench.now))
    return job


def find(bench: Bench, job: Job, *numbers: int, part: str = PART) -> None:
    results = [Result(part, number, 0, 0, b"seen") for number in numbers]
    bench.write(lambda c: jobs.keep_results(c, bench.keyring, job.id, results, runner="runner 1"))


def claim(bench: Bench) -> Delivery | None:
    due = bench.read(lambda c: jobs.any_delivery_due(c, bench.now))
    claimed = bench.write(lambda c: jobs.claim_delivery(c, bench.now))
    assert due is (claimed is not None)
    return claimed


def arrived(bench: Bench, job_id: str, number: int) -> None:
    """Deliver what nothing else of the job is sent with."""
    bench.write(lambda c: jobs.delivery_arrived(c, job_id, number, bench.now))
    bench.write(lambda c: jobs.release_delivery(c, job_id, bench.now))


def end(bench: Bench, job: Job, state: JobState = JobState.SUCCEEDED) -> None:
    bench.write(
        lambda c: jobs.end_job(
            c, bench.keyring, job.id, "runner 1", state, bench.now, keeps_results=True
        )
    )


def test_nothing_is_due_before_something_is_found(bench: Bench) -> None:
    job = begin(bench)
    assert claim(bench) is None
    find(bench, job, 1, part="other")
    assert claim(bench) is None
    find(bench, job, 1)
    assert claim(bench) == Delivery(job.id, PART, 0, 1)


def test_what_has_arrived_is_not_due_again_and_the_next_is_at_once(bench: Bench) -> None:
    job = begin(bench)
    find(bench, job, 1, 2)
    assert claim(bench) == Delivery(job.id, PART, 0, 1)
    arrived(bench, job.id, 1)
    assert claim(bench) == Delivery(job.id, PART, 1, 1)
    arrived(bench, job.id, 2)
    assert claim(bench) is None


def test_what_is_sent_on_is_nobody_elses_meanwhile(bench: Bench) -> None:
    job = begin(bench)
    find(bench, job, 1, 2, 3)
    assert claim(bench) is not None
    bench.write(lambda c: jobs.delivery_arrived(c, job.id, 1, bench.now))
    assert claim(bench) is None
    arrived(bench, job.id, 2)
    assert claim(bench) == Delivery(job.id, PART, 2, 1)


def test_two_servers_do_not_deliver_at_once_and_a_crash_is_made_up_for(bench: Bench) -> None:
    job = begin(bench)
    find(bench, job, 1)
    assert claim(bench) is not None
    assert claim(bench) is None
    bench.later(minutes=1)
    assert claim(bench) is None
    bench.later(minutes=2)
    assert claim(bench) == Delivery(job.id, PART, 0, 2)


def test_what_does_not_arrive_is_tried_again_later_and_later(bench: Bench) -> None:
    job = begin(bench)
    find(bench, job, 1)
    for seconds in (5, 30, 120, 300, 900, 900):
        delivery = claim(bench)
        assert delivery is not None
        bench.write(lambda c, it=delivery: jobs.put_delivery_off(c, it, bench.now))  # type: ignore[misc]
        bench.later(seconds=seconds - 1)
        assert claim(bench) is None
        bench.later(seconds=1)
    assert claim(bench) is not None
    arrived(bench, job.id, 1)
    find(bench, job, 2)
    assert claim(bench) == Delivery(job.id, PART, 1, 1)  # anew


def test_whoever_waits_longest_is_next(bench: Bench) -> None:
    first, second = begin(bench), begin(bench)
    for job in (second, first):
        find(bench, job, 1, 2)
    bench.later(seconds=1)
    order = []
    for _ in range(4):
        delivery = claim(bench)
        assert delivery is not None
        order.append(delivery.job_id)
        bench.later(seconds=1)
        arrived(bench, delivery.job_id, delivery.arrived + 1)
    assert order[0] != order[1]
    assert order == order[:2] * 2


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_the_end_of_a_job_is_due_behind_what_it_found(bench: Bench, state: JobState) -> None:
    job = begin(bench)
    find(bench, job, 1)
    end(bench, job, state)
    assert claim(bench) == Delivery(job.id, PART, 0, 1)
    arrived(bench, job.id, 1)
    assert claim(bench) == Delivery(job.id, PART, 1, 1)
    bench.write(lambda c: jobs.end_delivery(c, job.id))
    assert claim(bench) is None


def test_nothing_is_delivered_of_a_job_that_is_gone(bench: Bench) -> None:
    for go in (
        lambda c, job: jobs.delete_job(c, job.id),
        lambda c, job: jobs.cancel_job(c, bench.keyring, job.id, bench.now),
    ):
        job = begin(bench)
        find(bench, job, 1)
        bench.write(lambda c, go=go, job=job: go(c, job))  # type: ignore[misc]
        bench.now += timedelta(days=1)
        assert claim(bench) is None
