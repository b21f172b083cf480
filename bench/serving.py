"""A server under load: `likeness serve` in a process, and a client in another."""

import statistics
import time
from dataclasses import dataclass
from functools import cache
from itertools import islice

from bench.accountability import added_ms
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.filled_home import COLLECTION, filled_folder, open_home, references_of
from bench.server import (
    CANDIDATES,
    COMPARE,
    CONCURRENCY,
    INDEX,
    SEARCH,
    Load,
    Server,
    load,
    serve,
)
from likeness.gallery import By

_REFERENCES, _REFERENCES_FULL = 100_000, 1_000_000
_REQUESTS, _WARM_UP = 300, 200
_CONCURRENCIES = (1, 8, 64, 256)
_FEW = (2, 3)
_P99_MS = 150
_STAGES = ("read", "verify", "queue", "parse", "act", "locate", "embed", "serialise")
_THROTTLED = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of searches: by a few clients, by one, by each number of them.

    `few` are those whom two processors can serve at once, and one more who waits; `many` is the one
    of these loads that was answered fastest while its p99 stayed within bounds.
    `spent_ms` is the mean of each stage of one client's requests, `search_ms` the median of the
    gallery's own searches, without a server.
    """

    few: dict[int, Load]
    many: Load
    alone: Load
    each: list[Load]
    spent_ms: dict[str, float]
    search_ms: float


@cache
def _searched(references: int) -> Searched:
    """Search under load."""
    search_ms = _search_ms(references)
    with serve(references) as server:
        load(server, [SEARCH], _WARM_UP)
        few = {clients: load(server, [SEARCH], _REQUESTS, clients) for clients in _FEW}
        in_time = [one for one in few.values() if one.percentile(0.99) <= _P99_MS]
        many = max(in_time or few.values(), key=lambda one: one.per_s)
        before = {stage: server.spent_ms(stage) for stage in _STAGES}
        alone = load(server, [SEARCH], _REQUESTS // 3, concurrency=1)
        after = {stage: server.spent_ms(stage) for stage in _STAGES}
        spent_ms = {
            stage: (after[stage][0] - before[stage][0]) / (after[stage][1] - before[stage][1])
            for stage in _STAGES
        }
        each = [load(server, [SEARCH], max(_REQUESTS // 2, 2 * n), n) for n in _CONCURRENCIES]
    return Searched(few, many, alone, each, spent_ms, search_ms)


def _search_ms(references: int) -> float:
    with open_home(filled_folder(references)) as home:
        probes = [one.template for one in islice(references_of(home, references), _WARM_UP)]
        home.gallery.collection(COLLECTION).search(probes[0], CANDIDATES, By.REFERENCE)
        laps = []
        for probe in probes:
            began = time.perf_counter()
            home.gallery.collection(COLLECTION).search(probe, CANDIDATES, By.REFERENCE)
            laps.append(time.perf_counter() - began)
        return 1000 * statistics.median(laps)


def _references(full: bool) -> int:
    return _REFERENCES_FULL if full else _REFERENCES


def _on(full: bool) -> str:
    return f"{_references(full):,} references, JPEGs of 640x480; the faster load within bounds"


def _search_rate(full: bool) -> Measurement:
    came = _searched(_references(full))
    return Measurement(
        came.many.per_s,
        f"{_on(full)}; {came.many.words}",
        tuple(
            Beside(f"by-{clients}", one.per_s, "requests/s", one.words)
            for clients, one in came.few.items()
        ),
    )


def _search_p99(full: bool) -> Measurement:
    many = _searched(_references(full)).many
    return Measurement(many.percentile(0.99), _on(full))


def _overhead(full: bool) -> Measurement:
    came = _searched(_references(full))
    whole_ms = statistics.mean(came.alone.ms)
    vision_ms = came.spent_ms["locate"] + came.spent_ms["embed"]
    overhead_ms = whole_ms - vision_ms - came.search_ms
    return Measurement(
        overhead_ms,
        f"{whole_ms:.1f} ms as one client sees it, less {vision_ms:.1f} of vision (by /metrics) and"
        f" {came.search_ms:.1f} that the gallery's search takes without a server; two commits with"
        " it, rules and ledger too",
        (
            Beside(
                "beyond-desk",
                overhead_ms - added_ms(),
                "ms",
                "less what rules and ledger add, which `desk-ms` has a bound for",
            ),
            *(Beside(stage, ms, "ms", "mean") for stage, ms in came.spent_ms.items()),
        ),
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
    with serve(0) as server:
        load(server, [INDEX], _WARM_UP)
        came = load(server, [INDEX], _REQUESTS)
        _require_enrolled(server)
    return Measurement(
        came.per_s, f"an empty collection, {CONCURRENCY} clients, JPEGs of 640x480; {came.words}"
    )


def _compare_rate(full: bool) -> Measurement:
    with serve(0) as server:
        load(server, [COMPARE], _WARM_UP)
        came = load(server, [COMPARE], _REQUESTS)
    if came.codes.keys() != {"OK"}:
        raise NotMeasured(f"answers without an error were expected, {came.codes} came")
    return Measurement(
        came.per_s, f"two JPEGs of 640x480 each, {CONCURRENCY} clients; {came.words}"
    )


def _require_enrolled(server: Server) -> None:
    if server.client().describe_collection(CollectionId=COLLECTION)["FaceCount"] < _REQUESTS:
        raise NotMeasured("fewer faces were enrolled than pictures were sent: try it by hand")


FIGURES = (
    Figure("serve-search", "requests/s", at_least(80, without_bf16=40), _search_rate),
    Figure("serve-search-p99", "ms", at_most(_P99_MS, without_bf16=2 * _P99_MS), _search_p99),
    Figure("serve-overhead", "ms", at_most(3), _overhead),
    Figure("serve-errors", "answers", at_most(0), _errors),
    Figure("serve-index", "requests/s", at_least(60, without_bf16=30), _index_rate),
    Figure("serve-compare", "requests/s", at_least(35, without_bf16=17.5), _compare_rate),
)
