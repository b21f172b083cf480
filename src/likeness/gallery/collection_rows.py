"""What is in a collection, read and changed in one transaction.

A service opens the transaction, so that rows commit together with their entry in the ledger:

    record.write(lambda connection: collection.within(connection).references.enrol(new, now))
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from likeness.errors import Conflict
from likeness.gallery import cohorts, collections, erasure, proofs
from likeness.gallery.cohorts import KeptCohort, ReadCohort
from likeness.gallery.collections import Size
from likeness.gallery.erasure import Erasure, note_reassigned
from likeness.gallery.own_strangers import OwnStrangers
from likeness.gallery.references import References
from likeness.gallery.staging import Changes
from likeness.gallery.subjects import Subjects
from likeness.gallery.tables import REFERENCES
from likeness.gallery.tags import Tags
from likeness.gallery.unit import Unit
from likeness.terms import Calibration


class CollectionRows(Unit):
    """A collection in one transaction; `Collection.within` gives it."""

    __slots__ = ()

    @property
    def references(self) -> References:
        """Its references."""
        return References(self.connection, self.seal, self.collection)

    @property
    def subjects(self) -> Subjects:
        """Its subjects."""
        return Subjects(self.connection, self.seal, self.collection)

    @property
    def tags(self) -> Tags:
        """Its tags."""
        return Tags(self.connection, self.seal, self.collection)

    @property
    def own_strangers(self) -> OwnStrangers:
        """What it knows of the strangers in it."""
        return OwnStrangers(self.connection, self.seal, self.collection)

    @property
    def changes(self) -> Changes:
        """Its change to another model or cohort."""
        return Changes(self.connection, self.seal, self.collection)

    def size(self) -> Size:
        """Count subjects and references, none where the collection is erased."""
        return collections.size(self.connection, self.collection.id)

    def set_retention(self, days: int | None) -> None:
        """Choose how long references are kept, None for good; the next sweep goes by it.

        Raises:
            InvalidRequest: it is no number of days.
        """
        collections.check_retention(days)
        collections.change(self.connection, self.seal.collection_id, retention_days=days)

    def adopt_cohort(self, version: str) -> None:
        """Let another cohort even the collection out; references follow when they are next read."""
        collections.change(self.connection, self.seal.collection_id, cohort_version=version)

    def kept_cohort(self, read: ReadCohort) -> KeptCohort | None:
        """Find the cohort that came with the collection, if it goes by that.

        Raises:
            KeyUnusable: it is damaged, or another's, or what its scores mean was changed.
        """
        version = self.collection.cohort_version
        return cohorts.find(self.connection, self.seal, version, read)

    def keep_cohort(self, version: str, content: bytes, calibration: Calibration) -> None:
        """Keep the bytes of a cohort that came with the collection, sealed."""
        cohorts.keep(self.connection, self.seal, version, content, calibration)

    def give(self, subject_id: UUID, reference_ids: Sequence[UUID]) -> int:
        """Make references a subject's, all or none; those that are theirs already stay so.

        Gives the number that `OpenCollection.follow_assignment` takes after the commit: no new
        reference tells indexes of it.

        Raises:
            NotFound: the collection has no such subject, or one of the references not.
            Conflict: one is another subject's.
            KeyUnusable: one was changed from outside.
        """
        subject = self.subjects.by_id(subject_id)
        for one in self.references.by_ids(reference_ids):
            if one.subject_number not in (None, subject.number):
                raise Conflict(f"Reference {one.id} is another subject's. Take it from them first.")
        return self._assign(REFERENCES.c.id.in_(reference_ids), subject.number, subject.id)

    def take(self, subject_id: UUID, reference_ids: Sequence[UUID]) -> int:
        """Take references from a subject, all or none; they stay enrolled, unnamed.

        Gives the number that `OpenCollection.follow_assignment` takes after the commit: no new
        reference tells indexes of it.

        Raises:
            NotFound: the collection has no such subject, or one of the references not.
            Conflict: one is not the subject's.
        """
        subject = self.subjects.by_id(subject_id)
        for one in self.references.by_ids(reference_ids):
            if one.subject_number != subject.number:
                raise Conflict(f"Reference {one.id} is not subject {subject_id}'s. Leave it out.")
        return self._assign(REFERENCES.c.id.in_(reference_ids), subject.number)

    def dissolve(self, subject_id: UUID, now: datetime) -> Erasure:
        """Begin to erase a subject alone; all their references stay enrolled, unnamed.

        Raises:
            NotFound: the collection has no such subject.
        """
        subject = self.subjects.by_id(subject_id)
        proofs.assign(
            self.connection, self.seal, REFERENCES.c.subject_number == subject.number, None
        )
        return self.begin_erasure(now, subject_ids=[subject_id])

    def begin_erasure(
        self,
        now: datetime,
        *,
        subject_ids: Sequence[UUID] = (),
        reference_ids: Sequence[UUID] = (),
        with_emptied: bool = False,
    ) -> Erasure:
        """Delete subjects with all their references, and single references.

        `Gallery.erasing` finishes it after the commit. Ids that the collection does not have are
        passed over. `with_emptied` takes subjects along that have no reference left.
        """
        return erasure.begin(
            self.connection,
            self.collection,
            now,
            subject_ids=subject_ids,
            reference_ids=reference_ids,
            with_emptied=with_emptied,
        )

    def _assign(
        self, chosen: ColumnElement[bool], number: int, subject_id: UUID | None = None
    ) -> int:
        """Give references to the subject of a number and id; without an id, to nobody."""
        whose = None if subject_id is None else (number, subject_id)
        proofs.assign(self.connection, self.seal, chosen, whose)
        return note_reassigned(self.connection, self.seal.collection_id, [number])
