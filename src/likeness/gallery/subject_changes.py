"""Renames, merges and splits subjects, so that the last change of each can be undone.

1. What was before lies sealed until the next change of one of its subjects, or until one of them is
   erased, or one of their references: then nothing of it is left.
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


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """What was done, or undone: `subject` is as they are now.

    `other` is who was merged into them, or was split off. `reference_ids` changed hands; `number`
    is what `OpenCollection.follow_assignment` takes after the commit, None where nothing did.
    `before` is what was, for whoever undoes it.
    """

    kind: ChangeKind
    subject: Subject
    other: Subject | None
    reference_ids: tuple[UUID, ...]
    number: int | None
    before: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptChange:
    """The last change of a subject; `carried` is what whoever kept it said of it."""

    id: UUID
    kind: ChangeKind
    subject_id: UUID
    made_at: datetime
    before: Mapping[str, Any]
    carried: Any


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
        return SubjectChange(ChangeKind.RENAME, renamed, None, (), None, {"name": subject.name})

    def merge(self, gone: Subject, into: Subject) -> SubjectChange:
        """Make all references of one subject another's; the first is gone then.

        Raises:
            InvalidRequest: they are one subject.
            KeyUnusable: a reference was changed from outside.
        """
        if gone.id == into.id:
            raise InvalidRequest(
                f"Subject {into.id} cannot be merged with themselves. Name two subjects."
            )
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
        before = {
            "id": str(gone.id),
            "name": gone.name,
            "created_at": gone.created_at.isoformat(),
            "references": [str(one) for one in ids],
            "taken_up": [str(one) for one in taken_up],
        }
        number = self._note(into, gone)
        return SubjectChange(ChangeKind.MERGE, into, gone, ids, number, before)

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
        ids = tuple(dict.fromkeys(reference_ids))
        if not ids:
            raise InvalidRequest("No reference to split off. Name one at least, by its id.")
        for some in in_batches(ids, _AT_A_TIME):
            for one in self._references.by_ids(some):
                if one.subject_number != subject.number:
                    raise Conflict(
                        f"Reference {one.id} is not subject {subject.id}'s. Leave it out."
                    )
        if len(ids) == self._subjects.sizes([subject.number])[subject.number]:
            raise InvalidRequest(
                f"These are all references of subject {subject.id}. Rename the subject, or leave"
                " some out."
            )
        made = self._subjects.create(name, now)
        self._give(ids, subject, made)
        before = {"id": str(made.id), "references": [str(one) for one in ids]}
        number = self._note(subject, made)
        return SubjectChange(ChangeKind.SPLIT, subject, made, ids, number, before)

    def keep(self, change: SubjectChange, carried: Any, now: datetime) -> None:
        """Keep what a change takes to undo, in place of what was kept of its subjects before.

        `carried` is of JSON's values.
        """
        of = [one.id for one in (change.subject, change.other) if one is not None]
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
                " split, or that is undone, or something of theirs was erased since."
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
            return SubjectChange(kept.kind, renamed, None, (), None, {})
        ids = [UUID(one) for one in before["references"]]
        if kept.kind is ChangeKind.SPLIT:
            made = self._subjects.by_id(UUID(before["id"]))
            forget_changes_of(self.connection, [made.id])
            merged = self.merge(made, subject)
            return SubjectChange(kept.kind, subject, made, merged.reference_ids, merged.number, {})
        created_at = datetime.fromisoformat(before["created_at"])
        gone = ArrivingSubject(UUID(before["id"]), before["name"], created_at)
        self.connection.execute(delete(TAKEN_UP).where(TAKEN_UP.c.subject_id == gone.id))
        back = self._subjects.bring_back(gone)
        self._take_up([UUID(one) for one in before["taken_up"]], back.id)
        moved = self._give(ids, subject, back)
        return SubjectChange(kept.kind, subject, back, moved, self._note(subject, back), {})

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
        still = set(self._ids_of(whose))
        given = tuple(one for one in reference_ids if one in still)
        for some in in_batches(given, _AT_A_TIME):
            proofs.assign(self.connection, self.seal, REFERENCES.c.id.in_(some), (to.number, to.id))
        return given

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
