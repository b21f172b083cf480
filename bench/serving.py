"""A server under load: `likeness serve` in a process, and a client in another."""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from urllib.request import urlopen

import boto3

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.filled_home import COLLECTION, filled_folder, open_home, portraits, references_of
from bench.workplace import OUT, settings
from likeness.gallery.search import By

_REFERENCES, _REFERENCES_FULL = 100_000, 1_000_000
_REQUESTS, _WARM_UP = 300, 200
_REQUESTS_LONG = 100_000
# As many as two processors work on pictures for: the server never waits for the clients.
_CONCURRENCY = 3
_CANDIDATES = 5
_CONCURRENCIES = (1, 8, 64, 256)
_STAGES = ("read", "verify", "queue", "parse", "act", "locate", "embed", "serialise")
_THROTTLED = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    url: str
    key: tuple[str, str]
    process_id: int

    def resident_mib(self) -> float:
        """Say how much of memory it has."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        kib = re.search(r"VmRSS:\s+(\d+)", status)
        assert kib is not None  # Linux has it
        return int(kib[1]) / 1024

    def spent_ms(self, stage: str) -> tuple[float, float]:
        """Say how many ms were spent in a stage, and how many requests went through it."""
        with urlopen(f"{self.url}/metrics") as answer:
            text = answer.read().decode()
        found = [
            re.search(rf'likeness_stage_seconds_{what}{{stage="{stage}"}} (\S+)', text)
            for what in ("sum", "count")
        ]
        total_s, count = (float(one[1]) if one else 0.0 for one in found)
        return 1000 * total_s, count


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load."""

    per_s: float
    ms: list[float]
    codes: dict[str, int]
    client_ms: float

    def percentile(self, share: float) -> float:
        """Give the ms below which so large a share was answered."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(share * len(self.ms)))]

    @property
    def words(self) -> str:
        """What to say beside a rate."""
        return (
            f"median {statistics.median(self.ms):.0f} ms, p99 {self.percentile(0.99):.0f} ms;"
            f" the client used {self.client_ms:.1f} ms of processor a request"
        )


@contextmanager
def _server(references: int) -> Iterator[Server]:
    """Serve a copy of a filled home, so that the next run finds it as it was."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        home = Path(folder) / "home"
        shutil.copytree(filled_folder(references), home)
        os.sync()  # or commits would wait for the copy
        environment = {name: v for name, v in os.environ.items() if "LIKENESS" not in name}
        environment |= {"LIKENESS_HOME": str(home), "LIKENESS_CACHE": str(settings().cache)}
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "likeness", "serve", "--port", "0"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            assert process.stdout is not None
            said: dict[str, str] = {}
            for line in process.stdout:
                if "=" in line:
                    name, value = line.split()[-1].split("=", 1)
                    said[name] = value
                if "AWS_ENDPOINT_URL_REKOGNITION" in said:
                    break
            else:
                raise NotMeasured("`likeness serve` did not start: try it by hand")
            key = (said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
            yield Server(said["AWS_ENDPOINT_URL_REKOGNITION"], key, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _load(
    server: Server,
    operation: str,
    request: dict[str, object],
    count: int,
    concurrency: int = _CONCURRENCY,
) -> Load:
    plan = {
        "url": server.url,
        "credentials": server.key,
        "operation": operation,
        "request": request,
        "pictures": picture_files(),
        "count": count,
        "concurrency": concurrency,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(plan),
        capture_output=True,
        check=True,
        text=True,
    )
    came = json.loads(done.stdout)
    return Load(
        count / came["seconds"], came["ms"], came["codes"], 1000 * came["processor_s"] / count
    )


@cache
def picture_files() -> list[str]:
    """Write the portraits to files, for clients to read."""
    folder = OUT / "portraits"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.jpg" for number in range(len(portraits()))]
    for path, jpeg in zip(paths, portraits(), strict=True):
        path.write_bytes(jpeg)
    return [str(path) for path in paths]


SEARCH: dict[str, object] = {
    "CollectionId": COLLECTION,
    "FaceMatchThreshold": 0.0,
    "MaxFaces": _CANDIDATES,
}


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of searches: by some clients, by one, by each number of them.

    `spent_ms` is the mean of each stage of one client's requests, `search_ms` the median of the
    gallery's own searches, without a server.
    """

    many: Load
    alone: Load
    each: list[Load]
    spent_ms: dict[str, float]
    search_ms: float


@cache
def _searched(references: int) -> Searched:
    """Search under load."""
    search_ms = _search_ms(references)
    with _server(references) as server:
        _load(server, "SearchFacesByImage", SEARCH, _WARM_UP)
        many = _load(server, "SearchFacesByImage", SEARCH, _REQUESTS)
        before = {stage: server.spent_ms(stage) for stage in _STAGES}
        alone = _load(server, "SearchFacesByImage", SEARCH, _REQUESTS // 3, concurrency=1)
        after = {stage: server.spent_ms(stage) for stage in _STAGES}
        spent_ms = {
            stage: (after[stage][0] - before[stage][0]) / (after[stage][1] - before[stage][1])
            for stage in _STAGES
        }
        each = [
            _load(server, "SearchFacesByImage", SEARCH, max(_REQUESTS // 2, 2 * n), n)
            for n in _CONCURRENCIES
        ]
    return Searched(many, alone, each, spent_ms, search_ms)


def _search_ms(references: int) -> float:
    with open_home(filled_folder(references)) as home:
        probes = [one.template for one in islice(references_of(home, references), _WARM_UP)]
        home.gallery.search(COLLECTION, probes[0], _CANDIDATES, By.REFERENCE)
        laps = []
        for probe in probes:
            began = time.perf_counter()
            home.gallery.search(COLLECTION, probe, _CANDIDATES, By.REFERENCE)
            laps.append(time.perf_counter() - began)
        return 1000 * statistics.median(laps)


def _references(full: bool) -> int:
    return _REFERENCES_FULL if full else _REFERENCES


def _on(full: bool) -> str:
    return f"{_references(full):,} references, {_CONCURRENCY} clients, JPEGs of 640x480"


def _search_rate(full: bool) -> Measurement:
    many = _searched(_references(full)).many
    return Measurement(many.per_s, f"{_on(full)}; {many.words}")


def _search_p99(full: bool) -> Measurement:
    many = _searched(_references(full)).many
    return Measurement(many.percentile(0.99), _on(full))


def _overhead(full: bool) -> Measurement:
    came = _searched(_references(full))
    whole_ms = statistics.mean(came.alone.ms)
    vision_ms = came.spent_ms["locate"] + came.spent_ms["embed"]
    return Measurement(
        whole_ms - vision_ms - came.search_ms,
        f"{whole_ms:.1f} ms as one client sees it, less {vision_ms:.1f} of vision (by /metrics) and"
        f" {came.search_ms:.1f} that the gallery's search takes without a server; two commits with"
        " it, rules and ledger too",
        tuple(Beside(stage, ms, "ms", "mean") for stage, ms in came.spent_ms.items()),
    )


def _errors(full: bool) -> Measurement:
    loads = _searched(_references(full)).each
    errors = sum(
        count
        for load in loads
        for code, count in load.codes.items()
        if code not in ("OK", _THROTTLED)
    )
    return Measurement(
        errors,
        f"answers that are neither OK nor a throttle, at {_CONCURRENCIES} clients",
        tuple(
            Beside(
                f"at-{clients}",
                load.per_s,
                "requests/s",
                f"{load.words}; {load.codes.get(_THROTTLED, 0)} throttled",
            )
            for clients, load in zip(_CONCURRENCIES, loads, strict=True)
        ),
    )


def _index_rate(full: bool) -> Measurement:
    request: dict[str, object] = {"CollectionId": COLLECTION, "QualityFilter": "NONE"}
    count = _REQUESTS_LONG if full else _REQUESTS
    with _server(0) as server:
        _load(server, "IndexFaces", request, _WARM_UP)
        start = server.resident_mib()
        load = _load(server, "IndexFaces", request, count)
        end = server.resident_mib()
        _require_enrolled(server)
    return Measurement(
        load.per_s,
        f"an empty collection, {_CONCURRENCY} clients, JPEGs of 640x480; {load.words}",
        (
            Beside("resident-start", start, "MiB", f"after {_WARM_UP} requests"),
            Beside("resident-end", end, "MiB", f"after {count} more"),
        ),
    )


def _require_enrolled(server: Server) -> None:
    client = boto3.client(
        "rekognition",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
    )
    if client.describe_collection(CollectionId=COLLECTION)["FaceCount"] < _REQUESTS:
        raise NotMeasured("fewer faces were enrolled than pictures were sent: try it by hand")


FIGURES = (
    Figure("serve-search", "requests/s", at_least(50, without_amx=15), _search_rate),
    Figure("serve-search-p99", "ms", at_most(250), _search_p99),
    Figure("serve-overhead", "ms", at_most(3), _overhead),
    Figure("serve-errors", "answers", at_most(0), _errors),
    Figure("serve-index", "requests/s", at_least(40), _index_rate),
)
