"""What acts need of a home that is open; `app` composes it from settings, every door hands it on.

collection = home.collection(caller, Action.SEARCH, name)        # or NotFound, on record
with home.record(caller, Action.SEARCH, collection) as record:   # or Denied, on record
    ...
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from likeness.access import may
from likeness.errors import Conflict, Denied, NotFound
from likeness.gallery import Collection, Collections, Gallery, OpenCollection
from likeness.ledger import Ledger
from likeness.policy import ModelOf
from likeness.reachable import Network
from likeness.secrets import Keyring
from likeness.service.enrol.review import ReviewOfEnrolments
from likeness.service.uses.caller import Caller
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.ongoing import Ongoing
from likeness.service.uses.record import Desk, Record
from likeness.storage import Database, Freshness
from likeness.terms import Action, Calibration, Principal, Use
from likeness.vision.cohorts.standards import Standards
from likeness.vision.decode import DecodeLimits
from likeness.vision.find import FaceFinder


class NoSuchCollection(NotFound):
    """There is no collection of the name that a caller gave."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No such collection {name!r}. `likeness collections list` shows what there is."
        )
        self.name = name


class NoSuchSubject(NotFound):
    """A collection has no subject of the name that a caller gave."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No such subject {name!r} in the collection. Check the spelling: `likeness collections"
            " subjects` shows who there is."
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class TemplatesOf:
    """What templates are made with: a model, how long they are, and what evens them out."""

    model: str
    dimensions: int
    cohort_version: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """A home's rows and keys: any number of processes have them at once.

    `freshness` says when to read anew what others write. `standards` has the cohorts and
    calibrations that are known here, and `templates_of` says what new collections are made with: by
    the recogniser of a name, or by the settings'. `load_finder` gives the finder of a collection's
    model, comparable with it or not (`comparable_finder` checks that), and `calibration_of` says
    what the scores of its searches mean: without a collection, of the model that new ones take.
    `model_of` names the model that a use works with, for rules that go by report cards.
    `keeps_crops` is whether pictures may be kept: without, nobody could review a match.
    `scores_hidden` keeps ranks and similarities from reviewers until they have decided.
    `webhook_networks` may be told beside public addresses, and sources may be in `source_networks`
    beside them. `somebody` is who is at this machine: at its command line, or behind what its
    server does by itself. `fmr` is the rate at which two faces are called the same, `fpir` the
    share of searches for a stranger that may name somebody; a group is warned of from `warn_from`
    times a rate on, 0 never warns.
    `contact` is who answers people that ask about their data.
    """

    database: Database
    keyring: Keyring
    ledger: Ledger
    freshness: Freshness
    desk: Desk
    collections: Collections
    standards: Standards
    templates_of: Callable[[str | None], TemplatesOf]
    calibration_of: Callable[[Collection | None], Calibration]
    load_finder: Callable[[Collection | None], FaceFinder]
    model_of: ModelOf
    limits: DecodeLimits
    keeps_crops: bool
    scores_hidden: bool
    webhook_networks: tuple[Network, ...]
    somebody: Principal
    clock: Callable[[], datetime]
    source_networks: tuple[Network, ...] = ()
    fmr: float = 1e-3
    fpir: float = 1e-2
    warn_from: float = 0.0
    contact: str | None = None

    def parts(self) -> dict[str, Any]:
        """Give its fields by name, for what has more."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def record(
        self,
        caller: Caller,
        action: Action,
        of: Collection | None = None,
        model: str | None = None,
    ) -> AbstractContextManager[Record]:
        """Have a use admitted, and recorded when it ends; the caller keeps its proof.

        `model` is what it works with, where that is not the collection's.

        Raises:
            Denied: its role or a rule forbids it; that is recorded.
            LedgerBroken: it cannot be recorded, so nothing is done.
        """
        use = replace(caller.use(action), model=model)
        if of is not None:
            use = use_in(use, of.id, of.tags, of.model)
        return self.record_use(caller, use)

    @contextmanager
    def record_use(
        self, caller: Caller, use: Use, ongoing: Ongoing | None = None
    ) -> Iterator[Record]:
        """Do as `record` does with a use that goes by more than what its caller states.

        `ongoing` is the search that it begins or is a part of, if that goes on until it is ended.
        """
        proof = caller.proof
        record: Record | None = None
        try:
            with self.desk.record(use, ongoing) as record:
                yield record
        except Denied as error:
            proof.receipt = error.receipt or proof.receipt
            raise
        finally:
            if record is not None:
                proof.receipt = record.receipt or proof.receipt
                proof.case_id = record.case_id or proof.case_id

    def collection(self, caller: Caller, action: Action, name: str) -> Collection:
        """Find the collection that a caller names, to do an action to it.

        Raises:
            NoSuchCollection: there is none; that is recorded.
            Denied: there is none, and the caller may not know; that is recorded.
        """
        with self._known(caller, action, name):
            return self.collections.collection(name)

    def name_of_collection(self, collection_id: UUID) -> str | None:
        """Name a collection by its id; None where it is erased."""
        try:
            return self.database.read(
                lambda connection: self.collections.of_id(connection, collection_id).name
            )
        except NotFound:
            return None

    def comparable_finder(self, collection: Collection) -> FaceFinder:
        """Load the finder of a collection, and check that its templates can be compared with it.

        Raises:
            Conflict: the collection's model, or its cohort, is not to be had here.
        """
        finder = self.load_finder(collection)
        if collection.cohort_version != finder.cohort_version:
            try:
                collection.cohort()
            except NotFound as error:
                raise Conflict(
                    f"The cohort {collection.cohort_version} that evens collection {collection.id}"
                    " out is gone. `likeness collections cohort NAME` takes that of its model."
                ) from error
        return finder

    @contextmanager
    def _known(self, caller: Caller, action: Action, name: str) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            # Who may not do this to any collection learns of none. To others nothing is owed: they
            # may read which collections there are.
            looked = Action.READ if may(caller.principal.role, action) else action
            with self.record(caller, looked):
                raise NoSuchCollection(name) from error


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Home(Rows):
    """A home with its gallery, which one process has; safe to share between threads.

    `reviewing` keeps what review needs of enrolments.
    """

    gallery: Gallery
    reviewing: ReviewOfEnrolments

    def collection(self, caller: Caller, action: Action, name: str) -> OpenCollection:
        """Find the collection that a caller names; raises what `Rows.collection` does."""
        with self._known(caller, action, name):
            return self.gallery.collection(name)
