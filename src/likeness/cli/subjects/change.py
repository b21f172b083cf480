"""`likeness subjects rename`, `merge`, `split`, `move`, `name`, `undo`: also beside a server."""

import shlex
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import several
from likeness.gallery import ChangeKind
from likeness.service.enrol import subject_changes as acts
from likeness.service.enrol.subject_changes import ChangedSubject
from likeness.v1.subject_answers import ChangedSubjectAnswer, SubjectAnswer

Of = Annotated[str, typer.Option("--collection", metavar="NAME", help="Collection they are in.")]
Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT", help="The subject's name, or the ExternalImageId of their faces."
    ),
]
New = Annotated[str, typer.Argument(metavar="NEW", help="The new name, which nobody has yet.")]


def rename(subject: Subject, new: New, collection: Of, as_json: AsJson = False) -> None:
    """Give a subject another name."""
    with rows_for("subjects rename") as (rows, caller):
        done = acts.rename_subject(rows, caller, collection, subject, new)
    _print(done, collection, as_json)


def merge(
    subject: Subject,
    into: Annotated[str, typer.Argument(metavar="INTO", help="Who takes up the references.")],
    collection: Of,
    as_json: AsJson = False,
) -> None:
    """Make all references of SUBJECT those of INTO; SUBJECT is gone then."""
    with rows_for("subjects merge") as (rows, caller):
        done = acts.merge_subjects(rows, caller, collection, subject, into)
    _print(done, collection, as_json)


def split(
    subject: Subject,
    new: New,
    collection: Of,
    reference: Annotated[
        list[UUID], typer.Option(metavar="ID", help="A reference to split off. May be repeated.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make some references of SUBJECT those of a new subject, NEW."""
    with rows_for("subjects split") as (rows, caller):
        done = acts.split_subject(rows, caller, collection, subject, new, reference)
    _print(done, collection, as_json)


def move(
    subject: Subject,
    to: Annotated[str, typer.Argument(metavar="TO", help="Whose the references become.")],
    collection: Of,
    reference: Annotated[
        list[UUID], typer.Option(metavar="ID", help="A reference to move. May be repeated.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make some references of SUBJECT those of TO, who is there already."""
    with rows_for("subjects move") as (rows, caller):
        done = acts.move_references(rows, caller, collection, subject, to, reference)
    _print(done, collection, as_json)


def name(
    subject: Subject,
    collection: Of,
    reference: Annotated[
        list[UUID],
        typer.Option(metavar="ID", help="A reference that is nobody's. May be repeated."),
    ],
    as_json: AsJson = False,
) -> None:
    """Make references that are nobody's those of SUBJECT, who is made where there is none."""
    with rows_for("subjects name") as (rows, caller):
        done = acts.name_references(rows, caller, collection, subject, reference)
    _print(done, collection, as_json)


def undo(subject: Subject, collection: Of, as_json: AsJson = False) -> None:
    """Undo the last change of SUBJECT: a rename, a merge or a split, or faces moved or named.

    References that were enrolled since stay where they are.
    """
    with rows_for("subjects undo") as (rows, caller):
        done = acts.undo_subject_change(rows, caller, collection, subject)
    _print(done, collection, as_json, undone=True)


def _print(done: ChangedSubject, collection: str, as_json: bool, *, undone: bool = False) -> None:
    answer = ChangedSubjectAnswer.of(done, undone=undone)
    again = f"likeness subjects undo --collection {shlex.quote(collection)}"
    there = [one for one in (answer.subject, *answer.others) if one.references]
    lines = [
        _said(answer),
        *(f"{one.id}  {several(one.references, 'reference')}  {one.name}" for one in there),
        *answer.remarks,
        *([] if undone else [f"To undo it: {again} {shlex.quote(done.subject.name)}"]),
    ]
    print_answer(as_json, answer.model_dump(mode="json"), lines)


def _said(answer: ChangedSubjectAnswer) -> str:
    name = answer.subject.name
    moved = several(answer.moved, "reference")
    match answer.change, answer.other, answer.undone:
        case ChangeKind.MERGE, SubjectAnswer() as other, False:
            return f"Merged {other.name} into {name}: {moved} changed hands."
        case ChangeKind.SPLIT, SubjectAnswer() as other, False:
            return f"Split {other.name} off {name}: {moved} changed hands."
        case ChangeKind.RENAME, _, undone:
            return f"Undone: {name} is the name again." if undone else f"Renamed to {name}."
        case ChangeKind.MOVE, SubjectAnswer() as other, False:
            return f"Moved {moved} from {name} to {other.name}."
        case ChangeKind.NAME, _, False:
            return f"{moved} named {name}."
        case _:
            return f"Undone: {moved} changed hands."
