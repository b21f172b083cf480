"""What is said of searches: notes agree with intervals, and a hit is no error."""

from dataclasses import replace

import numpy as np

from likeness.evaluation import Searches
from likeness.service.evaluate.findings import Identification
from likeness.service.evaluate.identification import identification_of
from likeness.service.evaluate.questions import GivenThreshold, Questions

from .populations import scored

PEOPLE, PICTURES = 40, 5


def found(mates: float, missed: int = 0) -> Identification:
    """Search with five pictures each of 40 people, of whom half are enrolled; strangers score 0."""
    one = scored(PEOPLE, PICTURES)
    probes = np.arange(PEOPLE * PICTURES, dtype=np.int32)
    mated = probes < len(probes) // 2
    ranks = np.where(mated & (probes >= missed), 1, 0).astype(np.int32)
    searches = Searches(
        probes,
        mated,
        np.where(ranks > 0, mates, -np.inf),
        ranks,
        np.zeros(len(probes)),
        gallery=20,
        subjects=20,
        depth=2,
    )
    questions = Questions(threshold=GivenThreshold(0.5), resamples=200)
    identification = identification_of(replace(one, searches=searches), questions)
    assert identification is not None
    return identification


def test_searches_without_an_error_are_worth_as_many_as_people() -> None:
    (point,) = found(1.0).points
    for rate in (point.fpir, point.fnir):
        assert rate.errors == 0
        assert rate.high is not None
        assert abs(rate.high - 3 / 20) < 0.001
        assert f"at most {rate.high:.2g} (rule of 3)" in rate.note


def test_misses_are_the_errors_of_a_hit_rate() -> None:
    perfect, nearly, hopeless = (found(1.0, missed).hit_rates[0] for missed in (0, 2, 100))
    assert (perfect.value, perfect.note) == (1.0, "")
    assert nearly.value == 0.98
    assert nearly.note.startswith("Only 2 of the 30 errors")
    assert (hopeless.value, hopeless.note) == (0.0, "")
