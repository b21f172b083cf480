"""How two systems differ on the same trials, with a paired test of each difference."""

import math
from collections.abc import Iterator

import numpy as np

from likeness.evaluation import (
    PairedDifference,
    carries,
    paired_difference,
    paired_search_difference,
)
from likeness.service.evaluate.counted import with_interval
from likeness.service.evaluate.findings import Difference
from likeness.service.evaluate.measure import axes_of, global_target
from likeness.service.evaluate.questions import Questions
from likeness.service.evaluate.trials import Scored


def differences_of(a: Scored, b: Scored, questions: Questions) -> tuple[Difference, ...]:
    """Compare each figure of two systems; each has its own threshold for the same target.

    Raises:
        InvalidRequest: they did not score the same trials.
    """
    return tuple(_stated(each) for each in _compared(a, b, questions))


def _compared(a: Scored, b: Scored, questions: Questions) -> Iterator[PairedDifference]:
    if a.comparisons is not None and b.comparisons is not None:
        target = global_target(questions, a.comparisons)
        if target is not None:
            yield from paired_difference(
                a.comparisons,
                b.comparisons,
                a.samples,
                target,
                axes_of(a, questions),
                resamples=questions.resamples,
                seed=questions.seed,
                workers=questions.workers,
            )
    if a.searches is not None and b.searches is not None:
        strangers = int(np.count_nonzero(~a.searches.mated))
        rates = [rate for rate in sorted(questions.fpirs) if carries(rate, strangers)]
        for target in rates[:1]:
            yield from paired_search_difference(
                a.searches,
                b.searches,
                a.samples,
                target,
                resamples=questions.resamples,
                seed=questions.seed,
                workers=questions.workers,
            )


def _stated(one: PairedDifference) -> Difference:
    return Difference(
        one.figure,
        with_interval(one.a, one.a_interval),
        with_interval(one.b, one.b_interval),
        with_interval(one.difference, one.interval),
        one.p_value if math.isfinite(one.p_value) else None,
    )
