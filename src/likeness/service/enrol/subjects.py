"""Make subjects, say which references are theirs, and list who is in a collection.

To assign references compares a person with many who are enrolled, as a search does, and is admitted
as one: else it would tell scores that rules withhold. Its answer waits for nobody, so that where
people have to look at what a search found, nothing is compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.errors import Conflict, Denied, KeyUnusable
from likeness.gallery import (
    Collection,
    CollectionRows,
    KnownReference,
    OpenCollection,
    Reference,
    Subject,
)
from likeness.service.enrol.enrolled_looks import templates_of
from likeness.service.enrol.unlike import FMR, unlike_the_rest
from likeness.service.uses import (
    OF_PEOPLE,
    Caller,
    Home,
    NoSuchSubject,
    Once,
    Outcome,
    Record,
    Rows,
    refusal,
)
from likeness.terms import Action, Duty, Obligation, Template, compare

T = TypeVar("T")
_MOST_NAMED = 5


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
    """Which references changed hands, and which did not; `number` is what indexes follow.

    `unlike` of those that did look like none of the subject's others.
    """

    subject_id: UUID
    reference_ids: tuple[UUID, ...]
    refused: tuple[Refusal, ...]
    number: int | None
    unlike: int = 0


@dataclass(frozen=True, slots=True)
class AssignDemands:
    """What an assignment asks for.

    A subject's first references are theirs whatever they look like; later ones reach `threshold`,
    a similarity of 0 to 100, with one of those at least. A subject has `most_references` at most.
    """

    threshold: float
    most_references: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list of a collection's; `after` is where the next begins, None at the end."""

    collection: Collection
    listed: Sequence[T]
    total: int
    after: int | None


@dataclass(frozen=True, slots=True)
class ListedSubject:
    """A subject and how many references they have."""

    subject: Subject
    references: int


@dataclass(frozen=True, slots=True)
class ListedReference:
    """A reference and whose it is, None where nobody named it."""

    reference: Reference
    subject: Subject | None


After = Callable[[Collection], int]
"""Says after which number a list of a collection begins; asked once it may be listed, so that its
errors tell nobody else that the collection exists."""

_ID, _ASSIGNED = TypeAdapter(UUID), TypeAdapter(Assigned)


def create_subject(rows: Rows, caller: Caller, name: str, subject: str, once: Once) -> UUID:
    """Make a subject of a collection, who has no references yet.

    Raises:
        NoSuchCollection: there is none of that name.
        InvalidRequest: the subject's name cannot be kept.
        AlreadyExists: the collection has a subject of that name.
        TokenReused: the request's token came with another.
    """
    of = rows.collection(caller, Action.ARRANGE, name)

    def create(connection: Connection) -> UUID:
        return of.within(connection).subjects.create(subject, rows.clock()).id

    with rows.record(caller, Action.ARRANGE, of) as record:
        return record.write(
            once.act(caller, of, _ID, create), lambda made: Outcome(subject_ids=(made,))
        )


def list_subjects(
    rows: Rows, caller: Caller, name: str, *, after: After, limit: int
) -> Page[ListedSubject]:
    """List subjects in the order they came.

    Raises:
        NoSuchCollection: there is none of that name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> Page[ListedSubject]:
        found = its.subjects.page(after=after(of), limit=limit + 1)
        sizes = its.subjects.sizes([one.number for one in found])
        listed = [ListedSubject(one, sizes.get(one.number, 0)) for one in found]
        return _page(of, listed, [one.number for one in found], of.size.subjects, limit)

    with rows.record(caller, Action.READ, of) as record:
        page = of.read(read)
        record.answered(Outcome())
    return page


def list_references(
    rows: Rows,
    caller: Caller,
    name: str,
    *,
    subject: str | None = None,
    ids: Sequence[UUID] | None = None,
    after: After,
    limit: int,
) -> Page[ListedReference]:
    """List references in the order they came: all, those of a subject, or those of some ids.

    Where there is no subject of the name, they are those that have it as their external id.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> Page[ListedReference]:
        begins = after(of)
        number, total = None, of.size.references
        found: list[Reference] | None = None
        if subject is not None:
            theirs = everybody_named(its, subject)
            if theirs.subjects:
                number = theirs.subjects[0].number
                total = its.subjects.sizes([number]).get(number, 0)
            else:
                total = len(theirs.references)
                found = [one for one in theirs.references if one.number > begins][: limit + 1]
        if found is None:
            found = its.references.page(
                after=begins, limit=limit + 1, subject_number=number, ids=ids
            )
        known = its.subjects.of(found)
        listed = [ListedReference(one, known.get(one.subject_number or 0)) for one in found]
        return _page(of, listed, [one.number for one in found], total, limit)

    with rows.record(caller, Action.READ, of) as record:
        page = of.read(read)
        # A count: an entry that committed to thousands would cost more than the list.
        record.answered(Outcome(faces=len(page.listed)))
    return page


def assign_references(
    home: Home,
    caller: Caller,
    name: str,
    subject: str,
    *,
    reference_ids: Sequence[UUID],
    demands: AssignDemands,
    once: Once,
) -> Assigned:
    """Assign references to the subject of a name; what is theirs already is passed over in silence.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        NotFound: nobody has measured what the collection's scores mean.
        SubjectFull: they would have too many references; nothing was assigned.
        Denied: people would have to look before anybody is compared.
        TokenReused: the request's token came with another.
    """
    of = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, of) as record:
        floor = record.decision.amount_of(Duty.SIMILARITY) or 0.0
        threshold, calibration = max(demands.threshold, floor), home.calibration_of(of)

        def assign(connection: Connection) -> Assigned:
            its = of.within(connection)
            to = named(its, subject)
            free, refused = _sorted_out(its, to, reference_ids)
            theirs = its.references.of_subject(to.id)
            if theirs and free:
                require_nobody_to_look(record)
                templates = its.references.templates(
                    [*(one.number for one in theirs), *(one.number for one in free)]
                )
                own = [templates[one.number] for one in theirs if one.number in templates]
                refused += [
                    Refusal(one.id, Why.MISSING) for one in free if one.number not in templates
                ]
                free = [one for one in free if one.number in templates]
                if not own:
                    raise KeyUnusable(
                        f"Every reference of subject {to.id} is damaged, so nobody can be compared"
                        " with them. Restore the rows from a backup."
                    )
                alike = {
                    one.id: calibration.similarity(_closest(templates[one.number], own))
                    for one in free
                }
                refused += [
                    Refusal(one, Why.UNLIKE, similarity=similarity if similarity >= floor else None)
                    for one, similarity in alike.items()
                    if similarity < threshold
                ]
                free = [one for one in free if alike[one.id] >= threshold]
            if len(theirs) + len(free) > demands.most_references:
                raise SubjectFull(
                    f"Subject {to.id} has {len(theirs)} references and {len(free)} more came, which"
                    f" is above {demands.most_references}. Leave some out."
                )
            ids = tuple(one.id for one in free)
            unlike = 0
            if ids and not _owed_of_people(record):
                known, new = (templates_of(of, its, some) for some in (theirs, free))
                unlike = sum(unlike_the_rest(known, new, calibration.point(FMR).threshold))
            number = its.give(to.id, ids) if ids else None
            return Assigned(to.id, ids, tuple(refused), number, unlike)

        return _followed(of, record.write(once.act(caller, of, _ASSIGNED, assign), _outcome))


def unassign_references(
    home: Home,
    caller: Caller,
    name: str,
    subject: str,
    *,
    reference_ids: Sequence[UUID],
    once: Once,
) -> Assigned:
    """Take references from the subject of a name; what is nobody's is passed over in silence.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        TokenReused: the request's token came with another.
    """
    of = home.collection(caller, Action.ARRANGE, name)

    def unassign(connection: Connection) -> Assigned:
        its = of.within(connection)
        whose = named(its, subject)
        theirs = {one.id for one in its.references.known_of_subject(whose.id)}
        _, refused = _sorted_out(its, whose, reference_ids)
        ids = tuple(one for one in dict.fromkeys(reference_ids) if one in theirs)
        return Assigned(whose.id, ids, tuple(refused), its.take(whose.id, ids) if ids else None)

    with home.record(caller, Action.ARRANGE, of) as record:
        return _followed(of, record.write(once.act(caller, of, _ASSIGNED, unassign), _outcome))


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a name means: subjects, of whom an older Likeness may have spelt two, and references.

    References are those that have it as the id that a client chose: where there is no such subject
    all of them, else those that are nobody's.
    """

    subjects: tuple[Subject, ...]
    references: tuple[Reference, ...]


def everybody_named(its: CollectionRows, name: str) -> Named:
    """Find whom a name means: a subject's, or the id that a client chose for references.

    Raises:
        NoSuchSubject: there is neither.
        InvalidRequest: nobody can have that name.
    """
    subjects = tuple(its.subjects.of_any_spelling(name))
    references = tuple(
        one
        for one in its.references.of_external_id(name)
        if not subjects or one.subject_number is None
    )
    if not subjects and not references:
        raise NoSuchSubject(name)
    return Named(subjects, references)


def named(its: CollectionRows, name: str) -> Subject:
    """Find the subject of a name.

    Raises:
        NoSuchSubject: there is none.
        InvalidRequest: nobody can have that name.
    """
    found = its.subjects.find(name)
    if found is None:
        raise NoSuchSubject(name)
    return found


def meant(its: CollectionRows, name: str) -> Subject:
    """Find the subject whom a name means: theirs, or the id a client chose for their references.

    Raises:
        NoSuchSubject: there is neither.
        InvalidRequest: nobody can have that name.
        Conflict: references of several subjects have that id.
    """
    found = its.subjects.find(name)
    if found is not None:
        return found
    numbers = {one.subject_number for one in its.references.of_external_id(name)} - {None}
    subjects = its.subjects.by_numbers(one for one in numbers if one is not None)
    if len(subjects) > 1:
        names = ", ".join(sorted(repr(one.name) for one in subjects.values())[:_MOST_NAMED])
        raise Conflict(f"{name!r} is the id of faces of several people. Name one of them: {names}.")
    for one in subjects.values():
        return one
    raise NoSuchSubject(name)


def require_nobody_to_look(record: Record) -> None:
    """Refuse a use that compares people where others would have to look at what it finds.

    Raises:
        Denied: they would.
    """
    if owed := _owed_of_people(record):
        raise Denied(refusal(record.use, replace(record.decision, obligations=owed)))


def _owed_of_people(record: Record) -> tuple[Obligation, ...]:
    return tuple(one for one in record.decision.obligations if one.duty in OF_PEOPLE)


def _sorted_out(
    its: CollectionRows, subject: Subject, reference_ids: Sequence[UUID]
) -> tuple[list[KnownReference], list[Refusal]]:
    """Give those of some references that are nobody's, and refuse those that are not to be had."""
    ids = list(dict.fromkeys(reference_ids))
    found = {one.id: one for one in its.references.known(ids)}
    others = its.subjects.of(one for one in found.values() if one.subject_number != subject.number)
    refused = [Refusal(one, Why.MISSING) for one in ids if one not in found]
    refused += [
        Refusal(one, Why.ANOTHERS, others[number].name)
        for one in ids
        if one in found and (number := found[one].subject_number) in others
    ]
    return [found[n] for n in ids if n in found and found[n].subject_number is None], refused


def _closest(template: Template, others: Sequence[Template]) -> float:
    return max(compare(other, template).score for other in others)


def _outcome(done: Assigned) -> Outcome:
    return Outcome(reference_ids=done.reference_ids, subject_ids=(done.subject_id,))


def _followed(of: OpenCollection, done: Assigned) -> Assigned:
    if done.number is not None:
        of.follow_assignment(done.number)
    return done


def _page(
    of: Collection, listed: Sequence[T], numbers: Sequence[int], total: int, limit: int
) -> Page[T]:
    """Make a page of one more than it has, where there is one."""
    return Page(of, listed[:limit], total, numbers[limit - 1] if len(listed) > limit else None)
