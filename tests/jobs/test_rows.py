"""Jobs as rows: who may add, claim, end and find them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from likeness.errors import Conflict, KeyUnusable, LimitReached, NotFound
from likeness.jobs import (
    BEAT_S,
    KEPT,
    MOST_UNFINISHED,
    STALE,
    JobState,
    JobStopped,
    any_to_claim,
    beat,
    cancel_job,
    counts_by_key,
    delete_job,
    end_job,
    ended_before,
    get_job,
    keep_segment,
    latest_same,
    list_jobs,
    release_job,
    request_of,
    rewrap_keys,
    segments_kept,
)
from likeness.jobs.tables import JOBS, OF_A_JOB
from tests.jobs.jobbing import Bench


def end(bench: Bench, job_id: str, state: JobState, text: str | None = None) -> None:
    kind = None if text is None else "InvalidClip"
    bench.write(
        lambda c: end_job(
            c,
            bench.keyring,
            job_id,
            "runner 1",
            state,
            bench.now,
            failure=kind,
            failure_text=text,
        )
    )


def test_new_job_waits_under_a_random_id(bench: Bench) -> None:
    one, other = bench.add(), bench.add()

    assert one.id != other.id
    assert len(bytes.fromhex(one.id)) == 32
    assert bench.get(one) == one
    assert (one.state, one.made_at, one.runner) == (JobState.WAITING, bench.now, None)
    assert bench.read(lambda c: request_of(c, bench.keyring, one.id)) == b"do this"


def test_job_that_does_not_exist_is_not_found(bench: Bench) -> None:
    one = bench.add()
    bench.write(lambda c: delete_job(c, one.id))

    for ask in (bench.get, lambda job: bench.read(lambda c: request_of(c, bench.keyring, job.id))):
        with pytest.raises(NotFound, match=r"No such job\. `likeness jobs list`"):
            ask(one)


@pytest.mark.parametrize("job_id", ["", "x", "a" * 63, "A" * 64, "\0" * 64, "\ud800" * 64])
def test_what_is_no_id_is_not_found(bench: Bench, job_id: str) -> None:
    with pytest.raises(NotFound):
        bench.read(lambda c: get_job(c, bench.keyring, job_id))


def test_at_most_twenty_wait_and_run(bench: Bench) -> None:
    jobs = [bench.add() for _ in range(MOST_UNFINISHED)]
    bench.claim()
    with pytest.raises(LimitReached, match="20 jobs wait or run already"):
        bench.add()

    end(bench, jobs[0].id, JobState.SUCCEEDED)

    bench.add()
    with pytest.raises(LimitReached):
        bench.add()
    assert bench.add(local=True).local  # runs in a process of its own


def test_one_principal_has_as_many_as_are_left_to_others(bench: Bench) -> None:
    for _ in range(MOST_UNFINISHED):
        bench.add(of="key:greedy")
    for _ in range(MOST_UNFINISHED // 2):
        bench.add(of="key:modest")
    for of in ("key:greedy", "key:modest"):
        with pytest.raises(LimitReached, match="places left for others"):
            bench.add(of=of)
    bench.add(of="key:new")


def test_principals_have_their_jobs_done_by_turns(bench: Bench) -> None:
    for of in ("a", "a", "a", "b", "b", "c"):
        bench.add(of=f"key:{of}")
    order = ""
    for _ in range(6):
        bench.now += timedelta(seconds=1)
        claimed = bench.claim()
        assert claimed is not None
        order += claimed.principal_id[-1]
        end(bench, claimed.id, JobState.SUCCEEDED)
    assert order == "abcaba"


def test_what_callers_wrote_is_in_no_row_in_the_clear(bench: Bench) -> None:
    job = bench.running(request=b"secret-bucket", same_as=b"secret-path", told=b"secret-topic")
    end(bench, job.id, JobState.FAILED, "No such object secret-key.")

    (row,) = bench.read(lambda c: c.execute(select(JOBS)).all())

    assert b"secret" not in b"".join(value for value in row if isinstance(value, bytes))
    assert "secret" not in repr([value for value in row if isinstance(value, str)])
    assert bench.get(job).failure_text == "No such object secret-key."


def test_jobs_are_listed_newest_first_and_by_principal(bench: Bench) -> None:
    jobs = [bench.add(of=f"key:{n % 2}") for n in range(5)]

    def listed(principal_id: str | None) -> list[str]:
        found = bench.read(
            lambda c: list_jobs(c, bench.keyring, principal_id=principal_id, limit=2)
        )
        return [one.id for one in found]

    assert listed(None) == [jobs[4].id, jobs[3].id]
    assert listed("key:1") == [jobs[3].id, jobs[1].id]


def test_same_job_is_found_again_the_newest_of_them(bench: Bench) -> None:
    def latest(same_as: bytes) -> str | None:
        found = bench.read(lambda c: latest_same(c, bench.keyring, same_as))
        return None if found is None else found.id

    assert latest(b"a") is None
    bench.add(same_as=b"a")
    newest, other = bench.add(same_as=b"a"), bench.add(same_as=b"b")
    bench.add()

    assert (latest(b"a"), latest(b"b"), latest(b"c")) == (newest.id, other.id, None)


def test_oldest_job_that_waits_is_claimed_by_one_runner_alone(bench: Bench) -> None:
    first, second = bench.add(), bench.add()
    assert bench.read(lambda c: any_to_claim(c, bench.now))

    claimed = [bench.claim("runner 1"), bench.claim("runner 2"), bench.claim("runner 3")]

    assert [one and (one.id, one.runner, one.tries) for one in claimed] == [
        (first.id, "runner 1", 1),
        (second.id, "runner 2", 1),
        None,
    ]
    assert not bench.read(lambda c: any_to_claim(c, bench.now))
    assert bench.get(first).state is JobState.RUNNING
    assert bench.get(first).begun_at == bench.now


def test_local_job_is_claimed_by_its_id_alone(bench: Bench) -> None:
    job = bench.add(local=True)
    assert bench.claim() is None
    assert not bench.read(lambda c: any_to_claim(c, bench.now))

    claimed = bench.claim(job_id=job.id)

    assert claimed is not None and claimed.id == job.id
    assert bench.claim("runner 2", job_id=job.id) is None


def test_job_without_a_beat_is_taken_over_and_its_old_runner_stopped(bench: Bench) -> None:
    job = bench.running()
    begun_at = bench.now
    bench.later(seconds=10)
    bench.write(lambda c: beat(c, job.id, "runner 1", bench.now, 5_000, 60_000))
    bench.now += STALE
    assert bench.claim("runner 2") is None

    bench.later(seconds=0.001)
    taken = bench.claim("runner 2")

    assert taken is not None
    assert (taken.runner, taken.begun_at, taken.tries) == ("runner 2", begun_at, 2)
    assert (taken.done_ms, taken.total_ms) == (5_000, 60_000)
    with pytest.raises(JobStopped, match="cancelled, has ended, or goes on elsewhere"):
        bench.write(lambda c: beat(c, job.id, "runner 1", bench.now, 6_000, 60_000))
    with pytest.raises(JobStopped):
        end(bench, job.id, JobState.SUCCEEDED)
    assert bench.get(job).done_ms == 5_000


def test_segment_that_is_kept_counts_tries_anew(bench: Bench) -> None:
    job = bench.running()
    for _ in range(3):
        bench.later(minutes=1)
        bench.claim()
    assert bench.get(job).tries == 4

    bench.write(lambda c: keep_segment(c, bench.keyring, job.id, 0, b"so far", runner="runner 1"))

    assert bench.get(job).tries == 0


def test_released_job_waits_for_another_runner_at_once(bench: Bench) -> None:
    job = bench.running()
    bench.write(lambda c: release_job(c, job.id, "runner 2"))
    assert bench.get(job).state is JobState.RUNNING

    bench.write(lambda c: release_job(c, job.id, "runner 1"))

    assert (bench.get(job).state, bench.get(job).tries) == (JobState.WAITING, 0)
    taken = bench.claim("runner 2")
    assert taken is not None and taken.id == job.id


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_ended_job_is_neither_claimed_nor_cancelled_nor_beaten(
    bench: Bench, state: JobState
) -> None:
    job = bench.running()
    bench.later(minutes=1)
    bench.write(lambda c: keep_segment(c, bench.keyring, job.id, 0, b"so far", runner="runner 1"))

    end(bench, job.id, state)

    ended = bench.get(job)
    assert (ended.state, ended.ended_at, ended.runner) == (state, bench.now, None)
    bench.later(days=1)
    assert bench.claim("runner 2") is None
    assert bench.claim("runner 2", job.id) is None
    with pytest.raises(Conflict, match=f"The job has ended: it {state}. There is nothing to"):
        bench.write(lambda c: cancel_job(c, bench.keyring, job.id, bench.now))
    with pytest.raises(JobStopped):
        bench.write(lambda c: beat(c, job.id, "runner 1", bench.now, 0, 0))
    assert bench.read(lambda c: segments_kept(c, job.id)) == 0


def test_cancelled_job_stops_its_runner(bench: Bench) -> None:
    waiting, running = bench.add(), bench.running()

    for job in (waiting, running):
        cancelled = bench.write(lambda c, job=job: cancel_job(c, bench.keyring, job.id, bench.now))
        assert (cancelled.state, cancelled.ended_at) == (JobState.CANCELLED, bench.now)

    with pytest.raises(JobStopped):
        bench.write(lambda c: beat(c, running.id, "runner 1", bench.now, 0, 0))
    with pytest.raises(Conflict, match="it was cancelled"):
        bench.write(lambda c: cancel_job(c, bench.keyring, running.id, bench.now))
    assert bench.claim() is None


def test_jobs_that_ended_long_ago_are_listed_for_the_sweep(bench: Bench) -> None:
    old, left = bench.running(), bench.running(local=True)
    waiting = bench.add()
    end(bench, old.id, JobState.FAILED, "why")
    bench.later(days=1)
    end(bench, bench.running().id, JobState.SUCCEEDED)

    def swept() -> list[str]:
        return [one.id for one in bench.read(lambda c: ended_before(c, bench.now - KEPT))]

    bench.later(days=6)
    assert swept() == []
    bench.later(seconds=1)
    assert swept() == [old.id, left.id]
    assert bench.get(waiting).state is JobState.WAITING


def test_deleted_job_leaves_nothing(bench: Bench) -> None:
    job, other = bench.running(), bench.running()
    for one in (job, other):
        bench.write(
            lambda c, one=one: keep_segment(
                c, bench.keyring, one.id, 0, b"so far", runner="runner 1"
            )
        )

    bench.write(lambda c: delete_job(c, job.id))

    assert bench.read(lambda c: segments_kept(c, other.id)) == 1
    bench.write(lambda c: delete_job(c, other.id))
    for table in (JOBS, *OF_A_JOB):
        assert bench.read(lambda c, table=table: c.execute(select(table)).all()) == []


def test_keys_of_jobs_are_sealed_anew_by_a_newer_key(bench: Bench) -> None:
    job = bench.running(same_as=b"a")
    end(bench, job.id, JobState.FAILED, "why")
    old = bench.keyring.key_ids[0]
    assert bench.read(counts_by_key) == {old: 2}

    new = bench.keyring.rotate()
    assert bench.write(lambda c: rewrap_keys(c, bench.keyring)) == 2
    assert bench.write(lambda c: rewrap_keys(c, bench.keyring)) == 0
    bench.keyring.retire(old)

    assert bench.read(counts_by_key) == {new: 2}
    assert bench.get(job).failure_text == "why"
    same = bench.read(lambda c: latest_same(c, bench.keyring, b"a"))
    assert same is not None and same.id == job.id


def test_job_whose_key_is_another_jobs_does_not_open(bench: Bench) -> None:
    one, other = bench.add(), bench.add()

    def swap(connection: object) -> None:
        key = select(JOBS.c.sealed_key).where(JOBS.c.id == other.id).scalar_subquery()
        connection.execute(  # type: ignore[attr-defined]
            JOBS.update().where(JOBS.c.id == one.id).values(sealed_key=key)
        )

    bench.write(swap)

    with pytest.raises(KeyUnusable):
        bench.read(lambda c: request_of(c, bench.keyring, one.id))


def test_runner_may_miss_several_beats() -> None:
    assert timedelta(seconds=5 * BEAT_S) < STALE
