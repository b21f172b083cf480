"""Renames, merges and splits subjects, moves and names faces, so that it can be undone.

1. What was before the last change lies sealed until the next change of one of its subjects, or
   until one of them is erased, or one of their references: then nothing of it is left.
2. Who is merged into another keeps no row, and their id leads to who has taken them up: whoever is
   erased takes along the ids of all whom they have taken up.
3. References that were given to somebody else meanwhile, or taken, stay where they are when a
   change is undone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, update

from likeness.errors import Conflict, InvalidRequest, NotFound
from likeness.gallery import proofs
from likeness.gallery.erasure import note_reassigned
from likeness.gallery.references import References
from likeness.gallery.stored_collections import Unit
from likeness.gallery.subjects import (
    ArrivingSubject,
    Subject,
    Subjects,
    forget_changes_of,
    taken_up_by,
)
from likeness.gallery.tables import CHANGED_SUBJECTS, REFERENCES, SUBJECT_CHANGES, TAKEN_UP
from likeness.terms import in_batches

_AT_A_TIME = 900


class ChangeKind(StrEnum):
    """What is done to subjects."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    """Some references of a subject become those of another who is there."""
    NAME = "name"
    """References that are nobody's become somebody's."""


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """What was done, or undone: `subject` is as they are now.

    `others` are who were merged into them, was split off, or got references of theirs, and `moved`
    the references that changed hands for each; where faces were named there is no other. `number`
    is what `OpenCollection.follow_assignment` takes after the commit, None where nothing changed
    hands. `before` is what was, for whoever undoes it. `is_gone` says that nobody is left of
    `subject`, who was made by what is undone.
    """

    kind: ChangeKind
    subject: Subject
    others: tuple[Subject, ...]
    moved: tuple[tuple[UUID, ...], ...]
    number: int | None
    before: Mapping[str, Any]
    is_gone: bool = False

    @property
    def reference_ids(self) -> tuple[UUID, ...]:
        """All references that changed hands."""
        return tuple(one for some in self.moved for one in some)


@dataclass(frozen=True, slots=True)
class KeptChange:
    """The last change of a subject; `carried` is what whoever kept it said of it."""

    id: UUID
    kind: ChangeKind
    subject_id: UUID
    made_at: datetime
    before: Mapping[str, Any]
    carried: Any

    @property
    def names_before(self) -> tuple[str, ...]:
        """The name that was changed, or the names of those who were merged."""
        match self.kind:
            case ChangeKind.RENAME:
                return (self.before["name"],)
            case ChangeKind.MERGE:
                return tuple(one["name"] for one in _merged(self.before))
            case _:
                return ()

    @property
    def other_id(self) -> UUID | None:
        """Who was given references; None where nobody was."""
        is_given = self.kind in (ChangeKind.SPLIT, ChangeKind.MOVE)
        return UUID(self.before["id"]) if is_given else None


def _merged(before: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    # An older Likeness merged one at a time.
    merged: Sequence[Mapping[str, Any]] = before.get("gone", [before])
    return merged


class SubjectChanges(Unit):
    """Changes of who a collection's subjects are."""

    __slots__ = ()

    def rename(self, subject: Subject, name: str) -> SubjectChange:
        """Give a subject another name.

        Raises:
            InvalidRequest: the name cannot be kept.
            AlreadyExists: they have it already, or another of the collection has.
        """
        renamed = self._subjects.rename(subject, name)
        return SubjectChange(ChangeKind.RENAME, renamed, (), (), None, {"name": subject.name})

    def merge(self, gone: Sequence[Subject], into: Subject) -> SubjectChange:
        """Make all references of some subjects another's; they are gone then.

        Raises:
            InvalidRequest: they are one subject, or one comes twice, or nobody does.
            KeyUnusable: a reference was changed from outside.
        """
        if not gone:
            raise InvalidRequest("Nobody to merge. Name one subject at least.")
        if len({one.id for one in (*gone, into)}) <= len(gone):
            raise InvalidRequest(
                f"Subject {into.id} cannot be merged with themselves. Name two subjects."
            )
        before = [self._take_in(one, into) for one in gone]
        moved = tuple(tuple(UUID(ref) for ref in one["references"]) for one in before)
        number = self._note(into, *gone)
        return SubjectChange(ChangeKind.MERGE, into, tuple(gone), moved, number, {"gone": before})

    def split(
        self, subject: Subject, name: str, reference_ids: Sequence[UUID], now: datetime
    ) -> SubjectChange:
        """Make some of a subject's references those of a new subject.

        Raises:
            InvalidRequest: none is named, or all are, or the name cannot be kept.
            NotFound: the collection has not one of them.
            Conflict: one is not the subject's.
            AlreadyExists: the collection has a subject of that name.
            KeyUnusable: a reference was changed from outside.
        """
        ids = self._some_of(subject, reference_ids, "split off", "Rename the subject")
        made = self._subjects.create(name, now)
        self._give(ids, subject, made)
        before = {"id": str(made.id), "references": [str(one) for one in ids]}
        number = self._note(subject, made)
        return SubjectChange(ChangeKind.SPLIT, subject, (made,), (ids,), number, before)

    def move(self, subject: Subject, to: Subject, reference_ids: Sequence[UUID]) -> SubjectChange:
        """Make some of a subject's references those of another.

        Raises:
            InvalidRequest: none is named, or all are, or they are one subject.
            NotFound: the collection has not one of them.
            Conflict: one is not the subject's.
            KeyUnusable: a reference was changed from outside.
        """
        if subject.id == to.id:
            raise InvalidRequest(f"These are references of subject {to.id} already. Name another.")
        ids = self._some_of(subject, reference_ids, "move", "Merge the two")
        self._give(ids, subject, to)
        before = {"id": str(to.id), "references": [str(one) for one in ids]}
        number = self._note(subject, to)
        return SubjectChange(ChangeKind.MOVE, subject, (to,), (ids,), number, before)

    def name(self, name: str, reference_ids: Sequence[UUID], now: datetime) -> SubjectChange:
        """Make references that are nobody's those of the subject of a name, who is made if new.

        Raises:
            InvalidRequest: none is named, or the name cannot be kept.
            NotFound: the collection has not one of them.
            Conflict: one is somebody's already.
            KeyUnusable: a reference was changed from outside.
        """
        ids = tuple(dict.fromkeys(reference_ids))
        if not ids:
            raise InvalidRequest("No face to name. Choose one at least.")
        for some in in_batches(ids, _AT_A_TIME):
            for one in self._references.by_ids(some):
                if one.subject_number is not None:
                    raise Conflict(f"Reference {one.id} is somebody's already. Leave it out.")
        known = self._subjects.find(name)
        subject = known or self._subjects.create(name, now)
        for some in in_batches(ids, _AT_A_TIME):
            self._assign(some, subject)
        before = {"references": [str(one) for one in ids], "made": known is None}
        return SubjectChange(ChangeKind.NAME, subject, (), (ids,), self._note(subject), before)

    def keep(self, change: SubjectChange, carried: Any, now: datetime) -> None:
        """Keep what a change takes to undo, in place of what was kept of its subjects before.

        `carried` is of JSON's values.
        """
        of = [one.id for one in (change.subject, *change.others)]
        forget_changes_of(self.connection, of)
        change_id = uuid4()
        content = {
            "kind": change.kind.value,
            "subject": str(change.subject.id),
            "before": change.before,
            "carried": carried,
        }
        row = {
            "id": change_id,
            "collection_id": self.seal.collection_id,
            "sealed_content": self.seal.subject_change(change_id, json.dumps(content).encode()),
            "made_at": now,
        }
        self.connection.execute(insert(SUBJECT_CHANGES), row)
        rows = [{"subject_id": one, "change_id": change_id} for one in of]
        self.connection.execute(insert(CHANGED_SUBJECTS), rows)

    def last_of(self, subject: Subject) -> KeptChange:
        """Find the last change of a subject.

        Raises:
            NotFound: there is none that could be undone.
            KeyUnusable: it was changed from outside.
        """
        chosen = select(SUBJECT_CHANGES).join_from(SUBJECT_CHANGES, CHANGED_SUBJECTS)
        ours = SUBJECT_CHANGES.c.collection_id == self.seal.collection_id
        row = self.connection.execute(
            chosen.where(ours, CHANGED_SUBJECTS.c.subject_id == subject.id)
        ).first()
        if row is None:
            raise NotFound(
                f"Nothing of subject {subject.id} can be undone: they were not renamed, merged or"
                " split, and no face of theirs was moved or named, or that is undone, or something"
                " of theirs was erased since."
            )
        content = json.loads(self.seal.opened_subject_change(row.id, row.sealed_content))
        return KeptChange(
            row.id,
            ChangeKind(content["kind"]),
            UUID(content["subject"]),
            row.made_at,
            content["before"],
            content["carried"],
        )

    def undo(self, kept: KeptChange) -> SubjectChange:
        """Make subjects what they were before a change; nothing of it is kept after.

        Raises:
            AlreadyExists: a name that would come back is another's by now.
            KeyUnusable: a reference was changed from outside.
        """
        subject, before = self._subjects.by_id(kept.subject_id), kept.before
        forget_changes_of(self.connection, [subject.id])
        if kept.kind is ChangeKind.RENAME:
            renamed = self._subjects.rename(subject, before["name"])
            return SubjectChange(kept.kind, renamed, (), (), None, {})
        if kept.kind is ChangeKind.MERGE:
            return self._undo_merge(subject, before)
        ids = [UUID(one) for one in before["references"]]
        if kept.kind is ChangeKind.NAME:
            return self._undo_name(subject, ids, was_made=before["made"])
        other = self._subjects.by_id(UUID(before["id"]))
        forget_changes_of(self.connection, [other.id])
        if kept.kind is ChangeKind.SPLIT:
            merged = self.merge([other], subject)
            return SubjectChange(kept.kind, subject, (other,), merged.moved, merged.number, {})
        back = self._give(ids, other, subject)
        number = self._note(subject, other)
        return SubjectChange(kept.kind, subject, (other,), (back,), number, {})

    def _undo_merge(self, subject: Subject, before: Mapping[str, Any]) -> SubjectChange:
        back, moved = list[Subject](), list[tuple[UUID, ...]]()
        for was in _merged(before):
            gone = ArrivingSubject(
                UUID(was["id"]), was["name"], datetime.fromisoformat(was["created_at"])
            )
            self.connection.execute(delete(TAKEN_UP).where(TAKEN_UP.c.subject_id == gone.id))
            back.append(self._subjects.bring_back(gone))
            self._take_up([UUID(one) for one in was["taken_up"]], gone.id)
            ids = [UUID(one) for one in was["references"]]
            moved.append(self._give(ids, subject, back[-1]))
        number = self._note(subject, *back)
        return SubjectChange(ChangeKind.MERGE, subject, tuple(back), tuple(moved), number, {})

    def _undo_name(self, subject: Subject, ids: Sequence[UUID], *, was_made: bool) -> SubjectChange:
        still = self._still_of(subject, ids)
        for some in in_batches(still, _AT_A_TIME):
            self._assign(some, None)
        is_gone = was_made and not self._subjects.sizes([subject.number])
        if is_gone:
            self._subjects.remove(subject)
        number = self._note(subject)
        return SubjectChange(ChangeKind.NAME, subject, (), (still,), number, {}, is_gone)

    def _take_in(self, gone: Subject, into: Subject) -> dict[str, Any]:
        """Let a subject take up another; give what was."""
        ids = self._ids_of(gone)
        proofs.assign(
            self.connection,
            self.seal,
            REFERENCES.c.subject_number == gone.number,
            (into.number, into.id),
        )
        self._subjects.remove(gone)
        taken_up = taken_up_by(self.connection, [gone.id])
        self._take_up([*taken_up, gone.id], into.id)
        return {
            "id": str(gone.id),
            "name": gone.name,
            "created_at": gone.created_at.isoformat(),
            "references": [str(one) for one in ids],
            "taken_up": [str(one) for one in taken_up],
        }

    def _some_of(
        self, subject: Subject, reference_ids: Sequence[UUID], what_for: str, remedy: str
    ) -> tuple[UUID, ...]:
        """Check that references are some of a subject's, and not all."""
        ids = tuple(dict.fromkeys(reference_ids))
        if not ids:
            raise InvalidRequest(f"No reference to {what_for}. Name one at least, by its id.")
        for some in in_batches(ids, _AT_A_TIME):
            for one in self._references.by_ids(some):
                if one.subject_number != subject.number:
                    raise Conflict(
                        f"Reference {one.id} is not subject {subject.id}'s. Leave it out."
                    )
        if len(ids) == self._subjects.sizes([subject.number])[subject.number]:
            raise InvalidRequest(
                f"These are all references of subject {subject.id}. {remedy}, or leave some out."
            )
        return ids

    @property
    def _subjects(self) -> Subjects:
        return Subjects(self.connection, self.seal, self.collection)

    @property
    def _references(self) -> References:
        return References(self.connection, self.seal, self.collection)

    def _ids_of(self, subject: Subject) -> tuple[UUID, ...]:
        ours = REFERENCES.c.collection_id == self.seal.collection_id
        theirs = select(REFERENCES.c.id).where(ours, REFERENCES.c.subject_number == subject.number)
        return tuple(self.connection.execute(theirs).scalars())

    def _give(self, reference_ids: Sequence[UUID], whose: Subject, to: Subject) -> tuple[UUID, ...]:
        """Give those of some references that are a subject's to another; say which those are."""
        given = self._still_of(whose, reference_ids)
        for some in in_batches(given, _AT_A_TIME):
            self._assign(some, to)
        return given

    def _still_of(self, subject: Subject, reference_ids: Sequence[UUID]) -> tuple[UUID, ...]:
        theirs = set(self._ids_of(subject))
        return tuple(one for one in reference_ids if one in theirs)

    def _assign(self, ids: Sequence[UUID], to: Subject | None) -> None:
        whose = None if to is None else (to.number, to.id)
        proofs.assign(self.connection, self.seal, REFERENCES.c.id.in_(ids), whose)

    def _note(self, *changed: Subject) -> int:
        numbers = [one.number for one in changed]
        return note_reassigned(self.connection, self.seal.collection_id, numbers)

    def _take_up(self, subject_ids: Iterable[UUID], by_id: UUID) -> None:
        for one in subject_ids:
            taken = TAKEN_UP.c.subject_id == one
            if not self.connection.execute(
                update(TAKEN_UP).where(taken).values(by_id=by_id)
            ).rowcount:
                row = {"subject_id": one, "collection_id": self.seal.collection_id, "by_id": by_id}
                self.connection.execute(insert(TAKEN_UP), row)
