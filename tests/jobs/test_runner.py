"""Jobs that are run: one runner each, stopped where nobody wants them, ended whatever happens."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

import pytest

from likeness.errors import Conflict, DatabaseUnavailable, InvalidClip, NotFound
from likeness.jobs import (
    MOST_TRIES,
    MOST_UNFINISHED,
    STALE,
    Job,
    JobState,
    JobStopped,
    LocalRunner,
    NewJob,
    Running,
    add_job,
    cancel_job,
    claim_job,
    end_job,
    release_job,
    results_of,
    run_here,
    segments_kept,
)
from likeness.jobs.runner import Act
from tests.jobs.counting import SEGMENT_MS, SEGMENTS, Counting
from tests.jobs.jobbing import Bench

pytestmark = pytest.mark.slow

SOON_S = 30.0


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def today(bench: Bench) -> None:
    bench.now = clock()


@contextmanager
def runner_of(
    bench: Bench,
    acts: Mapping[str, Act],
    *,
    threads: int = 1,
    beat_s: float = 0.05,
    clock: Callable[[], datetime] = clock,
    fail: Callable[[Running, Exception], None] | None = None,
) -> Iterator[LocalRunner]:
    with LocalRunner(
        bench.database, bench.keyring, acts, clock, threads=threads, beat_s=beat_s, fail=fail
    ) as runner:
        yield runner


def ended(bench: Bench, job: Job) -> Job:
    """Wait for a job's end."""
    return until(lambda: bench.get(job), lambda now: now.state.ended)


def until(read: Callable[[], Job], holds: Callable[[Job], bool]) -> Job:
    until_s = time.monotonic() + SOON_S
    while not holds(now := read()):
        assert time.monotonic() < until_s, now
        time.sleep(0.02)
    return now


def succeed(bench: Bench, running: Running) -> None:
    bench.write(
        lambda c: end_job(
            c, bench.keyring, running.job.id, running.runner, JobState.SUCCEEDED, clock()
        )
    )


def wait_until_unwanted(running: Running) -> None:
    until_s = time.monotonic() + SOON_S
    while time.monotonic() < until_s:
        running.require_wanted()
        time.sleep(0.005)


def test_job_is_done_from_its_request_to_its_results(bench: Bench) -> None:
    job = bench.add("count", request=b"count to twelve")
    asked: list[bytes] = []
    count = Counting(bench.database, bench.keyring, clock)

    def act(running: Running) -> None:
        asked.append(running.request)
        count(running)

    with runner_of(bench, {"count": act}) as runner:
        runner.wake()
        done = ended(bench, job)

    assert asked == [b"count to twelve"]
    assert (done.state, done.done_ms) == (JobState.SUCCEEDED, SEGMENTS * SEGMENT_MS)
    results = bench.read(lambda c: results_of(c, bench.keyring, job.id, "count", limit=99))
    assert len(results) == SEGMENTS
    assert bench.read(lambda c: segments_kept(c, job.id)) == 0


def test_twenty_jobs_at_once_are_each_done_once_by_two_servers(bench: Bench) -> None:
    running_now, most, done = set[str](), list[int](), list[str]()
    lock = threading.Lock()

    def act(running: Running) -> None:
        with lock:
            assert running.job.id not in running_now
            running_now.add(running.job.id)
            most.append(len(running_now))
        time.sleep(0.02)
        running.require_wanted()
        with lock:
            running_now.remove(running.job.id)
            done.append(running.job.id)
        succeed(bench, running)

    jobs = [bench.add() for _ in range(MOST_UNFINISHED)]
    with ExitStack() as servers:
        for _ in range(2):
            servers.enter_context(runner_of(bench, {"search": act}, threads=2))
        states = {ended(bench, job).state for job in jobs}

    assert states == {JobState.SUCCEEDED}
    assert sorted(done) == sorted(job.id for job in jobs)
    assert max(most) <= 4


def test_job_that_is_cancelled_while_it_runs_stops(bench: Bench) -> None:
    job = bench.add()
    stopped = threading.Event()

    def act(running: Running) -> None:
        try:
            wait_until_unwanted(running)
        except JobStopped:
            stopped.set()
            raise

    with runner_of(bench, {"search": act}):
        until(lambda: bench.get(job), lambda now: now.state is JobState.RUNNING)
        bench.write(lambda c: cancel_job(c, bench.keyring, job.id, clock()))
        assert stopped.wait(SOON_S)

    assert bench.get(job).state is JobState.CANCELLED


def test_beats_say_how_far_a_job_is(bench: Bench) -> None:
    job = bench.add()

    def act(running: Running) -> None:
        running.tell(1_000, 9_000)
        wait_until_unwanted(running)

    with runner_of(bench, {"search": act}):
        now = until(lambda: bench.get(job), lambda now: now.done_ms == 1_000)
        assert now.total_ms == 9_000
        later = until(lambda: bench.get(job), lambda late: late.beat_at != now.beat_at)
    assert later.beat_at is not None


def test_runner_that_is_closed_leaves_its_job_to_the_next_at_once(bench: Bench) -> None:
    job = bench.add("count")
    kept = threading.Event()

    def say(what: str, number: int) -> None:
        if number == 3:
            kept.set()

    slow = Counting(bench.database, bench.keyring, clock, wait_s=0.05, say=say)
    with runner_of(bench, {"count": slow}):
        assert kept.wait(SOON_S)
    left = bench.get(job)
    assert (left.state, left.runner, left.tries) == (JobState.WAITING, None, 0)
    before = bench.read(lambda c: segments_kept(c, job.id))
    assert 3 <= before < SEGMENTS

    with runner_of(bench, {"count": Counting(bench.database, bench.keyring, clock)}):
        ended(bench, job)

    results = bench.read(lambda c: results_of(c, bench.keyring, job.id, "count", limit=99))
    by = [one.content.split()[-1] for one in results]
    assert len(set(by[:before])) == 1 and set(by[before:]).isdisjoint(by[:before])


def test_act_that_stops_without_a_word_leaves_its_job_to_the_next(bench: Bench) -> None:
    job = bench.add()

    def act(running: Running) -> None:
        with suppress(JobStopped):
            wait_until_unwanted(running)

    with runner_of(bench, {"search": act}):
        until(lambda: bench.get(job), lambda now: now.state is JobState.RUNNING)

    assert bench.get(job).state is JobState.WAITING


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (InvalidClip("Not a video. Give one."), "InvalidClip", "Not a video. Give one."),
        (ZeroDivisionError("of secret.mp4"), "Fault", "Likeness failed (ZeroDivisionError)"),
        (None, "Fault", "left it unfinished"),
    ],
)
def test_job_whose_act_does_not_end_it_fails(
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
    raised: Exception | None,
    kind: str,
    text: str,
) -> None:
    job, next_job = bench.add(), bench.add("good")

    def act(running: Running) -> None:
        if raised is not None:
            raised.__traceback__ = None
            raise raised

    with runner_of(bench, {"search": act, "good": lambda running: succeed(bench, running)}):
        failed = ended(bench, job)
        assert ended(bench, next_job).state is JobState.SUCCEEDED

    assert (failed.state, failed.failure) == (JobState.FAILED, kind)
    assert text in (failed.failure_text or "")
    assert "secret" not in caplog.text


def test_job_of_an_act_that_nobody_knows_fails(bench: Bench) -> None:
    job = bench.add("from the future")

    with runner_of(bench, {}):
        assert "Run the newer one" in (ended(bench, job).failure_text or "")


def test_job_that_gets_no_further_is_given_up(bench: Bench) -> None:
    job = bench.add()
    for _ in range(MOST_TRIES):
        assert bench.claim() is not None
        bench.later(seconds=STALE.total_seconds() + 1)
    given: list[str] = []

    def fail(running: Running, error: Exception) -> None:
        given.append(str(error))
        bench.write(
            lambda c: end_job(
                c, bench.keyring, running.job.id, running.runner, JobState.FAILED, bench.now
            )
        )

    with runner_of(bench, {"search": wait_until_unwanted}, clock=lambda: bench.now, fail=fail):
        ended(bench, job)

    assert len(given) == 1 and "begun 5 times and got no further" in given[0]


def test_what_passes_leaves_a_job_to_be_gone_on_with(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = bench.add()
    tries: list[int] = []

    def act(running: Running) -> None:
        tries.append(running.job.tries)
        if len(tries) == 1:
            bench.later(minutes=1)
            raise DatabaseUnavailable("gone for a moment")
        succeed(bench, running)

    caplog.set_level(logging.WARNING)
    with runner_of(bench, {"search": act}, clock=lambda: bench.now):
        assert ended(bench, job).state is JobState.SUCCEEDED

    assert tries == [1, 2]
    assert "interrupted by DatabaseUnavailable" in caplog.text


def test_local_job_is_run_here_and_left_alone_by_servers(bench: Bench) -> None:
    job = bench.add("count", local=True)
    count = Counting(bench.database, bench.keyring, clock)
    with runner_of(bench, {"count": count}) as runner:
        runner.wake()
        time.sleep(0.2)
        assert bench.get(job).state is JobState.WAITING

        done = run_here(bench.database, bench.keyring, job.id, count, clock)

    assert done.state is JobState.SUCCEEDED
    with pytest.raises(Conflict, match="has ended: succeeded"):
        run_here(bench.database, bench.keyring, job.id, count, clock)


def test_local_job_that_is_interrupted_goes_on_at_once(bench: Bench) -> None:
    job = bench.add("count", local=True)

    def say(what: str, number: int) -> None:
        if (what, number) == ("kept", 4):
            raise KeyboardInterrupt

    interrupted = Counting(bench.database, bench.keyring, clock, say=say)
    with pytest.raises(KeyboardInterrupt):
        run_here(bench.database, bench.keyring, job.id, interrupted, clock)
    begun: list[int] = []

    def note(what: str, number: int) -> None:
        if what == "begun":
            begun.append(number)

    count = Counting(bench.database, bench.keyring, clock, say=note)
    assert run_here(bench.database, bench.keyring, job.id, count, clock).state.ended
    assert begun == list(range(5, SEGMENTS))


def test_local_job_fails_with_what_its_act_raises(bench: Bench) -> None:
    job = bench.add(local=True)

    def act(running: Running) -> None:
        raise InvalidClip("Not a video. Give one.")

    with pytest.raises(InvalidClip):
        run_here(bench.database, bench.keyring, job.id, act, clock)

    assert bench.get(job).failure_text == "Not a video. Give one."


def test_local_job_of_a_process_that_lives_is_not_run_twice(bench: Bench) -> None:
    job = bench.add("count", local=True)
    begun = threading.Event()

    def act(running: Running) -> None:
        begun.set()
        while True:
            running.beat()
            time.sleep(0.05)

    def run() -> None:
        with pytest.raises(JobStopped):
            run_here(bench.database, bench.keyring, job.id, act, clock)

    elsewhere = threading.Thread(target=run)
    elsewhere.start()
    assert begun.wait(SOON_S)

    with pytest.raises(Conflict, match="Another process runs the job"):
        run_here(bench.database, bench.keyring, job.id, act, clock)

    bench.write(lambda c: cancel_job(c, bench.keyring, job.id, clock()))
    elsewhere.join(SOON_S)
    assert not elsewhere.is_alive()


def test_local_job_that_is_not_there_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        run_here(bench.database, bench.keyring, "0" * 64, succeed, clock)  # type: ignore[arg-type]


def test_process_that_stood_still_asks_before_it_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.running()
    running = Running(bench.database, job, b"", clock)
    running.require_wanted()
    bench.write(lambda c: release_job(c, job.id, "runner 1"))
    bench.write(lambda c: claim_job(c, bench.keyring, "runner 2", clock()))
    running.require_wanted()  # nobody said anything yet, and a beat is not due

    began_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began_s + 60)

    with pytest.raises(JobStopped):
        running.require_wanted()


def test_new_job_is_begun_while_another_waits_for_a_thread(bench: Bench) -> None:
    first = bench.add()
    with runner_of(bench, {"search": wait_until_unwanted}, threads=2):
        until(lambda: bench.get(first), lambda now: now.state is JobState.RUNNING)
        new = NewJob("search", "key:2", None, b"another")
        second = bench.write(lambda c: add_job(c, bench.keyring, new, clock()))
        until(lambda: bench.get(second), lambda now: now.state is JobState.RUNNING)
