"""What a set of pictures covers: of whom it has how many, how they are shown, and what is missing.

Groups are the columns of a manifest, and what is measured of each picture: how many faces, pose,
sharpness, light, size of the face, and the year. Nobody's sex, age or race is guessed.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import combinations

import numpy as np

from likeness.errors import InvalidRequest, LikenessError, NoFace
from likeness.evaluation import (
    Axis,
    GroupCoverage,
    Samples,
    cover_groups,
    missing_groups,
    shannon_evenness,
    simpson_evenness,
    subjects_needed,
)
from likeness.service.evaluate.ages import axis_of, banded
from likeness.service.evaluate.counted import most_often
from likeness.service.evaluate.coverage.findings import (
    CoverageReport,
    CoveredAxis,
    CoveredGroup,
    MeasuredGroup,
)
from likeness.service.evaluate.coverage.looks import Look, day_of, measured_axes
from likeness.service.evaluate.statement import first_of
from likeness.service.evaluate.trials import Plan, PlannedSample, Tell
from likeness.terms import in_parallel

_MOST_GROUPS = 40
_MOST_MISSING = 200
_FEW_SUBJECTS = 30
_DATES = ("date", "taken", "taken_at", "taken_on", "date_taken", "year")
_YEARS_APART = (1.0, 2.0, 5.0, 10.0, 20.0)


def cover(
    plan: Plan,
    look: Callable[[PlannedSample], Look] | None,
    *,
    made_at: datetime,
    made_by: str,
    by: Sequence[str] = (),
    workers: int = 1,
    tell: Tell = lambda done, total: None,
) -> CoverageReport:
    """Say what the pictures of a plan cover.

    Args:
        plan: the pictures, with their labels.
        look: measures a picture; without, labels alone are counted.
        made_at: when this is done.
        made_by: the program and its version.
        by: the columns to group by; every column that has few enough values without.
        workers: pictures measured at a time.
        tell: is told how many of how many are measured.

    Raises:
        InvalidRequest: no such column.
    """
    looks, failures = _looked(plan, look, workers, tell)
    samples = plan.counted(np.array([one is None for one in looks]))
    limits: list[str] = []
    labelled, dates = _columns(plan, by, limits)
    everybody = Axis("all", ("all",), np.zeros(len(samples), np.int32))
    axes = [_covered(samples, everybody, "whole")]
    axes += [_covered(samples, axis, "labelled") for axis in labelled]
    for one, other in combinations(labelled, 2):
        axes.append(_crossed(samples, one, other))
    days = [
        dates.get(sample.name) or (None if one is None else one.taken)
        for sample, one in zip(plan.samples, looks, strict=True)
    ]
    for axis, missing in measured_axes(looks, days, measured=look is not None):
        axes.append(_covered(samples, axis, "measured", missing))
    spans = _spans(plan, days)
    limits += _limits(plan, axes, measured=look is not None)
    return CoverageReport(
        title=f"Coverage of {plan.data.name}",
        made_at=made_at,
        made_by=made_by,
        data=plan.data,
        axes=tuple(axes),
        measured=_by_group(labelled, looks) if look is not None else (),
        failures=failures,
        spans=tuple(
            (years, sum(span >= years for span in spans)) for years in _YEARS_APART if spans
        ),
        span=float(np.median(spans)) if spans else None,
        needed=tuple(
            (rate, subjects_needed(rate, surely=False), subjects_needed(rate, surely=True))
            for rate in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
        ),
        problems=plan.problems,
        suspicions=plan.suspicions,
        limits=tuple(limits),
    )


def _looked(
    plan: Plan,
    look: Callable[[PlannedSample], Look] | None,
    workers: int,
    tell: Tell,
) -> tuple[list[Look | None], tuple[tuple[str, int], ...]]:
    """Measure every picture; what cannot be is counted by why."""
    if look is None:
        return [None] * len(plan.samples), ()

    def attempt(sample: PlannedSample) -> Look | LikenessError:
        try:
            return look(sample)
        except LikenessError as error:
            return error

    found: list[Look | None] = []
    reasons = Counter[str]()
    for one in in_parallel(attempt, plan.samples, workers):
        found.append(one if isinstance(one, Look) else None)
        if isinstance(one, LikenessError):
            reasons["no face" if isinstance(one, NoFace) else one.kind] += 1
        tell(len(found), len(plan.samples))
    return found, most_often(reasons)


def _columns(
    plan: Plan, by: Sequence[str], limits: list[str]
) -> tuple[list[Axis], Mapping[str, date]]:
    """Choose the columns to group by, and read the one that holds dates."""
    there = list(dict.fromkeys(column for one in plan.samples for column in one.labels))
    for column in by:
        if column not in there:
            raise InvalidRequest(
                f"No column '{column}' in the manifest. There is: {', '.join(there) or 'none'}."
            )
    dates: dict[str, date] = {}
    axes = []
    for column in by or there:
        values = [one.labels.get(column, "") for one in plan.samples]
        if column.casefold() in _DATES and column not in by:
            read = [day_of(value) for value in values]
            dates = {
                sample.name: day
                for sample, day in zip(plan.samples, read, strict=True)
                if day is not None
            }
            unread = sum(
                bool(value) and day is None for value, day in zip(values, read, strict=True)
            )
            if unread:
                limits.append(
                    f"{unread:,} values of column '{column}' are no dates such as 2021-05-30 or"
                    " 2021, and count as unknown."
                )
            continue
        axis = axis_of(column, banded(values))
        if len(axis.labels) > _MOST_GROUPS:
            limits.append(
                f"Column '{column}' has {len(axis.labels):,} different values and is left out: it"
                f" groups nothing. {_MOST_GROUPS} are taken at most."
            )
        elif axis.labels:
            axes.append(axis)
    return axes, dates


def _covered(
    samples: Samples,
    axis: Axis,
    kind: str,
    missing: Sequence[str] = (),
) -> CoveredAxis:
    groups = cover_groups(samples, axis)
    counts = np.array([group.images for group in groups] + [0] * len(missing), np.int64)
    return CoveredAxis(
        axis.name,
        kind,
        tuple(_group(group) for group in groups),
        shannon_evenness(counts),
        simpson_evenness(counts),
        int(np.count_nonzero(axis.codes < 0)),
        tuple(missing[:_MOST_MISSING]),
        len(missing),
    )


def _crossed(samples: Samples, one: Axis, other: Axis) -> CoveredAxis:
    missing = [f"{first} {second}" for first, second in missing_groups((one, other))]
    return _covered(samples, one.crossed(other), "crossed", missing)


def _group(group: GroupCoverage) -> CoveredGroup:
    return CoveredGroup(
        group.group,
        group.images,
        group.subjects,
        group.mated.all,
        group.nonmated.all,
        fmr=group.nonmated.countable_rate(surely=False),
        fmr_surely=group.nonmated.countable_rate(surely=True),
        fmr_bound=group.nonmated.bounded_rate(surely=True),
        fnmr=group.mated.countable_rate(surely=False),
        fnmr_surely=group.mated.countable_rate(surely=True),
        fnmr_bound=group.mated.bounded_rate(surely=True),
        fta=group.acquired.countable_rate(surely=True),
    )


def _by_group(axes: Sequence[Axis], looks: Sequence[Look | None]) -> tuple[MeasuredGroup, ...]:
    """Measure each group apart: one that is shown worse is recognised worse."""
    whole = Axis("all", ("all",), np.zeros(len(looks), np.int32))
    found = []
    for axis in (whole, *axes):
        for code, label in enumerate(axis.labels):
            members = [
                one for one, own in zip(looks, axis.codes.tolist(), strict=True) if own == code
            ]
            seen = [one for one in members if one is not None]
            found.append(
                MeasuredGroup(
                    axis.name,
                    label,
                    len(members),
                    _median([one.sharpness for one in seen]),
                    _median([one.brightness for one in seen]),
                    _median([one.size for one in seen]),
                    _median([abs(one.yaw) for one in seen]),
                    sum(not one.unfit for one in seen) / len(members),
                    len(members) - len(seen),
                )
            )
    return tuple(found)


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def _spans(plan: Plan, days: Sequence[date | None]) -> list[float]:
    """Years between the first and the last picture of each person with two dates."""
    if not plan.data.has_identities:
        return []
    of_people: dict[str, list[date]] = {}
    for sample, day in zip(plan.samples, days, strict=True):
        if day is not None:
            of_people.setdefault(sample.subject, []).append(day)
    return [(max(own) - min(own)).days / 365.25 for own in of_people.values() if len(own) > 1]


def _limits(plan: Plan, axes: Sequence[CoveredAxis], *, measured: bool) -> list[str]:
    said = []
    for axis in axes:
        if axis.kind in ("whole", "measured"):
            continue
        if axis.missing_count:
            such = first_of(axis.missing, axis.missing_count)
            said.append(
                f"{axis.axis}: nobody is in {axis.missing_count} of"
                f" {axis.missing_count + len(axis.groups)} groups ({such}). No rate of them can be"
                " measured."
            )
        few = [f"{one.group} {one.subjects}" for one in axis.groups if one.subjects < _FEW_SUBJECTS]
        if few:
            said.append(
                f"{axis.axis}: {len(few)} of {len(axis.groups)} groups have fewer than"
                f" {_FEW_SUBJECTS} people ({first_of(few)})."
            )
        if axis.unknown:
            said.append(f"{axis.axis}: {axis.unknown:,} pictures have no label.")
    if not plan.data.has_identities:
        said.append(
            "Nobody said whose the pictures are: each counts as another person's, there is no FNMR,"
            " and people who come twice are false matches."
        )
    elif not any(group.mated for group in axes[0].groups):
        said.append("Nobody has two pictures, so these data carry no FNMR.")
    elif any(axis.kind == "labelled" for axis in axes) and not any(
        group.mated for axis in axes if axis.kind == "labelled" for group in axis.groups
    ):
        said.append("Nobody has two pictures in one group, so these data carry no FNMR by group.")
    said.append(
        "Rates by pairs are the best case: pairs that share a person are not independent. Rates by"
        " people alone are sure. An audit's intervals lie between, by resampling people."
    )
    if not measured:
        said.append("Pictures were not looked at: pose, sharpness, light and size are not known.")
    return said
