"""The gallery in use: rows that are the truth, and indexes that follow them.

What holds, whatever fails in between:

1. One process has a home's gallery open.
2. What an act acknowledges is committed, and the next search finds it, or fails.
3. What is not committed, or is erased, is in no answer: candidates are read from the rows.
4. An erasure that has begun is finished, at the latest when the gallery is opened again; so is the
   clearing away of what a change of model replaced.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from likeness.errors import LikenessError
from likeness.gallery import (
    assignment,
    collections,
    erasure,
    proofs,
    references,
    search,
    staging,
    subjects,
)
from likeness.gallery.certificate import ErasureCertificate
from likeness.gallery.cohorts import Cohorts, KeptCohort, ReadCohort
from likeness.gallery.collections import Collection, Size
from likeness.gallery.erasing import Erasing, KeptElsewhere
from likeness.gallery.erasure import Erasure
from likeness.gallery.home_lock import HomeLock
from likeness.gallery.open_collection import MakeIndex, OpenCollection
from likeness.gallery.open_collections import OpenCollections
from likeness.gallery.own_strangers import Measured
from likeness.gallery.references import NewReference, Reference
from likeness.gallery.seal import Seal
from likeness.gallery.search import By, Candidate, Sought
from likeness.gallery.staging import Change
from likeness.index.vector_index import checked_limit
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Closing, Cohort, SeenFace, Template

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Gallery(Closing):
    """Enrols and searches; safe to use from many threads. `erasing` is how people leave it.

    A service that keeps rows of its own in the same transaction uses `open` and `evened_out`, the
    functions of `references` inside its act, and `follow` after.
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
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._cohorts = Cohorts(database, cohort_of, read_cohort)
        self._open = OpenCollections(database, keyring, make_index, snapshots)
        self.erasing = Erasing(database, self._open, kept_elsewhere, clock)
        self._lock = HomeLock(snapshots)
        try:
            self.erasing.finish_pending()
        except LikenessError as error:
            _logger.warning("erasures stay to be finished: %s", error)
        except BaseException:
            self._lock.release()
            raise

    # Collections

    def create(
        self,
        name: str,
        *,
        model: str,
        dimensions: int,
        cohort_version: str,
        retention_days: int | None = None,
    ) -> Collection:
        """Make an empty collection with a key of its own.

        Raises:
            InvalidRequest: the name cannot be kept, or the retention is no number of days.
            AlreadyExists: there is one of that name.
        """
        return self._database.write(
            lambda connection: collections.create(
                connection,
                self._keyring,
                name,
                model=model,
                dimensions=dimensions,
                cohort_version=cohort_version,
                retention_days=retention_days,
                now=self._clock(),
            )
        )

    def collections(self) -> list[Collection]:
        """List all collections by name."""
        return self._database.read(collections.every)

    def collection(self, name: str) -> Collection:
        """Find a collection.

        Raises:
            NotFound: there is none.
        """
        return self._database.read(lambda connection: collections.get(connection, name))

    def size(self, name: str) -> Size:
        """Count a collection's subjects and references.

        Raises:
            NotFound: there is none.
        """
        return self._database.read(
            lambda connection: collections.size(connection, collections.get(connection, name).id)
        )

    def open(self, name: str) -> tuple[Collection, OpenCollection]:
        """Find a collection and open its key; its indexes are opened by the first search.

        Raises:
            NotFound: there is none.
            Conflict: it switched to another model in this very moment.
            KeyUnusable: the installation's key is gone or another's.
        """
        return self._open.named(name)

    def open_with_tags(self, name: str) -> tuple[Collection, OpenCollection, dict[str, str]]:
        """Find and open a collection, and read its tags in the same moment; raises as `open`."""
        return self._open.tagged(name)

    # Enrolling and searching

    def enrol(self, name: str, new: Sequence[NewReference]) -> list[Reference]:
        """Enrol faces, all or none, in one commit; searches that start after this find them.

        Raises:
            NotFound: there is no such collection.
            AlreadyExists, InvalidRequest, ModelMismatch: see `references.insert_all`.
        """

        def enrol(collection: Collection, opened: OpenCollection) -> list[Reference]:
            evened = self.evened_out(collection, opened, new)
            enrolled = self._database.write(
                lambda connection: references.insert_all(
                    connection, collection, opened.seal, evened, self._clock()
                )
            )
            self.follow(opened, enrolled)
            return enrolled

        return self._while_it_stays(self.collection(name), enrol)

    def evened_out(
        self, collection: Collection, opened: OpenCollection, new: Sequence[NewReference]
    ) -> list[NewReference]:
        """Give faces as a collection's cohort sees them."""
        templates = self._cohorts.even_out(collection, opened.seal, [one.template for one in new])
        return [replace(one, template=t) for one, t in zip(new, templates, strict=True)]

    def as_evened_out(
        self, collection: Collection, templates: Sequence[Template]
    ) -> Sequence[Template]:
        """Give templates of a collection's model as its cohort sees them.

        Raises:
            NotFound: it is erased, or its cohort is none of those kept.
        """
        return self._cohorts.even_out(collection, self._open.open(collection).seal, templates)

    def own_scores(
        self, collection: Collection, probe: Template, candidates: Sequence[Candidate]
    ) -> list[float] | None:
        """Score candidates as one stranger of the collection scores with another.

        None where its strangers were not measured. A picture compared with itself stays that.

        Raises:
            NotFound: it is erased.
        """
        opened = self._open.open(collection)
        strangers = opened.strangers.of(collection)
        if strangers is None or not candidates:
            return None if strangers is None else []
        vectors, subject_numbers = self._database.read(
            partial(search.vectors_of, seal=opened.seal, candidates=candidates)
        )
        scores = strangers.joining.own_scores(
            self._cohorts.of(collection, opened.seal), probe.vector, vectors, subject_numbers
        )
        return [
            one.comparison.score if one.comparison.is_identical else score
            for one, score in zip(candidates, scores.tolist(), strict=True)
        ]

    def own_score_of(
        self,
        collection: Collection,
        one: Template,
        other: Template,
        subject_id: UUID | None = None,
    ) -> float | None:
        """Score two templates as one stranger of a collection with another.

        None where its strangers were not measured. The other is of a subject, or nobody's.

        Raises:
            NotFound: the collection is erased.
        """
        opened = self._open.open(collection)
        strangers = opened.strangers.of(collection)
        if strangers is None:
            return None
        ids = [] if subject_id is None else [subject_id]
        known = self._database.read(partial(subjects.by_ids, seal=opened.seal, ids=ids))
        whose = np.array([each.number for each in known] or [0], np.int64)
        cohort = self._cohorts.of(collection, opened.seal)
        scores = strangers.joining.own_scores(cohort, one.vector, other.vector[None], whose)
        return float(scores[0])

    def strangers(self, collection: Collection) -> Measured | None:
        """Find what was measured of a collection's own strangers; None for nothing.

        Raises:
            NotFound: it is erased.
        """
        found = self._open.open(collection).strangers.of(collection)
        return None if found is None else found.measured

    def population(self, collection: Collection) -> tuple[Size, Measured | None]:
        """Count a collection, and find what was measured of its own strangers, if it was.

        Raises:
            NotFound: it is erased.
        """
        strangers = self._open.open(collection).strangers

        def read(connection: Connection) -> tuple[Size, Measured | None]:
            found = strangers.read(connection, collection)
            size = collections.size(connection, collection.id)
            return size, None if found is None else found.measured

        return self._database.read(read)

    def follow(self, opened: OpenCollection, enrolled: Sequence[Reference]) -> None:
        """Let searches find what a committed act enrolled."""
        if enrolled:
            opened.follow(max(reference.number for reference in enrolled))
        self._open.snapshot_soon(opened)

    def search(
        self,
        name: str,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Find at most `limit` candidates, most alike first.

        A probe of the collection's model is evened out by the collection's cohort. What is enrolled
        of the face that was `seen` is that face.

        Raises:
            NotFound: there is no such collection.
            ModelMismatch: the probe is of another model or cohort than the collection.
            InvalidRequest: the limit is below 1.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: the index cannot be brought up to
                date with the rows.
        """
        return self.search_in(self.collection(name), probe, limit, by, seen=seen)

    def search_in(
        self,
        collection: Collection,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Search a collection that was found before, and no other that took its name; see `search`.

        Where `among` is given, only these references are compared with, each by itself, or with
        `By.SUBJECT` these subjects.

        Raises:
            NotFound: it is erased.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            (evened,) = self._cohorts.even_out(collection, opened.seal, [probe])
            references.require_model(evened, collection)
            return self._find(collection, opened, Sought(evened, seen), limit, by, among=among)

        return self._while_it_stays(collection, find)

    def search_reference(
        self,
        name: str,
        reference_id: UUID,
        limit: int,
        by: By = By.BEST,
        among: Sequence[UUID] | None = None,
    ) -> list[Candidate]:
        """Find whom an enrolled reference is like, itself left out; see `search_in`.

        Among fused subjects, the one whose reference it is may come first.

        Raises:
            NotFound: there is no such collection or reference.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            number, kept = self._database.read(
                lambda connection: references.template(
                    connection, collection, opened.seal, reference_id
                )
            )
            (probe,) = self._cohorts.even_out(collection, opened.seal, [kept])
            leaving_out = None if by is By.SUBJECT else number
            return self._find(collection, opened, Sought(probe), limit, by, leaving_out, among)

        return self._while_it_stays(self.collection(name), find)

    def search_subject(
        self, name: str, subject_id: UUID, limit: int, among: Sequence[UUID] | None = None
    ) -> list[Candidate]:
        """Find the fused subjects that an enrolled one is like, itself left out; see `search_in`.

        Nobody is like a subject without references.

        Raises:
            NotFound: there is no such collection or subject.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            def probe_of(connection: Connection) -> tuple[int, Template | None]:
                number = subjects.by_id(connection, opened.seal, subject_id).number
                proofs.require_references_of(connection, opened.seal, [number])
                fused = search.fused(connection, collection, opened.seal, [number], cohort)
                return number, fused.get(number)

            cohort = self._cohorts.of(collection, opened.seal)
            number, probe = self._database.read(probe_of)
            if probe is None:
                return []
            return self._find(collection, opened, Sought(probe), limit, By.SUBJECT, number, among)

        return self._while_it_stays(self.collection(name), find)

    # Whose references are

    def give_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Make references a subject's; see `assignment.give`, also for what it raises."""
        self._assign(name, assignment.give, subject_id, reference_ids)

    def take_references(self, name: str, subject_id: UUID, reference_ids: Sequence[UUID]) -> None:
        """Take references from a subject; see `assignment.take`, also for what it raises."""
        self._assign(name, assignment.take, subject_id, reference_ids)

    def follow_assignment(self, opened: OpenCollection, number: int) -> None:
        """Let searches find what a committed act gave or took, by the number that it got."""
        opened.follow_assignment(number)
        self._open.snapshot_soon(opened)

    # Changing what templates stand on

    def kept_cohort(self, collection: Collection) -> KeptCohort | None:
        """Find the cohort that came with a collection, and what scores mean by it, if one did.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: it is damaged, or another's.
        """
        return self._cohorts.kept(collection, self._open.open(collection).seal)

    def cohort(self, collection: Collection) -> Cohort:
        """Find what evens a collection's scores out.

        Raises:
            NotFound: it is erased, or its cohort is none of those kept.
            Conflict: it has switched to another model.
            KeyUnusable: it is damaged, or another's.
        """
        return self._cohorts.of(collection, self._open.open(collection).seal)

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
            self._open.prepare(change)
        return self.erasing.finish((write or self._database.write)(act))

    # Snapshots

    def snapshot(self, name: str) -> None:
        """Write what makes the collection's next start fast.

        Raises:
            NotFound: there is no such collection.
            SnapshotUnusable: it cannot be written.
        """
        self.open(name)[1].snapshot()

    def close(self) -> None:
        """Write snapshots where much would be read again, and let go of the home."""
        self._open.close()
        self._lock.release()

    def _while_it_stays(
        self, collection: Collection, act: Callable[[Collection, OpenCollection], T]
    ) -> T:
        """Do something with a collection, and again if it switched to another model meanwhile."""
        of_id = partial(collections.by_id, collection_id=collection.id)
        while True:
            try:
                return act(collection, self._open.open(collection))
            except LikenessError:
                present = self._database.read(of_id)
                if present is None:
                    raise collections.erased(collection.id) from None
                if collection.is_comparable_with(present):
                    raise
                collection = present

    def _find(
        self,
        collection: Collection,
        opened: OpenCollection,
        probe: Sought,
        limit: int,
        by: By,
        leaving_out: int | None = None,
        among: Sequence[UUID] | None = None,
    ) -> list[Candidate]:
        rows = self._database, collection
        cohort_of = partial(self._cohorts.of, collection, opened.seal)
        if among is not None:
            compare = search.compare_subjects if by is By.SUBJECT else search.compare_references
            return compare(*rows, opened.seal, probe, among, cohort_of)[:limit]
        if by is By.SUBJECT:
            return search.search_subjects(
                *rows, opened, probe, limit, cohort_of, leaving_out=leaving_out
            )
        return search.search_references(
            *rows,
            opened,
            probe,
            limit,
            cohort_of,
            best_of_each=by is By.BEST,
            leaving_out=leaving_out,
        )

    def _assign(
        self,
        name: str,
        act: Callable[[Connection, Seal, UUID, Sequence[UUID]], int],
        subject_id: UUID,
        reference_ids: Sequence[UUID],
    ) -> None:
        _, opened = self.open(name)
        number = self._database.write(
            lambda connection: act(connection, opened.seal, subject_id, reference_ids)
        )
        self.follow_assignment(opened, number)
