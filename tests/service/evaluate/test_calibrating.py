"""What scores mean is found of scored trials, and only as far as they carry it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from likeness.evaluation import FAILED, Axis, Comparisons, Estimate, Samples
from likeness.service.evaluate.calibrating import (
    Wanted,
    calibration_findings,
    group_rates,
    groups_found,
)
from likeness.service.evaluate.findings import (
    DataFacts,
    Failures,
    Findings,
    Rate,
    Report,
    SystemFacts,
    from_json,
    to_json,
)
from likeness.service.evaluate.measure import measure
from likeness.service.evaluate.questions import GivenThreshold, Questions
from likeness.service.evaluate.trials import Plan, PlannedSample, Scored

NOTHING = np.array([], np.int32)
DATA = DataFacts("simulated", "1", "drawn here", "nobody", "", 0, 0)
SYSTEM = SystemFacts("simulated", "scores", "1")


def scored(people: int = 60, pictures: int = 2, planted: float = 0.0) -> Scored:
    """All pairs of people; strangers of the group `crowded` score `planted` higher."""
    random = np.random.default_rng(4)
    whose = np.repeat(np.arange(people, dtype=np.int32), pictures)
    one, other = (part.astype(np.int32) for part in np.triu_indices(len(whose), 1))
    mated = whose[one] == whose[other]
    kind = (whose % 2).astype(np.int32)
    both = (kind[one] == 1) & (kind[other] == 1) & ~mated
    scores = random.normal(0, 1, len(one)) + 4 * mated + planted * both
    samples = Samples(
        whose, np.zeros(len(whose), bool), (Axis("kind", ("plain", "crowded"), kind),)
    )
    pictures = tuple(
        PlannedSample(Path(f"{number}.png"), f"{number}.png", str(subject))
        for number, subject in enumerate(whose)
    )
    plan = Plan(pictures, None, NOTHING, NOTHING, DATA, ("",) * len(pictures))
    comparisons = Comparisons(scores, one, other, mated)
    return Scored(SYSTEM, plan, samples, comparisons, None, (), np.full(len(whose), np.nan))


def with_scores(trials: Scored, scores: np.ndarray) -> Scored:
    of = trials.comparisons
    assert of is not None
    comparisons = Comparisons(scores, of.references, of.probes, of.mated)
    return Scored(SYSTEM, trials.plan, trials.samples, comparisons, None, (), trials.seconds)


@pytest.mark.slow
def test_rates_ratios_and_thresholds_are_found_and_go_through_json() -> None:
    found = calibration_findings(scored(people=40), wanted=Wanted((1e-1, 1e-2, 1e-9), (5,)))
    assert found is not None
    assert found.limits == ()
    assert found.likelihood_ratios is not None
    assert found.likelihood_ratios.cllr.value == pytest.approx(0.07, abs=0.05)
    known, less, never, gallery = found.thresholds
    assert known.threshold.value == pytest.approx(1.28, abs=0.1)
    assert (known.note, gallery.gallery, gallery.target) == ("", 5, 0.01)
    assert less.threshold.value is not None and gallery.threshold.value is not None
    assert gallery.threshold.value > less.threshold.value
    assert never.threshold.value is None
    assert "too far beyond" in never.note
    nothing = Rate(0, 0, None)
    report = Report(
        "x",
        datetime(2026, 1, 1, tzinfo=UTC),
        "x",
        "x",
        {},
        (
            Findings(
                SYSTEM,
                DATA,
                Failures(nothing, nothing, ()),
                None,
                None,
                (),
                found,
                Estimate(None),
                (),
                (),
                (),
            ),
        ),
    )
    assert from_json(to_json(report), "it").findings[0].calibration == found


def test_what_the_data_cannot_carry_is_said() -> None:
    few = calibration_findings(scored(people=8))
    assert few is not None
    assert few.scores == () and few.thresholds == () and few.likelihood_ratios is None
    assert "Too few comparisons of strangers" in few.limits[0]
    assert "Too few comparisons of one person" in few.limits[1]


@pytest.mark.slow
def test_failures_are_named() -> None:
    trials = scored()
    assert trials.comparisons is not None
    scores = trials.comparisons.scores.copy()
    scores[:7] = FAILED
    found = calibration_findings(with_scores(trials, scores))
    assert found is not None
    assert found.limits == (
        "Likelihood ratios leave out 7 comparisons that failed: a failure is no evidence. Rates"
        " count them as no match.",
    )


def test_identical_scores_say_nothing_and_break_nothing() -> None:
    trials = scored()
    assert trials.comparisons is not None
    found = calibration_findings(with_scores(trials, np.ones(len(trials.comparisons))))
    assert found is not None
    assert found.likelihood_ratios is not None
    assert found.likelihood_ratios.cllr.value == pytest.approx(1.0)
    assert found.likelihood_ratios.most_log10 == 0.0


@pytest.mark.slow
def test_a_planted_group_is_found_and_no_rate_is_told_of_few_errors() -> None:
    trials = scored(people=80, planted=1.0)
    assert trials.comparisons is not None
    rates = group_rates(trials.comparisons, trials.samples, trials.samples.axes, [1.0, 2.0, 3.5])
    plain, crowded = rates
    assert (plain.group, crowded.group) == ("plain", "crowded")
    assert [point.score for point in plain.points] == [1.0, 2.0]
    assert [point.score for point in crowded.points] == [1.0, 2.0]
    assert crowded.points[1].low > plain.points[1].high
    assert plain.points[1].fmr == pytest.approx(0.0228, rel=0.3)
    assert crowded.points[1].fmr == pytest.approx(0.159, rel=0.3)


@pytest.mark.slow
def test_rates_of_an_audit_of_likeness_are_kept_at_its_threshold() -> None:
    trials = scored(people=80, planted=1.0)
    own = replace(SYSTEM, kind="likeness", model="m", details={"cohort": "c"})
    questions = Questions(fmr=1e-2, threshold=GivenThreshold(2.0), groups=("kind",), resamples=100)
    found = groups_found(measure(replace(trials, system=own), questions))
    assert found is not None
    assert (found.model, found.cohort_version) == ("m", "c")
    assert {one.group for one in found.groups} == {"plain", "crowded"}
    assert {point.score for one in found.groups for point in one.points} == {2.0}
    assert groups_found(measure(trials, questions)) is None
