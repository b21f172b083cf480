"""Who is in a collection: subjects, read and changed in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from likeness.errors import AlreadyExists, InvalidRequest, KeyUnusable, NotFound
from likeness.gallery import stored_collections
from likeness.gallery.stored_collections import Unit, require_free_ids
from likeness.gallery.tables import (
    CHANGED_SUBJECTS,
    REFERENCES,
    SUBJECT_CHANGES,
    SUBJECTS,
    TAKEN_UP,
)
from likeness.storage import OneOf, legible, legible_page, legible_rows
from likeness.terms import checked_name, checked_text, composed, in_batches, spellings

if TYPE_CHECKING:
    from likeness.gallery.references import KnownReference, Reference


@dataclass(frozen=True, slots=True)
class ArrivingSubject:
    """A subject as it was in another installation."""

    id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A person in a collection; `number` is what indexes know them by."""

    number: int
    id: UUID
    name: str
    created_at: datetime


_COLUMNS = [SUBJECTS.c[name] for name in ("number", "id", "sealed_name", "created_at")]
_NUMBERED = OneOf(
    SUBJECTS.c.number,
    lambda some: select(*_COLUMNS).where(
        SUBJECTS.c.collection_id == bindparam("collection_id"), some
    ),
)

_AT_A_TIME = 900


class Subjects(Unit):
    """The subjects of a collection."""

    __slots__ = ()

    def create(self, name: str, now: datetime) -> Subject:
        """Make a subject without references.

        Raises:
            InvalidRequest: the name cannot be kept.
            AlreadyExists: the collection has one of that name, however it is spelt.
            NotFound: the collection was erased meanwhile.
        """
        stored_collections.required_by_id(self.connection, self.seal.collection_id)
        if (known := self.find(name)) is not None:
            raise AlreadyExists(
                f"Subject {known.id} has that name already. Enrol references of theirs."
            )
        return self.ensured([name], now)[name]

    def ensured(self, names: Sequence[str], now: datetime) -> dict[str, Subject]:
        """Find subjects by name, and make those that the collection lacks.

        Raises:
            InvalidRequest: a name cannot be kept.
            KeyUnusable: a row was changed so that another subject has the name's digest.
        """
        known = self._spelt(names)
        there = {
            name: found[0]
            for name in names
            if (found := [known[one] for one in spellings(name) if one in known])
        }
        lacking = dict.fromkeys(composed(name) for name in names if name not in there)
        made = self._insert([ArrivingSubject(uuid4(), name, now) for name in lacking])
        by_name = {one.name: one for one in made}
        return {name: there.get(name) or by_name[composed(name)] for name in names}

    def rename(self, subject: Subject, name: str) -> Subject:
        """Give a subject another name.

        Raises:
            InvalidRequest: the name cannot be kept.
            AlreadyExists: they have it already, or another of the collection has.
        """
        name = checked_name(name, "A subject's name")
        if name == subject.name:
            raise AlreadyExists(f"Subject {subject.id} has that name already. Choose another.")
        for known in self.of_any_spelling(name):
            if known.id != subject.id:
                raise AlreadyExists(
                    f"Subject {known.id} has that name. Choose another, or merge the two, if they"
                    " are one person."
                )
        values = {
            "sealed_name": self.seal.name(subject.id, name),
            "name_digest": self.seal.name_digest(name),
        }
        chosen = update(SUBJECTS).where(self._ours, SUBJECTS.c.number == subject.number)
        self.connection.execute(chosen.values(**values))
        return replace(subject, name=name)

    def remove(self, subject: Subject) -> None:
        """Let go of a subject who has no references any more, since another has taken them up."""
        ours = self._ours, SUBJECTS.c.number == subject.number
        self.connection.execute(delete(SUBJECTS).where(*ours))
        stored_collections.grow(self.connection, self.seal.collection_id, subjects=-1)

    def bring_back(self, gone: ArrivingSubject) -> Subject:
        """Make a subject again as they were, with their id and their date.

        Raises:
            AlreadyExists: another of the collection has their name by now.
        """
        known = self.find(gone.name)
        if known is not None:
            raise AlreadyExists(
                f"Subject {known.id} has the name by now that would come back. Rename them first."
            )
        return self._insert([gone])[0]

    def arrive(self, arriving: Sequence[ArrivingSubject]) -> None:
        """Put in up to a few thousand subjects of an export, their names spelt as they came.

        They keep their ids and dates. Where an older Likeness kept one name in two spellings, they
        stay two subjects.

        Raises:
            InvalidRequest: a name cannot be kept, or comes twice.
            Conflict: an id is taken.
        """
        require_free_ids(self.connection, SUBJECTS, [one.id for one in arriving])
        digests = [
            self.seal.name_digest(checked_text(one.name, "A subject's name")) for one in arriving
        ]
        taken = select(SUBJECTS.c.id).where(self._ours, SUBJECTS.c.name_digest.in_(digests))
        if len(set(digests)) < len(digests) or self.connection.execute(taken).first() is not None:
            raise InvalidRequest("Two subjects of the export have one name. Export it anew.")
        self._insert(arriving)

    def find(self, name: str) -> Subject | None:
        """Find a subject by name, in the spelling that came before any other; None for none.

        Raises:
            InvalidRequest: the name is none that can be kept.
            KeyUnusable: a row was changed so that another subject has the name's digest.
        """
        return next(iter(self.of_any_spelling(name)), None)

    def of_any_spelling(self, name: str) -> list[Subject]:
        """Find the subjects of a name, the one whose spelling came first; two where they differ.

        Raises:
            InvalidRequest: the name is none that can be kept.
            KeyUnusable: a row was changed so that another subject has the name's digest.
        """
        known = self._spelt([name])
        return [known[one] for one in spellings(name) if one in known]

    def get(self, name: str) -> Subject:
        """Find a subject by name.

        Raises:
            InvalidRequest: the name is none that can be kept.
            NotFound: there is none.
        """
        subject = self.find(name)
        if subject is None:
            raise NotFound(
                "No such subject. Check the spelling; reports of `likeness enrol` have the names."
            )
        return subject

    def by_id(self, subject_id: UUID) -> Subject:
        """Find a subject by id.

        Raises:
            NotFound: the collection has none.
        """
        for subject in self._read(SUBJECTS.c.id == subject_id):
            return subject
        raise NotFound(
            f"No such subject {subject_id} in this collection, or it is erased. Nothing was done."
        )

    def by_ids(self, ids: Sequence[UUID]) -> list[Subject]:
        """Find subjects by id, in the order they came.

        Those that do not exist, or are damaged, are left out.
        """
        return self._read(SUBJECTS.c.id.in_(ids))

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Subject]:
        """Find subjects by number; those that do not exist, or are damaged, are left out."""
        rows = _NUMBERED.all(self.connection, list(numbers), collection_id=self.seal.collection_id)
        found = legible(self.connection, SUBJECTS.c.number, rows, self._subject)
        return {one.number: one for one in found}

    def of(self, found: Iterable["Reference | KnownReference"]) -> dict[int, Subject]:
        """Find the subjects of references, by number."""
        return self.by_numbers(
            {one.subject_number for one in found if one.subject_number is not None}
        )

    def page(self, *, after: int = 0, limit: int = 1000) -> list[Subject]:
        """List at most `limit` subjects whose number is above `after`, in the order they came.

        Damaged ones are left out, and others take their places.
        """
        ours = select(*_COLUMNS).where(self._ours)
        number = SUBJECTS.c.number
        return legible_page(self.connection, number, ours, self._subject, after, limit)

    def numbers(self, *, after: int = 0, limit: int = 1000) -> list[int]:
        """List the numbers of at most `limit` subjects above `after`; no name is opened."""
        chosen = select(SUBJECTS.c.number).where(self._ours, SUBJECTS.c.number > after)
        some = chosen.order_by(SUBJECTS.c.number).limit(limit)
        return list(self.connection.execute(some).scalars())

    def taken_up(self, subject_ids: Iterable[UUID]) -> list[UUID]:
        """List the ids of those whom some subjects have taken up, in merges."""
        return taken_up_by(self.connection, subject_ids)

    def sizes(self, numbers: Iterable[int]) -> dict[int, int]:
        """Count the references of subjects, by number; those that have none are left out."""
        column = REFERENCES.c.subject_number
        counted = select(column, func.count()).where(
            REFERENCES.c.collection_id == self.seal.collection_id, column.in_(list(numbers))
        )
        return {
            number: count for number, count in self.connection.execute(counted.group_by(column))
        }

    @property
    def _ours(self) -> ColumnElement[bool]:
        return SUBJECTS.c.collection_id == self.seal.collection_id

    def _insert(self, arriving: Sequence[ArrivingSubject]) -> list[Subject]:
        rows = [
            {
                "id": one.id,
                "collection_id": self.seal.collection_id,
                "sealed_name": self.seal.name(one.id, one.name),
                "name_digest": self.seal.name_digest(one.name),
                "created_at": one.created_at,
            }
            for one in arriving
        ]
        if not rows:
            return []
        made = insert(SUBJECTS).returning(SUBJECTS.c.number, sort_by_parameter_order=True)
        numbers = self.connection.execute(made, rows).scalars()
        stored_collections.grow(self.connection, self.seal.collection_id, subjects=len(rows))
        return [
            Subject(number, one.id, one.name, one.created_at)
            for number, one in zip(numbers, arriving, strict=True)
        ]

    def _read(self, chosen: ColumnElement[bool]) -> list[Subject]:
        ours = select(*_COLUMNS).where(self._ours, chosen).order_by(SUBJECTS.c.number)
        rows = legible_rows(self.connection, SUBJECTS.c.number, ours)
        return legible(self.connection, SUBJECTS.c.number, rows, self._subject)

    def _spelt(self, names: Iterable[str]) -> dict[str, Subject]:
        """Find the subjects of names, by the spelling in which each is kept."""
        by_digest = {
            self.seal.name_digest(spelling): spelling
            for name in names
            if checked_name(name, "A subject's name")
            for spelling in spellings(name)
        }
        columns = [*_COLUMNS, SUBJECTS.c.name_digest]
        rows = self.connection.execute(
            select(*columns).where(self._ours, SUBJECTS.c.name_digest.in_(by_digest))
        )
        known = {by_digest[row.name_digest]: self._subject(row) for row in rows}
        for spelling, subject in known.items():
            # Digests are in the clear: one that was moved would let another be enrolled to, or
            # erased.
            if subject.name != spelling:
                raise KeyUnusable(
                    f"The digest of the name of subject {subject.id} was changed from outside."
                    " Restore the row from a backup."
                )
        return known

    def _subject(self, row: Row[Any]) -> Subject:
        return Subject(
            row.number, row.id, self.seal.opened_name(row.id, row.sealed_name), row.created_at
        )


def taken_up_by(connection: Connection, subject_ids: Iterable[UUID]) -> list[UUID]:
    """List the ids of subjects whom some others have taken up, in merges."""
    return [
        one
        for some in in_batches(subject_ids, _AT_A_TIME)
        for one in connection.execute(
            select(TAKEN_UP.c.subject_id).where(TAKEN_UP.c.by_id.in_(some))
        ).scalars()
    ]


def forget_changes_of(connection: Connection, subject_ids: Iterable[UUID]) -> None:
    """Keep nothing of the last changes of some subjects, which then cannot be undone."""
    for some in in_batches(subject_ids, _AT_A_TIME):
        theirs = CHANGED_SUBJECTS.c.subject_id.in_(some)
        changes = connection.execute(select(CHANGED_SUBJECTS.c.change_id).where(theirs)).scalars()
        ids = list(changes)
        connection.execute(delete(CHANGED_SUBJECTS).where(CHANGED_SUBJECTS.c.change_id.in_(ids)))
        connection.execute(delete(SUBJECT_CHANGES).where(SUBJECT_CHANGES.c.id.in_(ids)))


def forget_taken_up(connection: Connection, subject_ids: Iterable[UUID]) -> None:
    """Keep nothing of whom some subjects have taken up."""
    for some in in_batches(subject_ids, _AT_A_TIME):
        connection.execute(delete(TAKEN_UP).where(TAKEN_UP.c.by_id.in_(some)))
