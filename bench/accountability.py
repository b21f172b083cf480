"""Rules and ledger: what they add to a request, and what they take from a server's throughput.

Whole requests, vision included, through the ASGI application, in a process of its own. They are
sent in turns with the desk of a home and with one that admits everything and records nothing, so
that whatever else the machine does meets both.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from unittest.mock import patch

from starlette.types import Message, Scope

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.filled_home import filled_folder
from bench.load import signed
from bench.server import SEARCH, picture_files
from bench.workplace import OUT, settings
from likeness.app import Installation
from likeness.app.serving import Serving
from likeness.errors import required
from likeness.service.uses.record import Desk
from tests.service.unrecorded import UnrecordedDesk

_REFERENCES = 5_000
_PAIRS, _WARM_UP = 100, 10
_CLIENTS, _ROUNDS, _EACH = 32, 4, 96
# The intent, before anything is done, and what came of it.
_SYNCS = 2

_Request = tuple[dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class _Served:
    serving: Serving
    folder: Path
    requests: Sequence[_Request]

    def desk(self, real: bool) -> AbstractContextManager[object]:
        """Have requests go through the home's desk, or through one that records nothing."""
        if real:
            return nullcontext()
        plain = UnrecordedDesk(self.serving.home.database)
        return patch.object(Desk, "record", lambda _, use, ongoing: plain.record(use))

    async def answer(self, request: _Request) -> None:
        """Have one request answered."""
        headers, body = request
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [(name.lower().encode(), v.encode()) for name, v in headers.items()],
        }
        status = 0

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        await self.serving.router(scope, receive, send)
        if status != 200:
            raise NotMeasured(f"200 was expected and {status} came: try the request by hand")

    async def answer_all(self, requests: Sequence[_Request]) -> None:
        """Have requests answered, so many at a time as there are clients."""
        waiting = iter(requests)

        async def client() -> None:
            for request in waiting:
                await self.answer(request)

        await asyncio.gather(*(client() for _ in range(_CLIENTS)))


@contextmanager
def _served() -> Iterator[_Served]:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as name:
        folder = Path(name) / "home"
        shutil.copytree(filled_folder(_REFERENCES), folder)
        with Serving(Installation(settings(home=folder))) as serving:
            key = required(serving.ensure_first_key(), "the first key of a filled home")
            plan = {
                "url": "http://127.0.0.1:8020",
                "credentials": (key.access_key_id, key.secret),
                "asked": [asdict(SEARCH)],
                "pictures": picture_files(),
                "count": 64,
            }
            yield _Served(serving, folder, list(signed(plan)))


def main() -> None:
    """Measure, and write what came of it as JSON."""
    json.dump(asdict(_measure()), sys.stdout)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Milliseconds that the desk adds, and of raw syncs; requests/s with the desk and without."""

    added_ms: list[float]
    added_processor_ms: list[float]
    sync_ms: list[float]
    with_per_s: list[float]
    without_per_s: list[float]


@cache
def _measured() -> _Measured:
    done = subprocess.run(
        [sys.executable, "-m", "bench.accountability"],
        # As `likeness serve` has it, before NumPy is imported.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return _Measured(**json.loads(done.stdout))


def _measure() -> _Measured:
    with _served() as served, asyncio.Runner() as runner:
        added, added_processor, synced = [], [], []
        for number, request in enumerate(islice(cycle(served.requests), _WARM_UP + _PAIRS)):
            taken, used = {}, {}
            # The one that comes first finds caches cold: each as often as the other.
            for real in (True, False) if number % 2 else (False, True):
                with served.desk(real):
                    began, began_processor = time.perf_counter(), time.process_time()
                    runner.run(served.answer(request))
                    taken[real] = 1000 * (time.perf_counter() - began)
                    used[real] = 1000 * (time.process_time() - began_processor)
            added_processor.append(used[True] - used[False])
            added.append(taken[True] - taken[False])
            synced.append(_sync_ms(served.folder / "raw"))
        many = list(islice(cycle(served.requests), _EACH))
        rates: dict[bool, list[float]] = {True: [], False: []}
        for number in range(_ROUNDS):
            for real in (True, False) if number % 2 else (False, True):
                with served.desk(real):
                    began = time.perf_counter()
                    runner.run(served.answer_all(many))
                    rates[real].append(_EACH / (time.perf_counter() - began))
    return _Measured(
        added[_WARM_UP:],
        added_processor[_WARM_UP:],
        synced[_WARM_UP:],
        rates[True],
        rates[False],
    )


def added_ms() -> float:
    """Say what rules and ledger add to a request, the disk's own time too: the median."""
    return statistics.median(_measured().added_ms)


def _sync_ms(path: Path) -> float:
    with path.open("ab", buffering=0) as file:
        began = time.perf_counter()
        file.write(bytes(4096))
        os.fsync(file.fileno())
        return 1000 * (time.perf_counter() - began)


def _desk_ms(full: bool) -> Measurement:
    measured = _measured()
    whole, sync = added_ms(), statistics.median(measured.sync_ms)
    return Measurement(
        whole - _SYNCS * sync,
        f"median of {_PAIRS} pairs of SearchFacesByImage, one at a time, less {_SYNCS} raw syncs",
        (
            Beside("added", whole, "ms", "syncs included"),
            Beside(
                "processor",
                statistics.median(measured.added_processor_ms),
                "ms",
                "of all threads, what the machine does beside is no part of it",
            ),
            Beside("raw-sync", sync, "ms", "4 KiB and fsync, same disk"),
        ),
    )


def _desk_throughput(full: bool) -> Measurement:
    measured = _measured()
    real, plain = (statistics.median(x) for x in (measured.with_per_s, measured.without_per_s))
    return Measurement(
        real / plain,
        f"{_CLIENTS} at a time, {_ROUNDS} rounds of {_EACH} SearchFacesByImage each, in turns",
        (
            Beside("with", real, "requests/s", "rules and ledger"),
            Beside("without", plain, "requests/s", "neither"),
        ),
    )


FIGURES = (
    Figure("desk-ms", "ms", at_most(3), _desk_ms),
    Figure("desk-throughput", "of 1", at_least(0.9), _desk_throughput),
)

if __name__ == "__main__":
    main()
