"""Erase a collection, its key first."""

from datetime import datetime

from likeness.gallery import erasure
from likeness.gallery.collections import Collection
from likeness.gallery.gallery import Gallery
from likeness.service.carry_through import carry_through
from likeness.service.record import Outcome, Record


def erase_collection(
    record: Record, gallery: Gallery, collection: Collection, now: datetime
) -> None:
    """Erase a collection; no answer that starts after this holds anything of it.

    Raises:
        NotFound: it is erased already.
        Conflict, IndexUnavailable, SnapshotUnusable: what an earlier change of model replaced
            cannot be taken away, which nobody would know of any more; nothing was erased.
    """
    gallery.finish([])
    begun = record.write(
        lambda connection: erasure.begin_collection(connection, collection, now),
        lambda begun: Outcome(certificate_id=begun.id),
    )
    carry_through(gallery, [begun])
