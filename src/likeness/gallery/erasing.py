"""How do people leave a gallery? Erasures are begun, and carried through whatever happens.

So is the clearing away of what a change of model replaced.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Table

from likeness.gallery import (
    assignment,
    collections,
    erasure,
    references,
    retention,
    staging,
    subjects,
)
from likeness.gallery.certificate import ErasureCertificate, Verification
from likeness.gallery.collections import Collection
from likeness.gallery.erasure import Erasure
from likeness.gallery.open_collections import OpenCollections
from likeness.gallery.retention import SweepReport
from likeness.gallery.staging import Change
from likeness.storage import Database


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """What others keep of people, and delete in the act that erases them.

    `tables` are scrubbed with the gallery's. `out_of_reach` says, for certificates, what stays.
    """

    tables: tuple[Table, ...] = ()
    out_of_reach: tuple[str, ...] = ()


class Erasing:
    """Erases what is in a gallery; safe to use from many threads.

    A service that keeps rows of its own in the same transaction calls the functions of `erasure`
    inside its act, and `finish` after.
    """

    def __init__(
        self,
        database: Database,
        in_use: OpenCollections,
        elsewhere: KeptElsewhere,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._in_use = in_use
        self._elsewhere = elsewhere
        self._clock = clock
        self._finishing = threading.Lock()

    def subject(self, name: str, subject_id: UUID) -> ErasureCertificate:
        """Erase a subject and all their references; see `finish`.

        Raises:
            NotFound: there is no such collection or subject.
        """
        collection, opened = self._in_use.named(name)
        begun = self._database.write(
            lambda connection: erasure.begin(
                connection,
                collection,
                self._clock(),
                subject_ids=[subjects.by_id(connection, opened.seal, subject_id).id],
            )
        )
        return self.finish([begun])[0]

    def subject_alone(self, name: str, subject_id: UUID) -> ErasureCertificate:
        """Erase a subject whose references stay enrolled, unnamed; see `finish`.

        Raises:
            NotFound: there is no such collection or subject.
        """
        collection, opened = self._in_use.named(name)
        begun = self._database.write(
            lambda connection: assignment.dissolve(
                connection, collection, opened.seal, subject_id, self._clock()
            )
        )
        return self.finish([begun])[0]

    def references(self, name: str, reference_ids: Sequence[UUID]) -> ErasureCertificate:
        """Erase references; their subjects stay; see `finish`.

        Raises:
            NotFound: there is no such collection, or one of the references is not there.
        """
        collection, opened = self._in_use.named(name)

        def begin(connection: Connection) -> Erasure:
            references.by_ids(connection, opened.seal, reference_ids)
            return erasure.begin(connection, collection, self._clock(), reference_ids=reference_ids)

        return self.finish([self._database.write(begin)])[0]

    def collection(self, name: str) -> ErasureCertificate:
        """Erase a collection, its key first; see `finish`.

        Raises:
            NotFound: there is none.
        """
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
        for collection in self._database.read(collections.every):
            while one := self._database.write(partial(_begin_due, collection=collection, now=at)):
                begun.append(one)
        return SweepReport(at, tuple(self.finish(begun)))

    def finish(self, begun: Sequence[Erasure]) -> list[ErasureCertificate]:
        """Take what was begun out of indexes, snapshots and the database's files; certify it.

        What changes of model replaced goes before.

        Raises:
            Conflict: a program that reads the database stands in the way.
            IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: something cannot be written.
                In every case it is out of all answers already, and `finish_pending` does the rest.
        """
        with self._finishing:
            staging.finish(self._database, self._forget_replaced)
            return erasure.finish(
                self._database, begun, self._forget, self._elsewhere.tables, self._clock
            )

    def finish_pending(self) -> list[ErasureCertificate]:
        """Finish what could not be finished before.

        Raises:
            LikenessError: as for `finish`.
        """
        return self.finish(self._database.read(erasure.pending))

    def verify(self, certificate: ErasureCertificate) -> Verification:
        """Look whether anything is left of what a certificate says is gone."""
        collection = self._there(certificate.collection_id)
        if collection is not None:
            vectors = self._in_use.open(collection).holds(certificate.erased)
        else:
            vectors = int(self._in_use.has_snapshots(certificate.collection_id))
        return self._database.read(
            lambda connection: erasure.verify(connection, certificate, vectors)
        )

    def _there(self, collection_id: UUID) -> Collection | None:
        return self._database.read(lambda connection: collections.by_id(connection, collection_id))

    def _forget(self, begun: Erasure) -> tuple[str, ...]:
        collection = self._there(begun.collection_id)
        if collection is not None:
            left = self._in_use.forget(collection, begun.erased)
        else:
            left = self._in_use.wipe_collection(begun.collection_id, begun.models)
        return (*left, *self._elsewhere.out_of_reach)

    def _forget_replaced(self, change: Change) -> None:
        """Take away the model that a change left: the old one, or the new one where discarded."""
        collection = self._there(change.collection_id)
        for model, dimensions in (
            (change.model, change.dimensions),
            (change.replaced_model, change.replaced_dimensions),
        ):
            if collection is not None and collection.model != model:
                self._in_use.wipe(collection.id, model, dimensions)


def _begin_due(connection: Connection, collection: Collection, now: datetime) -> Erasure | None:
    due = retention.due(connection, collection, now)
    if not due:
        return None
    return erasure.begin(connection, collection, now, reference_ids=due, with_emptied=True)
