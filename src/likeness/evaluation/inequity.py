"""How uneven error rates are across groups, in NIST's columns and others.

NIST's are those of Grother, Face Recognition Vendor Test Part 8: Summarizing Demographic
Differentials (NISTIR 8429). GARBE is of Howard et al. (2022), FDR of de Freitas Pereira and Marcel
(2021); FDR says little at low FMR, where it is near one however uneven rates are.

Functions of `rates` take (..., G), groups last, and give (...), so they serve resamples as well. A
group without trials has the rate NaN and is left out. A ratio to a rate of zero is infinite, and
NaN where all are zero: `columns_of` says in words what that means.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.calibration import ERRORS_NEEDED
from likeness.evaluation.groups import GroupCounts
from likeness.evaluation.intervals import rule_of_three, wilson
from likeness.evaluation.rates import Counts, Rates, rates_of

# So many groups without an error are named; the others are counted.
_MOST_NAMED = 3


def max_over_min(rates: Rates) -> Rates:
    """Divide the highest rate by the lowest."""
    return _divide(_most(rates), _least(rates))


def max_minus_min(rates: Rates) -> Rates:
    """Give how far the highest rate lies above the lowest."""
    return _most(rates) - _least(rates)


def max_over_mean(rates: Rates) -> Rates:
    """Divide the highest rate by the mean of all groups."""
    return _divide(_most(rates), _mean(rates))


def max_over_geomean(rates: Rates) -> Rates:
    """Divide the highest rate by the geometric mean of all groups: NIST's own choice of these."""
    with np.errstate(divide="ignore"):
        return _divide(_most(rates), np.exp(_mean(np.log(rates))))


def geomean_variation(rates: Rates) -> Rates:
    """Give how far rates lie from their geometric mean, on average, in powers of ten.

    The mean of |log10(rate / geometric mean)|: 0 is even, 0.3 a factor of two.
    NIST's column of this name may be made otherwise: there were no figures to check the formula by.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(rates)
        variation = _mean(np.abs(logs - _mean(logs)[..., None]))
    some_zero = (rates == 0).any(axis=-1) & (_most(rates) > 0)
    return np.where(some_zero, np.inf, variation)


def gini(rates: Rates) -> Rates:
    """Give the Gini coefficient: 0 is even, 1 is one group that has all errors.

    With the correction for few groups, n / (n - 1) * sum |x_i - x_j| / (2 n^2 mean).
    """
    ordered = np.sort(rates, axis=-1)
    number = np.sum(~np.isnan(rates), axis=-1)
    weights = 2 * np.arange(1, rates.shape[-1] + 1) - number[..., None] - 1
    # Of two groups each is counted against the other, so the sum of all differences is twice this.
    apart = np.sum(np.nan_to_num(ordered) * weights, axis=-1)
    return _divide(apart, (number - 1) * number * _mean(rates))


def garbe(fmrs: Rates, fnmrs: Rates, a: float = 0.5) -> Rates:
    """Weigh the Gini coefficients of both errors: a Gini(FMR) + (1 - a) Gini(FNMR)."""
    return a * gini(fmrs) + (1 - a) * gini(fnmrs)


def fdr(fmrs: Rates, fnmrs: Rates, a: float = 0.5) -> Rates:
    """Give the fairness discrepancy rate; 1 is even: 1 - (a max|dFMR| + (1 - a) max|dFNMR|)."""
    return 1 - (a * max_minus_min(fmrs) + (1 - a) * max_minus_min(fnmrs))


@dataclass(frozen=True, slots=True)
class NistColumn:
    """One figure of unevenness; None where the data leave it undefined, and why in words.

    `least` is what it is at least, where a group without an error bounds it.
    """

    value: float | None
    says: str = ""
    least: float | None = None


@dataclass(frozen=True, slots=True)
class NistColumns:
    """NIST's columns of one error rate across groups."""

    max_over_min: NistColumn
    max_minus_min: NistColumn
    max_over_mean: NistColumn
    max_over_geomean: NistColumn
    geomean_variation: NistColumn
    gini: NistColumn


def columns_of(
    labels: Sequence[str], errors: Counts, trials: Counts, independent: Rates | None = None
) -> NistColumns:
    """Give NIST's columns of errors (G,) among trials (G,).

    Groups without trials are left out. Where one has trials and no error, its rate is only known to
    be at most 3/n (rule of 3), n the independent trials that they are worth, where that is given: a
    ratio to it is undefined, with a lower bound: what the highest rate is at least (Wilson's).
    """
    worth = np.asarray(trials if independent is None else independent, np.float64)
    most = np.array([rule_of_three(n) for n in worth])
    zeros = [
        f"no error in {int(n):,} trials of {label}, upper bound {bound:.2g}"
        for label, k, n, bound in zip(labels, errors, trials, most, strict=True)
        if n and not k
    ]
    more = f"; and {len(zeros) - _MOST_NAMED} more groups" if len(zeros) > _MOST_NAMED else ""
    why = f"{'; '.join(zeros[:_MOST_NAMED])}{more} (rule of 3)"
    rates = rates_of(errors, trials)
    bounds = np.where(trials > 0, np.where(errors == 0, most, rates), np.nan)

    def column(of: Callable[[Rates], Rates], bounded: bool = False) -> NistColumn:
        if np.count_nonzero(trials) < 2:
            return NistColumn(None, "undefined: fewer than two groups have trials")
        value = float(of(rates))
        if np.isfinite(value):
            return NistColumn(value)
        if not errors.any():
            return NistColumn(None, "undefined: no group has an error")
        if not bounded:
            return NistColumn(None, f"undefined: {why}")
        # Rates of zero are at most their bounds, and the highest is at least its own.
        highest = int(np.nanargmax(rates))
        surely = wilson(rates[highest] * worth[highest], worth[highest]).low
        least = float(of(bounds) * surely / _most(bounds))
        if least <= 1:
            return NistColumn(None, f"undefined, no bound: {why}")
        return NistColumn(None, f"undefined, lower bound {least:.3g}: {why}", least)

    return NistColumns(
        max_over_min=column(max_over_min, bounded=True),
        max_minus_min=column(max_minus_min),
        max_over_mean=column(max_over_mean),
        max_over_geomean=column(max_over_geomean, bounded=True),
        geomean_variation=column(geomean_variation),
        gini=column(gini),
    )


def groups_carried(errors: Counts, trials: Counts) -> NDArray[np.bool_]:
    """Say which groups (G,) have the trials to tell their rate from that of all: rule of 30.

    That is, 30 errors were seen, or would be at the rate of all groups together.
    """
    expected = errors.sum() / max(int(trials.sum()), 1) * trials
    return np.asarray((trials > 0) & (np.maximum(errors, expected) >= ERRORS_NEEDED), np.bool_)


def worst_and_best(errors: Counts, trials: Counts) -> tuple[int, int] | None:
    """Number the groups of the highest and the lowest rate among those that the data can carry.

    None where they carry fewer than two.
    """
    chosen = np.flatnonzero(groups_carried(errors, trials))
    if len(chosen) < 2:
        return None
    rates = rates_of(errors, trials)[chosen]
    return int(chosen[np.argmax(rates)]), int(chosen[np.argmin(rates)])


@dataclass(frozen=True, slots=True)
class Yield:
    """What a threshold costs, beside the evenness that it buys: the fields of a report's row.

    `fmr` is over all pairs, `worst_fmr` that of the group with the highest. `yield_lost` is how
    much `true_positives` (1 - FNMR, of everybody) is less than at the first threshold.
    """

    threshold: float
    fmr: float
    worst_group: str
    worst_fmr: float
    max_over_geomean: float | None
    true_positives: float | None
    yield_lost: float | None


def yields(counts: Sequence[GroupCounts]) -> tuple[Yield, ...]:
    """Set yield lost beside evenness gained, for counts at one threshold each (NPL reports so).

    A threshold without pairs of strangers within any group has no row. The worst group is chosen
    from those that the data can carry at the first threshold, or from all where none is.
    """
    rows: list[Yield] = []
    for each in counts:
        if not each.within_trials.any():
            continue
        first = counts[0]
        can = groups_carried(first.within_errors, first.within_trials)
        can = can if can.any() else each.within_trials > 0
        worst = int(np.argmax(np.where(can, np.nan_to_num(each.fmrs), -1.0)))
        columns = columns_of(each.labels, each.within_errors, each.within_trials)
        missed, of_all = each.every_mated.value, each.every_nonmated.value
        positives = None if missed is None else 1 - missed
        start = rows[0].true_positives if rows else positives
        rows.append(
            Yield(
                threshold=each.threshold,
                fmr=0.0 if of_all is None else of_all,
                worst_group=each.labels[worst],
                worst_fmr=float(each.fmrs[worst]),
                max_over_geomean=columns.max_over_geomean.value,
                true_positives=positives,
                yield_lost=None if positives is None or start is None else start - positives,
            )
        )
    return tuple(rows)


def _divide(above: Rates, below: Rates) -> Rates:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.divide(above, below), np.float64)


def _mean(rates: Rates) -> Rates:
    known = ~np.isnan(rates)
    return _divide(np.sum(rates, axis=-1, where=known), known.sum(axis=-1))


def _most(rates: Rates) -> Rates:
    return _or_nan(np.max(rates, axis=-1, initial=-np.inf, where=~np.isnan(rates)))


def _least(rates: Rates) -> Rates:
    return _or_nan(np.min(rates, axis=-1, initial=np.inf, where=~np.isnan(rates)))


def _or_nan(ends: Rates) -> Rates:
    return np.where(np.isinf(ends), np.nan, ends)
