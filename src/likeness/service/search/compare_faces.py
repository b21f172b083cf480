"""Compare: which faces of one sample are the person's whom another sample shows?

With a single face that verifies a claim. With several it finds out which of them somebody is, as a
search does: a picture made of many people's faces is a collection by another name. So it goes on
only as a search, admitted as one, once the faces are counted and before any is compared.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from likeness.errors import NoFace
from likeness.service.search.detect_faces import ReadSample, within
from likeness.service.search.face_in_picture import FaceInPicture, faces_in
from likeness.service.search.quality_bar import QualityBar
from likeness.service.uses.record import Outcome, Record
from likeness.service.uses.withhold import Probe
from likeness.terms import Action, Calibration, Face, rate_of_any
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located


@dataclass(frozen=True, slots=True)
class Meaning:
    """How often one of so many strangers as faces were compared scores as high.

    Any strangers, and ones of one sex, race and age: None where nobody measured that.
    `extrapolated` is whether one of the two rates is too low to have been counted.
    """

    fmr: float
    fmr_alike: float | None
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target and how alike it is, 0 to 100; a `Matched` that nobody enrolled."""

    face: Face
    similarity: float
    reference_id: UUID | None = None
    subject_id: UUID | None = None
    meaning: "Meaning | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class ComparedFaces:
    """The source's largest face; of the target's those that match, most alike first, and others.

    The others are the largest first.
    """

    source: Sample
    source_face: Face
    target: Sample
    matches: tuple[ComparedFace, ...]
    others: tuple[ComparedFace, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """What a comparison asks of faces: a similarity, 0 to 100, and a bar; None lets all through."""

    threshold: float
    bar: QualityBar | None


def compare_faces(
    recorded: Callable[[Action], AbstractContextManager[Record]],
    finder: FaceFinder,
    calibration: Calibration,
    read_source: ReadSample,
    read_target: ReadSample,
    demands: Alike,
    most_faces: int,
) -> ComparedFaces:
    """Compare the largest face of the source with at most `most_faces` of the target.

    Args:
        recorded: has an action of this use admitted, and keeps its record.
        finder: finds and embeds faces.
        calibration: what its scores mean.
        read_source: gives the sample of the person.
        read_target: gives the sample in which the person is looked for.
        demands: what faces have to be like.
        most_faces: of the target, the largest.

    Raises:
        NoFace: source or target has none that reaches the bar.
        Denied: it may not be done, or the answer not be given.
    """
    with recorded(Action.COMPARE) as record:
        source, target = read_source(), read_target()
        person, among = finder.locate(source), finder.locate(target)
        chosen = within(demands.bar, among.faces[:most_faces])
        pair = _Pair(source, person, target, among, chosen)
        if len(chosen) <= 1:
            return _compared(record, finder, calibration, pair, demands)
        record.answered(Outcome(faces=len(person.faces) + len(among.faces)))
    with recorded(Action.SEARCH) as record:
        return _compared(record, finder, calibration, pair, demands)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two samples and their faces; `chosen` are the indices of the target's to compare."""

    source: Sample
    person: Located
    target: Sample
    among: Located
    chosen: Sequence[int]


def _compared(
    record: Record, finder: FaceFinder, calibration: Calibration, pair: _Pair, demands: Alike
) -> ComparedFaces:
    # Strictly the largest, and never another in its place.
    if not within(demands.bar, pair.person.faces[:1]):
        raise NoFace(
            "The source has no face, or its largest is not of the quality asked for. Give a picture"
            " in which the largest face is sharp and looks at the camera."
        )
    (face,) = faces_in(pair.source, pair.person, finder, [0])
    if not pair.chosen:
        raise NoFace("No face in the target is of the quality asked for. Give another picture.")
    faces = len(pair.chosen)

    def compared_with(other: FaceInPicture) -> ComparedFace:
        score = face.compared(other).score
        alike = calibration.alike
        meaning = Meaning(
            rate_of_any(faces, calibration.fmr(score)),
            None if alike is None else rate_of_any(faces, alike.fmr(score)),
            calibration.is_extrapolated(score)
            or (alike is not None and alike.is_extrapolated(score)),
        )
        return ComparedFace(other.face, calibration.similarity(score), meaning=meaning)

    compared = [
        compared_with(one) for one in faces_in(pair.target, pair.among, finder, pair.chosen)
    ]
    alike = sorted(
        (one for one in compared if one.similarity >= demands.threshold),
        key=lambda one: -one.similarity,
    )
    parameters = (
        ("target", hashlib.sha256(pair.target.data).hexdigest()),
        ("threshold", str(demands.threshold)),
    )
    probe = Probe(pair.source, face.face, parameters=parameters)
    released = record.release(alike, probe, lambda ids: [])  # nobody of it is enrolled
    record.answered(Outcome(faces=1 + len(pair.chosen), candidates=len(released)))
    # As they were found: in order of their similarity they would tell what rules withhold.
    others = tuple(one for one in compared if one not in released)
    return ComparedFaces(pair.source, face.face, pair.target, tuple(released), others)
