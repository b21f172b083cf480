import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import count_scores
from likeness.evaluation.rates import fmr_at
from likeness.terms.calibration import Calibration


def calibrated(batches: list[np.ndarray]) -> Calibration:
    counts = count_scores(batches)
    scores, fmrs = counts.knots()
    return Calibration("m", "c", scores, fmrs, counts.total, "noise")


def test_table_says_of_every_score_what_share_of_strangers_reach_it() -> None:
    scores = np.random.default_rng(0).normal(size=300_000)
    table = calibrated(list(scores.reshape(30, -1)))
    assert table.lowest_fmr == pytest.approx(1e-4, rel=0.05)
    for score in np.linspace(-3, 3.5, 40):
        assert table.fmr(score) == pytest.approx(fmr_at(score, scores), rel=0.06)


def test_rate_at_a_knot_is_never_said_to_be_less_than_it_is() -> None:
    scores = np.random.default_rng(1).normal(size=50_000).astype(np.float32)
    table = calibrated([scores])
    for score, rate in zip(table.scores, table.fmrs, strict=True):
        assert rate >= fmr_at(score, scores)


def test_table_ends_where_thirty_strangers_reach_the_score() -> None:
    scores = np.arange(10_000) / 100
    table = calibrated([scores])
    assert table.lowest_fmr == pytest.approx(30 / 10_000)
    assert table.fmrs[0] == 1


def test_too_few_or_senseless_scores_make_no_table() -> None:
    with pytest.raises(InvalidRequest, match="at least 300"):
        calibrated([np.arange(299.0)])
    with pytest.raises(InvalidRequest, match="finite"):
        calibrated([np.array([1.0, np.nan])])
