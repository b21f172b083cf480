"""Count answers that were judged: by group, by how sure they are, and of two systems."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import (
    Axis,
    ClusteredRate,
    Estimate,
    chance_of_groups,
    clustered_mean,
    clustered_rate,
    difference,
    paired_difference_of,
    ratio,
)
from likeness.service.evaluate.ages import banded, in_order, years_of
from likeness.service.evaluate.attributes.findings import (
    LIKELY_CHANCE,
    AttributeAxis,
    AttributeGroup,
    ConfidencePoint,
    Confusion,
    GroupDifference,
)
from likeness.service.evaluate.attributes.judging import Verdicts
from likeness.service.evaluate.attributes.predictions import Prediction
from likeness.service.evaluate.counted import clustered, rate_of
from likeness.service.evaluate.readers import Labels
from likeness.service.evaluate.statement import first_of

FEWEST_TRIALS = 30
"""A group with fewer answers is shown, and is neither worst nor best."""
_CONFIDENCES = (50.0, 80.0, 90.0, 95.0, 99.0)
_MOST_CONFUSED = 12


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
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
        """Which have no right answer, (n,)."""
        return self.verdicts.wrong | self.failed


def differences_by_group(one: Judged, other: Judged) -> Iterator[GroupDifference]:
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


def attribute_group(name: str, judged: Judged, chosen: NDArray[np.bool_]) -> AttributeGroup:
    """Count failures and wrong answers of the chosen (n,) pictures."""
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


def _wrong(judged: Judged, chosen: NDArray[np.bool_]) -> ClusteredRate:
    answered = chosen & ~judged.failed
    return clustered_rate(judged.verdicts.wrong[answered], judged.subjects[answered])


def findings_of_axis(axis: Axis, judged: Judged) -> AttributeAxis:
    """Count by group, and compare the worst group with the best."""
    members = [axis.codes == code for code in range(len(axis.labels))]
    rates = [_wrong(judged, chosen) for chosen in members]
    carried = [number for number, rate in enumerate(rates) if rate.trials >= FEWEST_TRIALS]
    groups = [
        attribute_group(label, judged, chosen)
        for label, chosen in zip(axis.labels, members, strict=True)
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


def confusion_of(judged: Judged) -> Confusion | None:
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


def by_confidence(judged: Judged) -> tuple[ConfidencePoint, ...]:
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


def limits_of_answers(
    judged: Judged,
    axes: Sequence[AttributeAxis],
    overall: AttributeGroup,
    labels: Labels,
    attribute: str,
) -> tuple[str, ...]:
    """Say in words what these answers and labels cannot support."""
    said = list(judged.verdicts.notes)
    if unlabelled := len(labels.of_pictures) - len(judged.said):
        said.append(f"{unlabelled:,} pictures have no label in '{attribute}' and are left out.")
    for axis in axes:
        few = [group.group for group in axis.groups if group.wrong.trials < FEWEST_TRIALS]
        if few:
            said.append(
                f"{axis.axis}: {len(few)} of {len(axis.groups)} groups have fewer than"
                f" {FEWEST_TRIALS} answers and are neither worst nor best ({first_of(few)})."
            )
        if axis.chance is not None and axis.chance > LIKELY_CHANCE:
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
