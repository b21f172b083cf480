"""Differences of two systems on the same trials, by drawing the same subjects for both."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.bootstrap import Resampled, resample
from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.draws import FIRST_DRAW
from likeness.evaluation.error_tables import Values, interval
from likeness.evaluation.intervals import Interval, rate_name
from likeness.evaluation.resampled_searches import ResampledSearches, resample_searches
from likeness.evaluation.searches import Searches

_Found = TypeVar("_Found")


class _Figure(NamedTuple, Generic[_Found]):
    """A figure's name, its values in the data and draws, and the interval that it has alone."""

    name: str
    values: Callable[[_Found], Values]
    bounds: Callable[[_Found], Interval]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """One figure of two systems, and B less A, each with its 95% interval.

    `p_value` is two-sided: how often draws of subjects have a difference of the other sign, or
    none, twice. All are NaN where the data carry no such figure.
    """

    figure: str
    a: float
    b: float
    difference: float
    a_interval: Interval
    b_interval: Interval
    interval: Interval
    p_value: float


def paired_difference(
    a: Comparisons,
    b: Comparisons,
    samples: Samples,
    target: float,
    axes: Sequence[Axis] = (),
    *,
    resamples: int = 1000,
    seed: int = 0,
    workers: int = 2,
) -> tuple[PairedDifference, ...]:
    """Compare two systems, each at its own threshold for a target FMR.

    FNMR, the equal error rate, and for each axis of groups the FMR of strangers of one group, and
    FMR and FNMR of whichever group is worst in a draw. Both systems meet the same people in each
    draw, so what people have in common falls out of the difference.

    Args:
        a: what the first system made of the trials.
        b: what the second made of them, in whatever order.
        samples: whose they are.
        target: the FMR.
        axes: groups.
        resamples: how many draws.
        seed: the same seed draws the same subjects.
        workers: how many threads count.

    Raises:
        InvalidRequest: only one of them has some trials.
    """
    require_same_trials(a, b)
    found = [
        resample(
            each, samples, axes, targets=[target], resamples=resamples, seed=seed, workers=workers
        )
        for each in (a, b)
    ]
    return tuple(_differences(found[0], found[1], _figures(target, axes)))


def paired_search_difference(
    a: Searches,
    b: Searches,
    samples: Samples,
    target: float,
    *,
    resamples: int = 1000,
    seed: int = 0,
    workers: int = 2,
) -> tuple[PairedDifference, ...]:
    """Compare two systems' searches: FNIR at each's own threshold for a target FPIR, and rank 1.

    Raises:
        InvalidRequest: only one of them has some searches.
    """
    if not (
        np.array_equal(np.sort(a.probes), np.sort(b.probes))
        and np.array_equal(np.sort(a.probes[a.mated]), np.sort(b.probes[b.mated]))
    ):
        raise InvalidRequest(
            "The two systems did not search for the same samples. Give both the same searches."
        )
    found = [
        resample_searches(
            each, samples, targets=[target], resamples=resamples, seed=seed, workers=workers
        )
        for each in (a, b)
    ]
    figures: list[_Figure[ResampledSearches]] = [
        _Figure(
            f"FNIR at FPIR {rate_name(target)}",
            lambda one: one.fnir_at(target),
            lambda one: one.fnir_interval_at(target),
        ),
        _Figure(
            "Hit rate of rank 1",
            lambda one: one.hit_rates[:, 0],
            lambda one: one.hit_rate_interval(1),
        ),
    ]
    return tuple(_differences(found[0], found[1], figures))


def require_same_trials(a: Comparisons, b: Comparisons) -> None:
    """Refuse comparisons that are not of the same samples, each reference with each probe.

    Raises:
        InvalidRequest: only one of them has some trials.
    """
    if np.array_equal(a.references, b.references) and np.array_equal(a.probes, b.probes):
        same = bool(np.array_equal(a.mated, b.mated))
    else:
        keys = [_keys(each) for each in (a, b)]
        only = [len(np.setdiff1d(one, other)) for one, other in (keys, keys[::-1])]
        if any(only) or len(keys[0]) != len(keys[1]):
            raise InvalidRequest(
                f"The two systems were not tested on the same trials: {only[0]:,} are the first"
                f" one's alone, {only[1]:,} the second one's. Give both the same pairs; those that"
                " failed count as failures."
            )
        same = np.array_equal(_keys(a.only(a.mated)), _keys(b.only(b.mated)))
    if not same:
        raise InvalidRequest(
            "The two systems disagree on which trials are of one person. Give both the same labels."
        )


def _keys(comparisons: Comparisons) -> NDArray[np.int64]:
    return np.sort(comparisons.references.astype(np.int64) << 32 | comparisons.probes)


def _figures(target: float, axes: Sequence[Axis]) -> Iterator[_Figure[Resampled]]:
    yield _Figure(
        f"FNMR at FMR {rate_name(target)}",
        lambda one: one.fnmr_at(target),
        lambda one: one.fnmr_interval_at(target),
    )
    yield _plain("Equal error rate", lambda one: one.equal_error)
    for axis in axes:
        yield from _of_groups(target, axis.name)


def _of_groups(target: float, name: str) -> Iterator[_Figure[Resampled]]:
    yield _Figure(
        f"FMR within one group, {name}",
        lambda one: one.cells(target, name).same_group,
        lambda one: one.cells(target, name).same_group_interval(),
    )
    yield _plain(f"FMR of the worst group, {name}", lambda one: _most(one.cells(target, name).fmrs))
    yield _plain(
        f"FNMR of the worst group, {name}", lambda one: _most(one.cells(target, name).fnmrs)
    )


def _plain(name: str, values: Callable[[_Found], Values]) -> _Figure[_Found]:
    return _Figure(name, values, lambda one: interval(values(one)))


def _differences(
    a: _Found, b: _Found, figures: Iterable[_Figure[_Found]]
) -> Iterator[PairedDifference]:
    for figure in figures:
        of_a, of_b = figure.values(a), figure.values(b)
        less = of_b - of_a
        ends_a, ends_b = figure.bounds(a), figure.bounds(b)
        ends, p_value = _tested(less[FIRST_DRAW:])
        if of_a.min() == of_a.max() and of_b.min() == of_b.max():
            # No draw differs from another, as where neither has an error: each alone bounds it.
            ends = Interval(ends.low - (ends_a.high - of_a[0]), ends.high + (ends_b.high - of_b[0]))
        yield PairedDifference(
            figure.name,
            float(of_a[0]),
            float(of_b[0]),
            float(less[0]),
            ends_a,
            ends_b,
            ends,
            p_value,
        )


def _tested(differences: Values) -> tuple[Interval, float]:
    # Percentiles, not `interval`: they leave out zero where the p-value is small, and only there.
    there = np.sort(differences[~np.isnan(differences)])
    if not len(there):
        return Interval(float("nan"), float("nan")), float("nan")
    beyond = int(0.025 * (len(there) - 1))
    # The data are a draw as well, so that no p-value is zero.
    sides = (np.count_nonzero(there <= 0.0), np.count_nonzero(there >= 0.0))
    p_value = min(2.0 * (min(sides) + 1) / (len(there) + 1), 1.0)
    return Interval(float(there[beyond]), float(there[-1 - beyond])), p_value


def _most(rates: Values) -> Values:
    most = np.where(np.isnan(rates), -np.inf, rates).max(axis=-1, initial=-np.inf)
    return np.where(np.isinf(most), np.nan, most)
