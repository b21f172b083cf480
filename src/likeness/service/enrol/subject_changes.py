"""Rename, merge and split subjects, move and name faces, and undo the last change of somebody.

Whatever is kept of a subject follows in the same transaction: references, candidates of cases, what
people told apart, and results of jobs. An act that may tell whether people look alike does so only
where the rules let its caller search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs, review
from likeness.errors import Conflict
from likeness.gallery import (
    ChangeKind,
    Collection,
    CollectionRows,
    KeptChange,
    OpenCollection,
    Subject,
    SubjectChange,
)
from likeness.review import Followed
from likeness.service.enrol.change_remarks import told_of_given, told_of_merge, told_of_split
from likeness.service.enrol.subjects import ListedSubject, meant
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action


@dataclass(frozen=True, slots=True)
class ChangedSubject:
    """What came of a change: `subject` is as they are now, with so many `references`.

    `others` are who were merged into them, was split off, is back, or has references of theirs;
    nobody where only a name changed, or faces were named. `moved` references changed hands.
    `remarks` say what whoever did it should look at. `is_gone` says that `subject` is not there any
    more, since what had made them is undone.
    """

    kind: ChangeKind
    subject: Subject
    references: int
    others: tuple[ListedSubject, ...]
    moved: tuple[UUID, ...]
    remarks: tuple[str, ...] = ()
    is_gone: bool = False

    @property
    def other(self) -> Subject | None:
        """The first of the others."""
        return self.others[0].subject if self.others else None

    @property
    def other_references(self) -> int:
        """How many references the first of the others has."""
        return self.others[0].references if self.others else 0


def rename_subject(
    rows: Rows, caller: Caller, name: str, subject: str, new_name: str
) -> ChangedSubject:
    """Give the subject of a name another name.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name or external id.
        InvalidRequest: the new name cannot be kept.
        AlreadyExists: they have it already, or another of the collection has.
    """

    def rename(its: CollectionRows, now: datetime) -> SubjectChange:
        change = its.subject_changes.rename(meant(its, subject), new_name)
        its.subject_changes.keep(change, None, now)
        return change

    return _changed(rows, caller, name, rename)


def merge_subjects(
    rows: Rows, caller: Caller, name: str, subjects: str | Sequence[str], into: str
) -> ChangedSubject:
    """Make all references of a subject, or of several, another's; those are gone then.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name or external id.
        InvalidRequest: they are one subject, or nobody is named.
        KeyUnusable: a reference was changed from outside.
    """
    names = [subjects] if isinstance(subjects, str) else list(dict.fromkeys(subjects))

    def merge(its: CollectionRows, now: datetime) -> SubjectChange:
        gone, other = [meant(its, one) for one in names], meant(its, into)
        change = its.subject_changes.merge(gone, other)
        followed = [
            review.follow_merge(
                its.connection,
                rows.keyring,
                its.collection.id,
                gone_id=one.id,
                into_id=other.id,
                at=now,
            )
            for one in gone
        ]
        jobs.follow_references(its.connection, change.reference_ids, other.id)
        its.subject_changes.keep(change, [one.as_json() for one in followed], now)
        return change

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return told_of_merge(rows, of, its, [meant(its, one) for one in names], meant(its, into))

    return _changed(rows, caller, name, merge, remark)


def split_subject(
    rows: Rows,
    caller: Caller,
    name: str,
    subject: str,
    new_name: str,
    reference_ids: Sequence[UUID],
) -> ChangedSubject:
    """Make some references of a subject those of a new subject.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name or external id.
        NotFound: the collection has not one of the references.
        InvalidRequest: no reference is named, or all are; or the name cannot be kept.
        Conflict: a reference is not the subject's.
        AlreadyExists: the collection has a subject of the new name.
        KeyUnusable: a reference was changed from outside.
    """

    def split(its: CollectionRows, now: datetime) -> SubjectChange:
        whole = meant(its, subject)
        change = its.subject_changes.split(whole, new_name, reference_ids, now)
        return _followed(its, change, whole.id, change.others[0], now)

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return told_of_split(rows, of, its, meant(its, subject), set(reference_ids))

    return _changed(rows, caller, name, split, remark)


def move_references(
    rows: Rows,
    caller: Caller,
    name: str,
    subject: str,
    to: str,
    reference_ids: Sequence[UUID],
) -> ChangedSubject:
    """Make some references of a subject another's, who is there.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name or external id.
        NotFound: the collection has not one of the references.
        InvalidRequest: no reference is named, or all are; or they are one subject.
        Conflict: a reference is not the subject's.
        KeyUnusable: a reference was changed from outside.
    """

    def move(its: CollectionRows, now: datetime) -> SubjectChange:
        whose, other = meant(its, subject), meant(its, to)
        change = its.subject_changes.move(whose, other, reference_ids)
        return _followed(its, change, whose.id, other, now)

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return told_of_given(rows, of, its, meant(its, to), reference_ids)

    return _changed(rows, caller, name, move, remark)


def name_references(
    rows: Rows, caller: Caller, name: str, subject: str, reference_ids: Sequence[UUID]
) -> ChangedSubject:
    """Make references that are nobody's those of the subject of a name, who is made if new.

    Raises:
        NoSuchCollection: there is none of that name.
        NotFound: the collection has not one of the references.
        InvalidRequest: no reference is named, or the subject's name cannot be kept.
        Conflict: a reference is somebody's already.
        KeyUnusable: a reference was changed from outside.
    """

    def give(its: CollectionRows, now: datetime) -> SubjectChange:
        change = its.subject_changes.name(subject, reference_ids, now)
        return _followed(its, change, None, change.subject, now)

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return told_of_given(rows, of, its, its.subjects.find(subject), reference_ids)

    return _changed(rows, caller, name, give, remark)


def undo_subject_change(
    rows: Rows, caller: Caller, name: str, subject: str, *, change_id: UUID | None = None
) -> ChangedSubject:
    """Undo the last change of the subject of a name; a second time there is nothing to undo.

    References that were enrolled, or that changed hands otherwise, since stay where they are.
    `change_id` is which change is meant, where somebody has seen one: another is not undone for it.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name or external id.
        NotFound: there is nothing that could be undone.
        Conflict: something else was changed since.
        AlreadyExists: a name that would come back is another's by now.
        KeyUnusable: a reference was changed from outside.
    """

    def undo(its: CollectionRows, now: datetime) -> SubjectChange:
        kept = its.subject_changes.last_of(meant(its, subject))
        if change_id not in (None, kept.id):
            raise Conflict(
                "Something else was changed since, so nothing was undone. Look at what the last"
                " change is now."
            )
        change = its.subject_changes.undo(kept)
        match kept.kind:
            case ChangeKind.MERGE:
                _undo_merge(its, kept, change)
            case ChangeKind.SPLIT:
                # Who was split off is taken up again, with all that was said of them since.
                review.follow_merge(
                    its.connection,
                    rows.keyring,
                    its.collection.id,
                    gone_id=change.others[0].id,
                    into_id=change.subject.id,
                    at=now,
                )
                jobs.follow_references(its.connection, change.reference_ids, change.subject.id)
            case ChangeKind.MOVE:
                _undo_following(its, kept, change, change.others[0].id, change.subject.id)
            case ChangeKind.NAME:
                _undo_following(its, kept, change, change.subject.id, None)
        return change

    return _changed(rows, caller, name, undo)


def _followed(
    its: CollectionRows,
    change: SubjectChange,
    was_id: UUID | None,
    now_of: Subject,
    now: datetime,
) -> SubjectChange:
    """Let all that is kept of references follow them to another, and keep what undoes it."""
    followed = review.follow_move(
        its.connection,
        its.collection.id,
        was_id=was_id,
        now_id=now_of.id,
        reference_ids=change.reference_ids,
        at=now,
    )
    jobs.follow_references(its.connection, change.reference_ids, now_of.id)
    its.subject_changes.keep(change, followed.as_json(), now)
    return change


def _undo_merge(its: CollectionRows, kept: KeptChange, change: SubjectChange) -> None:
    # An older Likeness merged one at a time.
    carried = kept.carried if isinstance(kept.carried, list) else [kept.carried]
    # The last first: what was said of one counts for those who came after.
    for other, ids, followed in reversed(
        list(zip(change.others, change.moved, carried, strict=True))
    ):
        review.undo_following(
            its.connection,
            Followed.from_json(followed),
            subject_id=change.subject.id,
            back_id=other.id,
            reference_ids=ids,
            at=kept.made_at,
        )
        jobs.follow_references(its.connection, ids, other.id)


def _undo_following(
    its: CollectionRows,
    kept: KeptChange,
    change: SubjectChange,
    was_id: UUID,
    back_id: UUID | None,
) -> None:
    review.undo_following(
        its.connection,
        Followed.from_json(kept.carried),
        subject_id=was_id,
        back_id=back_id,
        reference_ids=change.reference_ids,
        at=kept.made_at,
    )
    jobs.follow_references(its.connection, change.reference_ids, back_id)


def _changed(
    rows: Rows,
    caller: Caller,
    name: str,
    act: Callable[[CollectionRows, datetime], SubjectChange],
    remark: Callable[[Collection, CollectionRows], list[str]] = lambda of, its: [],
) -> ChangedSubject:
    """Change subjects, with the entry that says so, and let searches follow."""
    of = rows.collection(caller, Action.ARRANGE, name)

    def change(connection: Connection) -> ChangedSubject:
        its = of.within(connection)
        done = act(its, rows.clock())
        numbers.append(done.number)
        sizes = its.subjects.sizes([one.number for one in (done.subject, *done.others)])
        return ChangedSubject(
            done.kind,
            done.subject,
            sizes.get(done.subject.number, 0),
            tuple(ListedSubject(one, sizes.get(one.number, 0)) for one in done.others),
            done.reference_ids,
            tuple(remarks),
            done.is_gone,
        )

    numbers: list[int | None] = []
    with rows.record(caller, Action.ARRANGE, of) as record:
        # Before the act, for which everybody waits.
        remarks = of.read(partial(remark, of)) if record.decision_as(Action.SEARCH) else []
        changed = record.write(change, _outcome)
    if isinstance(of, OpenCollection) and (number := numbers[-1]) is not None:
        of.follow_assignment(number)
    return changed


def _outcome(done: ChangedSubject) -> Outcome:
    there = (done.subject.id, *(one.subject.id for one in done.others))
    return Outcome(
        reference_ids=done.moved,
        subject_ids=there,
        details={"change": done.kind.value},
        # Nothing is left of who was made and is not there any more.
        forgotten=(done.subject.id,) if done.is_gone else (),
    )
