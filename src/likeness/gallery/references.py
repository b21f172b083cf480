"""What is enrolled? References, as functions over a connection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select

from likeness.errors import AlreadyExists, InvalidRequest, ModelMismatch, NotFound
from likeness.gallery import collections, proofs, subjects
from likeness.gallery.collections import StoredCollection
from likeness.gallery.seal import Details, Seal
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.index import checked_vectors
from likeness.storage import OneOf
from likeness.terms import CohortStatistics, Face, Template, checked_name


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
).select_from(proofs.WITH_SUBJECTS)
_NUMBERED = OneOf(
    REFERENCES.c.number,
    lambda some: _READ.where(REFERENCES.c.collection_id == bindparam("collection_id"), some),
)


def insert_all(
    connection: Connection,
    collection: StoredCollection,
    seal: Seal,
    new: Sequence[NewReference],
    now: datetime,
) -> list[Reference]:
    """Enrol up to a few thousand faces, all or none, with the subjects they name.

    Raises:
        NotFound: the collection was erased meanwhile.
        AlreadyExists: a face at the same place of the same sample is enrolled, under the same
            external id.
        ModelMismatch: a template is of another model or cohort than the collection's.
        InvalidRequest: a template is not of length one, or a name or external id cannot be kept.
    """
    # Read again: it may have been erased, or have switched to another model, since.
    current = collections.by_id(connection, collection.id)
    if current is None:
        raise collections.erased(collection.id)
    for one in new:
        _check(one, current)
    named = {one.subject: None for one in new if one.subject is not None}  # each once, in order
    known = subjects.ensured(connection, seal, list(named), now)
    details = [
        Details(one.face, one.sample_size, one.sample_sha256, _external_id(one)) for one in new
    ]
    rows = [
        row_of(
            seal,
            uuid4(),
            None if one.subject is None else known[one.subject][0],
            one.template,
            detail,
            now,
            one.expires_at,
        )
        for one, detail in zip(new, details, strict=True)
    ]
    _refuse_duplicates(connection, seal, [row["face_digest"] for row in rows])
    numbers = insert_rows(connection, seal, rows, dict(known.values()))
    return [
        Reference(
            number,
            row["id"],
            row["subject_number"],
            row["sample_id"],
            detail,
            one.template.cohort,
            now,
            one.expires_at,
        )
        for number, row, one, detail in zip(numbers, rows, new, details, strict=True)
    ]


def insert_once(
    connection: Connection,
    collection: StoredCollection,
    seal: Seal,
    new: Sequence[NewReference],
    now: datetime,
) -> tuple[list[Reference], dict[NewReference, Reference]]:
    """Enrol faces that the collection has not; give all that they are, and what came of new."""
    first: dict[bytes, NewReference] = {}
    for one in new:
        place = (one.sample_sha256, one.face.box, _external_id(one))
        first.setdefault(seal.face_digest(*place), one)
    rows = connection.execute(
        _READ.add_columns(REFERENCES.c.face_digest).where(
            REFERENCES.c.collection_id == seal.collection_id, REFERENCES.c.face_digest.in_(first)
        )
    ).all()
    for row in rows:
        proofs.require(seal, row)
    known = {row.face_digest: _reference(seal, row) for row in rows}
    fresh = [one for digest, one in first.items() if digest not in known]
    inserted = dict(zip(fresh, insert_all(connection, collection, seal, fresh, now), strict=True))
    return [known.get(digest) or inserted[one] for digest, one in first.items()], inserted


def row_of(
    seal: Seal,
    reference_id: UUID,
    subject_number: int | None,
    template: Template,
    details: Details,
    created_at: datetime,
    expires_at: datetime | None,
) -> dict[str, Any]:
    """Give the row that a reference is, but for its number."""
    return {
        "id": reference_id,
        "collection_id": seal.collection_id,
        "subject_number": subject_number,
        "sample_id": seal.sample_id(details.sample_sha256),
        "face_digest": seal.face_digest(
            details.sample_sha256, details.face.box, details.external_id
        ),
        "sealed_vector": seal.vector(reference_id, template.vector),
        "sealed_details": seal.details(reference_id, details),
        "cohort_mean": template.cohort.mean,
        "cohort_version": template.cohort.version,
        "created_at": created_at,
        "expires_at": expires_at,
    }


def insert_rows(
    connection: Connection,
    seal: Seal,
    rows: Sequence[dict[str, Any]],
    subject_ids: Mapping[int, UUID],
) -> Sequence[int]:
    """Insert rows that were checked, and give their numbers; `subject_ids` are by number."""
    if not rows:
        return []
    made = insert(REFERENCES).returning(REFERENCES.c.number, sort_by_parameter_order=True)
    numbers = connection.execute(made, rows).scalars().all()
    proofs.write(connection, seal, numbers, rows, subject_ids)
    collections.grow(connection, seal.collection_id, references=len(rows))
    return numbers


def by_ids(connection: Connection, seal: Seal, ids: Sequence[UUID]) -> list[Reference]:
    """Find references by id, in the order they came.

    They need no proof, so that what was changed from outside can be named, taken and erased.

    Raises:
        NotFound: the collection has one of them not.
    """
    found = _read(connection, seal, REFERENCES.c.id.in_(ids), proven=False)
    if missing := set(ids) - {reference.id for reference in found}:
        raise NotFound(
            f"a reference was expected and {min(missing)} is none: reports of `likeness enrol` and"
            " `likeness identify --json` have their ids"
        )
    return found


def by_numbers(connection: Connection, seal: Seal, numbers: Iterable[int]) -> dict[int, Reference]:
    """Find references by number; those that do not exist are left out.

    Raises:
        KeyUnusable: one was changed from outside.
    """
    rows = _NUMBERED.all(connection, list(numbers), collection_id=seal.collection_id)
    for row in rows:
        proofs.require(seal, row)
    return {row.number: _reference(seal, row) for row in rows}


def of_subject(connection: Connection, seal: Seal, subject_id: UUID) -> list[Reference]:
    """List a subject's references in the order they came."""
    number = select(SUBJECTS.c.number).where(SUBJECTS.c.id == subject_id).scalar_subquery()
    return _read(connection, seal, REFERENCES.c.subject_number == number)


def of_samples(connection: Connection, seal: Seal, sample_ids: Iterable[UUID]) -> list[Reference]:
    """List the references that samples are enrolled as, in the order they came."""
    return _read(connection, seal, REFERENCES.c.sample_id.in_(list(sample_ids)))


def page(
    connection: Connection,
    seal: Seal,
    *,
    after: int = 0,
    limit: int = 1000,
    subject_number: int | None = None,
    ids: Sequence[UUID] | None = None,
) -> list[Reference]:
    """List at most `limit` references whose number is above `after`, in the order they came.

    Of one subject, where that is given; of some ids, passing over those that the collection has
    not. Those that are asked for by id need no proof, as in `by_ids`.

    Raises:
        KeyUnusable: one was changed from outside.
    """
    chosen = REFERENCES.c.number > after
    if subject_number is not None:
        chosen &= REFERENCES.c.subject_number == subject_number
    if ids is not None:
        chosen &= REFERENCES.c.id.in_(ids)
    return _read(connection, seal, chosen, limit, proven=ids is None)


def templates(
    connection: Connection, collection: StoredCollection, seal: Seal, numbers: Sequence[int]
) -> dict[int, Template]:
    """Open the templates of references, by number; those that do not exist are left out.

    Raises:
        KeyUnusable: one is damaged, another's, or was changed from outside.
    """
    rows = connection.execute(
        _READ.add_columns(REFERENCES.c.sealed_vector).where(
            REFERENCES.c.collection_id == collection.id, REFERENCES.c.number.in_(numbers)
        )
    )
    return {
        row.number: Template(
            seal.opened_vector(row.id, row.sealed_vector),
            collection.model,
            proofs.require(seal, row),
        )
        for row in rows
    }


def evened_out_otherwise(
    connection: Connection, collection: StoredCollection, limit: int
) -> list[int]:
    """List the numbers of some references that another cohort than the collection's evened out."""
    ours = REFERENCES.c.collection_id == collection.id
    other = REFERENCES.c.cohort_version != collection.cohort_version
    chosen = select(REFERENCES.c.number).where(ours, other).limit(limit)
    return list(connection.execute(chosen).scalars())


def template(
    connection: Connection, collection: StoredCollection, seal: Seal, reference_id: UUID
) -> tuple[int, Template]:
    """Open the template of a reference, and give the reference's number.

    Raises:
        NotFound: the collection has no such reference.
        KeyUnusable: it is damaged, or another's.
    """
    (reference,) = by_ids(connection, seal, [reference_id])
    found = templates(connection, collection, seal, [reference.number])
    return reference.number, found[reference.number]


def _check(new: NewReference, collection: StoredCollection) -> None:
    require_model(new.template, collection)
    # Here, before it is a row: an index takes none of another length.
    checked_vectors(new.template.vector[None], collection.model, collection.dimensions)
    if len(new.sample_sha256) != 32:
        raise InvalidRequest(
            f"the SHA-256 of a sample is 32 bytes, {len(new.sample_sha256)} came: pass its digest"
        )


def _external_id(new: NewReference) -> str | None:
    return None if new.external_id is None else checked_name(new.external_id, "an external id")


def _refuse_duplicates(connection: Connection, seal: Seal, digests: Sequence[bytes]) -> None:
    known = connection.execute(
        select(REFERENCES.c.id).where(
            REFERENCES.c.collection_id == seal.collection_id,
            REFERENCES.c.face_digest.in_(digests),
        )
    ).scalar()
    if known is not None or len(set(digests)) < len(digests):
        raise AlreadyExists(
            "a new face was expected and"
            f" {f'reference {known}' if known else 'another of the same call'} is the same face of"
            " the same picture: leave it out"
        )


def require_model(template: Template, collection: StoredCollection) -> None:
    """Refuse a template that cannot be compared with a collection's.

    Raises:
        ModelMismatch: it is of another model or cohort.
    """
    came = (template.model, template.cohort.version)
    if came != (collection.model, collection.cohort_version):
        raise ModelMismatch(
            f"templates of {collection.model}, evened out by {collection.cohort_version}, are in"
            f" collection {collection.id}, and one of {came[0]}, {came[1]}, came: use the model"
            " that the collection was made with"
        )


def _read(
    connection: Connection,
    seal: Seal,
    chosen: ColumnElement[bool],
    limit: int | None = None,
    *,
    proven: bool = True,
) -> list[Reference]:
    rows = connection.execute(
        _READ.where(REFERENCES.c.collection_id == seal.collection_id, chosen)
        .order_by(REFERENCES.c.number)
        .limit(limit)
    ).all()
    if proven:
        for row in rows:
            proofs.require(seal, row)
    return [_reference(seal, row) for row in rows]


def _reference(seal: Seal, row: Row[Any]) -> Reference:
    return Reference(
        row.number,
        row.id,
        row.subject_number,
        row.sample_id,
        seal.opened_details(row.id, row.sealed_details),
        CohortStatistics(row.cohort_mean, row.cohort_version),
        row.created_at,
        row.expires_at,
    )
