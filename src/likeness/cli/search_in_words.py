"""What a search is worth, in words and as JSON: its thresholds, and how often they mislead."""

from likeness.cli.terminal.answers import Json, point_json, significant
from likeness.cli.terminal.words import folded, one_in
from likeness.service.search.naming import Naming, Strangers


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
    return [folded(line) for line in (*lines, *naming.limits)]


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
        "limits": list(naming.limits),
    }
