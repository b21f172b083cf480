"""Enrol the faces of one sample, as nobody's yet, and none of them a second time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from likeness.gallery import NewReference, OpenCollection, Reference
from likeness.service.enrol.on_enrolment import Enrolled, ReviewOfEnrolments
from likeness.service.search.faces import QualityBar, ReadSample
from likeness.service.uses.home import require_comparable
from likeness.service.uses.record import Outcome, Record
from likeness.terms import Face, QualityReason
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located


@dataclass(frozen=True, slots=True)
class Enrolling:
    """How a sample's faces are enrolled.

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
    """The references that a sample's faces are, largest first, and the faces that were left out."""

    sample: Sample
    references: tuple[Reference, ...]
    left_out: tuple[LeftOut, ...]


def enrol_faces(
    record: Record,
    collection: OpenCollection,
    finder: FaceFinder,
    reviewing: ReviewOfEnrolments,
    read: ReadSample,
    enrolling: Enrolling,
    now: datetime,
) -> EnrolledFaces:
    """Enrol the faces of a sample; searches that start after this find them.

    A face that the same sample was enrolled with before, under the same external id, is given as
    the reference that it is, also where two enrol it in the same moment.

    Raises:
        Conflict: the collection is of another cohort than the finder.
        NotFound: it was erased meanwhile.
        InvalidRequest: the external id cannot be kept.
    """
    require_comparable(collection, finder)
    sample = read()
    located = finder.locate(sample)
    chosen, left_out = _chosen(located.faces[: enrolling.most_looked_at], enrolling)
    new = collection.evened_out(_new(sample, finder, located, chosen, enrolling.external_id))
    crops_jpeg = {one: reviewing.crop_of(located.image, one.face.box) for one in new}

    def enrol(connection: Connection) -> tuple[list[Reference], list[Reference]]:
        rows = collection.within(connection)
        references, inserted = rows.references.enrol_once(list(crops_jpeg), now)
        reviewing.enrolled(
            rows,
            collection,
            [Enrolled(one, reference, crops_jpeg[one]) for one, reference in inserted.items()],
            use_id=record.use.id,
            now=now,
        )
        return references, list(inserted.values())

    def outcome(result: tuple[list[Reference], list[Reference]]) -> Outcome:
        return Outcome(len(located.faces), reference_ids=tuple(one.id for one in result[0]))

    enrolled, inserted = record.write(enrol, outcome)
    collection.follow(inserted)
    return EnrolledFaces(sample, tuple(enrolled), tuple(left_out))


def _chosen(faces: Sequence[Face], enrolling: Enrolling) -> tuple[list[int], list[LeftOut]]:
    """Say which faces, by index, are enrolled; and which are left out, in the order they went."""
    against = [() if enrolling.bar is None else enrolling.bar.speaks_against(one) for one in faces]
    left_out = [LeftOut(face, why) for face, why in zip(faces, against, strict=True) if why]
    reach = [n for n, why in enumerate(against) if not why]
    # The last to go comes first: fit to enrol, and large.
    reach.sort(key=lambda n: (not faces[n].quality.fit_to_enrol, n))
    gone = reversed(reach[enrolling.most_enrolled :])
    left_out += [LeftOut(faces[n], ()) for n in gone]
    return sorted(reach[: enrolling.most_enrolled]), left_out


def _new(
    sample: Sample,
    finder: FaceFinder,
    located: Located,
    chosen: Sequence[int],
    external_id: str | None,
) -> list[NewReference]:
    """Make what is to be enrolled, largest first."""
    sha256 = hashlib.sha256(sample.data).digest()
    size = (sample.width, sample.height)
    templates = finder.templates(located, chosen)
    return [
        NewReference(template, located.faces[n], sha256, size, external_id=external_id)
        for n, template in zip(chosen, templates, strict=True)
    ]
