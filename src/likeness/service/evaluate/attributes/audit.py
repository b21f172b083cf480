"""Hold what a system says of people's attributes against labels, by group: Gender Shades' audit.

Likeness itself guesses nobody's sex, age or race. It measures systems that do: each answer is right
or wrong by a label that somebody gave, a picture without an answer is a failure, and both are
counted for each group and each intersection of groups.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    ClusteredRate,
    chance_of_groups,
    clustered_mean,
    clustered_rate,
    difference,
    intersection,
    paired_difference_of,
    ratio,
)
from likeness.service.evaluate.ages import are_ages, axis_of, banded, in_order, years_of
from likeness.service.evaluate.attributes.judging import Verdicts, judge
from likeness.service.evaluate.attributes.predictions import NO_ANSWER, Prediction, Predictions
from likeness.service.evaluate.counted import clustered, rate_of
from likeness.service.evaluate.findings import (
    DataFacts,
    Estimate,
    Rate,
    RowProblem,
    SystemFacts,
)
from likeness.service.evaluate.readers import Labels
from likeness.service.evaluate.readers.labels import LabelledRow, key_of
from likeness.service.evaluate.readers.planning import NOTHING_SAID, DataDescription
from likeness.service.evaluate.trials import Plan

SCHEMA = "likeness-attributes/1"
FEWEST_TRIALS = 30
"""A group with fewer answers is shown, and is neither worst nor best."""
_MOST_GROUPED_BY = 3
_MOST_SYSTEMS = 2
_CONFIDENCES = (50.0, 80.0, 90.0, 95.0, 99.0)
_MOST_CONFUSED = 12


@dataclass(frozen=True, slots=True)
class AttributeGroup:
    """One group: `failed` of all its pictures, `wrong` of those answered, and both of all.

    `years_off` is the mean of how many years answers lie above the truth (below: negative), and
    `years_apart` how far either way; for ages alone.
    """

    group: str
    subjects: int
    images: int
    failed: Rate
    wrong: Rate
    wrong_or_failed: Rate
    years_off: Estimate | None = None
    years_apart: Estimate | None = None


@dataclass(frozen=True, slots=True)
class AttributeAxis:
    """All groups of one column, or of several crossed.

    `ratio` and `difference` are the worst group's rate of wrong answers by, and less, the best
    one's. `chance` is how likely chance alone sets groups so far apart.
    """

    axis: str
    groups: tuple[AttributeGroup, ...]
    worst: str
    best: str
    ratio: Estimate
    difference: Estimate
    chance: float | None
    unlabelled: int


@dataclass(frozen=True, slots=True)
class ConfidencePoint:
    """What is left where answers that the system is less sure of are not used.

    `least` is percent; `worst_group` is of the finest axis.
    """

    least: float
    answered: Rate
    wrong: Rate
    worst_group: str
    worst: Rate | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label (rows) was answered with what (columns); the last column is failures."""

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class AttributeFindings:
    """What was found of one system's answers about one attribute."""

    system: SystemFacts
    rule: str
    overall: AttributeGroup
    axes: tuple[AttributeAxis, ...]
    confusion: Confusion | None
    confidences: tuple[ConfidencePoint, ...]
    reasons: tuple[tuple[str, int], ...]
    problems: tuple[RowProblem, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """How two systems differ in one group: B less A, of pictures that are wrong or unanswered.

    `chance` is how likely chance alone sets them as far apart: a paired, two-sided test by person.
    """

    axis: str
    group: str
    a: Rate
    b: Rate
    difference: Estimate
    chance: float | None


@dataclass(frozen=True, slots=True)
class AttributeReport:
    """An audit of answers about one attribute: of one system, or of two on the same pictures."""

    title: str
    made_at: datetime
    made_by: str
    data: DataFacts
    attribute: str
    findings: tuple[AttributeFindings, ...]
    differences: tuple[GroupDifference, ...]
    problems: tuple[RowProblem, ...]
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answered, and what."""

    system: SystemFacts
    predictions: Predictions


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Pictures whose label is known, and what came of each."""

    said: tuple[Prediction, ...]
    truths: tuple[str, ...]
    subjects: NDArray[np.int64]
    failed: NDArray[np.bool_]
    confidences: NDArray[np.float64]
    axes: tuple[Axis, ...]
    verdicts: Verdicts

    @property
    def wrong_or_failed(self) -> NDArray[np.bool_]:
        return self.verdicts.wrong | self.failed


def audit_answers(
    labels: Labels,
    attribute: str,
    answers: Sequence[Answers],
    *,
    by: Sequence[str],
    made_at: datetime,
    made_by: str,
    description: DataDescription = NOTHING_SAID,
    source: str = "",
    data: DataFacts | None = None,
    within: float | None = None,
) -> AttributeReport:
    """Judge every answer by its picture's label, and count by group.

    Args:
        labels: what a manifest says of pictures.
        attribute: the column that answers are judged by.
        answers: of one system, or of two to compare.
        by: further columns to group by; each alone, and crossed with each other and the attribute.
        made_at: when this is done.
        made_by: the program and its version.
        description: what the user says of the data.
        source: what the data are called if nothing is said.
        data: what is known of the pictures, where they were read; it is made of labels without.
        within: how many years an answer may be off; as `rule` says without.

    Raises:
        InvalidRequest: no such column, or nothing can be judged.
    """
    if not 1 <= len(answers) <= _MOST_SYSTEMS:
        raise InvalidRequest(f"{len(answers)} systems. Name one, or two to compare.")
    known = require_labels(labels, attribute, by, within)
    rows = [labels.of_pictures[key] for key in known]
    judged = [_judge(rows, _said(known, one), attribute, by, within) for one in answers]
    findings = tuple(
        _findings(labels, one, each, attribute) for one, each in zip(answers, judged, strict=True)
    )
    if data is None:
        data = DataFacts(
            description.name or source,
            description.version,
            description.provenance,
            description.labelled_by,
            _digest(rows),
            len(known),
            findings[0].overall.subjects,
            any(row.subject for row in rows),
        )
    return AttributeReport(
        title=f"Answers about {attribute}",
        made_at=made_at,
        made_by=made_by,
        data=data,
        attribute=attribute,
        findings=findings,
        differences=tuple(_differences(*judged)) if len(judged) > 1 else (),
        problems=labels.problems,
    )


def _said(known: Sequence[str], answers: Answers) -> list[Prediction]:
    """Give the answer about each picture; a missing one is a failure."""
    given = answers.predictions.of_pictures
    if not any(key in given for key in known):
        other = next(iter(given), "nothing")
        raise InvalidRequest(
            f"The answers are about none of the labelled pictures: they name '{other}', the labels"
            f" '{known[0]}'. Name them alike."
        )
    missing = Prediction("", None, NO_ANSWER)
    return [given.get(key, missing) for key in known]


def _findings(
    labels: Labels, answers: Answers, judged: _Judged, attribute: str
) -> AttributeFindings:
    overall = _group("all", judged, np.ones(len(judged.said), bool))
    axes = tuple(_axis(axis, judged) for axis in judged.axes)
    failures = Counter(one.failure or NO_ANSWER for one in judged.said if not one.value)
    return AttributeFindings(
        system=answers.system,
        rule=judged.verdicts.rule,
        overall=overall,
        axes=axes,
        confusion=_confusion(judged),
        confidences=_by_confidence(judged),
        reasons=tuple(failures.most_common()),
        problems=(*answers.predictions.problems, *_unasked(labels, answers.predictions)),
        limits=_limits(judged, axes, overall, labels, attribute),
    )


def _differences(one: _Judged, other: _Judged) -> Iterator[GroupDifference]:
    """Compare two systems over all pictures, and in each group."""
    everybody = Axis("all", ("all",), np.zeros(len(one.subjects), np.int32))
    for axis in (everybody, *one.axes):
        for code, label in enumerate(axis.labels):
            chosen = axis.codes == code
            whose = one.subjects[chosen]
            a, b = one.wrong_or_failed[chosen], other.wrong_or_failed[chosen]
            bounded, chance = paired_difference_of(a, b, whose)
            yield GroupDifference(
                axis.name,
                label,
                clustered(a, whose),
                clustered(b, whose),
                bounded,
                chance,
            )


def labels_of(plan: Plan) -> Labels:
    """Give the labels of pictures that are there, and can be shown to a system."""
    known = plan.data.has_identities
    return Labels(
        {
            key_of(one.name): LabelledRow(0, one.name, one.subject if known else "", one.labels)
            for one in plan.samples
        },
        problems=plan.problems,
    )


def to_json(report: AttributeReport) -> bytes:
    """Give a report as JSON, numbers as they are."""
    return json.dumps(asdict(report), indent=1, default=str, allow_nan=False).encode()


def require_labels(
    labels: Labels, attribute: str, by: Sequence[str], within: float | None
) -> list[str]:
    """Give the names of pictures that can be judged; what `audit_answers` needs is checked.

    Raises:
        InvalidRequest: no such column, no label in it, or a tolerance of years that is none.
    """
    rows = labels.of_pictures.values()
    if not rows:
        raise InvalidRequest("The labels are of people, not of pictures. Add a column 'path'.")
    columns = (attribute, *by)
    there = list(dict.fromkeys(column for row in rows for column in row.labels))
    for column in columns:
        if column not in there:
            raise InvalidRequest(
                f"No column '{column}' in the labels. There is: {', '.join(there) or 'none'}."
            )
    if len(set(columns)) < len(columns):
        raise InvalidRequest("A column is named twice. Name the attribute once, and others once.")
    if len(by) > _MOST_GROUPED_BY:
        raise InvalidRequest(
            f"{len(by)} columns to group by make too many cells. Name {_MOST_GROUPED_BY} at most."
        )
    known = [key for key, row in labels.of_pictures.items() if row.labels.get(attribute)]
    if not known:
        raise InvalidRequest(f"No picture has a label in column '{attribute}'. Fill it in.")
    if within is not None and not 0 <= within <= 100:
        raise InvalidRequest(f"{within} years off is no tolerance. Give 0 to 100.")
    if within is not None and not holds_ages(labels, attribute):
        raise InvalidRequest(
            f"Column '{attribute}' holds words, so no answer is years off. Leave --within out."
        )
    return known


def holds_ages(labels: Labels, attribute: str) -> bool:
    """Say whether the labels of a column are ages, or bands of ages."""
    values = [row.labels.get(attribute, "") for row in labels.of_pictures.values()]
    return are_ages([value for value in values if value])


def _unasked(labels: Labels, predictions: Predictions) -> list[RowProblem]:
    unknown = [key for key in predictions.of_pictures if key not in labels.of_pictures]
    if not unknown:
        return []
    return [
        RowProblem(
            unknown[0],
            f"Answers about {len(unknown):,} pictures that have no row of labels. They are left"
            " out.",
        )
    ]


def _judge(
    rows: Sequence[LabelledRow],
    said: Sequence[Prediction],
    attribute: str,
    by: Sequence[str],
    within: float | None,
) -> _Judged:
    truths = [row.labels[attribute] for row in rows]
    answers = [one.value for one in said]
    _, subjects = np.unique(
        [row.subject or f"\0{number}" for number, row in enumerate(rows)], return_inverse=True
    )
    failed = np.array([not answer for answer in answers])
    verdicts = judge(truths, answers, attribute, within)
    grouped = [axis_of(attribute, banded(truths))]
    grouped += [
        axis_of(column, banded([row.labels.get(column, "") for row in rows])) for column in by
    ]
    return _Judged(
        said=tuple(said),
        truths=tuple(truths),
        subjects=np.asarray(subjects, np.int64),
        failed=failed,
        confidences=np.array(
            [np.nan if one.confidence is None else one.confidence for one in said], np.float64
        ),
        axes=tuple(
            intersection(chosen)
            for size in range(1, len(grouped) + 1)
            for chosen in combinations(grouped, size)
        ),
        verdicts=verdicts,
    )


def _group(name: str, judged: _Judged, chosen: NDArray[np.bool_]) -> AttributeGroup:
    answered = chosen & ~judged.failed
    off: Estimate | None = None
    apart: Estimate | None = None
    if judged.verdicts.years_off is not None:
        counted = answered & ~np.isnan(judged.verdicts.years_off)
        years, whose = judged.verdicts.years_off[counted], judged.subjects[counted]
        off, apart = (clustered_mean(values, whose) for values in (years, np.abs(years)))
    failed = clustered_rate(judged.failed[chosen], judged.subjects[chosen])
    either = judged.wrong_or_failed
    return AttributeGroup(
        name,
        subjects=failed.subjects,
        images=failed.trials,
        failed=rate_of(failed),
        wrong=rate_of(_wrong(judged, chosen)),
        wrong_or_failed=clustered(either[chosen], judged.subjects[chosen]),
        years_off=off,
        years_apart=apart,
    )


def _wrong(judged: _Judged, chosen: NDArray[np.bool_]) -> ClusteredRate:
    answered = chosen & ~judged.failed
    return clustered_rate(judged.verdicts.wrong[answered], judged.subjects[answered])


def _axis(axis: Axis, judged: _Judged) -> AttributeAxis:
    members = [axis.codes == code for code in range(len(axis.labels))]
    rates = [_wrong(judged, chosen) for chosen in members]
    carried = [number for number, rate in enumerate(rates) if rate.trials >= FEWEST_TRIALS]
    groups = [
        _group(label, judged, chosen) for label, chosen in zip(axis.labels, members, strict=True)
    ]
    answered = ~judged.failed
    chance = chance_of_groups(
        judged.verdicts.wrong[answered],
        judged.subjects[answered],
        Axis(axis.name, axis.labels, axis.codes[answered]),
    )
    worst = best = ""
    over = less = Estimate(
        None, note=f"Fewer than two groups have {FEWEST_TRIALS} answers, so none is compared."
    )
    if len(carried) > 1:
        ordered = sorted(carried, key=lambda number: (rates[number].value or 0.0, -number))
        low, high = ordered[0], ordered[-1]
        if rates[low].value == rates[high].value:
            note = "All groups that can be compared have one rate."
            over = less = Estimate(None, note=note)
        else:
            best, worst = axis.labels[low], axis.labels[high]
            over = _ratio(rates[high], rates[low], best)
            less = difference(rates[high], rates[low])
    return AttributeAxis(
        axis.name,
        tuple(sorted(groups, key=lambda group: -(group.wrong.value or 0.0))),
        worst=worst,
        best=best,
        ratio=over,
        difference=less,
        chance=chance,
        unlabelled=int(np.count_nonzero(axis.codes < 0)),
    )


def _ratio(high: ClusteredRate, low: ClusteredRate, best: str) -> Estimate:
    bounded = ratio(high, low)
    if bounded.value is None:
        return Estimate(
            None, bounded.low, None, f"Undefined: no answer about '{best}' is wrong. A lower bound."
        )
    return bounded


def _confusion(judged: _Judged) -> Confusion | None:
    """Count answers by label; None where there are too many of either for a table."""
    truths = banded(judged.truths)
    answers = [one.value for one in judged.said]
    if judged.verdicts.years_off is not None:
        middles = [f"{years.middle:g}" if (years := years_of(one)) else one for one in answers]
        answers = list(banded(middles))
    labels, columns = in_order(list(set(truths))), in_order([one for one in set(answers) if one])
    if len(labels) > _MOST_CONFUSED or len(columns) > 2 * _MOST_CONFUSED:
        return None
    counts = Counter(zip(truths, answers, strict=True))
    return Confusion(
        tuple(labels),
        (*columns, "failed"),
        tuple(tuple(counts[label, column] for column in (*columns, "")) for label in labels),
    )


def _by_confidence(judged: _Judged) -> tuple[ConfidencePoint, ...]:
    """Leave out answers below each confidence; nothing where not every answer has one."""
    answered = ~judged.failed
    if not answered.any() or np.isnan(judged.confidences[answered]).any():
        return ()
    finest = judged.axes[-1]
    found = []
    for least in _CONFIDENCES:
        used = answered & (np.nan_to_num(judged.confidences, nan=-1.0) >= least)
        rates = {
            label: _wrong(judged, used & (finest.codes == code))
            for code, label in enumerate(finest.labels)
        }
        carried = {label: one for label, one in rates.items() if one.trials >= FEWEST_TRIALS}
        worst = max(carried, key=lambda label: carried[label].value or 0.0, default="")
        found.append(
            ConfidencePoint(
                least,
                clustered(used, judged.subjects),
                rate_of(_wrong(judged, used)),
                worst,
                rate_of(carried[worst]) if worst else None,
            )
        )
    return tuple(found)


def _limits(
    judged: _Judged,
    axes: Sequence[AttributeAxis],
    overall: AttributeGroup,
    labels: Labels,
    attribute: str,
) -> tuple[str, ...]:
    said = list(judged.verdicts.notes)
    if unlabelled := len(labels.of_pictures) - len(judged.said):
        said.append(f"{unlabelled:,} pictures have no label in '{attribute}' and are left out.")
    for axis in axes:
        few = [group.group for group in axis.groups if group.wrong.trials < FEWEST_TRIALS]
        if few:
            such = ", ".join(few[:6]) + (", ..." if len(few) > 6 else "")
            said.append(
                f"{axis.axis}: {len(few)} of {len(axis.groups)} groups have fewer than"
                f" {FEWEST_TRIALS} answers and are neither worst nor best ({such})."
            )
        if axis.chance is not None and axis.chance > 0.05:
            said.append(
                f"{axis.axis}: chance alone sets groups as far apart in {100 * axis.chance:.0f} of"
                " 100 sets of data; these data do not show that the system treats them unequally."
            )
    if any(axis.worst for axis in axes):
        said.append(
            "Worst and best are those of these data; with other pictures other groups may be."
        )
    if not any(row.subject for row in labels.of_pictures.values()):
        said.append(
            "Nobody said whose the pictures are, so each counts as another person's. If several"
            " show one person, the intervals are too narrow."
        )
    if overall.failed.errors:
        said.append(
            "Pictures without an answer are counted on their own, and as wrong in the last column."
            " A system that refuses hard pictures looks better in the first."
        )
    said.append(
        "Labels are what somebody saw or was told. An answer about looks is no knowledge of a"
        " person."
    )
    return tuple(said)


def _digest(rows: Sequence[LabelledRow]) -> str:
    """Digest names, subjects and labels, in any order."""
    lines = [json.dumps([row.path, row.subject, sorted(row.labels.items())]) for row in rows]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
