"""How people leave a gallery: erasures are begun, and carried through whatever happens.

So is the clearing away of what a change of model replaced.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Table

from likeness.gallery import (
    erasure,
    erasure_rows,
    staging,
    stored_collections,
)
from likeness.gallery.certificate import ErasureCertificate, Verification
from likeness.gallery.erasure import Remainders
from likeness.gallery.erasure_rows import Erasure
from likeness.gallery.indexes import IndexesInUse
from likeness.gallery.staging import Change
from likeness.gallery.stored_collections import StoredCollection
from likeness.secrets import Keyring
from likeness.storage import Database


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """What others keep of people, and delete in the act that erases them.

    `tables` are scrubbed with the gallery's. `remainders` says, for certificates, what stays there.
    """

    tables: tuple[Table, ...] = ()
    remainders: Remainders = lambda connection, collection_id, now: ()


class Erasing:
    """Erases what is in a gallery; safe to use from many threads.

    A service calls the functions of `erasure` inside its act, and `finish` after.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        in_use: IndexesInUse,
        elsewhere: KeptElsewhere,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._in_use = in_use
        self._elsewhere = elsewhere
        self._clock = clock
        self._finishing = threading.Lock()

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
                self._database,
                self._keyring,
                begun,
                self._forget,
                self._elsewhere.tables,
                self._elsewhere.remainders,
                self._clock,
            )

    def finish_pending(self) -> list[ErasureCertificate]:
        """Finish what could not be finished before.

        Raises:
            LikenessError: as for `finish`.
        """
        return self.finish(self.pending())

    def pending(self) -> list[Erasure]:
        """List the erasures that have begun and are not finished, oldest first."""
        return self._database.read(erasure_rows.pending)

    def let_go(self) -> None:
        """Let go of what other programs on the database have erased; searches do so anyway.

        Raises:
            IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: something cannot be changed;
                the rest is done next time.
        """
        with self._finishing:
            self._in_use.let_go()

    def verify(self, certificate: ErasureCertificate) -> Verification:
        """Look whether anything is left of what a certificate says is gone, or came again.

        Every collection is looked into, and its references are opened where pictures were marked:
        a million take about three minutes.
        """
        collection = self._there(certificate.collection_id)
        if collection is not None:
            vectors = self._in_use.open(collection).holds(certificate.erased)
        else:
            vectors = int(self._in_use.has_snapshots(certificate.collection_id))
        return self._database.read(
            lambda connection: erasure.verify(connection, self._keyring, certificate, vectors)
        )

    def _there(self, collection_id: UUID) -> StoredCollection | None:
        return self._database.read(
            lambda connection: stored_collections.by_id(connection, collection_id)
        )

    def _forget(self, begun: Erasure) -> tuple[str, ...]:
        collection = self._there(begun.collection_id)
        if collection is not None:
            return self._in_use.forget(collection, begun.erased)
        return self._in_use.wipe_collection(begun.collection_id, begun.models)

    def _forget_replaced(self, change: Change) -> None:
        """Take away the model that a change left: the old one, or the new one where discarded."""
        collection = self._there(change.collection_id)
        for model, dimensions in (
            (change.model, change.dimensions),
            (change.replaced_model, change.replaced_dimensions),
        ):
            if collection is not None and collection.model != model:
                self._in_use.wipe(collection.id, model, dimensions)
