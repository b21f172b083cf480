"""What is in a collection, read and changed in one transaction.

A service opens the transaction, so that rows commit together with their entry in the ledger:

    record.write(lambda connection: collection.within(connection).references.enrol(new, now))
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, insert, select

from likeness.errors import Conflict, InvalidRequest
from likeness.gallery import cohorts, erasure, proofs, stored_collections
from likeness.gallery.cohorts import KeptCohort, ReadCohort
from likeness.gallery.erasure import note_reassigned
from likeness.gallery.erasure_rows import Erasure
from likeness.gallery.own_strangers import OwnStrangers
from likeness.gallery.references import References
from likeness.gallery.staging import Changes
from likeness.gallery.stored_collections import Size, Unit
from likeness.gallery.subject_changes import SubjectChanges
from likeness.gallery.subjects import Subjects
from likeness.gallery.tables import REFERENCES, TAGS
from likeness.gallery.unnamed import Unnamed
from likeness.terms import Calibration, checked_text

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256

# Made once: every use of a collection comes here.
_OF_ONE = select(TAGS.c.key_digest, TAGS.c.sealed_tag).where(
    TAGS.c.collection_id == bindparam("collection_id")
)


class Tags(Unit):
    """The tags of a collection."""

    __slots__ = ()

    def all(self) -> dict[str, str]:
        """Give the tags, by key.

        Raises:
            KeyUnusable: one is damaged, or another's.
        """
        rows = self.connection.execute(_OF_ONE, {"collection_id": self.seal.collection_id})
        return dict(sorted(self.seal.opened_tag(row.key_digest, row.sealed_tag) for row in rows))

    def put(self, tags: Mapping[str, str]) -> None:
        """Give the collection tags, all or none; a key that it has gets the new value.

        Raises:
            InvalidRequest: a key or a value cannot be kept, or there would be too many.
        """
        for value in tags.values():
            checked_text(value, "A tag's value", shortest=0, longest=LONGEST_VALUE)
        self.remove(tags)
        held = len(self.all())
        if held + len(tags) > MOST_TAGS:
            raise InvalidRequest(
                f"Too many tags: the collection would have {held + len(tags)} of at most"
                f" {MOST_TAGS}. Remove some first."
            )
        digests = {key: self.seal.tag_digest(key) for key in tags}
        rows = [
            {
                "collection_id": self.seal.collection_id,
                "key_digest": digests[key],
                "sealed_tag": self.seal.tag(digests[key], key, value),
            }
            for key, value in tags.items()
        ]
        if rows:
            self.connection.execute(insert(TAGS), rows)

    def remove(self, keys: Iterable[str]) -> None:
        """Take tags away by their keys; those that are not there are passed over.

        Raises:
            InvalidRequest: a key is none that can be kept.
        """
        digests = [
            self.seal.tag_digest(checked_text(key, "A tag's key", longest=LONGEST_KEY))
            for key in keys
        ]
        ours = TAGS.c.collection_id == self.seal.collection_id
        self.connection.execute(delete(TAGS).where(ours, TAGS.c.key_digest.in_(digests)))


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
    def subject_changes(self) -> SubjectChanges:
        """What makes its subjects others than they were."""
        return SubjectChanges(self.connection, self.seal, self.collection)

    @property
    def unnamed(self) -> Unnamed:
        """Its references that are nobody's."""
        return Unnamed(self.connection, self.seal, self.collection)

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
        return stored_collections.size(self.connection, self.collection.id)

    def set_retention(self, days: int | None) -> None:
        """Choose how long references are kept, None for good; the next sweep goes by it.

        Raises:
            InvalidRequest: it is no number of days.
        """
        stored_collections.check_retention(days)
        stored_collections.change(self.connection, self.seal.collection_id, retention_days=days)

    def adopt_cohort(self, version: str) -> None:
        """Let another cohort even the collection out; references follow when they are next read."""
        stored_collections.change(self.connection, self.seal.collection_id, cohort_version=version)

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
