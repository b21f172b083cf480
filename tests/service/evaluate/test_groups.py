"""What is said of groups: no bound that resampled people do not give, and not of too many."""

from dataclasses import replace

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.findings import Inequity
from likeness.service.evaluate.measure import all_groups, measure
from likeness.service.evaluate.questions import MOST_GROUPS, GivenThreshold, Questions
from likeness.service.evaluate.trials import Scored

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


def labelled(**groups: int) -> Scored:
    """A population of which each column deals pictures into so many groups."""
    one = scored(100, 2)
    samples = tuple(
        replace(
            sample,
            labels={name: f"{name}{number % count}" for name, count in groups.items()},
        )
        for number, sample in enumerate(one.plan.samples)
    )
    plan = replace(one.plan, samples=samples)
    return replace(one, plan=plan, samples=plan.counted(one.samples.failed))


def test_a_column_of_too_many_values_is_left_out_and_said() -> None:
    one = labelled(sex=2, file=MOST_GROUPS + 1)
    plan, questions = all_groups(one.plan, Questions())
    assert questions.groups == ("sex",)
    assert "Column 'file' has 151 different values" in plan.problems[-1].says
    with pytest.raises(InvalidRequest, match="'file' has 151 different values"):
        measure(one, Questions(groups=("file",), resamples=100))


def test_columns_that_make_too_many_groups_together_are_compared_alone() -> None:
    one = labelled(sex=13, age=14)
    found = measure(one, Questions(groups=("sex", "age"), fmr=0.01, resamples=100))
    assert [axis.axis for axis in found.axes] == ["sex", "age"]
    assert any("Crossed, sex, age make more than 150 groups" in limit for limit in found.limits)
