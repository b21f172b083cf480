"""Resampling of people: seconds and memory, and how both grow with the number of comparisons."""

import multiprocessing
import resource
import time
from typing import NamedTuple

import numpy as np

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from likeness.evaluation import Axis, Comparisons, Samples, resample

_RESAMPLES = 1000
_WORKERS = 2
_TARGETS = (1e-3, 1e-4, 1e-5)
_GROUPS = 8
_MILLION = 1_000_000
_AT_A_TIME = 1 << 20


class _Resampled(NamedTuple):
    people: int
    seconds: float
    given_gib: float
    most_gib: float


def _seconds(full: bool) -> Measurement:
    sizes = (_MILLION, 10 * _MILLION)
    found = {size: _in_a_new_process(size, 0) for size in sizes}
    grouped = _in_a_new_process(sizes[-1], _GROUPS)
    ten = found[sizes[-1]]
    return Measurement(
        ten.seconds,
        f"{sizes[-1]:,} comparisons, all pairs of two pictures each of {ten.people:,} people,"
        f" {_RESAMPLES:,} resamples, {_WORKERS} threads; grows as comparisons times resamples",
        (
            Beside("1m", found[sizes[0]].seconds, "s", f"{sizes[0]:,} comparisons"),
            Beside(
                "groups",
                grouped.seconds,
                "s",
                f"{sizes[-1]:,} comparisons, {_GROUPS} groups at {len(_TARGETS)} thresholds",
            ),
        ),
    )


def _memory(full: bool) -> Measurement:
    if not full:
        raise NotMeasured("100 million comparisons take some two minutes: make bench FULL=1")
    sizes = (_MILLION, 10 * _MILLION, 100 * _MILLION)
    found = {size: _in_a_new_process(size, 0) for size in sizes}
    most = found[sizes[-1]]
    return Measurement(
        most.most_gib,
        f"most resident at any time, {sizes[-1]:,} comparisons of {most.people:,} people, of which"
        f" {most.given_gib:.2f} were there before: scores in float32, two samples and a mark, 13"
        f" bytes each; 4 bytes each are sorted beside them; {_RESAMPLES:,} resamples",
        (
            *(
                Beside(f"{size // _MILLION}m", found[size].most_gib, "GiB", f"{size:,} comparisons")
                for size in sizes[:-1]
            ),
            Beside("seconds", most.seconds, "s", f"{sizes[-1]:,} comparisons"),
        ),
    )


FIGURES = (
    Figure("resample-seconds", "s", at_most(60), _seconds),
    Figure("resample-memory", "GiB", at_most(2), _memory),
)


def _in_a_new_process(comparisons: int, groups: int) -> _Resampled:
    # Memory that was used is told of a whole process.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_resampled, (comparisons, groups))


def _resampled(size: int, groups: int) -> _Resampled:
    comparisons, samples = _population(size)
    codes = (samples.subjects % max(groups, 1)).astype(np.int32)
    axes = [Axis("group", tuple("abcdefgh"[:groups]), codes)] if groups else []
    given = _most_gib()
    begun = time.perf_counter()
    resample(comparisons, samples, axes, targets=_TARGETS, resamples=_RESAMPLES, workers=_WORKERS)
    seconds = time.perf_counter() - begun
    return _Resampled(samples.subject_count, seconds, given, _most_gib())


def _population(size: int) -> tuple[Comparisons, Samples]:
    """All pairs of two pictures each of so many people that there are about `size`."""
    random = np.random.default_rng(0)
    people = int((size / 2) ** 0.5) + 1
    owners = np.repeat(np.arange(people, dtype=np.int32), 2)
    ends = np.cumsum(np.arange(len(owners) - 1, -1, -1, dtype=np.int64))
    references, probes = np.empty((2, int(ends[-1])), np.int32)
    for sample, (start, end) in enumerate(
        zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)
    ):
        references[start:end] = sample
        probes[start:end] = np.arange(sample + 1, len(owners))
    mated = np.empty(len(references), bool)
    scores = random.standard_normal(len(references), np.float32)
    effects = random.normal(0, 0.3, people).astype(np.float32)
    for start in range(0, len(references), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        ones, others = owners[references[part]], owners[probes[part]]
        mated[part] = ones == others
        scores[part] += effects[ones] + effects[others] + 4 * mated[part]
    samples = Samples(owners, np.zeros(len(owners), bool))
    return Comparisons(scores, references, probes, mated), samples


def _most_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
