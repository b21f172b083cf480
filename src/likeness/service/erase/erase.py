"""Erase people, their references or whole collections, for good.

Rows go with the ledger's entry, in one transaction; indexes, snapshots and the database's files
follow, and then there is a certificate. What fails of that is done at the next erasure, sweep or
start. Who waits for the certificate learns of a failure; others are answered anyway, since no
answer holds what was erased any more, and to ask again would find nothing.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Denied, KeyUnusable, LikenessError, NotFound
from likeness.gallery import (
    Collection,
    CollectionRows,
    Erasure,
    ErasureCertificate,
    KnownReference,
    Reference,
    Subject,
    mark_pictures,
    note_for_certificate,
)
from likeness.service.enrol.subjects import named
from likeness.service.erase.watched import left_watches, watches_of
from likeness.service.uses import (
    Caller,
    Home,
    NoSuchCollection,
    Once,
    Outcome,
    declares,
)
from likeness.terms import Action, Use, in_batches

_logger = logging.getLogger(__name__)
_ID = TypeAdapter(UUID)
# An id that a client chose may be that of as many faces as there are.
_AT_A_TIME = 900


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep erased; a subject goes with the last of their references.

    Among the certificates are those of erasures begun before, which the sweep finished.
    """

    at: datetime
    certificates: tuple[ErasureCertificate, ...]

    @property
    def references(self) -> int:
        """How many references were erased."""
        return sum(one.erased.references for one in self.certificates)

    @property
    def subjects(self) -> int:
        """How many subjects were erased."""
        return sum(one.erased.subjects for one in self.certificates)


Consent = Callable[[Collection], None]
"""Is told what is to be erased, or how many, and raises if not to go on."""


@dataclass(frozen=True, slots=True)
class ErasedReferences:
    """Which were erased, which stay since they are somebody's, and which the collection has not."""

    erased: tuple[UUID, ...]
    kept: dict[UUID, Subject]
    missing: tuple[UUID, ...]


def erase_collection(home: Home, caller: Caller, name: str) -> None:
    """Erase a collection; no answer that starts after this holds anything of it.

    Raises:
        NoSuchCollection: there is none.
        Denied: it has tags that rules go by, which are an admin's to end.
    """
    _carry_through(home, [_begin_collection(home, caller, name, lambda of: None)])


def erase_collection_certified(
    home: Home, caller: Caller, name: str, require_consent: Consent
) -> ErasureCertificate:
    """Erase a collection once somebody consents, and certify that.

    Raises what `erase_collection` and `Erasing.finish` raise.
    """
    return home.gallery.erasing.finish([_begin_collection(home, caller, name, require_consent)])[0]


def dissolve_subject(home: Home, caller: Caller, name: str, subject: str, once: Once) -> None:
    """Remove the subject of a name; all their references stay enrolled, as nobody's.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        TokenReused: the request's token came with another.
    """
    of = home.collection(caller, Action.ERASE, name)
    begun: list[Erasure] = []  # stays empty where the request came before

    def dissolve(connection: Connection) -> UUID:
        its = of.within(connection)
        begun[:] = [its.dissolve(named(its, subject).id, home.clock())]
        return begun[0].id

    def outcome(erasure_id: UUID) -> Outcome:
        forgotten = [one for erasure in begun for one in erasure.erased.subject_ids]
        return Outcome(certificate_id=erasure_id, forgotten=forgotten)

    with home.record(caller, Action.ERASE, of) as record:
        record.write(once.act(caller, of, _ID, dissolve), outcome)
        _carry_through(home, begun)


def erase_unnamed_references(
    home: Home, caller: Caller, name: str, reference_ids: Iterable[UUID]
) -> ErasedReferences:
    """Erase references that are nobody's; no search that starts after this finds them.

    Raises:
        NoSuchCollection: there is none.
    """
    done, begun = _erase_references(home, caller, name, reference_ids)
    _carry_through(home, begun)
    return done


def erase_references(
    home: Home,
    caller: Caller,
    name: str,
    reference_ids: Iterable[UUID],
    require_consent: Consent,
) -> ErasureCertificate:
    """Erase references, somebody's or not, once somebody consents; subjects stay.

    Raises what `Erasing.finish` does, and:

    Raises:
        NoSuchCollection: there is none.
        NotFound: one of them is not there, and none is erased.
    """
    _, begun = _erase_references(home, caller, name, reference_ids, require_consent)
    return home.gallery.erasing.finish(begun)[0]


def sweep_collections(home: Home) -> SweepReport:
    """Erase references past their date or their collection's days; finish what was begun before.

    Each part is a use of whoever is at this machine.

    Raises:
        Denied: a rule forbids it of a collection; of all others it is done.
        KeyUnusable: what seals a collection does not open; likewise.
        Conflict, IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: as for `Erasing.finish`.
    """
    now, stood_in_way = home.clock(), list[Denied | KeyUnusable]()
    for collection in home.gallery.collections():
        try:
            while due := collection.due(now):
                _sweep(home, collection, due)
        except (Denied, KeyUnusable) as error:
            stood_in_way.append(error)
    report = SweepReport(now, tuple(home.gallery.erasing.finish_pending()))
    if stood_in_way:
        raise stood_in_way[0]
    return report


def readable_among(its: CollectionRows, reference_ids: Sequence[UUID]) -> list[Reference]:
    """Give references of some ids; one that was changed from outside keeps nobody from erasing."""
    return [
        one
        for some in in_batches(reference_ids, _AT_A_TIME)
        for one in its.references.page(ids=some, limit=len(some))
    ]


def _begin_collection(home: Home, caller: Caller, name: str, require_consent: Consent) -> Erasure:
    """Destroy a collection's key, and what others keep of it; what has to follow is noted."""
    of = home.collection(caller, Action.ERASE, name)
    with home.record(caller, Action.ERASE, of) as record:
        declared = declares(of.read(lambda its: its.tags.all()))
        if declared and not may(caller.principal.role, Action.GOVERN):
            raise Denied(
                "The collection has tags that rules go by (likeness:), and made anew it would have"
                " none. Ask an admin, or delete its faces instead."
            )
        require_consent(of)

        def outcome(result: tuple[Erasure, list[UUID]]) -> Outcome:
            begun, everybody = result
            return Outcome(certificate_id=begun.id, forgotten=everybody, forgets_collection=True)

        try:
            return record.write(
                lambda connection: of.begin_erasure(connection, home.clock()), outcome
            )[0]
        except NotFound as error:  # somebody else erased it meanwhile
            raise NoSuchCollection(name) from error


def _erase_references(
    home: Home,
    caller: Caller,
    name: str,
    reference_ids: Iterable[UUID],
    require_consent: Consent | None = None,
) -> tuple[ErasedReferences, list[Erasure]]:
    """Erase each id once; where consent is given, all of them or none, somebody's too."""
    ids, of = list(dict.fromkeys(reference_ids)), home.collection(caller, Action.ERASE, name)

    def erase(connection: Connection) -> tuple[ErasedReferences, list[Erasure]]:
        its = of.within(connection)
        if require_consent is not None:
            its.references.by_ids(ids)  # or NotFound
            done = ErasedReferences(tuple(ids), {}, ())
        else:
            found = {one.id: one for one in its.references.known(ids)}
            subjects = its.subjects.of(found.values())
            kept = {
                one.id: _whose(one, subjects)
                for one in found.values()
                if one.subject_number is not None
            }
            erased = tuple(one for one in ids if one in found and one not in kept)
            done = ErasedReferences(erased, kept, tuple(one for one in ids if one not in found))
        if not done.erased:
            return done, []
        return done, [_begin_references(connection, home, of, done.erased)]

    def outcome(result: tuple[ErasedReferences, list[Erasure]]) -> Outcome:
        done, begun = result
        return Outcome(
            reference_ids=done.erased,
            certificate_id=begun[0].id if begun else None,
            forgotten=done.erased,
        )

    with home.record(caller, Action.ERASE, of) as record:
        if require_consent is not None:
            require_consent(of)
        return record.write(erase, outcome)


def _whose(one: KnownReference, subjects: Mapping[int, Subject]) -> Subject:
    subject = subjects.get(one.subject_number or 0)
    if subject is None:
        raise KeyUnusable(
            f"The subject of reference {one.id} is damaged. Restore its row from a backup."
        )
    return subject


def _begin_references(
    connection: Connection,
    home: Home,
    of: Collection,
    reference_ids: Sequence[UUID],
    *,
    with_emptied: bool = False,
) -> Erasure:
    """Begin to erase references; watches for their person stay, and the certificate names them.

    Else whoever may enrol and erase could end anybody's watch, and a sweep would.
    """
    its = of.within(connection)
    readable = readable_among(its, reference_ids)
    watches = watches_of(connection, home, of, readable)
    begun = its.begin_erasure(home.clock(), reference_ids=reference_ids, with_emptied=with_emptied)
    mark_pictures(connection, home.keyring, begun.id, (one.details for one in readable))
    remainders = left_watches(watches, ended=False)
    note_for_certificate(connection, begun.id, remainders=remainders)
    return begun


def _sweep(home: Home, collection: Collection, due: Sequence[UUID]) -> None:
    def outcome(begun: Erasure) -> Outcome:
        subject_ids = begun.erased.subject_ids
        return Outcome(
            reference_ids=tuple(due),
            subject_ids=subject_ids,
            certificate_id=begun.id,
            forgotten=(*due, *subject_ids),
        )

    use = Use(home.somebody, Action.ERASE, "SweepCollection", collection.id)
    with home.desk.record(use) as record:
        record.write(
            lambda connection: _begin_references(
                connection, home, collection, due, with_emptied=True
            ),
            outcome,
        )


def _carry_through(home: Home, begun: Sequence[Erasure]) -> None:
    try:
        home.gallery.erasing.finish(begun)
    except LikenessError as error:
        _logger.warning("erasures stay to be finished: %s", error)
