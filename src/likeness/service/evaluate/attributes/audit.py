"""Hold what a system says of people's attributes against labels, by group: Gender Shades' audit.

Likeness itself guesses nobody's sex, age or race. It measures systems that do: each answer is right
or wrong by a label that somebody gave, a picture without an answer is a failure, and both are
counted for each group and each intersection of groups.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from likeness.errors import InvalidRequest
from likeness.evaluation import intersection
from likeness.service.evaluate.ages import are_ages, axis_of, banded
from likeness.service.evaluate.attributes.counting import (
    Judged,
    attribute_group,
    by_confidence,
    confusion_of,
    differences_by_group,
    findings_of_axis,
    limits_of_answers,
)
from likeness.service.evaluate.attributes.findings import AttributeFindings, AttributeReport
from likeness.service.evaluate.attributes.judging import judge
from likeness.service.evaluate.attributes.predictions import NO_ANSWER, Prediction, Predictions
from likeness.service.evaluate.counted import most_often
from likeness.service.evaluate.findings import DataFacts, RowProblem, SystemFacts
from likeness.service.evaluate.readers import Labels
from likeness.service.evaluate.readers.labels import LabelledRow, key_of
from likeness.service.evaluate.readers.planning import NOTHING_SAID, DataDescription
from likeness.service.evaluate.trials import Plan

_MOST_GROUPED_BY = 3
_MOST_SYSTEMS = 2


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answered, and what."""

    system: SystemFacts
    predictions: Predictions


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
        differences=tuple(differences_by_group(*judged)) if len(judged) > 1 else (),
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
    labels: Labels, answers: Answers, judged: Judged, attribute: str
) -> AttributeFindings:
    overall = attribute_group("all", judged, np.ones(len(judged.said), bool))
    axes = tuple(findings_of_axis(axis, judged) for axis in judged.axes)
    failures = Counter(one.failure or NO_ANSWER for one in judged.said if not one.value)
    return AttributeFindings(
        system=answers.system,
        rule=judged.verdicts.rule,
        overall=overall,
        axes=axes,
        confusion=confusion_of(judged),
        confidences=by_confidence(judged),
        reasons=most_often(failures),
        problems=(*answers.predictions.problems, *_unasked(labels, answers.predictions)),
        limits=limits_of_answers(judged, axes, overall, labels, attribute),
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
) -> Judged:
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
    return Judged(
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


def _digest(rows: Sequence[LabelledRow]) -> str:
    """Digest names, subjects and labels, in any order."""
    lines = [json.dumps([row.path, row.subject, sorted(row.labels.items())]) for row in rows]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
