"""What is enrolled: references, read and changed in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, bindparam, insert, select

from likeness.errors import AlreadyExists, InvalidRequest, ModelMismatch, NotFound
from likeness.gallery import proofs, stored_collections
from likeness.gallery.seal import Details
from likeness.gallery.stored_collections import StoredCollection, Unit, require_free_ids
from likeness.gallery.subjects import Subjects
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.index import checked_vectors
from likeness.storage import OneOf, legible, legible_page, legible_rows
from likeness.terms import CohortStatistics, Face, Template, checked_name, checked_text, spellings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class NewReference:
    """A face to enrol.

    `subject` is the subject's name, made where the collection has none of it; None enrols somebody
    unnamed. `sample_sha256` is of the sample's bytes. `expires_at` erases it then, whatever the
    collection's retention.
    """

    template: Template
    face: Face
    sample_sha256: bytes
    sample_size: tuple[int, int]
    subject: str | None = None
    external_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ArrivingReference:
    """A reference as it was in another installation; `subject_id` is None for somebody unnamed."""

    id: UUID
    subject_id: UUID | None
    template: Template
    details: Details
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class SubjectVectors:
    """(n, d) unit vectors, with the (n,) numbers of their subjects and of their references."""

    subject_numbers: NDArray[np.int64]
    reference_numbers: NDArray[np.int64]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownReference:
    """What can be said of a reference whatever else of its row is damaged, to take or erase it."""

    number: int
    id: UUID
    subject_number: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """An enrolled face, without its template; `number` is what indexes know it by.

    Faces of one sample share `sample_id`, which is `Seal.sample_id` of it.
    """

    number: int
    id: UUID
    subject_number: int | None
    sample_id: UUID
    details: Details
    cohort: CohortStatistics
    created_at: datetime
    expires_at: datetime | None


_READ = select(
    *proofs.PROVEN,
    *(REFERENCES.c[name] for name in ("sample_id", "sealed_details", "created_at", "expires_at")),
    REFERENCES.c.face_digest,
).select_from(proofs.WITH_SUBJECTS)
_KNOWN = select(*(REFERENCES.c[name] for name in ("number", "id", "subject_number")))
_NUMBERED = OneOf(
    REFERENCES.c.number,
    lambda some: _READ.where(REFERENCES.c.collection_id == bindparam("collection_id"), some),
)


class References(Unit):
    """The references of a collection."""

    __slots__ = ()

    def enrol(self, new: Sequence[NewReference], now: datetime) -> list[Reference]:
        """Enrol up to a few thousand faces, all or none, with the subjects they name.

        Raises:
            NotFound: the collection was erased meanwhile.
            AlreadyExists: a face at the same place of the same sample is enrolled, under the same
                external id.
            ModelMismatch: a template is of another model or cohort than the collection's.
            InvalidRequest: a template is not of length one, or a name or external id cannot be
                kept.
        """
        # Read again: it may have been erased, or have switched to another model, since.
        current = stored_collections.required_by_id(self.connection, self.seal.collection_id)
        for one in new:
            _check(one.template, current)
            if len(one.sample_sha256) != 32:
                raise InvalidRequest(
                    f"A sample's SHA-256 of {len(one.sample_sha256)} bytes. Pass all 32 of them."
                )
        named = dict.fromkeys(one.subject for one in new if one.subject is not None)
        known = Subjects(self.connection, self.seal, self.collection).ensured(list(named), now)
        arriving = [
            ArrivingReference(
                uuid4(),
                None if one.subject is None else known[one.subject].id,
                one.template,
                Details(one.face, one.sample_size, one.sample_sha256, _external_id(one)),
                now,
                one.expires_at,
            )
            for one in new
        ]
        digests = [self._digest(one.details) for one in arriving]
        already = self._of_faces(digests)
        if already or len(set(digests)) < len(digests):
            which = f"reference {already[0].id}" if already else "another one of the same call"
            raise AlreadyExists(
                f"The same face of the same picture is enrolled as {which}. Leave it out."
            )
        return self._insert(arriving, {one.id: one.number for one in known.values()})

    def enrol_once(
        self, new: Sequence[NewReference], now: datetime
    ) -> tuple[list[Reference], dict[NewReference, Reference]]:
        """Enrol faces that the collection has not; give all that they are, and what came of new.

        A face that the same sample was enrolled with before, under the same external id, is the
        reference that it is. Of a face that comes twice, the first is taken. Raises as `enrol`.
        """
        first: dict[bytes, NewReference] = {}
        for one in new:
            place = one.sample_sha256, one.face.box, _external_id(one)
            first.setdefault(self.seal.face_digest(*place), one)
        rows = self._rows(REFERENCES.c.face_digest.in_(first))
        known = dict(self._read_each(rows, lambda row: (row.face_digest, self._proven(row))))
        fresh = [one for digest, one in first.items() if digest not in known]
        inserted = dict(zip(fresh, self.enrol(fresh, now), strict=True))
        return [known.get(digest) or inserted[one] for digest, one in first.items()], inserted

    def arrive(self, arriving: Sequence[ArrivingReference]) -> None:
        """Put in up to a few thousand references of an export, whose subjects are there already.

        They keep their ids and dates. What is keyed, digests and the ids of samples, is made anew
        with the collection's own key.

        Raises:
            InvalidRequest: a template is not of length one, an external id cannot be kept, a
                subject is not there, or a face comes twice.
            ModelMismatch: a template is of another model or cohort than the collection's.
            Conflict: an id is taken.
        """
        for one in arriving:
            _check(one.template, self.collection)
            if one.details.external_id is not None:
                checked_text(one.details.external_id, "An external id")
        require_free_ids(self.connection, REFERENCES, [one.id for one in arriving])
        ids = {one.subject_id for one in arriving if one.subject_id is not None}
        subjects = Subjects(self.connection, self.seal, self.collection).by_ids(list(ids))
        numbers = {one.id: one.number for one in subjects}
        if missing := ids - numbers.keys():
            raise InvalidRequest(
                f"A reference of subject {min(missing)}, who is not in the export. Export it anew."
            )
        digests = [self._digest(one.details) for one in arriving]
        if len(set(digests)) < len(digests) or self._of_faces(digests):
            raise InvalidRequest("One face of one picture is in the export twice. Export it anew.")
        self._insert(arriving, numbers)

    def known(self, ids: Sequence[UUID]) -> list[KnownReference]:
        """Find references by id, in the order they came; those that do not exist are left out.

        They need no proof, so that what was changed from outside can be named, taken and erased.
        """
        chosen = _KNOWN.where(self._ours, REFERENCES.c.id.in_(ids)).order_by(REFERENCES.c.number)
        rows = legible_rows(self.connection, REFERENCES.c.number, chosen)
        return [KnownReference(row.number, row.id, row.subject_number) for row in rows]

    def by_ids(self, ids: Sequence[UUID]) -> list[KnownReference]:
        """Find references by id, in the order they came; they need no proof, as in `known`.

        Raises:
            NotFound: the collection has one of them not.
        """
        found = self.known(ids)
        if missing := set(ids) - {one.id for one in found}:
            raise NotFound(
                f"No such reference {min(missing)}. Reports of `likeness enrol` and `likeness"
                " identify --json` have their ids."
            )
        return found

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Reference]:
        """Find references by number; those that do not exist, or are damaged, are left out."""
        rows = _NUMBERED.all(self.connection, list(numbers), collection_id=self.seal.collection_id)
        return {one.number: one for one in self._read_each(rows, self._proven)}

    def of_subject(self, subject_id: UUID) -> list[Reference]:
        """List a subject's references in the order they came; damaged ones are left out."""
        return self._read(self._of_subject(subject_id))

    def known_of_subject(self, subject_id: UUID) -> list[KnownReference]:
        """List a subject's references in the order they came, as in `known`: damaged ones, too."""
        chosen = _KNOWN.where(self._ours, self._of_subject(subject_id))
        rows = legible_rows(
            self.connection, REFERENCES.c.number, chosen.order_by(REFERENCES.c.number)
        )
        return [KnownReference(row.number, row.id, row.subject_number) for row in rows]

    def of_external_id(self, external_id: str) -> list[Reference]:
        """List the references of an id that a client chose, however it is spelt, as they came.

        They need no proof, as in `by_ids`. Rows of an older Likeness are opened one by one.

        Raises:
            InvalidRequest: nobody can have that id.
        """
        spelt = spellings(checked_name(external_id, "An external id"))
        digests = [self.seal.external_digest(one) for one in spelt]
        found = self._read(REFERENCES.c.external_digest.in_(digests), proven=False)
        older = self._rows(REFERENCES.c.external_digest.is_(None))
        read = self._read_each(older, self._reference)
        found += [one for one in read if one.details.external_id in spelt]
        return sorted(found, key=lambda one: one.number)

    def of_samples(self, samples_sha256: Iterable[bytes]) -> list[Reference]:
        """List the references that samples are enrolled as, by their digests, as they came.

        Damaged ones are left out.
        """
        ids = [self.seal.sample_id(one) for one in samples_sha256]
        return self._read(REFERENCES.c.sample_id.in_(ids))

    def page(
        self,
        *,
        after: int = 0,
        limit: int = 1000,
        subject_number: int | None = None,
        ids: Sequence[UUID] | None = None,
    ) -> list[Reference]:
        """List at most `limit` references whose number is above `after`, in the order they came.

        Of one subject, where that is given; of some ids, passing over those that the collection has
        not. Those that are asked for by id need no proof. Damaged ones are left out, and others
        take their places.
        """
        chosen = list[ColumnElement[bool]]()
        if subject_number is not None:
            chosen.append(REFERENCES.c.subject_number == subject_number)
        if ids is not None:
            chosen.append(REFERENCES.c.id.in_(ids))
        read = self._proven if ids is None else self._reference

        theirs = _READ.where(self._ours, *chosen)
        return legible_page(self.connection, REFERENCES.c.number, theirs, read, after, limit)

    def templates(self, numbers: Sequence[int]) -> dict[int, Template]:
        """Open the templates of references, by number.

        Those that do not exist, or are damaged or were changed from outside, are left out.
        """
        chosen = _READ.add_columns(REFERENCES.c.sealed_vector).where(
            self._ours, REFERENCES.c.number.in_(numbers)
        )
        rows = legible_rows(self.connection, REFERENCES.c.number, chosen)
        return dict(self._read_each(rows, lambda row: (row.number, self._template(row))))

    def vectors_of_subjects(self, subject_numbers: Sequence[int]) -> "SubjectVectors":
        """Open every vector of some subjects, by number, each subject's together.

        They need no proof: whoever names somebody by them reads the references anew. Damaged ones
        are left out.
        """
        column = REFERENCES.c.subject_number
        chosen = select(REFERENCES.c.number, REFERENCES.c.id, column, REFERENCES.c.sealed_vector)
        theirs = chosen.where(self._ours, column.in_(subject_numbers))
        found = legible_rows(self.connection, REFERENCES.c.number, theirs)
        rows = sorted(found, key=lambda row: (row.subject_number, row.number))
        opened = self._read_each(
            rows, lambda row: (row, self.seal.opened_vector(row.id, row.sealed_vector))
        )
        return SubjectVectors(
            np.array([row.subject_number for row, _ in opened], np.int64),
            np.array([row.number for row, _ in opened], np.int64),
            np.stack([vector for _, vector in opened])
            if opened
            else np.empty((0, self.collection.dimensions), np.float32),
        )

    def evened_out_otherwise(self, limit: int, after: int = 0) -> list[int]:
        """List some references that another cohort evened out, by number, above `after`."""
        number = REFERENCES.c.number
        other = REFERENCES.c.cohort_version != self.collection.cohort_version
        chosen = select(number).where(self._ours, other, number > after).order_by(number)
        return list(self.connection.execute(chosen.limit(limit)).scalars())

    def even_out(self, statistics: Mapping[int, CohortStatistics]) -> None:
        """Give references, by number, other statistics."""
        proofs.even_out(self.connection, self.seal, statistics)

    @property
    def _ours(self) -> ColumnElement[bool]:
        return REFERENCES.c.collection_id == self.seal.collection_id

    def _insert(
        self, arriving: Sequence[ArrivingReference], subject_numbers: Mapping[UUID, int]
    ) -> list[Reference]:
        """Insert rows that were checked, with their proofs; subjects' numbers are by id."""
        rows: list[dict[str, Any]] = [
            {
                "id": one.id,
                "collection_id": self.seal.collection_id,
                "subject_number": one.subject_id and subject_numbers[one.subject_id],
                "sample_id": self.seal.sample_id(one.details.sample_sha256),
                "face_digest": self._digest(one.details),
                "external_digest": self.seal.external_digest(one.details.external_id),
                "sealed_vector": self.seal.vector(one.id, one.template.vector),
                "sealed_details": self.seal.details(one.id, one.details),
                "cohort_mean": one.template.cohort.mean,
                "cohort_version": one.template.cohort.version,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
            }
            for one in arriving
        ]
        if not rows:
            return []
        made = insert(REFERENCES).returning(REFERENCES.c.number, sort_by_parameter_order=True)
        numbers = self.connection.execute(made, rows).scalars().all()
        ids = {number: subject_id for subject_id, number in subject_numbers.items()}
        proofs.write(self.connection, self.seal, numbers, rows, ids)
        stored_collections.grow(self.connection, self.seal.collection_id, references=len(rows))
        return [
            Reference(
                number,
                one.id,
                row["subject_number"],
                row["sample_id"],
                one.details,
                one.template.cohort,
                one.created_at,
                one.expires_at,
            )
            for number, row, one in zip(numbers, rows, arriving, strict=True)
        ]

    def _digest(self, details: Details) -> bytes:
        place = details.sample_sha256, details.face.box, details.external_id
        return self.seal.face_digest(*place)

    def _of_faces(self, digests: Sequence[bytes]) -> Sequence[Row[Any]]:
        chosen = select(REFERENCES.c.id).where(self._ours, REFERENCES.c.face_digest.in_(digests))
        return self.connection.execute(chosen.limit(1)).all()

    def _read(
        self, chosen: ColumnElement[bool], limit: int | None = None, *, proven: bool = True
    ) -> list[Reference]:
        rows = self._rows(chosen, limit)
        return self._read_each(rows, self._proven if proven else self._reference)

    def _rows(self, chosen: ColumnElement[bool], limit: int | None = None) -> Sequence[Row[Any]]:
        rows = _READ.where(self._ours, chosen).order_by(REFERENCES.c.number).limit(limit)
        return legible_rows(self.connection, REFERENCES.c.number, rows)

    def _read_each(self, rows: Iterable[Row[Any]], read: Callable[[Row[Any]], T]) -> list[T]:
        return legible(self.connection, REFERENCES.c.number, rows, read)

    def _of_subject(self, subject_id: UUID) -> ColumnElement[bool]:
        number = select(SUBJECTS.c.number).where(SUBJECTS.c.id == subject_id).scalar_subquery()
        return REFERENCES.c.subject_number == number

    def _template(self, row: Row[Any]) -> Template:
        vector = self.seal.opened_vector(row.id, row.sealed_vector)
        return Template(vector, self.collection.model, proofs.require(self.seal, row))

    def _proven(self, row: Row[Any]) -> Reference:
        proofs.require(self.seal, row)
        return self._reference(row)

    def _reference(self, row: Row[Any]) -> Reference:
        return Reference(
            row.number,
            row.id,
            row.subject_number,
            row.sample_id,
            self.seal.opened_details(row.id, row.sealed_details),
            CohortStatistics(row.cohort_mean, row.cohort_version),
            row.created_at,
            row.expires_at,
        )


def require_model(template: Template, collection: StoredCollection) -> None:
    """Refuse a template that cannot be compared with a collection's.

    Raises:
        ModelMismatch: it is of another model or cohort.
    """
    came = (template.model, template.cohort.version)
    if came != (collection.model, collection.cohort_version):
        raise ModelMismatch(
            f"A template of {came[0]}, evened out by {came[1]}. Collection {collection.id} is of"
            f" {collection.model}, evened out by {collection.cohort_version}. Use that model."
        )


def _check(template: Template, collection: StoredCollection) -> None:
    require_model(template, collection)
    # Here, before it is a row: an index takes none of another length.
    checked_vectors(template.vector[None], collection.model, collection.dimensions)


def _external_id(new: NewReference) -> str | None:
    return None if new.external_id is None else checked_name(new.external_id, "An external id")
