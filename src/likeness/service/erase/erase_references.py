"""Erase references by their ids, but those that are somebody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection, Erasure, Gallery, Subject
from likeness.service.erase.carry_through import carry_through
from likeness.service.uses.record import Outcome, Record


@dataclass(frozen=True, slots=True)
class ErasedReferences:
    """Which were erased, which stay since they are somebody's, and which the collection has not."""

    erased: tuple[UUID, ...]
    kept: dict[UUID, Subject]
    missing: tuple[UUID, ...]


def erase_references(
    record: Record,
    gallery: Gallery,
    collection: Collection,
    reference_ids: Sequence[UUID],
    now: datetime,
) -> ErasedReferences:
    """Erase references, each id once; no search that starts after this finds them."""
    ids = list(dict.fromkeys(reference_ids))

    def erase(connection: Connection) -> tuple[ErasedReferences, Erasure | None]:
        rows = collection.within(connection)
        found = rows.references.page(ids=ids, limit=len(ids))
        by_id = {one.id: one for one in found}
        named = rows.subjects.of(found)
        kept = {
            one.id: named[one.subject_number] for one in found if one.subject_number is not None
        }
        erased = [one for one in ids if one in by_id and one not in kept]
        begun = rows.begin_erasure(now, reference_ids=erased) if erased else None
        missing = tuple(one for one in ids if one not in by_id)
        return ErasedReferences(tuple(erased), kept, missing), begun

    def outcome(result: tuple[ErasedReferences, Erasure | None]) -> Outcome:
        done, begun = result
        return Outcome(
            reference_ids=done.erased,
            certificate_id=begun.id if begun else None,
            forgotten=done.erased,
        )

    done, begun = record.write(erase, outcome)
    if begun is not None:
        carry_through(gallery, [begun])
    return done
