"""Measure what a system scored: findings with every interval, caution and limit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from likeness.errors import InvalidRequest, required
from likeness.evaluation import (
    Axis,
    Comparisons,
    Resampled,
    carries,
    count_failures,
    intersection,
    rate_name,
    resample,
    threshold_at_fmr,
)
from likeness.service.evaluate.calibrating import calibration_findings
from likeness.service.evaluate.counted import clustered, independent, median, most_often
from likeness.service.evaluate.data_checks import suspicions_of
from likeness.service.evaluate.findings import (
    AxisFindings,
    Failures,
    Findings,
    OperatingRates,
    RowProblem,
    Verification,
)
from likeness.service.evaluate.groups import groups_of_axis
from likeness.service.evaluate.identification import identification_of
from likeness.service.evaluate.questions import MOST_GROUPS, GivenThreshold, Questions
from likeness.service.evaluate.statement import limits_of
from likeness.service.evaluate.trials import Plan, Scored
from likeness.service.evaluate.verification import (
    not_carried,
    point_at,
    verification_of,
)


def measure(scored: Scored, questions: Questions) -> Findings:
    """Find out all that the data can carry; what they cannot has no value, and a note.

    Raises:
        InvalidRequest: a column of groups is not there.
    """
    axes = axes_of(scored, questions)
    failures = failures_of(scored)
    compared = scored.comparisons
    verification, calibration = None, None
    by_axis = tuple(_only_failures(scored, axis) for axis in axes)
    if compared is not None and len(compared):
        questions = with_reference(questions, scored, compared, axes)
        target = global_target(questions, compared)
        found = _resampled(scored, compared, axes, target, questions)
        verification = verification_of(compared, found, failures, questions, scored.plan.folds)
        if axes:
            point = _point_of_groups(compared, found, failures, verification, target, questions)
            by_axis = tuple(_by_axis(scored, axes, found, verification, point, target, questions))
        calibration = calibration_findings(
            scored, found, seed=questions.seed, workers=questions.workers
        )
    identification = identification_of(scored, questions)
    suspicions = suspicions_of(scored)
    return Findings(
        system=scored.system,
        data=scored.plan.data,
        failures=failures,
        verification=verification,
        identification=identification,
        axes=by_axis,
        calibration=calibration,
        seconds=median(scored.seconds),
        problems=(*scored.problems, *scored.plan.problems),
        suspicions=suspicions,
        limits=limits_of(scored, verification, identification, by_axis, suspicions, questions),
    )


def axes_of(scored: Scored, questions: Questions) -> tuple[Axis, ...]:
    """Give the axes that are asked for, and what they make crossed if that is not too many groups.

    Raises:
        InvalidRequest: one of them is not among the labels, or has too many groups.
    """
    chosen = [scored.samples.axis(name) for name in questions.groups]
    return comparable_axes(chosen, crossed=questions.crossed)


def comparable_axes(axes: Sequence[Axis], *, crossed: bool = True) -> tuple[Axis, ...]:
    """Add what axes make crossed, if that is wanted and not more groups than can be compared.

    Raises:
        InvalidRequest: one of them has more.
    """
    for axis in axes:
        if len(axis.labels) > MOST_GROUPS:
            raise _too_many_groups(axis.name, len(axis.labels))
    if not crossed or len(axes) < 2:
        return tuple(axes)
    together = intersection(axes)
    return (*axes, together) if len(together.labels) <= MOST_GROUPS else tuple(axes)


def failures_of(scored: Scored) -> Failures:
    """Count samples and subjects without a template, and why."""
    counts = count_failures(scored.samples)
    reasons = Counter(reason for _, reason in scored.failures)
    return Failures(
        fta=clustered(scored.samples.failed, scored.samples.subjects),
        fte=independent(int(counts.failed_subjects[0]), int(counts.subjects[0])),
        reasons=most_often(reasons),
    )


def global_target(questions: Questions, compared: Comparisons) -> float | None:
    """Give the rate of the global threshold: the one asked for, or the least that can be carried.

    None where the data carry none of them.
    """
    trials = int(np.count_nonzero(~compared.mated))
    rates = [questions.fmr, *(rate for rate in sorted(questions.fmrs) if rate > questions.fmr)]
    return next((rate for rate in rates if carries(rate, trials)), None)


def with_reference(
    questions: Questions, scored: Scored, compared: Comparisons, axes: Sequence[Axis]
) -> Questions:
    """Take the threshold from strangers of the reference group, where one is named.

    Raises:
        InvalidRequest: there is no such group, or its strangers do not carry the rate.
    """
    name = questions.reference_group
    if not name or questions.threshold is not None:
        return questions
    axis = next((axis for axis in axes if name in axis.labels), None)
    if axis is None:
        there = ", ".join(label for axis in axes for label in axis.labels) or "none"
        raise InvalidRequest(f"No such group {name!r}. There is: {there}.")
    within = np.flatnonzero(axis.codes == axis.labels.index(name))
    chosen = np.isin(compared.references, within) & np.isin(compared.probes, within)
    strangers = compared.scores[chosen & ~compared.mated]
    if not carries(questions.fmr, len(strangers)):
        raise InvalidRequest(
            f"{len(strangers):,} pairs of strangers in group {name!r} do not carry an FMR of"
            f" {rate_name(questions.fmr)} (rule of 30). Give a higher --fmr, or another group."
        )
    note = f"Strangers of {name} match at FMR {rate_name(questions.fmr)}."
    given = GivenThreshold(threshold_at_fmr(strangers, questions.fmr), note)
    return replace(questions, threshold=given)


def _resampled(
    scored: Scored,
    compared: Comparisons,
    axes: Sequence[Axis],
    target: float | None,
    questions: Questions,
) -> Resampled:
    by_target = questions.threshold is None and target is not None
    return resample(
        compared,
        scored.samples,
        axes,
        targets=[target] if by_target and target is not None else [],
        thresholds=[] if questions.threshold is None else [questions.threshold.score],
        resamples=questions.resamples,
        seed=questions.seed,
        workers=questions.workers,
    )


def _point_of_groups(
    compared: Comparisons,
    found: Resampled,
    failures: Failures,
    verification: Verification,
    target: float | None,
    questions: Questions,
) -> OperatingRates:
    """Give what the threshold in force, or that for the global rate, does to everybody."""
    if target is None and questions.threshold is None:
        return not_carried(questions.fmr, verification.nonmated)
    wanted = None if questions.threshold is not None else target
    for point in verification.points:
        if point.target_fmr == wanted:
            return point
    return point_at(compared, found, failures, required(target, "the rate of a threshold"))


def _by_axis(
    scored: Scored,
    axes: Sequence[Axis],
    found: Resampled,
    verification: Verification,
    point: OperatingRates,
    target: float | None,
    questions: Questions,
) -> Iterator[AxisFindings]:
    """Compare groups at one point for everybody."""
    thresholds = sorted(
        one.threshold.value
        for one in verification.points
        if one.target_fmr is not None and one.threshold.value is not None
    )
    for axis in axes:
        if questions.threshold is not None:
            cells = found.cells_at_threshold(questions.threshold.score, axis.name)
        elif target is not None:
            cells = found.cells(target, axis.name)
        else:
            cells = None
        yield groups_of_axis(
            scored,
            axis,
            cells,
            point,
            thresholds,
            warn_above=questions.warn_above,
            # Of a threshold in force the rate that was promised, whatever these data carry.
            target=questions.fmr if target is None or questions.threshold else target,
        )


def _only_failures(scored: Scored, axis: Axis) -> AxisFindings:
    nothing = not_carried(Questions().fmr, 0)
    return groups_of_axis(scored, axis, None, nothing, (), warn_above=1.0, target=1.0)


def all_groups(plan: Plan, questions: Questions) -> tuple[Plan, Questions]:
    """Ask for every column that groups people; one of too many values is a problem that is said."""
    columns = count_groups(plan)
    problems = tuple(
        RowProblem(plan.data.name, f"{_too_many(name, count)} It is left out.")
        for name, count in columns.items()
        if count > MOST_GROUPS
    )
    groups = tuple(name for name, count in columns.items() if count <= MOST_GROUPS)
    planned = replace(plan, problems=(*plan.problems, *problems))
    return planned, replace(questions, groups=groups)


def count_groups(plan: Plan) -> dict[str, int]:
    """Count the different values of each column of labels."""
    values: dict[str, set[str]] = {}
    for sample in plan.samples:
        for name, value in sample.labels.items():
            values.setdefault(name, set()).update([value] if value else [])
    return {name: len(there) for name, there in values.items()}


def require_groups(questions: Questions, columns: Mapping[str, int]) -> None:
    """Refuse columns that cannot be counted by, before anything is done.

    Args:
        questions: which are asked for.
        columns: how many groups each column makes.

    Raises:
        InvalidRequest: nobody labelled it, or it has too many values.
    """
    for name in questions.groups:
        if name not in columns:
            there = ", ".join(columns) or "none"
            raise InvalidRequest(f"No such column of groups {name!r}. There is: {there}.")
        if columns[name] > MOST_GROUPS:
            raise _too_many_groups(name, columns[name])


def _too_many_groups(column: str, count: int) -> InvalidRequest:
    return InvalidRequest(f"{_too_many(column, count)} Put values together, or leave it out.")


def _too_many(column: str, count: int) -> str:
    return (
        f"Column {column!r} has {count:,} different values, and no more than {MOST_GROUPS} groups"
        " can be compared."
    )
