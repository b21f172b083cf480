"""How each cost of a gallery grows with its size; draws docs/gallery-growth.svg."""

import multiprocessing
import statistics
from collections.abc import Callable

from bench.bulk_enrolment import acknowledged
from bench.figure import Beside, Figure, Measurement, NotMeasured
from bench.gallery_index import Restored, restored
from bench.log_plot import Panel, as_svg
from bench.machine import this_machine
from bench.workplace import REPOSITORY

_ENROLLED = (10_000, 100_000, 1_000_000)
# Without their rows, from 10 million on: these take hours, and an index does not wait for them.
_INDEXED = (*_ENROLLED, 10_000_000, 20_000_000)
_PLOT = REPOSITORY / "docs" / "gallery-growth.svg"

_OF_AN_INDEX: tuple[tuple[str, str, Callable[[Restored], float], str, float | None], ...] = (
    ("search", "ms", lambda it: it.median_ms, "median, one probe, 10 candidates", 50),
    ("resident", "GiB", lambda it: it.resident_gib, "most at any time", 8),
    ("restart", "s", lambda it: it.seconds_to_first_answer, "from a snapshot to an answer", 60),
)
_ENROLMENT_TARGET_MS = 15


def _measure(full: bool) -> Measurement:
    if not full:
        raise NotMeasured("20 million take 20 minutes and 10 GB of disk: make bench FULL=1")
    found = {size: restored(size) for size in _INDEXED}
    enrolment = {size: _enrolment_ms(size) for size in _ENROLLED}
    panels = [
        Panel(
            f"{name}, {unit}: {what}",
            tuple((size, value(one)) for size, one in found.items()),
            target,
        )
        for name, unit, value, what, target in _OF_AN_INDEX
    ]
    acknowledgement = "enrolment, ms: one, until it is found"
    panels.append(Panel(acknowledgement, tuple(enrolment.items()), _ENROLMENT_TARGET_MS))
    command = "make bench ONLY=index-growth FULL=1"
    caption = f"by references held; {this_machine().description}; {command}"
    _PLOT.write_text(as_svg(panels, caption))
    beside = [
        Beside(f"{name}-{size}", value(one), unit, what)
        for name, unit, value, what, _ in _OF_AN_INDEX
        for size, one in found.items()
    ]
    beside += [Beside(f"enrol-{size}", ms, "ms", "median") for size, ms in enrolment.items()]
    beside += [
        Beside(f"recall1-{size}", one.recall_1, "of 1", "mated probes, against exact")
        for size, one in found.items()
    ]
    return Measurement(
        found[_INDEXED[-1]].median_ms / found[_INDEXED[0]].median_ms,
        f"a search of {_INDEXED[-1]:,} takes, over one of {_INDEXED[0]:,}; drawn in {_PLOT.name}",
        tuple(beside),
    )


FIGURES = (Figure("index-growth", "times as long", None, _measure),)


def _enrolment_ms(held: int) -> float:
    # In a process of its own, whose memory goes with it.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        ms, _ = pool.apply(acknowledged, (held,))
    return statistics.median(ms)
