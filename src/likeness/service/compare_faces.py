"""Compare: which faces of one sample are the person's whom another sample shows?"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from likeness.errors import NoFace
from likeness.service.detect_faces import ReadSample, largest, required, within
from likeness.service.quality_bar import QualityBar
from likeness.service.record import Outcome, Probe, Record
from likeness.terms.calibration import Calibration
from likeness.terms.face import Face
from likeness.terms.template import compare
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target and how alike it is, 0 to 100; a `Matched` that nobody enrolled."""

    face: Face
    similarity: float
    reference_id: UUID | None = None
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ComparedFaces:
    """The source's largest face, and the target's: those that match, most alike first, and others.

    A face whose match waits for people to look at it is in neither.
    """

    source: Sample
    source_face: Face
    target: Sample
    matches: tuple[ComparedFace, ...]
    others: tuple[ComparedFace, ...]


def compare_faces(
    record: Record,
    finder: FaceFinder,
    calibration: Calibration,
    read_source: ReadSample,
    read_target: ReadSample,
    *,
    threshold: float,
    bar: QualityBar | None,
    most_faces: int,
) -> ComparedFaces:
    """Compare the largest face of the source with at most `most_faces` of the target.

    Args:
        record: of this use.
        finder: finds and embeds faces.
        calibration: what its scores mean.
        read_source: gives the sample of the person.
        read_target: gives the sample in which the person is looked for.
        threshold: similarity, 0 to 100, from which a face matches.
        bar: what faces have to reach; all are compared without.
        most_faces: of the target, the largest.

    Raises:
        NoFace: source or target has none that reaches the bar.
        Denied: the answer may not be given.
    """
    source, target = read_source(), read_target()
    source_face, template = required(largest(finder, finder.locate(source), bar))
    located = finder.locate(target)
    chosen = within(bar, located.faces[:most_faces])
    if not chosen:
        raise NoFace("a face was expected in the target and none was found: give another picture")
    compared = [
        ComparedFace(located.faces[n], calibration.similarity(compare(template, other).score))
        for n, other in zip(chosen, finder.templates(located, chosen), strict=True)
    ]
    compared.sort(key=lambda one: -one.similarity)
    alike = [one for one in compared if one.similarity >= threshold]
    parameters = (
        ("target", hashlib.sha256(target.data).hexdigest()),
        ("threshold", str(threshold)),
    )
    probe = Probe(source, source_face, parameters=parameters)
    released = record.release(alike, probe)
    record.answered(Outcome(faces=1 + len(chosen), candidates=len(released)))
    withheld = alike if record.case_id is not None else released
    others = tuple(one for one in compared if one not in withheld)
    return ComparedFaces(source, source_face, target, tuple(released), others)
