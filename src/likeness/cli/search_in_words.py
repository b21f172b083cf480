"""What a search is worth, in words and as JSON: its thresholds, and how often they mislead."""

from collections.abc import Iterator

from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.words import folded
from likeness.service.search.documents import point_json, significant, warning_json
from likeness.service.search.naming import Naming, Strangers
from likeness.terms import FEWEST_SUBJECTS, one_in

# From this share of right ones on that are missed, it is said.
_MANY_MISSED = 0.1
_REMEDY = "Ask for candidates to review, or accept a higher FPIR (LIKENESS_FPIR)"


def search_in_words(naming: Naming) -> list[str]:
    """Say what a match needs in a search, by whose rates, and what stands in the way."""
    point, at_hand = naming.point, naming.point_at_hand
    reached = naming.calibration.fmr(point.threshold)
    lines = []
    if point.calibrated:
        lines.append(
            f"A match needs score {point.threshold:.3f}, which {one_in(reached)} strangers reach"
            f"{' (extrapolated)' if point.extrapolated else ''}: {naming.expected_false:.2g} false"
            " candidates are to be expected in a search, by the rate of any strangers."
        )
    if at_hand is not None and at_hand.calibrated and point.calibrated:
        # Own scores are other scores than the ones that are shown.
        score = (
            "a score that" if naming.whose is Strangers.OWN else f"{at_hand.threshold:.3f}, which"
        )
        lines.append(
            f"It also needs {score} {one_in(at_hand.fmr)} {naming.whose.in_words} reach"
            f"{' (extrapolated)' if at_hand.extrapolated else ''}."
        )
    if naming.group_warning is not None:
        lines.append(naming.group_warning.in_words)
    return [folded(line) for line in (*lines, *limits_of(naming))]


def search_json(naming: Naming) -> Json:
    """Say the same in JSON."""
    at_hand = naming.point_at_hand
    return {
        **point_json(naming.point),
        "expected_false_candidates": significant(naming.expected_false),
        "fpir": naming.fpir,
        "at_hand": None
        if at_hand is None or naming.at_hand is None
        else {
            **point_json(at_hand),
            "strangers": naming.whose,
            "pairs": naming.at_hand.pairs,
            "measured_on": naming.at_hand.measured_on,
        },
        "limits": list(limits_of(naming)),
        "group_warning": warning_json(naming.group_warning),
    }


def limits_of(naming: Naming) -> Iterator[str]:
    """Say what stands in the way of naming anybody in a search, and what would help."""
    point, whose, needed = naming.point, naming.whose, one_in(naming.rate)
    if not point.calibrated:
        yield (
            f"Nobody is named except by the same picture: a search of {naming.compared:,}"
            f" references needs a false match rate of {needed}, and rates are known down to"
            f" {one_in(naming.calibration.lowest_fmr)}. {_REMEDY}."
        )
    if naming.at_hand is None or naming.point_at_hand is None:
        return
    remedy = f"{_REMEDY}."
    if whose is Strangers.ALIKE:
        remedy += (
            f" Of {FEWEST_SUBJECTS} named people or more, a collection's own strangers are"
            " measured, and decide instead."
        )
    known = naming.at_hand if whose is Strangers.OWN else naming.calibration
    missed = known.fnmr(naming.point_at_hand.threshold)
    if not naming.point_at_hand.calibrated:
        yield (
            f"Nobody is named except by the same picture: among {whose.in_words} rates are known"
            f" down to {one_in(naming.at_hand.lowest_fmr)}, and {needed} is needed. {remedy}"
        )
    elif missed is not None and missed > _MANY_MISSED:
        yield (
            f"At FPIR {naming.fpir:g} about {round(100 * missed)} in 100 right ones are missed"
            f" here, since {whose.in_words} look so much alike. {remedy}"
        )
