"""What is said of groups: no bound that resampled people do not give."""

import numpy as np

from likeness.service.evaluate.findings import Inequity
from likeness.service.evaluate.measure import measure
from likeness.service.evaluate.questions import GivenThreshold, Questions

from .populations import scored


def inequity(errors: int) -> Inequity:
    """Judge where strangers of group a match so often, and those of group b far more."""
    one = scored(80, 2, shift=1.0, seed=4)
    assert one.comparisons is not None
    axis = one.samples.axis("group")
    in_a = (axis.codes == 0)[one.comparisons.references] & (axis.codes == 0)[one.comparisons.probes]
    strangers = np.sort(one.comparisons.scores[in_a & ~one.comparisons.mated])
    threshold = GivenThreshold(float(strangers[-errors]))
    questions = Questions(threshold=threshold, groups=("group",), resamples=400)
    return measure(one, questions).axes[0].inequity[0]


def test_a_ratio_to_a_group_that_may_have_no_error_has_no_upper_end() -> None:
    found = inequity(2)
    assert found.max_over_min.value is not None
    assert found.max_over_min.low is not None
    assert 1 < found.max_over_min.low < found.max_over_min.value
    assert found.max_over_min.high is None
    assert found.max_minus_min.high is not None


def test_a_ratio_of_many_errors_has_both_ends() -> None:
    found = inequity(60).max_over_min
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low < (found.value or 0.0) < found.high
