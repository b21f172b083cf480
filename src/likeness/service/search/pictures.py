"""Detect and compare: acts on pictures that are of no collection.

Compared with a single face, somebody's claim is verified. Compared with several, it is found out
which of them somebody is, as a search does: a picture made of many people's faces is a collection
by another name. So it goes on only as a search, admitted as one, once the faces are counted and
before any is compared.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from likeness.errors import NoFace
from likeness.service.search.faces import QualityBar, ReadSample, faces_in, within
from likeness.service.search.naming import Expected, Strangers
from likeness.service.uses import Caller, Home, Outcome, Probe, Record
from likeness.terms import Action, Calibration, Face, GroupWarning, rate_of, rate_of_any
from likeness.vision.decode import Sample
from likeness.vision.find import Located


class NoFaceInSource(NoFace):
    """The first picture of a comparison has no face that can be compared."""


class NoFaceInTarget(NoFace):
    """The second picture of a comparison has no face that can be compared."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What a comparison asks of faces: a similarity, 0 to 100, and a bar; None lets all through."""

    threshold: float
    bar: QualityBar | None


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target and how alike it is, 0 to 100; a `Matched` that nobody enrolled.

    `expected` is how often one of so many strangers as faces were compared scores as high.
    """

    face: Face
    similarity: float
    expected: Expected
    reference_id: UUID | None = None
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ComparedFaces:
    """The source's largest face; of the target's those that match, most alike first, and others.

    The others are the largest first. `group_warning` is of groups whose strangers reach the
    similarity asked for far more often than any.
    """

    source: Sample
    source_face: Face
    target: Sample
    matches: tuple[ComparedFace, ...]
    others: tuple[ComparedFace, ...]
    group_warning: GroupWarning | None = None


def detect_faces(
    home: Home, caller: Caller, read: ReadSample, *, most_faces: int | None = None
) -> Located:
    """Find every face of a sample, or the `most_faces` largest, largest first.

    Raises:
        Denied: it may not be done.
    """
    with home.record(caller, Action.DETECT) as record:
        located = home.load_finder(None).locate(read(), most_faces)
        record.answered(Outcome(faces=len(located.faces)))
    return located


def compare_faces(
    home: Home,
    caller: Caller,
    read_source: ReadSample,
    read_target: ReadSample,
    demands: Alike,
    *,
    most_faces: int,
) -> ComparedFaces:
    """Compare the largest face of the source with the `most_faces` largest of the target, at most.

    Raises:
        NoFaceInSource, NoFaceInTarget: one has none that reaches the bar.
        Denied: it may not be done, or the answer not be given.
    """
    with home.record(caller, Action.COMPARE) as record:
        finder = home.load_finder(None)
        source, target = read_source(), read_target()
        person, among = (finder.locate(sample, most_faces) for sample in (source, target))
        chosen = within(demands.bar, among.faces)
        pair = _Pair(source, person, target, among, chosen)
        if len(chosen) <= 1:
            return _compared(record, home, pair, demands)
        record.answered(Outcome(faces=len(person.faces) + len(among.faces)))
    with home.record(caller, Action.SEARCH) as record:
        return _compared(record, home, pair, demands)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two samples and their faces; `chosen` are the indices of the target's to compare."""

    source: Sample
    person: Located
    target: Sample
    among: Located
    chosen: Sequence[int]


def _compared(record: Record, home: Home, pair: _Pair, demands: Alike) -> ComparedFaces:
    finder, calibration = home.load_finder(None), home.calibration_of(None)
    # Strictly the largest, and never another in its place.
    if not within(demands.bar, pair.person.faces[:1]):
        raise NoFaceInSource(
            "The source has no face, or its largest is not of the quality asked for. Give a picture"
            " in which the largest face is sharp and looks at the camera."
        )
    if not pair.chosen:
        raise NoFaceInTarget(
            "No face in the target is of the quality asked for. Give another picture."
        )
    (person,) = faces_in(pair.source, pair.person, finder, [0])
    compared = [
        ComparedFace(
            other.face,
            calibration.similarity(score := person.compared(other).score),
            _expected(calibration, score, len(pair.chosen)),
        )
        for other in faces_in(pair.target, pair.among, finder, pair.chosen)
    ]
    alike = sorted(
        (one for one in compared if one.similarity >= demands.threshold),
        key=lambda one: -one.similarity,
    )
    parameters = (
        ("target", hashlib.sha256(pair.target.data).hexdigest()),
        ("threshold", str(demands.threshold)),
    )
    probe = Probe(pair.source, person.face, parameters=parameters)
    released = record.release(alike, probe, lambda ids: [])  # nobody of it is enrolled
    record.answered(Outcome(faces=1 + len(pair.chosen), candidates=len(released)))
    # As they were found: in order of their similarity they would tell what rules withhold.
    others = tuple(one for one in compared if one not in released)
    point = calibration.point(rate_of(demands.threshold))
    warning = calibration.group_warning(point, home.warn_from)
    return ComparedFaces(pair.source, person.face, pair.target, tuple(released), others, warning)


def _expected(calibration: Calibration, score: float, faces: int) -> Expected:
    alike = calibration.alike
    return Expected(
        rate_of_any(faces, calibration.fmr(score)),
        None if alike is None else rate_of_any(faces, alike.fmr(score)),
        Strangers.ALIKE,
        calibration.rests_on_tail(score),
    )
