"""Assign references to a subject, as far as they are like those that are the subject's already.

That compares a person with many who are enrolled, as a search does, and is admitted as one: else it
would tell scores that rules withhold. Its answer waits for nobody, so that where people have to
look at what a search found, nothing is compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict, Denied
from likeness.gallery import CollectionRows, OpenCollection, Reference, Subject
from likeness.service.uses.record import Outcome, Record, refusal
from likeness.service.uses.withhold import OF_PEOPLE
from likeness.terms import Calibration, Duty, Template, compare


class SubjectFull(Conflict):
    """A subject would have more references than were allowed."""


class Why(StrEnum):
    """Why a reference stays whose it is."""

    MISSING = "missing"
    ANOTHERS = "another's"
    UNLIKE = "unlike"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reference that stays whose it is; `similarity`, 0 to 100, where that is why and is told."""

    reference_id: UUID
    why: Why
    subject: str | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which references changed hands, and which did not; `number` is what indexes follow."""

    subject_id: UUID
    reference_ids: tuple[UUID, ...]
    refused: tuple[Refusal, ...]
    number: int | None


Act = Callable[[Connection], Assigned]
Once = Callable[[Act], Act]
"""Lets a request that comes again change nothing, and gives what it was answered at first."""


@dataclass(frozen=True, slots=True)
class AssignDemands:
    """What an assignment asks for.

    A subject's first references are theirs whatever they look like; later ones reach `threshold`,
    a similarity of 0 to 100, with one of those at least. A subject has `most_references` at most.
    """

    threshold: float
    most_references: int


def assign(
    record: Record,
    collection: OpenCollection,
    name: str,
    reference_ids: Sequence[UUID],
    calibration: Calibration,
    demands: AssignDemands,
    once: Once,
) -> Assigned:
    """Assign references to the subject of a name; what is theirs already is passed over in silence.

    Raises:
        NotFound: there is no such subject.
        SubjectFull: they would have too many references; nothing was assigned.
        Denied: people would have to look before anybody is compared.
    """
    floor = record.decision.amount_of(Duty.SIMILARITY) or 0.0
    threshold = max(demands.threshold, floor)

    def act(connection: Connection) -> Assigned:
        rows = collection.within(connection)
        subject = rows.subjects.get(name)
        free, refused = _sorted_out(rows, subject, reference_ids)
        held = rows.references.of_subject(subject.id)
        if held and free:
            _require_nobody_to_look(record)
            numbers = [one.number for one in (*held, *free)]
            templates = rows.references.templates(numbers)
            theirs = [templates[one.number] for one in held]
            alike = {
                one.id: calibration.similarity(_closest(templates[one.number], theirs))
                for one in free
            }
            refused += [
                Refusal(one, Why.UNLIKE, similarity=similarity if similarity >= floor else None)
                for one, similarity in alike.items()
                if similarity < threshold
            ]
            free = [one for one in free if alike[one.id] >= threshold]
        if len(held) + len(free) > demands.most_references:
            raise SubjectFull(
                f"at most {demands.most_references} references of subject {subject.id} were"
                f" expected and {len(held)} and {len(free)} more came: leave some out"
            )
        ids = tuple(one.id for one in free)
        number = rows.give(subject.id, ids) if ids else None
        return Assigned(subject.id, ids, tuple(refused), number)

    return _followed(collection, record.write(once(act), _outcome))


def unassign(
    record: Record,
    collection: OpenCollection,
    name: str,
    reference_ids: Sequence[UUID],
    once: Once,
) -> Assigned:
    """Take references from the subject of a name; what is nobody's is passed over in silence.

    Raises:
        NotFound: there is no such subject.
    """

    def act(connection: Connection) -> Assigned:
        rows = collection.within(connection)
        subject = rows.subjects.get(name)
        held = {one.id for one in rows.references.of_subject(subject.id)}
        _, refused = _sorted_out(rows, subject, reference_ids)
        ids = tuple(one for one in dict.fromkeys(reference_ids) if one in held)
        number = rows.take(subject.id, ids) if ids else None
        return Assigned(subject.id, ids, tuple(refused), number)

    return _followed(collection, record.write(once(act), _outcome))


def _require_nobody_to_look(record: Record) -> None:
    owed = [one for one in record.decision.obligations if one.duty in OF_PEOPLE]
    if owed:
        raise Denied(refusal(record.use, replace(record.decision, obligations=tuple(owed))))


def _sorted_out(
    rows: CollectionRows, subject: Subject, reference_ids: Sequence[UUID]
) -> tuple[list[Reference], list[Refusal]]:
    """Give those of some references that are nobody's, and refuse those that are not to be had."""
    ids = list(dict.fromkeys(reference_ids))
    found = {one.id: one for one in rows.references.page(ids=ids, limit=len(ids))}
    named = rows.subjects.of(found.values())
    refused = [Refusal(one, Why.MISSING) for one in ids if one not in found]
    refused += [
        Refusal(one, Why.ANOTHERS, named[number].name)
        for one in ids
        if one in found and (number := found[one].subject_number) not in (None, subject.number)
    ]
    return [found[n] for n in ids if n in found and found[n].subject_number is None], refused


def _closest(template: Template, others: Sequence[Template]) -> float:
    return max(compare(other, template).score for other in others)


def _outcome(done: Assigned) -> Outcome:
    return Outcome(reference_ids=done.reference_ids, subject_ids=(done.subject_id,))


def _followed(collection: OpenCollection, done: Assigned) -> Assigned:
    if done.number is not None:
        collection.follow_assignment(done.number)
    return done
