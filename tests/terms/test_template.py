"""Scores evened out: one by one and many at once, the same."""

import numpy as np

from likeness.terms.template import CohortStatistics, normalised, normalised_all


def test_scores_of_many_are_evened_out_as_those_of_one() -> None:
    probe = CohortStatistics(0.07, 0.03, "c")
    raw, means, deviations = (
        np.array([0.9, 0.1, -0.2]),
        np.array([0.1, 0.2, 0.05]),
        np.full(3, 0.04),
    )

    found = normalised_all(raw, means, deviations, probe)

    assert found.tolist() == [
        normalised(score, CohortStatistics(mean, deviation, "c"), probe)
        for score, mean, deviation in zip(raw, means, deviations, strict=True)
    ]
