"""The gallery in use: rows that are the truth, and indexes that follow them.

What holds, whatever fails in between:

1. One process has a home's gallery open.
2. What an act acknowledges is committed, and the next search finds it, or fails.
3. What is not committed, or is erased, is in no answer: candidates are read from the rows.
4. An erasure that has begun is finished, at the latest when the gallery is opened again; so is the
   clearing away of what a change of model replaced.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import LikenessError
from likeness.gallery import (
    assignment,
    collections,
    erasure,
    references,
    retention,
    search,
    staging,
    subjects,
)
from likeness.gallery.certificate import ErasureCertificate, Verification
from likeness.gallery.cohorts import Cohort, Cohorts, OwnCohort, ReadCohort
from likeness.gallery.collections import Collection, Size
from likeness.gallery.erasure import Erasure
from likeness.gallery.home_lock import HomeLock
from likeness.gallery.open_collection import MakeIndex, OpenCollection, folder_of
from likeness.gallery.open_collections import OpenCollections
from likeness.gallery.references import NewReference, Reference
from likeness.gallery.retention import SweepReport
from likeness.gallery.seal import Seal
from likeness.gallery.search import By, Candidate
from likeness.gallery.staging import Change
from likeness.gallery.vector_index import checked_limit
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms.template import Template

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Gallery:
    """Enrols, searches and erases; safe to use from many threads.

    A service that keeps rows of its own in the same transaction uses `open` and `evened_out`, the
    functions of `references` and `erasure` inside its act, and `follow` or `finish` after.
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
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the gallery of a home, and finish erasures that a crash left unfinished.

        Args:
            database: where the rows are, with this program's schema.
            keyring: what collections' keys are sealed with.
            make_index: makes an empty index.
            snapshots: a folder for the indexes' snapshots, made where there is none.
            cohort_of: gives the cohort of a model and version, to even out fused templates.
            read_cohort: makes a cohort of what is kept of a collection's own.
            clock: says what time it is.

        Raises:
            Conflict: another process has it open.
            DatabaseUnavailable: folder or database cannot be read or written.
        """
        self._database = database
        self._keyring = keyring
        self._snapshots = snapshots
        self._clock = clock
        self._cohorts = Cohorts(database, cohort_of, read_cohort)
        self._open = OpenCollections(database, keyring, make_index, snapshots)
        self._erasing = threading.Lock()
        self._lock = HomeLock(snapshots)
        try:
            self.finish_erasures()
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
        collection = self.collection(name)
        return collection, self._open.open(collection)

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

        return self._while_it_stays(name, enrol)

    def evened_out(
        self, collection: Collection, opened: OpenCollection, new: Sequence[NewReference]
    ) -> list[NewReference]:
        """Give faces as a collection's own cohort sees them; as they are where it has none."""
        templates = self._cohorts.even_out(collection, opened.seal, [one.template for one in new])
        return [replace(one, template=t) for one, t in zip(new, templates, strict=True)]

    def follow(self, opened: OpenCollection, enrolled: Sequence[Reference]) -> None:
        """Let searches find what a committed act enrolled."""
        if enrolled:
            opened.follow(max(reference.number for reference in enrolled))
        self._open.snapshot_soon(opened)

    def search(self, name: str, probe: Template, limit: int, by: By = By.BEST) -> list[Candidate]:
        """Find at most `limit` candidates, most alike first.

        A probe of the collection's model is evened out by the collection's own cohort, if it has
        one.

        Raises:
            NotFound: there is no such collection.
            ModelMismatch: the probe is of another model or cohort than the collection.
            InvalidRequest: the limit is below 1.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: the index cannot be brought up to
                date with the rows.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            (evened,) = self._cohorts.even_out(collection, opened.seal, [probe])
            references.require_model(evened, collection)
            return self._find(collection, opened, evened, limit, by)

        return self._while_it_stays(name, find)

    def search_reference(
        self, name: str, reference_id: UUID, limit: int, by: By = By.BEST
    ) -> list[Candidate]:
        """Find whom an enrolled reference is like, itself left out; see `search`.

        Among fused subjects, the one whose reference it is may come first.

        Raises:
            NotFound: there is no such collection or reference.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            number, probe = self._database.read(
                lambda connection: references.template(
                    connection, collection, opened.seal, reference_id
                )
            )
            leaving_out = None if by is By.SUBJECT else number
            return self._find(collection, opened, probe, limit, by, leaving_out)

        return self._while_it_stays(name, find)

    def search_subject(self, name: str, subject_id: UUID, limit: int) -> list[Candidate]:
        """Find the fused subjects that an enrolled subject is like, itself left out; see `search`.

        Nobody is like a subject without references.

        Raises:
            NotFound: there is no such collection or subject.
        """
        limit = checked_limit(limit)

        def find(collection: Collection, opened: OpenCollection) -> list[Candidate]:
            def probe_of(connection: Connection) -> tuple[int, Template | None]:
                number = subjects.by_id(connection, opened.seal, subject_id).number
                fused = search.fused(connection, collection, opened.seal, [number], cohort)
                return number, fused.get(number)

            cohort = self._cohorts.of(collection, opened.seal)
            number, probe = self._database.read(probe_of)
            if probe is None:
                return []
            return self._find(collection, opened, probe, limit, By.SUBJECT, number)

        return self._while_it_stays(name, find)

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

    def dissolve_subject(self, name: str, subject_id: UUID) -> ErasureCertificate:
        """Erase a subject whose references stay enrolled, unnamed; see `finish`.

        Raises:
            NotFound: there is no such collection or subject.
        """
        collection, opened = self.open(name)
        begun = self._database.write(
            lambda connection: assignment.dissolve(
                connection, collection, opened.seal, subject_id, self._clock()
            )
        )
        return self.finish([begun])[0]

    # Changing what templates stand on

    def own_cohort(self, name: str) -> OwnCohort | None:
        """Find what evens a collection's scores, and what they mean, where that is its own.

        Raises:
            NotFound: there is no such collection.
            KeyUnusable: it is damaged, or another's.
        """
        collection, opened = self.open(name)
        return self._cohorts.own(collection, opened.seal)

    def switch(self, change: Change, leaving_out: Sequence[UUID] = ()) -> list[ErasureCertificate]:
        """Let a change take place whose references are all staged, and erase those left out.

        Searches that start after this are of the new model, and the first of them makes its index.

        Raises:
            NotFound: the collection was erased meanwhile.
            Conflict: a reference is not staged, or `finish` says so; then the change took place.
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

        return self.finish(self._database.write(act))

    # Erasing

    def erase_subject(self, name: str, subject_id: UUID) -> ErasureCertificate:
        """Erase a subject and all their references; see `finish`.

        Raises:
            NotFound: there is no such collection or subject.
        """
        collection, opened = self.open(name)
        begun = self._database.write(
            lambda connection: erasure.begin(
                connection,
                collection,
                self._clock(),
                subject_ids=[subjects.by_id(connection, opened.seal, subject_id).id],
            )
        )
        return self.finish([begun])[0]

    def erase_references(self, name: str, reference_ids: Sequence[UUID]) -> ErasureCertificate:
        """Erase references; their subjects stay; see `finish`.

        Raises:
            NotFound: there is no such collection, or one of the references is not there.
        """
        collection, opened = self.open(name)

        def begin(connection: Connection) -> Erasure:
            references.by_ids(connection, opened.seal, reference_ids)
            return erasure.begin(connection, collection, self._clock(), reference_ids=reference_ids)

        return self.finish([self._database.write(begin)])[0]

    def erase_collection(self, name: str) -> ErasureCertificate:
        """Erase a collection, its key first; see `finish`.

        Raises:
            NotFound: there is none.
        """
        self.finish([])  # afterwards nobody knows what a change replaced
        begun = self._database.write(
            lambda connection: erasure.begin_collection(
                connection, collections.get(connection, name), self._clock()
            )
        )
        return self.finish([begun])[0]

    def sweep(self, now: datetime | None = None) -> SweepReport:
        """Erase what has been kept long enough, and finish what was begun before; see `finish`."""
        at = now or self._clock()
        begun = self._database.read(erasure.pending)
        for collection in self.collections():
            while one := self._database.write(partial(_begin_due, collection=collection, now=at)):
                begun.append(one)
        return SweepReport(at, tuple(self.finish(begun)))

    def finish(self, begun: Sequence[Erasure]) -> list[ErasureCertificate]:
        """Take what was begun out of indexes, snapshots and the database's files; certify it.

        What changes of model replaced goes before.

        Raises:
            Conflict: a program that reads the database stands in the way.
            IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: something cannot be written.
                In every case it is out of all answers already, and `finish_erasures` does the
                rest.
        """
        with self._erasing:
            staging.finish(self._database, self._forget_replaced)
            return erasure.finish(self._database, begun, self._forget, self._clock)

    def finish_erasures(self) -> list[ErasureCertificate]:
        """Finish what could not be finished before.

        Raises:
            LikenessError: as for `finish`.
        """
        return self.finish(self._database.read(erasure.pending))

    def verify_certificate(self, certificate: ErasureCertificate) -> Verification:
        """Look whether anything is left of what a certificate says is gone."""
        collection = self._database.read(
            lambda connection: collections.by_id(connection, certificate.collection_id)
        )
        if collection is not None:
            vectors = self._open.open(collection).holds(certificate.erased)
        else:
            vectors = int(folder_of(self._snapshots, certificate.collection_id).exists())
        return self._database.read(
            lambda connection: erasure.verify(connection, certificate, vectors)
        )

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

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _while_it_stays(self, name: str, act: Callable[[Collection, OpenCollection], T]) -> T:
        """Do something with a collection, and again if it switched to another model meanwhile."""
        while True:
            collection, opened = self.open(name)
            try:
                return act(collection, opened)
            except LikenessError:
                if collection.is_comparable_with(self.collection(name)):
                    raise

    def _find(
        self,
        collection: Collection,
        opened: OpenCollection,
        probe: Template,
        limit: int,
        by: By,
        leaving_out: int | None = None,
    ) -> list[Candidate]:
        if by is By.SUBJECT:
            return search.search_subjects(
                self._database,
                collection,
                opened.seal,
                opened.subjects,
                probe,
                limit,
                self._cohorts.of(collection, opened.seal),
                leaving_out=leaving_out,
            )
        return search.search_references(
            self._database,
            collection,
            opened.seal,
            opened.references,
            probe,
            limit,
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

    def _forget(self, begun: Erasure) -> tuple[str, ...]:
        collection = self._database.read(
            lambda connection: collections.by_id(connection, begun.collection_id)
        )
        if collection is not None:
            return self._open.open(collection).forget(begun.erased)
        return self._open.wipe(
            begun.collection_id,
            begun.model,
            begun.dimensions,
            folder_of(self._snapshots, begun.collection_id),
        )

    def _forget_replaced(self, change: Change) -> None:
        collection = self._database.read(
            lambda connection: collections.by_id(connection, change.collection_id)
        )
        if collection is not None and collection.model != change.replaced_model:
            model = change.replaced_model
            folder = folder_of(self._snapshots, collection.id, model)
            self._open.wipe(collection.id, model, change.replaced_dimensions, folder)


def _begin_due(connection: Connection, collection: Collection, now: datetime) -> Erasure | None:
    due = retention.due(connection, collection, now)
    if not due:
        return None
    return erasure.begin(connection, collection, now, reference_ids=due, with_emptied=True)
