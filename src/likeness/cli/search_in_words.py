"""What a search is worth, in words and as JSON: its threshold, and how often that misleads."""

from likeness.cli.answers import Json, point_json, significant
from likeness.cli.words import one_in
from likeness.terms.calibration import Calibration, OperatingPoint


def search_in_words(calibration: Calibration, point: OperatingPoint, compared: int) -> list[str]:
    """Say what a match needs in a search through so many references."""
    reached = calibration.fmr(point.threshold)
    lines = [
        f"A match needs score {point.threshold:.2f}, which {one_in(reached)} strangers reach:"
        f" {reached * compared:.2g} false\ncandidates are to be expected in a search."
    ]
    if not point.calibrated:
        lines.append(
            f"A search through so many needs {one_in(point.fmr)}, which was not measured with this"
            " model:\nnobody is called a match."
        )
    return lines


def search_json(calibration: Calibration, point: OperatingPoint, compared: int) -> Json:
    """Say the same in JSON."""
    return {
        **point_json(point),
        "expected_false_candidates": significant(calibration.fmr(point.threshold) * compared),
    }
