"""The gallery in use: rows that are the truth, and indexes that follow them.

What holds, whatever fails in between:

1. One process has a home's gallery open.
2. What an act acknowledges is committed, and the next search finds it, or fails.
3. What is not committed, or is erased, is in no answer: candidates are read from the rows.
4. An erasure that has begun is finished, at the latest when the gallery is opened again; so is the
   clearing away of what a change of model replaced.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from likeness.errors import DatabaseUnavailable, HomeInUse, LikenessError
from likeness.gallery import own_strangers, stored_collections
from likeness.gallery.certificate import ErasureCertificate
from likeness.gallery.cohorts import Cohorts, ReadCohort
from likeness.gallery.collection import Collection, OpenCollection
from likeness.gallery.collection_rows import CollectionRows
from likeness.gallery.erasing import Erasing, KeptElsewhere
from likeness.gallery.erasure_rows import Erasure
from likeness.gallery.indexes import IndexesInUse, MakeIndex
from likeness.gallery.seal import Seal
from likeness.gallery.staging import Change
from likeness.gallery.stored_collections import StoredCollection
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Closing, Cohort, checked_name

_logger = logging.getLogger(__name__)

_LOCK = "gallery.lock"
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
        return self.database.read(self.every)

    def every(self, connection: Connection) -> list[Collection]:
        """List the same in a transaction."""
        return [self._found(one) for one in stored_collections.every(connection)]

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
        found = stored_collections.get(connection, name)
        seal = self.seal_of(connection, found)
        return self._found(found, _tags=CollectionRows(connection, seal, found).tags.all())

    def of_id(self, connection: Connection, collection_id: UUID) -> Collection:
        """Find a collection by its id, in a transaction; no key is opened.

        Raises:
            NotFound: it is erased.
        """
        return self._found(stored_collections.required_by_id(connection, collection_id))

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
        name = checked_name(name, "A collection's name")
        stored_collections.check_retention(retention_days)
        of_model = model, dimensions, cohort_version
        new = StoredCollection(uuid4(), name, *of_model, retention_days, created_at=now)
        stored_collections.add(connection, self._keyring, new)
        return self._found(new)

    def seal_of(self, connection: Connection, collection: StoredCollection) -> Seal:
        """Open what seals a collection, in a transaction.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: the installation's key is gone or another's.
        """
        return stored_collections.seal_of(connection, self._keyring, collection)

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
        cohort_of: Callable[[str, str], Cohort],
        read_cohort: ReadCohort,
        *,
        make_index: MakeIndex,
        snapshots: Path,
        kept_elsewhere: KeptElsewhere = KeptElsewhere(),  # noqa: B008  # frozen
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the gallery of a home, and finish erasures that a crash left unfinished.

        Args:
            database: where the rows are, with this program's schema.
            keyring: what collections' keys are sealed with.
            cohort_of: gives the cohort of a model and version.
            read_cohort: makes a cohort of the bytes that were kept of it.
            make_index: makes an empty index.
            snapshots: a folder for the indexes' snapshots, made where there is none.
            kept_elsewhere: what others keep of people.
            clock: says what time it is.

        Raises:
            Conflict: another process has it open.
            DatabaseUnavailable: folder or database cannot be read or written.
        """
        super().__init__(database, keyring, cohort_of, read_cohort)
        self._clock = clock
        self.in_use = IndexesInUse(database, keyring, make_index, snapshots)
        self.erasing = Erasing(database, keyring, self.in_use, kept_elsewhere, clock)
        self._lock = _HomeLock(snapshots)
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
        found = stored_collections.get(connection, name)
        seal = self.in_use.open_within(connection, found).seal
        tagged = CollectionRows(connection, seal, found).tags.all()
        strangers = own_strangers.state_of(connection, found.id)
        return self._found(found, _tags=tagged, _strangers=strangers)

    def by_id(self, collection_id: UUID) -> OpenCollection:
        """Find a collection by its id.

        Raises:
            NotFound: it is erased.
        """
        find = partial(stored_collections.required_by_id, collection_id=collection_id)
        return self._found(self.database.read(find))

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
            rows = self.of_id(connection, change.collection_id).within(connection)
            now, begun = self._clock(), list[Erasure]()
            if leaving_out:
                begun.append(rows.begin_erasure(now, reference_ids=leaving_out))
            rows.changes.switch(change, now)
            return begun

        if change.replaces_vectors:
            self.in_use.prepare(change)
        return self.erasing.finish((write or self.database.write)(act))

    def close(self) -> None:
        """Write snapshots where much would be read again, and let go of the home."""
        self.in_use.close()
        self._lock.release()


class _HomeLock:
    """Held from its making until `release`; the system lets go of it when a process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock of a folder, which is made where there is none.

        Raises:
            HomeInUse: another process holds it.
            DatabaseUnavailable: the folder cannot be written.
        """
        path = folder / _LOCK
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder {folder} cannot be written ({error.strerror}). Mend it."
            ) from error
        self._file = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read(20).strip()
            self._file.close()
            raise HomeInUse(
                f"Process {holder or 'unknown'} (a server, or another command) has the gallery in"
                f" {folder} open. End that first."
            ) from None
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another process have it; to do so twice is harmless."""
        self._file.close()
