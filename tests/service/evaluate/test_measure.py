"""What is found of systems whose error rates are known."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.findings import Findings
from likeness.service.evaluate.measure import measure
from likeness.service.evaluate.questions import GivenThreshold, Questions
from tests.service.evaluate.populations import scored


def found(groups: tuple[str, ...] = (), **made: object) -> Findings:
    questions = Questions(fmr=1e-2, groups=groups, resamples=100, warn_above=1.5)
    return measure(scored(**made), questions)  # type: ignore[arg-type]  # of a made-up system


@pytest.mark.slow
def test_only_rates_that_the_data_carry_are_given() -> None:
    verification = found().verification
    assert verification is not None
    assert [one.target_fmr for one in verification.points] == [0.1, 1e-2]
    assert verification.headline.fnmr.value is None
    assert "30,000,000" in verification.headline.fnmr.note


@pytest.mark.slow
def test_true_rates_lie_in_their_intervals() -> None:
    verification = found(people=150, seed=1).verification
    assert verification is not None
    point = verification.points[1]
    # Of scores from N(0, 1) one in a hundred exceeds 2.326; of N(4, 1) 0.047 lie below.
    assert point.threshold.low is not None and point.threshold.high is not None
    assert point.threshold.low < 2.326 < point.threshold.high
    assert point.fnmr.low is not None and point.fnmr.high is not None
    assert point.fnmr.low < 0.0471 < point.fnmr.high


@pytest.mark.slow
def test_a_planted_difference_is_found_and_warned_of() -> None:
    axis = found(("group",), people=120, shift=2.5).axes[0]
    assert (axis.worst_fmr, axis.best_fmr) == ("b", "a")
    worst = next(one for one in axis.groups if one.group == "b")
    best = next(one for one in axis.groups if one.group == "a")
    assert worst.fmr.low is not None and best.fmr.high is not None
    assert worst.fmr.low > best.fmr.high
    (warning,) = axis.warnings
    assert re.match("b: .* pairs of strangers match, .* times the target of 1 in", warning)
    assert axis.same_group is not None and axis.same_group.value is not None
    assert axis.same_group.value > 2 * 0.01


@pytest.mark.slow
def test_no_difference_is_found_where_there_is_none() -> None:
    axis = found(("group",), people=120).axes[0]
    a, b = axis.groups
    assert a.fmr.low is not None and a.fmr.high is not None and b.fmr.value is not None
    assert a.fmr.low < b.fmr.value < a.fmr.high
    assert axis.warnings == ()


def test_groups_are_crossed() -> None:
    findings = found(("group", "half"))
    assert [axis.axis for axis in findings.axes] == ["group", "half", "group x half"]
    assert [one.group for one in findings.axes[2].groups] == ["a even", "a odd", "b even", "b odd"]


def test_failures_count_as_misses_and_by_group() -> None:
    findings = found(("group",), failed=(0, 1, 2, 3))
    assert findings.failures.fta.errors == 4
    assert findings.failures.fte.errors == 1
    assert findings.failures.reasons == (("no face found", 4),)
    a, b = findings.axes[0].groups
    assert (a.fta.errors, a.fte.errors, b.fta.errors) == (4, 1, 0)
    verification = findings.verification
    assert verification is not None
    point = verification.points[-1]
    assert point.fnmr.value is not None and point.fnmr_without_failures.value is not None
    assert point.fnmr.value > point.fnmr_without_failures.value
    assert point.gfrr.value is not None and point.gfrr.value > point.fnmr_without_failures.value


@pytest.mark.slow
def test_strangers_alone_have_no_misses_and_say_so() -> None:
    findings = found(("group",), pictures=1, people=200, identities=False)
    assert findings.verification is not None
    assert findings.verification.mated == 0
    assert findings.verification.points[0].fnmr.value is None
    assert any("no false non-match rate" in line for line in findings.limits)


@pytest.mark.slow
def test_a_threshold_that_is_given_is_used_for_everybody() -> None:
    questions = Questions(threshold=GivenThreshold(2.0), groups=("group",), resamples=100)
    findings = measure(scored(), questions)
    assert findings.axes[0].point.threshold.value == 2.0
    assert findings.verification is not None
    assert findings.verification.points[0].target_fmr is None


@pytest.mark.slow
def test_rates_without_an_error_are_bounded_by_what_their_trials_are_worth() -> None:
    findings = measure(
        scored(), Questions(threshold=GivenThreshold(50.0), groups=("group",), resamples=100)
    )
    assert findings.verification is not None
    axis = findings.axes[0]
    for rate in (findings.verification.points[0].fmr, axis.groups[0].fmr, axis.same_group):
        assert rate is not None and rate.high is not None
        assert (rate.errors, rate.low) == (0, 0)
        assert rate.high >= 2.9 / rate.trials
        assert f"at most {rate.high:.2g} (rule of 3)" in rate.note
    ratio = axis.inequity[0].max_over_min
    assert (ratio.value, ratio.note) == (None, "undefined: no group has an error")


def test_data_that_carry_no_rate_give_no_figure_by_group() -> None:
    findings = found(("group",), people=4, pictures=2)
    axis = findings.axes[0]
    assert axis.point.threshold.value is None
    assert all(one.fmr.value is None for one in axis.groups)
    json.dumps([one.fta.value for one in axis.groups])


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"No such column of groups 'race'\. There is: group"):
        found(("race",))


@pytest.mark.parametrize("wrong", [{"fmr": 0.0}, {"resamples": 1}, {"warn_above": 0.5}])
def test_questions_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest):
        Questions(**wrong)  # type: ignore[arg-type]  # of any kind


@pytest.mark.slow
def test_the_threshold_may_be_that_of_a_reference_group() -> None:
    made = scored(people=120, shift=2.5)
    questions = Questions(fmr=1e-2, groups=("group",), reference_group="a", resamples=100)
    axis = measure(made, questions).axes[0]
    assert axis.point.threshold.note == "Strangers of a match at FMR 0.01."
    a, b = axis.groups
    assert a.fmr.value is not None and b.fmr.value is not None
    assert a.fmr.value <= 0.01 < 0.1 < b.fmr.value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "fmr", "says"), [("c", 1e-2, "There is: a, b"), ("a", 1e-6, "do not carry an FMR")]
)
def test_a_reference_group_that_carries_nothing_is_refused(
    group: str, fmr: float, says: str
) -> None:
    questions = Questions(fmr=fmr, groups=("group",), reference_group=group, resamples=100)
    with pytest.raises(InvalidRequest, match=says):
        measure(scored(), questions)


@pytest.mark.slow
def test_a_list_with_folds_has_their_accuracy() -> None:
    made = scored()
    assert made.comparisons is not None
    folds = (np.arange(len(made.comparisons)) % 10).astype(np.int16)
    findings = measure(replace(made, plan=replace(made.plan, folds=folds)), Questions())
    assert findings.verification is not None
    accuracy = findings.verification.fold_accuracy
    assert accuracy is not None and accuracy.value is not None
    # Nearly all pairs are of strangers, who are decided rightly at a high threshold.
    assert accuracy.value > 0.97


@pytest.mark.slow
def test_a_rate_that_carries_more_groups_is_named() -> None:
    questions = Questions(fmr=1e-3, groups=("group",), resamples=100)
    findings = measure(scored(people=120), questions)
    (line,) = [one for one in findings.limits if "false matches" in one]
    assert line.endswith("At --fmr 0.01 most groups have enough.")
    assert [one.carried_groups for one in findings.axes[0].yields] == [2, 2, 0]
