"""Begin, list and end standing searches, each act on record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import Grant, may
from likeness.errors import Conflict, Denied, NotFound, SeveralFaces
from likeness.gallery import Collection
from likeness.notify import WebhookSecret, read_url, require_reachable
from likeness.policy import Circumstances, RulesInForce
from likeness.review import (
    Grounds,
    NewWatch,
    Owed,
    Watch,
    begin_watch,
    delete_watch,
    get_watch,
    grounds_of,
    keeper_of,
    live_watches,
)
from likeness.secrets import Keyring
from likeness.service.search.faces import ReadSample
from likeness.service.uses import (
    OF_REVIEWERS,
    Caller,
    Outcome,
    Rows,
    facts_of,
    is_local,
    owed_by,
    present_holder,
    use_in,
)
from likeness.storage import legible_named
from likeness.terms import (
    UNDECLARED,
    Action,
    CollectionFacts,
    Duty,
    Principal,
    Template,
    Use,
)
from likeness.vision.decode import Sample
from likeness.vision.draw import face_crop_jpeg
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to watch, on what grounds, until when, and who is told."""

    collection: str
    grounds: Grounds
    expires_at: datetime
    url: str | None


@dataclass(frozen=True, slots=True)
class SeenWatch:
    """A watch, its grounds, and what its collection is called."""

    watch: Watch
    grounds: Grounds
    collection: str


def add_watch(
    rows: Rows, caller: Caller, wanted: Wanted, read: ReadSample
) -> tuple[Watch, WebhookSecret | None]:
    """Begin a watch for the only face of a sample; what signs its webhooks is given this once.

    The caller states its purpose.

    Raises:
        Conflict: pictures for review are not kept.
        NotFound: there is no such collection, or nobody has measured what its scores mean.
        NoFace, SeveralFaces: the sample does not show one person alone.
        ModelMismatch: the template is of another model than the collection's.
        InvalidRequest: nobody could be told at the URL; or see `begin_watch`.
    """
    purpose = caller.use(Action.WATCH).purpose
    # Refuses what no key could be granted: entries hold purposes as they are stated.
    Grant(purposes=(purpose,))
    if not rows.keeps_crops:
        raise Conflict(
            "Pictures of enrolled faces are not kept, and people need them to review what a watch"
            " finds. Set LIKENESS_CROPS=on."
        )
    now = rows.clock()
    of = rows.collection(caller, Action.WATCH, wanted.collection)
    with rows.record(caller, Action.WATCH, of) as record:
        _require_watcher(caller)
        # Else nobody could be enrolled there any more: what is alike enough could not be said.
        rows.calibration_of(of)
        if wanted.url is not None:
            require_reachable(read_url(wanted.url), rows.webhook_networks)
        found, crop_jpeg = _only_face(rows.load_finder(of), read())
        (template,) = of.as_evened_out([found])
        of.require_model(template)
        owed = owed_by(record.decision)
        new = NewWatch(
            of.id,
            caller.principal,
            purpose,
            wanted.grounds,
            Owed(max(1, owed.reviews), owed.separately),  # somebody looks at what it finds
            record.decision.amount_of(Duty.SIMILARITY) or 0.0,
            template,
            crop_jpeg,
            wanted.expires_at,
            wanted.url,
        )
        return record.write(
            lambda connection: begin_watch(connection, rows.keyring, new, now),
            lambda added: Outcome(faces=1, details=_of(added[0])),
        )


def list_watches(rows: Rows, caller: Caller) -> list[SeenWatch]:
    """List the watches that have not ended, the oldest first."""

    def seen(connection: Connection, watch: Watch) -> SeenWatch:
        grounds = grounds_of(connection, rows.keyring, watch)
        try:
            name = rows.collections.of_id(connection, watch.collection_id).name
        except NotFound:  # it goes with its collection, and may be listed while that is erased
            name = str(watch.collection_id)
        return SeenWatch(watch, grounds, name)

    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        _require_watcher(caller)
        listed = rows.database.read(
            lambda connection: legible_named(
                connection,
                "review_watches",
                live_watches(connection, rows.clock()),
                partial(seen, connection),
            )
        )
        record.answered(Outcome())
    return listed


def end_watch(rows: Rows, caller: Caller, watch_id: UUID) -> Watch:
    """End a watch; the cases that it opened stay.

    Raises:
        NotFound: there is none, or it has ended.
    """
    if not may(caller.principal.role, Action.WATCH):  # nor learns which watches there are
        with rows.record_use(caller, caller.use(Action.WATCH, UNDECLARED)):
            _require_watcher(caller)

    def find(connection: Connection) -> tuple[Watch, CollectionFacts]:
        watch = get_watch(connection, watch_id, rows.clock())
        collection = rows.collections.of_id(connection, watch.collection_id)
        return watch, facts_of(collection.within(connection).tags.all())

    watch, facts = rows.database.read(find)
    # Whatever forbids watching must not forbid an end of it.
    use = caller.use(Action.ERASE, watch.purpose)
    with rows.record_use(
        caller, replace(use, collection_id=watch.collection_id, collection=facts)
    ) as record:
        record.write(
            lambda connection: delete_watch(connection, watch),
            lambda _: Outcome(details=_of(watch)),
        )
    return watch


@dataclass(frozen=True, slots=True)
class WatchInForce:
    """Says whether a watch may match: whoever keeps it is asked about anew, by the rules in force.

    Else the stop switch, a rule that came later or a disabled key would not reach a watch that
    began before.

    `somebody` is who acts at the command line here: who keeps a watch of which an older Likeness
    kept no more than the name.
    """

    keyring: Keyring
    rules: RulesInForce
    somebody: Principal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def owed_of(
        self,
        connection: Connection,
        watch: Watch,
        collection: Collection,
        similarity: float,
        brought_by: Use,
    ) -> Owed | None:
        """Say what a watch's match in a collection owes, 0 to 100 alike; None if it may not be.

        That is the stricter of what rules demanded when the watch began, and demand now. What the
        use that brought the match stated of its pictures holds for the watch, too: their source,
        and whether they are of this moment.

        Raises:
            KeyUnusable: a key is gone.
            Conflict, DatabaseUnavailable: the rules cannot be read.
        """
        keeper = self._keeper(connection, watch)
        if keeper is None or not may(keeper.role, Action.WATCH):
            return None
        use = use_in(
            Use(
                keeper,
                Action.WATCH,
                "Watch",
                purpose=watch.purpose,
                live=brought_by.live,
                footage=brought_by.footage,
            ),
            collection.id,
            collection.within(connection).tags.all(),
            collection.model,
        )
        circumstances = replace(Circumstances.at_admission(use, 0), similarity=similarity)
        decision = self.rules.decide(use, circumstances, self.clock())
        if decision.refused_by or {one.duty for one in decision.obligations} - OF_REVIEWERS:
            return None
        now = owed_by(decision)
        return Owed(max(watch.reviews, now.reviews), watch.separately or now.separately)

    def _keeper(self, connection: Connection, watch: Watch) -> Principal | None:
        """Give a key's holder as they are now, and who was at the command line as they were then.

        A server's own environment says nothing of them.
        """
        if is_local(watch.principal_id):
            known = keeper_of(connection, self.keyring, watch)
            return known or replace(self.somebody, id=watch.principal_id)
        return present_holder(connection, self.keyring, watch.principal_id)


def _only_face(finder: FaceFinder, sample: Sample) -> tuple[Template, bytes]:
    """Give the template of a sample's only face, and that face as a JPEG.

    A watch acts on one person for long, so the picture may have nobody else in it, however small.
    """
    located = finder.locate(sample)
    which = located.foremost
    if len(located.faces) > 1:
        raise SeveralFaces(
            f"{len(located.faces)} faces: a watch is for one person. Cut the picture to the face of"
            " whom to watch for."
        )
    (template,) = finder.templates(located, [which])
    return template, face_crop_jpeg(located.image, located.faces[which].box)


def _require_watcher(caller: Caller) -> None:
    if not may(caller.principal.role, Action.WATCH):
        raise Denied(
            f"{caller.principal.id} of role {caller.principal.role} may not watch. Ask an operator."
        )


def _of(watch: Watch) -> dict[str, str]:
    """Say in an entry which watch it is about."""
    return {"watch_id": str(watch.id)}
