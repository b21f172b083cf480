"""Enrolment: pictures a second from files to committed rows, and how long one reference waits."""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path

from bench.figure import Beside, Figure, Measurement, at_least, at_most
from bench.filled_home import (
    COLLECTION,
    FILLED_AT_ONCE,
    make_collection,
    open_home,
    portraits,
    references_of,
    snapshot,
)
from bench.workplace import OUT
from likeness.gallery import NewReference
from likeness.service.enrol.enrol import Demands, Enroller
from likeness.service.enrol.sources import NamedPicture
from likeness.service.uses import Home
from likeness.service.uses.caller import Caller
from likeness.vision.decode import inspect
from tests.gallery.galleries import enrol

_WARM_UP = 32
_PICTURES, _PICTURES_FULL = 320, 100_000
_ACKNOWLEDGED = 200
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a bulk enrolment; resident memory in MiB, after the warm-up and at the end."""

    pictures: int
    seconds: float
    resident_start: float
    resident_end: float


def _bulk(full: bool) -> Measurement:
    jpegs = portraits()
    count = _PICTURES_FULL if full else _PICTURES
    # In a process of its own, whose memory is its own.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        run = pool.apply(_enrol, (jpegs, count))
    against = f"{run.pictures} JPEGs of 640x480 and one face, on SQLite, in {run.seconds:.0f} s"
    return Measurement(
        run.pictures / run.seconds,
        against,
        (
            Beside("resident-start", run.resident_start, "MiB", f"after {_WARM_UP} pictures"),
            Beside("resident-end", run.resident_end, "MiB", f"after {run.pictures} pictures"),
        ),
    )


def _acknowledgement(full: bool) -> Measurement:
    ms, batch_ms = acknowledged(1)
    return Measurement(
        statistics.median(ms),
        f"one reference, from its template to its commit and into the index; median of {len(ms)},"
        f" slowest {max(ms):.1f} ms; SQLite",
        (Beside("batch", batch_ms / _BATCH, "ms", f"a reference, of {_BATCH} in one commit"),),
    )


def acknowledged(held: int) -> tuple[list[float], float]:
    """Give how many ms each of some references waits that join `held` others, and then a batch."""
    with _home() as home:
        new = references_of(home, held + _ACKNOWLEDGED + _BATCH)
        probe = next(new)
        others = chain([probe], islice(new, held - 1))
        while some := list(islice(others, FILLED_AT_ONCE)):
            enrol(home.gallery, COLLECTION, some)
        # From now on the index follows.
        home.gallery.collection(COLLECTION).search(probe.template, 1)
        snapshot(home)
        ms = [_ms_to_enrol(home, [one]) for one in islice(new, _ACKNOWLEDGED)]
        return ms, _ms_to_enrol(home, list(new))


FIGURES = (
    Figure("enrol-ack", "ms", at_most(15), _acknowledgement),
    Figure("bulk-enrol", "pictures/s", at_least(60, without_amx=20), _bulk),
)


def _enrol(jpegs: list[bytes], count: int) -> Run:
    pictures = _pictures(jpegs)
    with _home() as home:
        finder = home.load_finder(None)
        # Some of the photographs have bystanders.
        demands = Demands(any_quality=True, foremost=True)
        enroller = Enroller(
            replace(home, load_finder=lambda _: finder),
            Caller(home.somebody, "enrol"),
            COLLECTION,
            demands,
            workers=2,
        )
        for _ in enroller.enrol(islice(pictures, _WARM_UP)):
            pass
        start = _resident_mib()
        begun = time.perf_counter()
        for result in enroller.enrol(islice(pictures, count)):
            if result.error is not None:
                raise result.error
        return Run(count, time.perf_counter() - begun, start, _resident_mib())


@contextmanager
def _home() -> Iterator[Home]:
    """A home on the repository's disk, with an empty collection."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder, open_home(Path(folder)) as home:
        make_collection(home)
        yield home


def _pictures(jpegs: list[bytes]) -> Iterator[NamedPicture]:
    """Give pictures of a person each, without end, and none twice."""
    for number, jpeg in enumerate(cycle(jpegs)):
        # What follows the end of a JPEG makes its bytes others, and its pixels not.
        different = jpeg + number.to_bytes(8)
        yield NamedPicture(f"{number}.jpg", partial(inspect, different), f"person {number}")


def _ms_to_enrol(home: Home, new: list[NewReference]) -> float:
    begun = time.perf_counter()
    enrol(home.gallery, COLLECTION, new)
    return 1000 * (time.perf_counter() - begun)


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024
