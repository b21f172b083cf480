"""Detect: where are the faces of a sample, and how much does it show of them?"""

from collections.abc import Callable, Sequence

from likeness.service.search.quality_bar import QualityBar
from likeness.service.uses.record import Outcome, Record
from likeness.terms import Face, Template
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located

ReadSample = Callable[[], Sample]
"""Gives a sample once it may be looked at: nothing of it is fetched or decoded before."""


def detect_faces(record: Record, finder: FaceFinder, read: ReadSample) -> Located:
    """Find every face of a sample, largest first."""
    located = finder.locate(read())
    record.answered(Outcome(faces=len(located.faces)))
    return located


def largest(
    finder: FaceFinder, located: Located, bar: QualityBar | None
) -> tuple[Face, Template] | None:
    """Give the largest face and its template; None where there is none or it is below the bar.

    Never another face in its place: that may be somebody whom nobody asked about.
    """
    if not located.faces or (bar is not None and bar.speaks_against(located.faces[0])):
        return None
    (template,) = finder.templates(located, [0])
    return located.faces[0], template


def within(bar: QualityBar | None, faces: Sequence[Face]) -> list[int]:
    """Give the indices of the faces that reach a bar; of all without."""
    return [n for n, face in enumerate(faces) if bar is None or not bar.speaks_against(face)]
