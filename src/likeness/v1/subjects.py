"""Subjects over HTTP: rename, merge, split, move and name faces, and undo the last change of one.

Names are in bodies alone: paths end in logs of proxies.
"""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from likeness.service.enrol import subject_changes as acts
from likeness.v1.acts import ActRouter, Calls, RowsHere
from likeness.v1.subject_answers import ChangedSubjectAnswer

subjects = ActRouter(prefix="/v1/subjects", tags=["subjects"])

# A thousand ids fill most of a body.
_MOST_REFERENCES = 1000


class SubjectRequest(BaseModel):
    """A subject of a collection, by name."""

    model_config = ConfigDict(extra="forbid")

    collection: str
    subject: str


class RenameRequest(SubjectRequest):
    """What a subject is to be called."""

    name: str


class MergeRequest(SubjectRequest):
    """Whose the subject's references become; `subject` is gone then."""

    into: str


class MoveRequest(SubjectRequest):
    """Which references of a subject become another's, who is called `to`."""

    to: str
    reference_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_REFERENCES)]


class NameRequest(SubjectRequest):
    """Which references that are nobody's become the subject's, who is made where there is none."""

    reference_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_REFERENCES)]


class SplitRequest(SubjectRequest):
    """Which references of a subject become those of a new one, called `name`."""

    name: str
    reference_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_REFERENCES)]


@subjects.post("/rename")
def rename_subject(asked: RenameRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Give a subject another name."""
    caller = calls("RenameSubject")
    return ChangedSubjectAnswer.of(
        acts.rename_subject(rows, caller, asked.collection, asked.subject, asked.name)
    )


@subjects.post("/merge")
def merge_subjects(asked: MergeRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Make all references of a subject another's."""
    caller = calls("MergeSubjects")
    return ChangedSubjectAnswer.of(
        acts.merge_subjects(rows, caller, asked.collection, asked.subject, asked.into)
    )


@subjects.post("/split")
def split_subject(asked: SplitRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Make some references of a subject those of a new one."""
    caller, ids = calls("SplitSubject"), asked.reference_ids
    return ChangedSubjectAnswer.of(
        acts.split_subject(rows, caller, asked.collection, asked.subject, asked.name, ids)
    )


@subjects.post("/move")
def move_references(asked: MoveRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Make some references of a subject another's."""
    caller, ids = calls("MoveReferences"), asked.reference_ids
    return ChangedSubjectAnswer.of(
        acts.move_references(rows, caller, asked.collection, asked.subject, asked.to, ids)
    )


@subjects.post("/name")
def name_references(asked: NameRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Make references that are nobody's a subject's."""
    caller, ids = calls("NameReferences"), asked.reference_ids
    return ChangedSubjectAnswer.of(
        acts.name_references(rows, caller, asked.collection, asked.subject, ids)
    )


@subjects.post("/undo")
def undo_change(asked: SubjectRequest, rows: RowsHere, calls: Calls) -> ChangedSubjectAnswer:
    """Undo the last change of a subject: a rename, a merge or a split, or faces that were given."""
    caller = calls("UndoSubjectChange")
    return ChangedSubjectAnswer.of(
        acts.undo_subject_change(rows, caller, asked.collection, asked.subject), undone=True
    )
