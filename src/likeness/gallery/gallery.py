"""The gallery in use: rows that are the truth, and indexes that follow them.

What holds, whatever fails in between:

1. One process has a home's gallery open.
2. What an act acknowledges is committed, and the next search finds it, or fails.
3. What is not committed, or is erased, is in no answer: candidates are read from the rows.
4. An erasure that has begun is finished, at the latest when the gallery is opened again; so is the
   clearing away of what a change of model replaced.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import LikenessError
from likeness.gallery import collections, erasure, older_rows, own_strangers, staging, tags
from likeness.gallery.certificate import ErasureCertificate
from likeness.gallery.cohorts import Cohorts, KeptCohort, ReadCohort
from likeness.gallery.collection import Collection, OpenCollection
from likeness.gallery.collections import Size, StoredCollection
from likeness.gallery.erasing import Erasing, KeptElsewhere
from likeness.gallery.erasure import Erasure
from likeness.gallery.home_lock import HomeLock
from likeness.gallery.open_collection import CollectionIndexes, MakeIndex
from likeness.gallery.open_collections import IndexesInUse
from likeness.gallery.own_strangers import Measured
from likeness.gallery.references import NewReference, Reference
from likeness.gallery.seal import Seal
from likeness.gallery.search import By, Candidate
from likeness.gallery.staging import Change
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Closing, Cohort, SeenFace, Template

_logger = logging.getLogger(__name__)

_STORED = [field.name for field in fields(StoredCollection)]


class Collections:
    """The collections of a home, as their rows are; any number of processes may have them.

    `database` has the rows, `cohorts` what evens scores out.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        cohort_of: Callable[[str, str], Cohort],
        read_cohort: ReadCohort,
    ) -> None:
        """Know where collections are.

        Args:
            database: where the rows are, with this program's schema.
            keyring: what collections' keys are sealed with.
            cohort_of: gives the cohort of a model and version.
            read_cohort: makes a cohort of the bytes that were kept of it.
        """
        self.database = database
        self.cohorts = Cohorts(database, cohort_of, read_cohort)
        self._keyring = keyring

    def collections(self) -> list[Collection]:
        """List all collections by name; no key is opened."""
        return [self._found(one) for one in self.database.read(collections.every)]

    def collection(self, name: str) -> Collection:
        """Find a collection by its name, however that is spelt, with its tags.

        Raises:
            InvalidRequest: the name is none that can be kept.
            NotFound: there is none.
            KeyUnusable: the installation's key is gone or another's.
        """
        return self.database.read(partial(self.named, name=name))

    def named(self, connection: Connection, name: str) -> Collection:
        """Find a collection in a transaction; see `collection`."""
        found = collections.get(connection, name)
        seal = self.seal_of(connection, found)
        return self._found(found, _tags=tags.of(connection, seal))

    def of_id(self, connection: Connection, collection_id: UUID) -> Collection:
        """Find a collection by its id, in a transaction; no key is opened.

        Raises:
            NotFound: it is erased.
        """
        found = collections.by_id(connection, collection_id)
        if found is None:
            raise collections.erased(collection_id)
        return self._found(found)

    def create(
        self,
        connection: Connection,
        name: str,
        *,
        model: str,
        dimensions: int,
        cohort_version: str,
        now: datetime,
        retention_days: int | None = None,
    ) -> Collection:
        """Make an empty collection with a key of its own.

        Raises:
            InvalidRequest: the name cannot be kept, or the retention is no number of days.
            AlreadyExists: there is one of that name.
        """
        return self._found(
            collections.create(
                connection,
                self._keyring,
                name,
                model=model,
                dimensions=dimensions,
                cohort_version=cohort_version,
                retention_days=retention_days,
                now=now,
            )
        )

    def prove_older_rows(self) -> bool:
        """Prove what a Likeness before 0012 wrote; say whether there are keys to bind then."""
        return older_rows.prove_ahead(self.database, self._keyring)

    def bind_older_keys(self, connection: Connection) -> int:
        """Let the keys of collections open for proven rows alone; say how many those are."""
        return older_rows.bind(connection, self._keyring)

    def seal_of(self, connection: Connection, collection: StoredCollection) -> Seal:
        """Open what seals a collection, in a transaction.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: the installation's key is gone or another's.
        """
        return collections.seal_of(connection, self._keyring, collection)

    def seal(self, collection: StoredCollection) -> Seal:
        """Open what seals a collection; raises what `seal_of` does."""
        return self.database.read(partial(self.seal_of, collection=collection))

    def _found(self, stored: StoredCollection, **more: Any) -> Collection:
        return Collection(*(getattr(stored, name) for name in _STORED), _home=self, **more)


class Gallery(Collections, Closing):
    """The collections of a home that this process has open; safe to use from many threads.

    `in_use` has their indexes, `erasing` is how people leave them.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        make_index: MakeIndex,
        snapshots: Path,
        cohort_of: Callable[[str, str], Cohort],
        read_cohort: ReadCohort,
        *,
        kept_elsewhere: KeptElsewhere = KeptElsewhere(),  # noqa: B008  # frozen
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the gallery of a home, and finish erasures that a crash left unfinished.

        Args:
            database: where the rows are, with this program's schema.
            keyring: what collections' keys are sealed with.
            make_index: makes an empty index.
            snapshots: a folder for the indexes' snapshots, made where there is none.
            cohort_of: gives the cohort of a model and version.
            read_cohort: makes a cohort of the bytes that were kept of it.
            kept_elsewhere: what others keep of people.
            clock: says what time it is.

        Raises:
            Conflict: another process has it open.
            DatabaseUnavailable: folder or database cannot be read or written.
        """
        super().__init__(database, keyring, cohort_of, read_cohort)
        self._clock = clock
        self.in_use = IndexesInUse(database, keyring, make_index, snapshots)
        self.erasing = Erasing(database, self.in_use, kept_elsewhere, clock)
        self._lock = HomeLock(snapshots)
        try:
            self.erasing.finish_pending()
        except LikenessError as error:
            _logger.warning("erasures stay to be finished: %s", error)
        except BaseException:
            self._lock.release()
            raise

    def collection(self, name: str) -> OpenCollection:
        """Find a collection by its name, however that is spelt, with its tags.

        Raises:
            InvalidRequest: the name is none that can be kept.
            NotFound: there is none.
            Conflict: it switched to another model in this very moment.
            KeyUnusable: the installation's key is gone or another's.
        """
        return self.database.read(partial(self.named, name=name))

    def named(self, connection: Connection, name: str) -> OpenCollection:
        """Find a collection in a transaction; see `collection`."""
        found = collections.get(connection, name)
        tagged = tags.of(connection, self.in_use.open_within(connection, found).seal)
        strangers = own_strangers.state_of(connection, found.id)
        return self._found(found, _tags=tagged, _strangers=strangers)

    def by_id(self, collection_id: UUID) -> OpenCollection:
        """Find a collection by its id.

        Raises:
            NotFound: it is erased.
        """
        found = self.database.read(partial(collections.by_id, collection_id=collection_id))
        if found is None:
            raise collections.erased(collection_id)
        return self._found(found)

    def seal_of(self, connection: Connection, collection: StoredCollection) -> Seal:
        """Give what seals a collection, which is opened once; see `Collections.seal_of`."""
        found = self.in_use.known(collection)
        return super().seal_of(connection, collection) if found is None else found.seal

    def seal(self, collection: StoredCollection) -> Seal:
        """Give the same outside of a transaction."""
        return self.in_use.open(collection).seal

    def _found(self, stored: StoredCollection, **more: Any) -> OpenCollection:
        return OpenCollection(*(getattr(stored, name) for name in _STORED), _home=self, **more)

    def switch(
        self,
        change: Change,
        leaving_out: Sequence[UUID] = (),
        write: Callable[[Callable[[Connection], list[Erasure]]], list[Erasure]] | None = None,
    ) -> list[ErasureCertificate]:
        """Let a change take place whose references are all staged, and erase those left out.

        The indexes of a new model are made before. Searches that start after this are of it.
        `write` runs the act in a transaction, together with whatever else belongs there.

        Raises:
            NotFound: the collection was erased meanwhile.
            Conflict: a reference is not staged, or see `Erasing.finish`; then it took place.
        """

        def act(connection: Connection) -> list[Erasure]:
            collection = collections.by_id(connection, change.collection_id)
            if collection is None:
                raise collections.erased(change.collection_id)
            now = self._clock()
            begun = (
                [erasure.begin(connection, collection, now, reference_ids=leaving_out)]
                if leaving_out
                else []
            )
            staging.switch(connection, change, now)
            return begun

        if change.replaces_vectors:
            self.in_use.prepare(change)
        return self.erasing.finish((write or self.database.write)(act))

    def close(self) -> None:
        """Write snapshots where much would be read again, and let go of the home."""
        self.in_use.close()
        self._lock.release()

    # What callers that are not moved yet use.

    def open(self, name: str) -> tuple[OpenCollection, CollectionIndexes]:
        """Find a collection and what it is used with."""
        found = self.collection(name)
        return found, self.in_use.open(found)

    def open_with_tags(
        self, name: str
    ) -> tuple[OpenCollection, CollectionIndexes, Mapping[str, str]]:
        """Find the same, and its tags."""
        found, opened = self.open(name)
        return found, opened, found.tags

    def size(self, name: str) -> Size:
        """Count a collection."""
        return self.collection(name).size

    def enrol(self, name: str, new: Sequence[NewReference]) -> list[Reference]:
        """Enrol faces, all or none, in one commit; searches that start after this find them."""

        def enrol(collection: OpenCollection) -> list[Reference]:
            evened = collection.evened_out(new)
            enrolled = self.database.write(
                lambda connection: collection.within(connection).references.enrol(
                    evened, self._clock()
                )
            )
            collection.follow(enrolled)
            return enrolled

        return self.collection(name)._while_it_stays(enrol)

    def evened_out(
        self, collection: Collection, opened: object, new: Sequence[NewReference]
    ) -> list[NewReference]:
        """Give faces as a collection's cohort sees them."""
        return self._its(collection).evened_out(new)

    def as_evened_out(
        self, collection: Collection, templates: Sequence[Template]
    ) -> Sequence[Template]:
        """Give templates as a collection's cohort sees them."""
        return collection.as_evened_out(templates)

    def own_scores(
        self, collection: Collection, probe: Template, candidates: Sequence[Candidate]
    ) -> list[float] | None:
        """Score candidates as one stranger with another."""
        return self._its(collection).own_scores(probe, candidates)

    def own_score_of(
        self,
        collection: Collection,
        one: Template,
        other: Template,
        subject_id: UUID | None = None,
    ) -> float | None:
        """Score two templates as one stranger with another."""
        return self._its(collection).own_score_of(one, other, subject_id)

    def strangers(self, collection: Collection) -> Measured | None:
        """Find what was measured of a collection's strangers."""
        return self._its(collection).measured()

    def population(self, collection: Collection) -> tuple[Size, Measured | None]:
        """Count a collection, and find what was measured of its strangers."""
        present = self.by_id(collection.id)
        return present.size, present.measured()

    def follow(self, opened: CollectionIndexes, enrolled: Sequence[Reference]) -> None:
        """Let searches find what a committed act enrolled."""
        if enrolled:
            opened.follow(max(reference.number for reference in enrolled))
        self.in_use.snapshot_soon(opened)

    def follow_assignment(self, opened: CollectionIndexes, number: int) -> None:
        """Let searches find what a committed act gave or took."""
        opened.follow_assignment(number)
        self.in_use.snapshot_soon(opened)

    def search(
        self,
        name: str,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search(probe, limit, by, seen=seen)

    def search_in(
        self,
        collection: Collection,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self._its(collection).search(probe, limit, by, among=among, seen=seen)

    def search_reference(
        self,
        name: str,
        reference_id: UUID,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search_reference(reference_id, limit, by, among=among)

    def search_subject(
        self, name: str, subject_id: UUID, limit: int, among: Sequence[UUID] | None = None
    ) -> list[Candidate]:
        """Search a collection."""
        return self.collection(name).search_subject(subject_id, limit, among=among)

    def give_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Make references a subject's."""
        found = self.collection(name)
        found.follow_assignment(
            self.database.write(lambda one: found.within(one).give(subject_id, reference_ids))
        )

    def take_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Take references from a subject."""
        found = self.collection(name)
        found.follow_assignment(
            self.database.write(lambda one: found.within(one).take(subject_id, reference_ids))
        )

    def kept_cohort(self, collection: Collection) -> KeptCohort | None:
        """Find the cohort that came with a collection."""
        return collection.kept_cohort()

    def cohort(self, collection: Collection) -> Cohort:
        """Find what evens a collection's scores out."""
        return collection.cohort()

    def snapshot(self, name: str) -> None:
        """Write what makes the collection's next start fast."""
        self.open(name)[1].snapshot()

    def _its(self, collection: Collection) -> OpenCollection:
        if not isinstance(collection, OpenCollection):
            raise TypeError("a collection that this gallery opened is expected")
        return collection
