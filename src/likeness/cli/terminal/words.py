"""What numbers mean, in words for a reader at a terminal of 80 columns."""

import math
import textwrap
from datetime import datetime

from likeness.cli.terminal.plain_text import plain
from likeness.terms import Box, Calibration, Face, Point, one_in, rate_of_any


def as_high(fmr: float, known: Calibration, faces: int = 1) -> str:
    """Say how many pictures of so many strangers hold one who scores as high.

    `fmr` is the rate of one stranger. It says whether that was counted or is the tail's.
    """
    return (
        f"{'at most ' if fmr <= known.lowest_fmr else ''}{one_in(rate_of_any(faces, fmr))}"
        f"{' (extrapolated)' if fmr < known.least_counted else ''}"
    )


def named_in_words(name: str, subject: str | None, external_id: str | None) -> str:
    """Say who somebody is; of a reference that nobody named, what a client called it, too."""
    if subject is not None or external_id is None:
        return plain(name)
    return f"{plain(name)} (external id {plain(external_id)})"


def similarity_in_words(similarity: float) -> str:
    """Say a similarity to one digit, from 99 on to two; 100 is that of a picture with itself."""
    if similarity >= 100:
        return "100"
    if similarity >= 99:
        return f"{math.floor(100 * similarity) / 100:.2f}"
    return f"{math.floor(10 * similarity) / 10:.1f}"


def minute(at: datetime) -> str:
    """Say a moment to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def several(count: int, noun: str) -> str:
    """Count with a plural: `1 face`, `2 faces`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def folded(paragraph: str) -> str:
    """Fold a paragraph at 79 columns, but nothing that is to be copied: no model, no command."""
    return textwrap.fill(
        paragraph, 79, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
    )


def box_in_words(box: Box) -> str:
    """Say where a box begins and how large it is, in pixels."""
    return f"{box.left:.0f},{box.top:.0f} {box.width:.0f}x{box.height:.0f}"


def face_in_words(face: Face) -> list[str]:
    """Say in four lines where a face is, how it is turned and how good it looks."""
    points, pose, quality = face.landmarks, face.pose, face.quality
    fit = "fit to enrol"
    if not quality.fit_to_enrol:
        fit = f"not fit to enrol: {', '.join(quality.reasons)}"
    return [
        f"box {box_in_words(face.box)}, confidence {face.confidence:.3f}",
        f"eyes {_at(points.eye_left)} and {_at(points.eye_right)}, nose {_at(points.nose)},"
        f" mouth {_at(points.mouth_left)} to {_at(points.mouth_right)}",
        f"yaw {pose.yaw:+.0f}, pitch {pose.pitch:+.0f}, roll {pose.roll:+.0f} degrees;"
        f" brightness {quality.brightness:.0f}, sharpness {quality.sharpness:.0f},"
        f" size {quality.size:.0f}",
        fit,
    ]


def _at(point: Point) -> str:
    return f"{point.x:.0f},{point.y:.0f}"
