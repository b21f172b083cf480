"""Erase: take somebody out of a collection, for good."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import NotFound
from likeness.gallery import (
    Collection,
    CollectionRows,
    Erasure,
    ErasureCertificate,
    Gallery,
    Reference,
)
from likeness.service.uses.record import Outcome, Record


def erase_subject(
    record: Record,
    gallery: Gallery,
    collection: Collection,
    name: str,
    require_consent: Callable[[int, int], None],
    now: datetime,
) -> ErasureCertificate:
    """Erase the subject of a name with all their references; raises what `Erasing.finish` does.

    Where an older Likeness kept the name in two spellings, both are erased: nobody can tell which
    of them somebody means who asks to be forgotten. Consent is asked for both, and certified.

    Args:
        record: of this use.
        gallery: what has the collection.
        collection: whom they are taken out of.
        name: the subject's, in any spelling.
        require_consent: is told how many subjects and references there are, and raises if not to go
            on.
        now: the time.

    Raises:
        NotFound: there is no such subject.
        InvalidRequest: nobody can have that name.
    """
    subject_ids, held = collection.read(lambda rows: _held(rows, name))
    require_consent(len(subject_ids), len(held))

    def erase(connection: Connection) -> tuple[Erasure, tuple[UUID, ...]]:
        rows = collection.within(connection)
        theirs = _of_subjects(rows, subject_ids)
        begun = rows.begin_erasure(now, subject_ids=subject_ids)
        return begun, tuple(one.id for one in theirs)

    def outcome(result: tuple[Erasure, tuple[UUID, ...]]) -> Outcome:
        begun, reference_ids = result
        return Outcome(
            reference_ids=reference_ids,
            subject_ids=subject_ids,
            certificate_id=begun.id,
            forgotten=(*subject_ids, *reference_ids),
        )

    return gallery.erasing.finish([record.write(erase, outcome)[0]])[0]


def erase_single_references(
    record: Record,
    gallery: Gallery,
    collection: Collection,
    reference_ids: Sequence[UUID],
    now: datetime,
) -> ErasureCertificate:
    """Erase references, somebody's or not; subjects stay; raises what `Erasing.finish` does.

    Raises:
        NotFound: one of them is not there, and none is erased.
    """
    ids = tuple(dict.fromkeys(reference_ids))

    def erase(connection: Connection) -> Erasure:
        rows = collection.within(connection)
        rows.references.by_ids(ids)
        return rows.begin_erasure(now, reference_ids=ids)

    def outcome(begun: Erasure) -> Outcome:
        return Outcome(reference_ids=ids, certificate_id=begun.id, forgotten=ids)

    return gallery.erasing.finish([record.write(erase, outcome)])[0]


def _held(rows: CollectionRows, name: str) -> tuple[tuple[UUID, ...], Sequence[Reference]]:
    """Give the ids of the subjects of a name, and their references."""
    found = tuple(one.id for one in rows.subjects.of_any_spelling(name))
    if not found:
        raise NotFound(
            f"a subject of the collection was expected and {name!r} is none: check the spelling;"
            " `likeness identify --collection` says how a face's subject is called"
        )
    return found, _of_subjects(rows, found)


def _of_subjects(rows: CollectionRows, ids: Sequence[UUID]) -> list[Reference]:
    return [held for one in ids for held in rows.references.of_subject(one)]
