"""A server for ten minutes at 80% of what it can do, a job and a live search at work beside.

`make soak` runs this by itself, with the sample photographs, which any machine can fetch. Nothing
may fail, and memory and descriptors stay what they were; how fast they grow is printed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.crowd_video import children_mib, resident_mib
from bench.filled_home import COLLECTION
from bench.live_soak import people_of_samples
from bench.server import Asked, Server, load, mixture, paced, serve
from bench.station import station
from bench.visitors import visits_to, write_visitors
from bench.workplace import OUT

_REFERENCES = 5_000
_SECONDS, _PORTION_S, _SHARE = 600.0, 60.0, 0.8
_CAPACITY_REQUESTS = 200
_PEOPLE, _WIDTH, _HEIGHT, _CLIP_S, _FACE_PX = 4, 1280, 720, 20.0, 110.0
_EVERY_S, _JOB_WITHIN_S = 2.0, 300.0
_WARM = 1 / 3
_MOST_MORE = 5.0
_MOST_DESCRIPTORS_MORE = 8.0


@dataclass
class Held:
    """What a server holds, looked at now and then: seconds, MiB, open descriptors."""

    server: Server
    rows: list[tuple[float, float, float]] = field(default_factory=list)

    def look(self) -> None:
        """Look once."""
        process = self.server.process_id
        descriptors = len(list(Path(f"/proc/{process}/fd").iterdir()))
        mib = resident_mib(process) + children_mib(process)
        self.rows.append((time.monotonic(), mib, descriptors))

    def in_tenths(self) -> Iterator[Sequence[float]]:
        """Give the medians of each tenth of the time: seconds, MiB, descriptors."""
        for part in np.array_split(np.array(self.rows), min(10, len(self.rows))):
            yield tuple(np.median(part, axis=0) - [self.rows[0][0], 0, 0])

    def growth(self, column: int) -> tuple[float, float]:
        """Give what there was once everything had been used, and how much it grew an hour."""
        rows = np.array(self.rows[int(_WARM * len(self.rows)) :])
        slope, start = np.polyfit(rows[:, 0] - rows[0, 0], rows[:, column], 1)
        return float(start), float(slope) * 3600


class Beside:
    """A live search and jobs one after the other, for as long as the block lasts."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ends = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch),
            threading.Thread(target=self._search_clips),
        ]
        self.jobs = Counter[str]()
        self.live = "not begun"
        self.errors: list[str] = []

    def __enter__(self) -> "Beside":
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End both."""
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        asked = {
            "source": "hall",
            "collection": COLLECTION,
            "place": "the hall",
            "authority": "the bench",
            "criteria": "those who are enrolled",
            "ends_at": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
        }
        search = _own(self._server, "POST", "live", asked)["id"]
        while not self._ends.wait(_EVERY_S):
            self.live = _own(self._server, "GET", f"live/{search}")["state"]
            if self.live not in ("starting", "running"):
                self.errors.append(f"the live search is {self.live}")
                return
        _own(self._server, "POST", f"live/{search}/stop")

    def _search_clips(self) -> None:
        client = self._server.client()
        clip = {"S3Object": {"Bucket": "clips", "Name": "hall.mp4"}}
        while not self._ends.is_set():
            job = client.start_face_search(Video=clip, CollectionId=COLLECTION)["JobId"]
            state = "IN_PROGRESS"
            until_s = time.monotonic() + _JOB_WITHIN_S
            while state == "IN_PROGRESS" and time.monotonic() < until_s:
                if self._ends.wait(_EVERY_S):
                    return
                state = client.get_face_search(JobId=job, MaxResults=10)["JobStatus"]
            self.jobs[state] += 1
            if state != "SUCCEEDED":
                self.errors.append(f"a job is {state}")


def _own(server: Server, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """Call one of Likeness's own acts."""
    content = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(method, f"{server.url}/v1/{path}", data=content)
    request.headers["Content-Type"] = "application/json"
    SigV4Auth(Credentials(*server.key), "rekognition", "us-east-1").add_auth(request)
    answer = httpx.request(method, request.url, content=content, headers=dict(request.headers))
    answer.raise_for_status()
    return answer.json()


@contextmanager
def _served() -> Iterator[Server]:
    """Serve a home with a camera, a clip, and rules that let both be searched."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        clip = Path(folder) / "clips" / "hall.mp4"
        visits = visits_to(_PEOPLE, _CLIP_S)
        size_wh = _WIDTH, _HEIGHT
        write_visitors(clip, people_of_samples(), visits, _PEOPLE, size_wh, _CLIP_S, _FACE_PX)
        chosen = {"LIKENESS_BUCKETS": folder, "LIKENESS_SOURCE_NETWORKS": "127.0.0.0/8"}
        with station(clip) as address, serve(_REFERENCES, **chosen) as server:
            for command in (
                ["policy", "disable", "real-time"],
                ["sources", "add", "hall", address, "--place", "the hall"],
            ):
                subprocess.run(
                    [sys.executable, "-m", "likeness", *command],
                    env=server.environment,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            time.sleep(1)  # until a change of the rules is in force
            yield server


@dataclass(frozen=True)
class Soaked:
    """What came of it: requests a second of capacity, answers by their codes, what was held."""

    per_s: float
    codes: Mapping[str, int]
    held: Held
    beside: Beside


def soak(seconds: float) -> Soaked:
    """Serve for so many seconds at a share of what the server can do."""
    codes = Counter[str]()
    with _served() as server, Beside(server) as beside:
        asked: list[Asked] = mixture(server)
        load(server, asked, _CAPACITY_REQUESTS)  # everything is used once
        per_s = load(server, asked, _CAPACITY_REQUESTS).per_s
        held, ends = Held(server), threading.Event()

        def look() -> None:
            while not ends.wait(_EVERY_S):
                held.look()

        looking = threading.Thread(target=look)
        looking.start()
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 1:
            codes.update(paced(server, asked, _SHARE * per_s, min(_PORTION_S, left_s)).codes)
        ends.set()
        looking.join()
    return Soaked(per_s, codes, held, beside)


def main() -> int:
    """Serve for so many seconds; say what failed, and what was held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=_SECONDS)
    came = soak(parser.parse_args().seconds)
    (mib, more_mib), (descriptors, more_descriptors) = came.held.growth(1), came.held.growth(2)
    spanned_h = (came.held.rows[-1][0] - came.held.rows[0][0]) / 3600
    print(
        f"{sum(came.codes.values()):,} requests at {_SHARE:.0%} of {came.per_s:.1f} a second:"
        f" {dict(came.codes)}. Jobs: {dict(came.beside.jobs)}. Live search: {came.beside.live}.\n"
        f"Memory: {mib:.0f} MiB, growing by {more_mib:+.1f} MiB an hour."
        f" Descriptors: {descriptors:.0f}, growing by {more_descriptors:+.1f} an hour."
    )
    for after_s, memory_mib, count in came.held.in_tenths():
        print(f"  after {after_s:4.0f} s: {memory_mib:.0f} MiB, {count:.0f} descriptors")
    failures = list(came.beside.errors)
    if set(came.codes) != {"OK"}:
        failures.append("some requests were not answered")
    if not came.beside.jobs["SUCCEEDED"]:
        failures.append("no job has ended, so this says nothing of jobs")
    if more_mib * spanned_h > _MOST_MORE / 100 * mib:
        failures.append(f"memory grew by more than {_MOST_MORE:g}%")
    if more_descriptors * spanned_h > _MOST_DESCRIPTORS_MORE:
        failures.append("descriptors are not given back")
    for failure in failures:
        print(f"Not well: {failure}.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
