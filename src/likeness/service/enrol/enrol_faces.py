"""Enrol the faces of one sample, as nobody's yet, and none of them a second time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.gallery import (
    Collection,
    NewReference,
    Reference,
    Subject,
)
from likeness.service.search.faces import QualityBar, ReadSample
from likeness.service.uses import Caller, Home, Outcome
from likeness.terms import Action, Face, QualityReason
from likeness.vision.decode import Sample


@dataclass(frozen=True, slots=True)
class FaceDemands:
    """Which of a sample's faces are enrolled, and how.

    Of the `most_looked_at` largest faces those are left out that do not reach `bar`; and where they
    are more than `most_enrolled`, those that are not fit to enrol, then the smallest.
    """

    external_id: str | None
    bar: QualityBar | None
    most_enrolled: int
    most_looked_at: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A face that was not enrolled, and why: there were too many where no reason is given."""

    face: Face
    reasons: tuple[QualityReason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledFaces:
    """The references that a sample's faces are, largest first, and the faces that were left out.

    `subjects` are those whose references they are already, by number.
    """

    collection: Collection
    sample: Sample
    references: tuple[Reference, ...]
    subjects: dict[int, Subject]
    left_out: tuple[LeftOut, ...]


def enrol_faces(
    home: Home, caller: Caller, name: str, read: ReadSample, demands: FaceDemands
) -> EnrolledFaces:
    """Enrol the faces of a sample; searches that start after this find them.

    A face that the same sample was enrolled with before, under the same external id, is given as
    the reference that it is, also where two enrol it in the same moment.

    Raises:
        NoSuchCollection: there is none.
        Conflict: its model or cohort cannot be had here.
        NotFound: it was erased meanwhile.
        InvalidRequest: the external id cannot be kept.
    """
    of = home.collection(caller, Action.ENROL, name)
    with home.record(caller, Action.ENROL, of) as record:
        finder = home.comparable_finder(of)
        sample = read()
        located = finder.locate(sample, demands.most_looked_at)
        chosen, left_out = _chosen(located.faces, demands)
        sha256, size = hashlib.sha256(sample.data).digest(), (sample.width, sample.height)
        made = [
            NewReference(template, located.faces[n], sha256, size, external_id=demands.external_id)
            for n, template in zip(chosen, finder.templates(located, chosen), strict=True)
        ]
        faces = home.reviewing.faces(of, located.image, made)

        def enrol(connection: Connection) -> tuple[list[Reference], list[Reference]]:
            its, now = of.within(connection), home.clock()
            references, inserted = its.references.enrol_once([one.new for one in faces], now)
            home.reviewing.keep(
                its,
                of,
                [(one, inserted[one.new]) for one in faces if one.new in inserted],
                use=record.use,
                now=now,
            )
            return references, list(inserted.values())

        def outcome(result: tuple[list[Reference], list[Reference]]) -> Outcome:
            return Outcome(len(located.faces), reference_ids=tuple(one.id for one in result[0]))

        enrolled, inserted = record.write(enrol, outcome)
        of.follow(inserted)
    subjects = of.read(lambda its: its.subjects.of(enrolled))
    return EnrolledFaces(of, sample, tuple(enrolled), subjects, tuple(left_out))


def _chosen(faces: Sequence[Face], demands: FaceDemands) -> tuple[list[int], list[LeftOut]]:
    """Say which faces, by index, are enrolled; and which are left out, in the order they went."""
    against = [() if demands.bar is None else demands.bar.speaks_against(one) for one in faces]
    left_out = [LeftOut(face, why) for face, why in zip(faces, against, strict=True) if why]
    reach = [n for n, why in enumerate(against) if not why]
    # The last to go comes first: fit to enrol, and large.
    reach.sort(key=lambda n: (not faces[n].quality.fit_to_enrol, n))
    gone = reversed(reach[demands.most_enrolled :])
    left_out += [LeftOut(faces[n], ()) for n in gone]
    return sorted(reach[: demands.most_enrolled]), left_out
