"""Kill -9 at random moments of bulk enrolment, then resume: nothing is lost, nothing comes twice.

`LIKENESS_KILLS=200` kills as often by hand.
"""

import multiprocessing
import os
import random
import time
from pathlib import Path
from uuid import UUID

import pytest

from likeness.gallery import By, Size
from likeness.service.enrol.enrol import Outcome
from likeness.service.uses import Home
from tests.service.enrolling import run
from tests.service.people import crowd, enroller, home_at, make_on_record, template_of

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LIKENESS_KILLS", "3"))
_COUNT = 60
_LONGEST_S = 0.4


def kill_one(
    folder: Path, url: str, standards: Path, collection: str, seed: int
) -> dict[str, UUID]:
    """Let a program enrol 60, kill it at some moment, and give what it had told."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.service.enrolling"])
    hears, says = context.Pipe(duplex=False)
    program = context.Process(target=run, args=(folder, url, standards, collection, says))
    program.start()
    says.close()
    hears.recv()
    time.sleep(random.Random(seed).random() * _LONGEST_S)
    program.kill()
    told: dict[str, UUID] = {}
    try:
        while True:
            told.update([hears.recv()])
    except EOFError:
        hears.close()
    program.join()
    return told


def is_found_once(home: Home, collection: str, place: str, reference_id: UUID) -> bool:
    candidates = home.gallery.collection(collection).search(
        template_of(home, Path(place)), _COUNT, By.REFERENCE
    )
    found = [one.reference.id for one in candidates if one.reference is not None]
    return found.count(reference_id) == 1


def test_kill_9_loses_nothing_told_and_the_rest_follows(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    pictures = crowd(tmp_path / "people", _COUNT)
    cut_off = 0
    for seed in range(KILLS):
        collection = f"killed {seed}"
        with home_at(tmp_path, database_url, standards) as home:
            make_on_record(home, collection)
        told = kill_one(tmp_path, database_url, standards, collection, seed)
        cut_off += len(told) < _COUNT
        with home_at(tmp_path, database_url, standards) as home:
            for place, reference_id in told.items():
                assert is_found_once(home, collection, place, reference_id)
            results = list(enroller(home, collection).enrol(pictures))
            assert home.gallery.collection(collection).size == Size(_COUNT, _COUNT)
        for result in results:
            assert result.outcome is not Outcome.REJECTED
            if result.picture.place in told:
                assert result.outcome is Outcome.ALREADY
                assert result.reference_id == told[result.picture.place]
    assert cut_off
