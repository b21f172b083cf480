"""Begin, list and end standing searches, each act on record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import Grant, may
from likeness.errors import Conflict, Denied, NotFound
from likeness.gallery import Collection, Collections
from likeness.notify import Network, WebhookSecret, read_url, require_reachable
from likeness.review import Grounds, NewWatch, Owed, Watch, watches
from likeness.secrets import Keyring
from likeness.service.uses.collection_facts import facts_of, use_in
from likeness.service.uses.record import Desk, Outcome
from likeness.storage import Database
from likeness.terms import (
    Action,
    Calibration,
    CollectionFacts,
    Decision,
    Duty,
    Principal,
    Template,
    Use,
)

FaceOf = Callable[[Collection], tuple[Template, bytes]]
"""Gives the only face in a picture: its template of a collection's model, and it as a JPEG."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to watch for where: on what grounds, until when, and who is told.

    `purpose_granted` is whether the one who asks may state the purpose.
    """

    collection: str
    purpose: str
    grounds: Grounds
    expires_at: datetime
    url: str | None
    purpose_granted: bool


@dataclass(frozen=True, slots=True)
class SeenWatch:
    """A watch, its grounds, and what its collection is called."""

    watch: Watch
    grounds: Grounds
    collection: str


@dataclass(frozen=True, slots=True)
class WatchOffice:
    """Where `principal` keeps watches; policy may refuse every act (`Denied`).

    `calibration_of` says what a collection's scores mean. `keeps_crops` is whether pictures may be
    kept: without, nobody could review a match. `webhook_networks` may be told beside public
    addresses.
    """

    database: Database
    keyring: Keyring
    desk: Desk
    collections: Collections
    calibration_of: Callable[[Collection], Calibration]
    principal: Principal
    keeps_crops: bool
    webhook_networks: tuple[Network, ...] = ()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def add(self, wanted: Wanted, face_of: FaceOf) -> tuple[Watch, WebhookSecret | None]:
        """Begin a watch; what signs its webhooks is given this once.

        `face_of` is called once the use is admitted: no face is looked at for one that is refused.

        Raises:
            Conflict: pictures for review are not kept.
            NotFound: there is no such collection, or nobody has measured what its scores mean.
            ModelMismatch: the template is of another model than the collection's.
            InvalidRequest: nobody could be told at the URL; or see `watches.add`.
        """
        # Refuses what no key could be granted: entries hold purposes as they are stated.
        Grant(purposes=(wanted.purpose,))
        if not self.keeps_crops:
            raise Conflict(
                "pictures of enrolled faces were expected to be kept, since people review what a"
                " watch finds, and they are not: set LIKENESS_CROPS=on"
            )
        now = self.clock()

        anywhere = Use(
            self.principal,
            Action.WATCH,
            "AddWatch",
            purpose=wanted.purpose,
            granted=wanted.purpose_granted,
        )

        try:
            collection = self.collections.collection(wanted.collection)
        except NotFound:
            # On record; and who may not watch learns of no collection whether it is there.
            looked = Action.READ if may(self.principal.role, Action.WATCH) else Action.WATCH
            with self.desk.record(replace(anywhere, action=looked)):
                raise
        use = use_in(anywhere, collection.id, collection.tags)
        # Else nobody could be enrolled there any more: what is alike enough could not be said.
        self.calibration_of(collection)
        with self.desk.record(use) as record:
            self._require_watcher()
            if wanted.url is not None:
                require_reachable(read_url(wanted.url), self.webhook_networks)
            found, crop_jpeg = face_of(collection)
            (template,) = collection.as_evened_out([found])
            collection.require_model(template)
            new = NewWatch(
                collection.id,
                self.principal,
                wanted.purpose,
                wanted.grounds,
                _owed(record.decision),
                record.decision.amount_of(Duty.SIMILARITY) or 0.0,
                template,
                crop_jpeg,
                wanted.expires_at,
                wanted.url,
            )
            return record.write(
                lambda connection: watches.add(connection, self.keyring, new, now),
                lambda added: Outcome(faces=1, details=_of(added[0])),
            )

    def every(self) -> list[SeenWatch]:
        """List the watches that have not ended, the oldest first."""
        now = self.clock()
        with self.desk.record(Use(self.principal, Action.READ, "ListWatches")) as record:
            self._require_watcher()
            listed = self.database.read(
                lambda connection: [
                    self._seen(connection, one) for one in watches.live(connection, now)
                ]
            )
            record.answered(Outcome())
        return listed

    def end(self, watch_id: UUID) -> Watch:
        """End a watch; the cases that it opened stay.

        Raises:
            NotFound: there is none, or it has ended.
        """
        if not may(self.principal.role, Action.WATCH):  # nor learns which watches there are
            with self.desk.record(Use(self.principal, Action.WATCH, "EndWatch")):
                self._require_watcher()
        now = self.clock()

        def found(connection: Connection) -> tuple[Watch, CollectionFacts]:
            watch = watches.get(connection, watch_id, now)
            collection = self.collections.of_id(connection, watch.collection_id)
            return watch, facts_of(collection.within(connection).tags.all())

        watch, facts = self.database.read(found)
        # Whatever forbids watching must not forbid an end of it.
        use = Use(
            self.principal, Action.ERASE, "EndWatch", watch.collection_id, facts, watch.purpose
        )
        with self.desk.record(use) as record:
            self._require_watcher()
            record.write(
                lambda connection: watches.end(connection, watch),
                lambda _: Outcome(details=_of(watch)),
            )
        return watch

    def _seen(self, connection: Connection, watch: Watch) -> SeenWatch:
        grounds = watches.grounds_of(connection, self.keyring, watch)
        try:
            name = self.collections.of_id(connection, watch.collection_id).name
        except NotFound:  # it goes with its collection, and may be listed while that is erased
            name = str(watch.collection_id)
        return SeenWatch(watch, grounds, name)

    def _require_watcher(self) -> None:
        if not may(self.principal.role, Action.WATCH):
            raise Denied(
                f"somebody who may watch was expected, and {self.principal.id} of role"
                f" {self.principal.role} may not: ask an operator"
            )


def _owed(decision: Decision) -> Owed:
    """Say who has to look at what a watch finds: as many as rules demand, and one at least."""
    reviews = decision.amount_of(Duty.REVIEW) or 1
    separate = decision.amount_of(Duty.SEPARATE_REVIEW) or 0
    return Owed(int(max(reviews, separate)), bool(separate))


def _of(watch: Watch) -> dict[str, str]:
    """Say in an entry which watch it is about."""
    return {"watch_id": str(watch.id)}
