"""`likeness serve` in a process, and a client in another: how a load is put on a server."""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
from botocore.config import Config

from bench.figure import NotMeasured
from bench.filled_home import COLLECTION, filled_folder, portraits
from bench.workplace import OUT, settings
from likeness.errors import required

# As many as two processors work on pictures for: the server never waits for the clients.
CONCURRENCY = 3
CANDIDATES = 5
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of an operation; a portrait is added under each of the names in `shows`."""

    operation: str
    request: dict[str, object]
    shows: tuple[str, ...] = ("Image",)


SEARCH = Asked(
    "SearchFacesByImage",
    {"CollectionId": COLLECTION, "FaceMatchThreshold": 0.0, "MaxFaces": CANDIDATES},
)
INDEX = Asked("IndexFaces", {"CollectionId": COLLECTION, "QualityFilter": "NONE"})
COMPARE = Asked("CompareFaces", {"SimilarityThreshold": 0.0}, ("SourceImage", "TargetImage"))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    url: str
    key: tuple[str, str]
    process_id: int
    environment: Mapping[str, str]

    def another_key(self, name: str) -> tuple[str, str]:
        """Make a key of somebody else."""
        command = ["keys", "create", name, "--sector", "charity", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "likeness", *command],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        made = json.loads(done.stdout)
        return made["access_key_id"], made["secret_access_key"]

    def client(self, config: Config | None = None) -> Any:
        """Give boto3's client of it."""
        return boto3.client(
            "rekognition",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.key[0],
            aws_secret_access_key=self.key[1],
            config=config,
        )

    def resident_mib(self) -> float:
        """Say how much of memory it has."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        kib = required(re.search(r"VmRSS:\s+(\d+)", status), "a process's resident memory")
        return int(kib[1]) / 1024

    def spent_ms(self, stage: str) -> tuple[float, float]:
        """Say how many ms were spent in a stage, and how many requests went through it."""
        with urlopen(f"{self.url}/metrics") as answer:  # noqa: S310  # our own server's
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


@dataclass(frozen=True, slots=True)
class Paced:
    """What came of asking at a pace: how long each took from when it was due, and its code."""

    ms: list[float]
    codes: dict[str, int]

    @property
    def p99_ms(self) -> float:
        """The ms within which 99 of 100 were answered."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(0.99 * len(self.ms)))]

    @property
    def lost(self) -> int:
        """How many were not answered, or refused."""
        return sum(count for code, count in self.codes.items() if code != "OK")


@contextmanager
def serve(references: int, *arguments: str, **settings_too: str) -> Iterator[Server]:
    """Serve a copy of a filled home, so that the next run finds it as it was.

    `arguments` and settings (`LIKENESS_...`) are the command's own beside its defaults.
    """
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        home = Path(folder) / "home"
        shutil.copytree(filled_folder(references), home)
        os.sync()  # or commits would wait for the copy
        environment = {name: v for name, v in os.environ.items() if "LIKENESS" not in name}
        environment |= {"LIKENESS_HOME": str(home), "LIKENESS_CACHE": str(settings().cache)}
        if settings().artifacts:
            environment["LIKENESS_ARTIFACTS"] = str(settings().artifacts)
        environment |= settings_too
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "likeness", "serve", "--port", "0", *arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            said: dict[str, str] = {}
            for line in required(process.stdout, "the server's standard output"):
                if "=" in line:
                    name, value = line.split()[-1].split("=", 1)
                    said[name] = value
                if "AWS_ENDPOINT_URL_REKOGNITION" in said:
                    break
            else:
                raise NotMeasured("`likeness serve` did not start: try it by hand")
            key = (said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
            yield Server(said["AWS_ENDPOINT_URL_REKOGNITION"], key, process.pid, environment)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def load(
    server: Server,
    asked: Sequence[Asked],
    count: int,
    concurrency: int = CONCURRENCY,
) -> Load:
    """Have a client in a process of its own ask in turns, so many requests at a time."""
    plan = {
        "url": server.url,
        "credentials": server.key,
        "asked": [asdict(one) for one in asked],
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


def paced(
    server: Server,
    asked: Sequence[Asked],
    per_s: float,
    seconds: float,
    trusted: Path | None = None,
) -> Paced:
    """Have a client in a process of its own ask at its pace, whether or not it was answered."""
    plan = {
        "url": server.url,
        "credentials": server.key,
        "asked": [asdict(one) for one in asked],
        "pictures": picture_files(),
        "count": int(per_s * seconds),
        "per_s": per_s,
        "within_s": _WITHIN_S,
        "trusted": str(trusted or ""),
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced"],
        input=json.dumps(plan),
        capture_output=True,
        check=True,
        text=True,
    )
    return Paced(**json.loads(done.stdout))


def mixture(server: Server) -> list[Asked]:
    """Give requests of all kinds: of 20, three are about pictures."""
    of_collection: dict[str, object] = {"CollectionId": COLLECTION}
    (face,) = server.client().list_faces(CollectionId=COLLECTION, MaxResults=1)["Faces"]
    like_one = {**of_collection, "FaceId": face["FaceId"], "FaceMatchThreshold": 0.0}
    rows = [
        Asked("SearchFaces", like_one, ()),
        Asked("ListFaces", {**of_collection, "MaxResults": 10}, ()),
        Asked("DescribeCollection", of_collection, ()),
        Asked("ListCollections", {}, ()),
    ]
    pictures = [INDEX, SEARCH, Asked("DetectFaces", {})]
    return pictures + (rows * 5)[: 20 - len(pictures)]


@cache
def picture_files() -> list[str]:
    """Write the portraits to files, for clients to read."""
    folder = OUT / "portraits"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.jpg" for number in range(len(portraits()))]
    for path, jpeg in zip(paths, portraits(), strict=True):
        path.write_bytes(jpeg)
    return [str(path) for path in paths]
