"""Kill -9 at random moments: another process goes on from the last segment that was kept.

`LIKENESS_KILLS=200` kills as often by hand.
"""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from likeness.jobs import Job, JobState, results_of
from tests.jobs.counting import SEGMENTS, run
from tests.jobs.jobbing import Bench

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LIKENESS_KILLS", "2"))
_LONGEST_S = 0.5
_AHEAD_S = 20.0  # longer than it takes until a job without beats is another's
_SOON_S = 60.0


class Program:
    """A process that runs jobs; each is further ahead in time than the one before."""

    def __init__(self, url: str, keys: Path, number: int, wait_s: float) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.jobs.counting"])
        self._hears: Pipe
        self._hears, says = context.Pipe(duplex=False)
        arguments = (url, keys, number * _AHEAD_S, wait_s, says)
        self.process: ForkServerProcess = context.Process(target=run, args=arguments)
        self.process.start()
        says.close()

    def hear(self) -> tuple[str, int]:
        """What it says next."""
        assert self._hears.poll(_SOON_S), "it says nothing"
        said: tuple[str, int] = self._hears.recv()
        return said

    def kill(self) -> list[tuple[str, int]]:
        """Kill it, and give what it had said that was not heard."""
        self.process.kill()
        said = []
        try:
            while True:
                said.append(self._hears.recv())
        except EOFError:
            self._hears.close()
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL
        return said


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def ended(bench: Bench, job: Job) -> Job:
    until_s = time.monotonic() + _SOON_S
    while not (now := bench.get(job)).state.ended:
        assert time.monotonic() < until_s, now
        time.sleep(0.05)
    return now


def makers(bench: Bench, job: Job) -> list[bytes]:
    """Who made each segment."""
    results = bench.read(lambda c: results_of(c, bench.keyring, job.id, "count", limit=99))
    assert [int(one.content.split()[0]) for one in results] == list(range(SEGMENTS))
    return [one.content.split()[-1] for one in results]


def test_job_of_a_killed_process_goes_on_from_the_last_segment_it_kept(
    bench: Bench, database_url: str, keys: Path
) -> None:
    for seed in range(KILLS):
        job = bench.add("count")
        draw = random.Random(seed)
        program = Program(database_url, keys, 2 * seed, wait_s=0.04)
        said = [program.hear()]
        time.sleep(draw.random() * _LONGEST_S)
        said += program.kill()
        kept = {number for what, number in said if what == "kept"}
        begun = [number for what, number in said if what == "begun"]

        with_another = Program(database_url, keys, 2 * seed + 1, wait_s=0.0)
        done = ended(bench, job)
        gone_on = with_another.kill() if ("ended", SEGMENTS) not in said else []
        if with_another.process.is_alive():
            with_another.kill()

        assert done.state is JobState.SUCCEEDED
        again = {number for what, number in gone_on if what == "begun"}
        assert kept.isdisjoint(again)
        assert again <= set(range(begun[-1], SEGMENTS))
        makers_of = makers(bench, job)
        assert len(set(makers_of)) <= 2
        assert makers_of == sorted(makers_of, key=makers_of.index)


def test_process_that_stands_still_loses_its_job_and_disturbs_nobody(
    bench: Bench, database_url: str, keys: Path
) -> None:
    job = bench.add("count")
    first = Program(database_url, keys, 0, wait_s=0.2)
    while first.hear() != ("kept", 1):
        pass
    os.kill(first.process.pid or 0, signal.SIGSTOP)
    try:
        second = Program(database_url, keys, 1, wait_s=0.2)
        while second.hear()[0] != "kept":
            pass
        os.kill(first.process.pid or 0, signal.SIGCONT)
        done = ended(bench, job)
    finally:
        os.kill(first.process.pid or 0, signal.SIGCONT)
        said = first.kill()
        second.kill()

    assert done.state is JobState.SUCCEEDED
    by = makers(bench, job)
    assert len(set(by)) == 2
    assert ("ended", SEGMENTS) not in said
    taken_over_at = by.index(by[-1])
    assert set(by[:taken_over_at]) == {by[0]} and set(by[taken_over_at:]) == {by[-1]}
