"""Jobs of a server that is killed or stopped: the next one goes on with them."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome
from tests.cli.test_serve import client, introduction, server
from tests.rekognition.operations.discs import BLUE, RED, disc
from tests.video.discs import Disc, clip_of_discs

pytestmark = pytest.mark.slow

SEGMENT_MS = 30_000
A_SEGMENT_IS_KEPT_MS = SEGMENT_MS + 2000
CLIP_S = 65.0
_LONGEST_S = 120.0


@pytest.fixture
def clip(
    likeness: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A clip in a bucket that the settings name: of three segments, with two people all through."""
    clip_of_discs(
        tmp_path / "buckets/clips/street.mp4",
        [Disc(RED, from_xy=(60, 80), to_xy=(240, 80)), Disc(BLUE, from_xy=(240, 180))],
        seconds=CLIP_S,
        fps=4,
    )
    monkeypatch.setenv("LIKENESS_BUCKETS", str(tmp_path / "buckets"))
    return {"S3Object": {"Bucket": "clips", "Name": "street.mp4"}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def looked_at(likeness: Callable[..., Outcome], job_id: str) -> Iterator[dict[str, Any]]:
    """What is known of a job, again and again."""
    until_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < until_s:
        outcome = likeness("jobs", "show", job_id, "--json")
        assert outcome.code == 0, outcome.err
        yield json.loads(outcome.out)
        time.sleep(0.25)
    raise AssertionError("it takes too long")


def ended(
    process: Any, how: signal.Signals, likeness: Callable[..., Outcome], job_id: str
) -> dict[str, Any]:
    """End a server, and give what is known of its job then."""
    process.send_signal(how)
    process.wait(30)
    return next(looked_at(likeness, job_id))


def begin(rekognition: Any, clip: dict[str, Any]) -> str:
    rekognition.create_collection(CollectionId="c")
    rekognition.index_faces(CollectionId="c", Image={"Bytes": disc(RED)}, ExternalImageId="rosa")
    begun = rekognition.start_face_search(Video=clip, CollectionId="c")
    return str(begun["JobId"])


def people(rekognition: Any, job_id: str) -> dict[int, set[str]]:
    """Whom each person of the clip is like, and that they are seen to its end."""
    found: dict[int, set[str]] = {}
    last_ms = 0
    pages = {"JobId": job_id}
    while True:
        page = rekognition.get_face_search(**pages)
        assert page["JobStatus"] == "SUCCEEDED"
        for one in page["Persons"]:
            last_ms = max(last_ms, one["Timestamp"])
            names = found.setdefault(one["Person"]["Index"], set())
            names |= {match["Face"]["ExternalImageId"] for match in one.get("FaceMatches", ())}
        if "NextToken" not in page:
            break
        pages["NextToken"] = page["NextToken"]
    assert last_ms > 1000 * (CLIP_S - 2)
    return found


def test_job_of_a_server_that_is_stopped_or_killed_goes_on_from_the_last_segment(
    likeness: Callable[..., Outcome], home: Path, standards: Path, clip: dict[str, Any]
) -> None:
    with server(home, standards) as process:
        introduced = introduction(process)
        job_id = begin(client(introduced), clip)
        for now in looked_at(likeness, job_id):
            if now["done_ms"] > A_SEGMENT_IS_KEPT_MS:
                break
        assert now["state"] == "running"
        left = ended(process, signal.SIGTERM, likeness, job_id)
        assert left["state"] == "waiting"

    with server(home, standards) as process:
        introduction(process)
        for now in looked_at(likeness, job_id):
            if now["state"] == "running":
                break
        assert now["done_ms"] >= SEGMENT_MS
        assert ended(process, signal.SIGKILL, likeness, job_id)["state"] == "running"

    with server(home, standards) as process:
        introduced |= introduction(process)
        for now in looked_at(likeness, job_id):
            assert now["done_ms"] >= SEGMENT_MS
            if now["ended_at"] is not None:
                break
        assert (now["state"], now["begun_at"]) == ("succeeded", left["begun_at"])
        assert sorted(map(len, people(client(introduced), job_id).values())) == [0, 1]
        verified = likeness("ledger", "verify")
        assert verified.code == 0, verified.out + verified.err
