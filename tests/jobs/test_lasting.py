"""Jobs that last: they count by themselves, end when asked to, and keep what they found."""

from uuid import UUID

import pytest

from likeness.errors import Conflict, LimitReached
from likeness.jobs import (
    MOST_LASTING,
    MOST_UNFINISHED,
    STALE,
    Job,
    JobState,
    JobStopped,
    Mention,
    Result,
    any_to_claim,
    ask_to_end,
    drop_results_until,
    end_job,
    got_further,
    keep_mentions,
    keep_results,
    last_result,
    mentions_of,
    results_of,
)
from tests.jobs.jobbing import Bench


def ask(bench: Bench, job: Job) -> Job:
    return bench.write(lambda c: ask_to_end(c, bench.keyring, job.id, bench.now))


def found(bench: Bench, job: Job) -> list[int]:
    rows = bench.read(lambda c: results_of(c, bench.keyring, job.id, "sighting", limit=100))
    return [one.number for one in rows]


def keep(bench: Bench, job: Job, *numbers: int) -> None:
    rows = [Result("sighting", one, 10 * one, 1000 * one, b"seen") for one in numbers]
    mentions = [Mention(10 * one, 0, UUID(int=one), None, b"like") for one in numbers]
    bench.write(lambda c: keep_results(c, bench.keyring, job.id, rows, runner="runner 1"))
    bench.write(lambda c: keep_mentions(c, bench.keyring, job.id, mentions, runner="runner 1"))


def lasting(bench: Bench) -> Job:
    job = bench.running(lasting=True)
    assert job.lasting
    return job


def test_jobs_that_last_take_no_place_of_others(bench: Bench) -> None:
    for _ in range(MOST_LASTING):
        bench.add(lasting=True)

    with pytest.raises(LimitReached, match=f"{MOST_LASTING} live searches"):
        bench.add(lasting=True)

    for _ in range(MOST_UNFINISHED):
        bench.add()


def test_each_runner_claims_its_sort(bench: Bench) -> None:
    one = bench.add(lasting=True)
    assert not bench.read(lambda c: any_to_claim(c, bench.now))
    assert bench.claim() is None

    claimed = bench.claim(lasting=True)

    assert claimed is not None and claimed.id == one.id


def test_asked_to_end_it_runs_on_until_its_act_ends_it(bench: Bench) -> None:
    job = lasting(bench)
    at = bench.later(seconds=5)

    asked = ask(bench, job)
    bench.later(seconds=1)

    assert (asked.state, asked.asked_to_end_at) == (JobState.RUNNING, at)
    assert ask(bench, job).asked_to_end_at == at


def test_one_that_nobody_has_begun_ends_at_once(bench: Bench) -> None:
    assert ask(bench, bench.add(lasting=True)).state is JobState.SUCCEEDED


def test_others_and_those_that_ended_cannot_be_asked(bench: Bench) -> None:
    with pytest.raises(Conflict, match="ends by itself"):
        ask(bench, bench.add())

    ended = ask(bench, bench.add(lasting=True))
    with pytest.raises(Conflict, match="succeeded"):
        ask(bench, ended)


@pytest.mark.parametrize(("keeps", "left"), [(True, [1, 2]), (False, [])])
def test_what_was_found_before_a_failure_stays_where_that_is_wanted(
    bench: Bench, keeps: bool, left: list[int]
) -> None:
    job = lasting(bench)
    keep(bench, job, 1, 2)

    bench.write(
        lambda c: end_job(
            c,
            bench.keyring,
            job.id,
            "runner 1",
            JobState.FAILED,
            bench.now,
            failure="SourceUnavailable",
            keeps_results=keeps,
        )
    )

    assert found(bench, job) == left


def test_old_results_are_dropped_and_the_last_is_known(bench: Bench) -> None:
    job = lasting(bench)
    assert bench.read(lambda c: last_result(c, job.id, "sighting")) is None
    keep(bench, job, 1, 2, 3)

    bench.write(lambda c: drop_results_until(c, job.id, 3000, runner="runner 1"))

    assert found(bench, job) == [3]
    mentions = bench.read(lambda c: mentions_of(c, bench.keyring, job.id))
    assert [one.owner for one in mentions] == [30]
    assert bench.read(lambda c: last_result(c, job.id, "sighting")) == (3, 30)


def test_who_gets_further_may_be_begun_again_as_often(bench: Bench) -> None:
    job = lasting(bench)
    assert job.tries == 1

    bench.write(lambda c: got_further(c, job.id, "runner 1"))

    assert bench.get(job).tries == 0
    bench.later(seconds=2 * STALE.total_seconds())
    bench.claim("runner 2", lasting=True)
    with pytest.raises(JobStopped):
        bench.write(lambda c: got_further(c, job.id, "runner 1"))
