"""What is in a collection, read and changed in one transaction.

A service opens the transaction, so that rows commit together with their entry in the ledger:

    record.write(lambda connection: collection.within(connection).references.enrol(new, now))
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from likeness.gallery import (
    arrivals,
    assignment,
    cohorts,
    collections,
    erasure,
    own_strangers,
    proofs,
    references,
    retention,
    staging,
    subjects,
    tags,
)
from likeness.gallery.arrivals import ArrivingReference, ArrivingSubject
from likeness.gallery.cohorts import KeptCohort, ReadCohort
from likeness.gallery.collections import Size
from likeness.gallery.erasure import Erasure
from likeness.gallery.own_strangers import Measured
from likeness.gallery.references import NewReference, Reference
from likeness.gallery.staging import Change, FoundAgain
from likeness.gallery.subjects import Subject
from likeness.gallery.unit import Unit
from likeness.terms import Box, Calibration, CohortStatistics, Joining, Template


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
        return references.insert_all(self.connection, self.collection, self.seal, new, now)

    def enrol_once(
        self, new: Sequence[NewReference], now: datetime
    ) -> tuple[list[Reference], dict[NewReference, Reference]]:
        """Enrol faces that the collection has not; give all that they are, and what came of new.

        A face that the same sample was enrolled with before, under the same external id, is the
        reference that it is. Of a face that comes twice, the first is taken. Raises as `enrol`.
        """
        return references.insert_once(self.connection, self.collection, self.seal, new, now)

    def arrive(self, arriving: Sequence[ArrivingReference]) -> None:
        """Put in references of an import; see `arrivals.insert_references`."""
        arrivals.insert_references(self.connection, self.collection, self.seal, arriving)

    def by_ids(self, ids: Sequence[UUID]) -> list[Reference]:
        """Find references by id, in the order they came.

        They need no proof, so that what was changed from outside can be named, taken and erased.

        Raises:
            NotFound: the collection has one of them not.
        """
        return references.by_ids(self.connection, self.seal, ids)

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Reference]:
        """Find references by number; those that do not exist are left out.

        Raises:
            KeyUnusable: one was changed from outside.
        """
        return references.by_numbers(self.connection, self.seal, numbers)

    def of_subject(self, subject_id: UUID) -> list[Reference]:
        """List a subject's references in the order they came."""
        return references.of_subject(self.connection, self.seal, subject_id)

    def of_samples(self, samples_sha256: Iterable[bytes]) -> list[Reference]:
        """List the references that samples are enrolled as, by their digests, as they came."""
        ids = [self.seal.sample_id(one) for one in samples_sha256]
        return references.of_samples(self.connection, self.seal, ids)

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
        not. Those that are asked for by id need no proof, as in `by_ids`.

        Raises:
            KeyUnusable: one was changed from outside.
        """
        return references.page(
            self.connection,
            self.seal,
            after=after,
            limit=limit,
            subject_number=subject_number,
            ids=ids,
        )

    def templates(self, numbers: Sequence[int]) -> dict[int, Template]:
        """Open the templates of references, by number; those that do not exist are left out.

        Raises:
            KeyUnusable: one is damaged, another's, or was changed from outside.
        """
        return references.templates(self.connection, self.collection, self.seal, numbers)

    def evened_out_otherwise(self, limit: int) -> list[int]:
        """List the numbers of some references that another cohort evened out."""
        return references.evened_out_otherwise(self.connection, self.collection, limit)

    def even_out(self, statistics: Mapping[int, CohortStatistics]) -> None:
        """Give references, by number, other statistics."""
        proofs.even_out(self.connection, self.seal, statistics)

    def due(self, now: datetime) -> list[UUID]:
        """List references that have been kept long enough, not more than one erasure takes."""
        return retention.due(self.connection, self.collection, now)


class Subjects(Unit):
    """The subjects of a collection."""

    __slots__ = ()

    def create(self, name: str, now: datetime) -> Subject:
        """Make a subject without references.

        Raises:
            InvalidRequest: the name cannot be kept.
            AlreadyExists: the collection has one of that name, however it is spelt.
            NotFound: the collection was erased meanwhile.
        """
        if collections.by_id(self.connection, self.collection.id) is None:
            raise collections.erased(self.collection.id)
        return subjects.create(self.connection, self.seal, name, now)

    def arrive(self, arriving: Sequence[ArrivingSubject]) -> None:
        """Put in subjects of an import; see `arrivals.insert_subjects`."""
        arrivals.insert_subjects(self.connection, self.seal, arriving)

    def find(self, name: str) -> Subject | None:
        """Find a subject by name, in the spelling that came before any other; None for none.

        Raises:
            InvalidRequest: the name is none that can be kept.
            KeyUnusable: a row was changed so that another subject has the name's digest.
        """
        return subjects.find(self.connection, self.seal, name)

    def get(self, name: str) -> Subject:
        """Find a subject by name.

        Raises:
            InvalidRequest: the name is none that can be kept.
            NotFound: there is none.
        """
        return subjects.get(self.connection, self.seal, name)

    def of_any_spelling(self, name: str) -> list[Subject]:
        """Find the subjects of a name, the one whose spelling came first; two where they differ.

        Raises:
            InvalidRequest: the name is none that can be kept.
            KeyUnusable: a row was changed so that another subject has the name's digest.
        """
        return subjects.of_any_spelling(self.connection, self.seal, name)

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Subject]:
        """Find subjects by number; those that do not exist are left out."""
        return subjects.by_numbers(self.connection, self.seal, numbers)

    def of(self, found: Iterable[Reference]) -> dict[int, Subject]:
        """Find the subjects of references, by number."""
        return self.by_numbers(
            {one.subject_number for one in found if one.subject_number is not None}
        )

    def page(self, *, after: int = 0, limit: int = 1000) -> list[Subject]:
        """List at most `limit` subjects whose number is above `after`, in the order they came."""
        return subjects.page(self.connection, self.seal, after=after, limit=limit)

    def sizes(self, numbers: Iterable[int]) -> dict[int, int]:
        """Count the references of subjects, by number; those that have none are left out."""
        return subjects.sizes(self.connection, self.seal, numbers)


class Tags(Unit):
    """The tags of a collection."""

    __slots__ = ()

    def all(self) -> dict[str, str]:
        """Give the tags, by key.

        Raises:
            KeyUnusable: one is damaged, or another's.
        """
        return tags.of(self.connection, self.seal)

    def put(self, tagged: Mapping[str, str]) -> None:
        """Give the collection tags, all or none; a key that it has gets the new value.

        Raises:
            InvalidRequest: a key or a value cannot be kept, or there would be too many.
        """
        tags.put(self.connection, self.seal, tagged)

    def remove(self, keys: Iterable[str]) -> None:
        """Take tags away by their keys; those that are not there are passed over.

        Raises:
            InvalidRequest: a key is none that can be kept.
        """
        tags.remove(self.connection, self.seal, keys)


class OwnStrangers(Unit):
    """What a collection knows of the strangers in it."""

    __slots__ = ()

    def find(self) -> Measured | None:
        """Find what was measured by the present model and cohort; None for nothing.

        Raises:
            KeyUnusable: it was changed.
        """
        return own_strangers.find(self.connection, self.seal, self.collection)

    def keep(self, measured: Measured, joining: Joining, now: datetime) -> bool:
        """Keep what was measured; not if model or cohort changed since, or who joined is erased."""
        present = collections.by_id(self.connection, self.collection.id)
        if not self.collection.is_comparable_with(present) or not own_strangers.are_those(
            self.connection, self.collection.id, joining
        ):
            return False
        own_strangers.keep(self.connection, self.seal, measured, now)
        return True

    def first_of_each_subject(self) -> NDArray[np.int64]:
        """List the number of the first reference of every subject, ascending."""
        return own_strangers.first_of_each_subject(self.connection, self.collection.id)

    def joining(self, numbers: NDArray[np.int64], one_person: float) -> Joining:
        """Read the vectors of references that join, and whose they are.

        Those that are erased are left out, and those that are not fit to enrol: poor pictures are
        alike whoever they show.

        Raises:
            KeyUnusable: one is damaged or changed, or another's.
        """
        return own_strangers.joining(self.connection, self.seal, numbers, one_person)


class Changes(Unit):
    """The change of a collection to another model or cohort; see `staging`."""

    __slots__ = ()

    def begin(self, now: datetime, *, model: str, dimensions: int, cohort_version: str) -> Change:
        """Begin a change, or go on with the same one.

        Raises:
            NotFound: the collection was erased meanwhile.
            InvalidRequest: there is nothing to change.
            Conflict: another change has begun.
        """
        return staging.begin(
            self.connection,
            self.collection,
            now,
            model=model,
            dimensions=dimensions,
            cohort_version=cohort_version,
        )

    def find(self) -> Change | None:
        """Find the change that has begun and is not finished."""
        return staging.of(self.connection, self.collection.id)

    def discard(self, change: Change, now: datetime) -> int:
        """Drop what is staged, and count it; the collection stays what it is.

        Raises:
            Conflict: the change was ended meanwhile.
        """
        staged = staging.staged(self.connection, change)
        staging.discard(self.connection, change, now)
        return staged

    def unstaged(self, change: Change, *, after: int = 0, limit: int | None = None) -> list[int]:
        """List the numbers of references, above `after`, that are not staged."""
        return staging.unstaged(self.connection, change, after=after, limit=limit)

    def waiting(self, change: Change, numbers: Sequence[int]) -> set[int]:
        """Give those of some references that are there and not staged."""
        return staging.waiting(self.connection, change, numbers)

    def stage(self, change: Change, found: Sequence[FoundAgain]) -> None:
        """Stage what references are to be in another model.

        Raises:
            Conflict: the change was ended meanwhile.
            ModelMismatch: a template is of another model or cohort.
            InvalidRequest: a vector is not of length one.
        """
        staging.stage_templates(self.connection, change, self.seal, found)


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
        collections.set_retention(self.connection, self.collection.id, days)

    def adopt_cohort(self, version: str) -> None:
        """Let another cohort even the collection out; references follow when they are next read."""
        collections.adopt_cohort(self.connection, self.collection.id, version)

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

    def face_digest(self, sample_sha256: bytes, box: Box, external_id: str | None) -> bytes:
        """Give 32 bytes by which a face is found that is enrolled again from the same sample.

        Under another external id it is another reference.
        """
        return self.seal.face_digest(sample_sha256, box, external_id)

    def give(self, subject_id: UUID, reference_ids: Sequence[UUID]) -> int:
        """Make references a subject's, all or none; those that are theirs already stay so.

        Gives the number that `OpenCollection.follow_assignment` takes after the commit.

        Raises:
            NotFound: the collection has no such subject, or one of the references not.
            Conflict: one is another subject's.
            KeyUnusable: one was changed from outside.
        """
        return assignment.give(self.connection, self.seal, subject_id, reference_ids)

    def take(self, subject_id: UUID, reference_ids: Sequence[UUID]) -> int:
        """Take references from a subject, all or none; they stay enrolled, unnamed.

        Gives the number that `OpenCollection.follow_assignment` takes after the commit.

        Raises:
            NotFound: the collection has no such subject, or one of the references not.
            Conflict: one is not the subject's.
        """
        return assignment.take(self.connection, self.seal, subject_id, reference_ids)

    def dissolve(self, subject_id: UUID, now: datetime) -> Erasure:
        """Begin to erase a subject alone; all their references stay enrolled, unnamed.

        Raises:
            NotFound: the collection has no such subject.
        """
        return assignment.dissolve(self.connection, self.collection, self.seal, subject_id, now)

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
