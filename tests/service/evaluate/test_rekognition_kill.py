"""kill -9 in the middle of an audit of 2,000 pictures: the next run asks nothing again.

A call that was on its way is the exception: nobody can know what came of it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.evaluate.audited import WORKERS
from tests.service.evaluate.fake_endpoint import FakeEndpoint, serving

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[3]
_WITHIN_S = 120.0


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with serving(FakeEndpoint()) as served:
        yield served


def start(endpoint: FakeEndpoint, folder: Path, pictures: int, kind: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.service.evaluate.audited",
            endpoint.url,
            str(folder),
            str(pictures),
            kind,
        ],
        cwd=REPOSITORY,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"},
        stdout=subprocess.PIPE,
        text=True,
    )


def calls(endpoint: FakeEndpoint) -> int:
    return sum(count for key, count in list(endpoint.asked.items()) if len(key) > 1)


@pytest.mark.parametrize(
    ("kind", "pictures", "scores"), [("pairs", 2000, 2000), ("search", 300, 150)]
)
def test_a_killed_audit_goes_on_without_asking_twice(
    endpoint: FakeEndpoint, tmp_path: Path, kind: str, pictures: int, scores: int
) -> None:
    # Of a search, in the middle of enrolling and of searching.
    kills = [pictures // 5, pictures // 2, pictures * 3 // 4]
    for after in kills:
        run = start(endpoint, tmp_path, pictures, kind)
        deadline = time.monotonic() + _WITHIN_S
        while calls(endpoint) < after and time.monotonic() < deadline:
            assert run.poll() is None
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    out, _ = start(endpoint, tmp_path, pictures, kind).communicate(timeout=_WITHIN_S)
    assert out.splitlines()[-1] == f"{pictures // 10} {scores}"
    again = [key for key, count in endpoint.asked.items() if len(key) > 1 and count > 1]
    assert len(again) <= len(kills) * WORKERS
    assert endpoint.collections == {}
    before = calls(endpoint)
    out, _ = start(endpoint, tmp_path, pictures, kind).communicate(timeout=_WITHIN_S)
    assert out.splitlines() == [f"{pictures // 10} {scores}"] and calls(endpoint) == before
