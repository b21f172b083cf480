"""The default vector index against FAISS's own exact flat one, on synthetic galleries."""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import faiss
import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from bench.figure import Beside, Figure, Measurement, NotMeasured, Target, at_least, at_most
from bench.race import Race, Runner, race
from bench.synthetic_gallery import SyntheticGallery
from bench.workplace import OUT
from likeness.index.faiss_index import FaissIndex
from likeness.index.snapshot import Reached, SnapshotFolder

_MODEL = "synthetic"
_DIMENSIONS = 128
_CANDIDATES = 10
# What a service asks for before it normalises scores.
_SHORTLIST = 300
_ROUNDS = 7
_BATCH = 64

_MILLION = 1_000_000
_MILLION_PROBES = 4_000
_TWENTY_MILLION = 20_000_000
_RESTORED_PROBES = 1_000

Truth = NDArray[np.int64]
"""The ids of the nearest references of every probe, (m, 10), as an exact search finds them."""


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """What came of an index that another process had written."""

    seconds_to_first_answer: float
    median_ms: float
    resident_gib: float
    recall_1: float


class _Sealer:
    """AES-GCM, as at rest."""

    def __init__(self) -> None:
        self._cipher = AESGCM(bytes(32))

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:12], sealed[12:], context)


def _speed(full: bool) -> Measurement:
    laps = _raced()
    ms = {name: 1000 * laps.median(name) for name in laps.seconds}
    return Measurement(
        laps.times_faster("one thread", than="one thread, flat"),
        f"one probe, {_CANDIDATES} candidates, one thread each: IndexFlatIP"
        f" {ms['one thread, flat']:.1f} ms, ours {ms['one thread']:.2f} ms; median of {_ROUNDS}"
        " rounds",
        (
            Beside(
                "all-threads",
                laps.times_faster("one probe", than="one probe, flat"),
                "times faster",
                f"one probe, {faiss.omp_get_max_threads()} threads each: IndexFlatIP"
                f" {ms['one probe, flat']:.1f} ms, ours {ms['one probe']:.2f} ms",
            ),
            Beside(
                "batch",
                laps.times_faster("batch", than="batch, flat"),
                "times faster",
                f"{_BATCH} probes at a time, all threads: ours {ms['batch']:.2f} ms a probe",
            ),
            Beside(
                f"{_SHORTLIST}-candidates",
                ms["shortlist"],
                "ms",
                f"{_SHORTLIST} candidates for one probe",
            ),
        ),
    )


def _recall(rank: int) -> Callable[[bool], Measurement]:
    def measure(full: bool) -> Measurement:
        index, probes = _million()
        found = index.search(probes, _CANDIDATES).ids
        return Measurement(
            recall(found, _million_truth(), rank),
            f"mated probes, {_MILLION_PROBES}; against IndexFlatIP",
        )

    return measure


def _restored(value: Callable[[Restored], float], against: str) -> Callable[[bool], Measurement]:
    def measure(full: bool) -> Measurement:
        if not full:
            raise NotMeasured("20 million take 20 minutes and 10 GB of disk: make bench FULL=1")
        return Measurement(value(restored(_TWENTY_MILLION)), against)

    return measure


def _of_twenty_million(
    name: str, unit: str, target: Target, value: Callable[[Restored], float], against: str
) -> Figure:
    return Figure(f"index-20m-{name}", unit, target, _restored(value, against))


FIGURES = (
    Figure("index-1m-speed", "times faster", at_least(8), _speed),
    Figure("index-1m-recall1", "of 1", at_least(0.999), _recall(1)),
    Figure("index-1m-recall10", "of 1", at_least(0.99), _recall(10)),
    _of_twenty_million(
        "recall1", "of 1", at_least(0.999), lambda it: it.recall_1, "mated probes, against exact"
    ),
    _of_twenty_million(
        "median", "ms", at_most(50), lambda it: it.median_ms, "one probe, 10 candidates"
    ),
    _of_twenty_million(
        "resident", "GiB", at_most(8), lambda it: it.resident_gib, "most there ever was"
    ),
    _of_twenty_million(
        "restart", "s", at_most(60), lambda it: it.seconds_to_first_answer, "from its snapshot"
    ),
)


def recall(found: Truth, truth: Truth, rank: int) -> float:
    """The share of the `rank` truly nearest, (m, 10), that are among the `rank` found."""
    pairs = zip(found[:, :rank], truth[:, :rank], strict=True)
    return statistics.fmean(np.isin(right, line).mean() for line, right in pairs)


@cache
def _million() -> tuple[FaissIndex, NDArray[np.float32]]:
    gallery = SyntheticGallery(_MILLION)
    index = FaissIndex(_MODEL, _DIMENSIONS)
    for ids, vectors in gallery.blocks():
        index.add(ids, vectors)
    index.settle()
    return index, gallery.probes(_MILLION_PROBES)


@cache
def _flat() -> faiss.IndexFlatIP:
    flat = faiss.IndexFlatIP(_DIMENSIONS)
    for _, vectors in SyntheticGallery(_MILLION).blocks():
        flat.add(vectors)
    return flat


@cache
def _million_truth() -> Truth:
    truth: Truth = _flat().search(_million()[1], _CANDIDATES)[1]
    return truth


@cache
def _raced() -> Race:
    (index, probes), flat = _million(), _flat()

    def ours(count: int, batch: int = 1, candidates: int = _CANDIDATES, threads: int = 0) -> Runner:
        return _timed(lambda part: index.search(part, candidates), probes, count, batch, threads)

    def theirs(count: int, batch: int = 1, threads: int = 0) -> Runner:
        return _timed(lambda part: flat.search(part, _CANDIDATES), probes, count, batch, threads)

    return race(
        {
            "one probe": ours(100),
            "one probe, flat": theirs(10),
            "one thread": ours(100, threads=1),
            "one thread, flat": theirs(10, threads=1),
            "batch": ours(4, batch=_BATCH),
            "batch, flat": theirs(2, batch=_BATCH),
            "shortlist": ours(50, candidates=_SHORTLIST),
        },
        _ROUNDS,
    )


def _timed(
    search: Callable[[NDArray[np.float32]], object],
    probes: NDArray[np.float32],
    count: int,
    batch: int,
    threads: int,
) -> Runner:
    """Make what searches with `count` batches of probes, and gives the seconds for each probe."""

    def run() -> float:
        usual = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(threads or usual)
        begun = time.perf_counter()
        for first in range(0, count * batch, batch):
            search(probes[first : first + batch])
        seconds = time.perf_counter() - begun
        faiss.omp_set_num_threads(usual)
        return seconds / (count * batch)

    return run


@cache
def restored(size: int) -> Restored:
    """Write an index of a synthetic gallery and take it up again, each in a process of its own."""
    processes = multiprocessing.get_context("spawn")
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        with processes.Pool(1) as pool:
            truth = pool.apply(_write, (Path(folder), size))
        with processes.Pool(1) as pool:
            return pool.apply(_read, (Path(folder), size, truth))


def _write(folder: Path, size: int) -> Truth:
    gallery = SyntheticGallery(size)
    probes = gallery.probes(_RESTORED_PROBES)
    index = FaissIndex(_MODEL, _DIMENSIONS)
    nearest = faiss.ResultHeap(len(probes), _CANDIDATES, keep_max=True)
    for ids, vectors in gallery.blocks():
        index.add(ids, vectors)
        scores, places = faiss.knn(probes, vectors, _CANDIDATES, faiss.METRIC_INNER_PRODUCT)
        nearest.add_result(scores, ids[places])
    nearest.finalize()
    index.settle()
    index.snapshot(_snapshot_at(folder), reached=Reached(0))
    truth: Truth = nearest.I
    return truth


def _read(folder: Path, size: int, truth: Truth) -> Restored:
    probes = SyntheticGallery(size).probes(_RESTORED_PROBES)
    begun = time.perf_counter()
    index = FaissIndex(_MODEL, _DIMENSIONS)
    index.restore(_snapshot_at(folder))
    index.search(probes[:1], _CANDIDATES)
    restart = time.perf_counter() - begun
    seconds, found = [], []
    for probe in probes:
        begun = time.perf_counter()
        found.append(index.search(probe[None], _CANDIDATES).ids[0])
        seconds.append(time.perf_counter() - begun)
    return Restored(
        seconds_to_first_answer=restart,
        median_ms=1000 * statistics.median(seconds),
        resident_gib=_most_resident_gib(),
        recall_1=recall(np.array(found), truth, 1),
    )


def _snapshot_at(folder: Path) -> SnapshotFolder:
    return SnapshotFolder(folder / "snapshot", _Sealer(), _MODEL, _DIMENSIONS)


def _most_resident_gib() -> float:
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) / 2**20
