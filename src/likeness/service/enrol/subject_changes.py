"""Rename, merge and split subjects, and undo the last change of one.

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
from likeness.errors import required
from likeness.gallery import (
    ChangeKind,
    Collection,
    CollectionRows,
    OpenCollection,
    Subject,
    SubjectChange,
)
from likeness.review import Followed
from likeness.service.enrol.enrolled_looks import alike_from, are_told_apart, templates_of
from likeness.service.enrol.subjects import named
from likeness.service.enrol.unlike import count_unlike
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action


@dataclass(frozen=True, slots=True)
class ChangedSubject:
    """What came of a change: `subject` is as they are now, with so many `references`.

    `other` is who was merged into them, was split off, or is back; None where only a name changed.
    `moved` references changed hands. `remarks` say what whoever did it should look at.
    """

    kind: ChangeKind
    subject: Subject
    references: int
    other: Subject | None
    other_references: int
    moved: tuple[UUID, ...]
    remarks: tuple[str, ...] = ()


def rename_subject(
    rows: Rows, caller: Caller, name: str, subject: str, new_name: str
) -> ChangedSubject:
    """Give the subject of a name another name.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        InvalidRequest: the new name cannot be kept.
        AlreadyExists: they have it already, or another of the collection has.
    """

    def rename(its: CollectionRows, now: datetime) -> SubjectChange:
        change = its.subject_changes.rename(named(its, subject), new_name)
        its.subject_changes.keep(change, None, now)
        return change

    return _changed(rows, caller, name, rename)


def merge_subjects(
    rows: Rows, caller: Caller, name: str, subject: str, into: str
) -> ChangedSubject:
    """Make all references of a subject another's; the first is gone then.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        InvalidRequest: they are one subject.
        KeyUnusable: a reference was changed from outside.
    """

    def merge(its: CollectionRows, now: datetime) -> SubjectChange:
        gone, other = named(its, subject), named(its, into)
        change = its.subject_changes.merge(gone, other)
        followed = review.follow_merge(
            its.connection,
            rows.keyring,
            its.collection.id,
            gone_id=gone.id,
            into_id=other.id,
            at=now,
        )
        jobs.follow_references(its.connection, change.reference_ids, other.id)
        its.subject_changes.keep(change, followed.as_json(), now)
        return change

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return _told_of_merge(rows, of, its, named(its, subject), named(its, into))

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
        NoSuchCollection, NoSuchSubject: there is none of that name.
        NotFound: the collection has not one of the references.
        InvalidRequest: no reference is named, or all are; or the name cannot be kept.
        Conflict: a reference is not the subject's.
        AlreadyExists: the collection has a subject of the new name.
        KeyUnusable: a reference was changed from outside.
    """

    def split(its: CollectionRows, now: datetime) -> SubjectChange:
        whole = named(its, subject)
        change = its.subject_changes.split(whole, new_name, reference_ids, now)
        made = required(change.other, "who was split off")
        followed = review.follow_split(
            its.connection,
            its.collection.id,
            subject_id=whole.id,
            made_id=made.id,
            reference_ids=change.reference_ids,
            at=now,
        )
        jobs.follow_references(its.connection, change.reference_ids, made.id)
        its.subject_changes.keep(change, followed.as_json(), now)
        return change

    def remark(of: Collection, its: CollectionRows) -> list[str]:
        return _told_of_split(rows, of, its, named(its, subject), set(reference_ids))

    return _changed(rows, caller, name, split, remark)


def undo_subject_change(rows: Rows, caller: Caller, name: str, subject: str) -> ChangedSubject:
    """Undo the last change of the subject of a name; a second time there is nothing to undo.

    References that were enrolled, or that changed hands otherwise, since stay where they are.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        NotFound: there is nothing that could be undone.
        AlreadyExists: a name that would come back is another's by now.
        KeyUnusable: a reference was changed from outside.
    """

    def undo(its: CollectionRows, now: datetime) -> SubjectChange:
        kept = its.subject_changes.last_of(named(its, subject))
        change = its.subject_changes.undo(kept)
        whole, other = change.subject, change.other
        if other is None:
            return change
        if kept.kind is ChangeKind.MERGE:
            review.undo_merge(
                its.connection,
                Followed.from_json(kept.carried),
                subject_id=whole.id,
                back_id=other.id,
                reference_ids=change.reference_ids,
                at=kept.made_at,
            )
            jobs.follow_references(its.connection, change.reference_ids, other.id)
        else:
            review.follow_merge(
                its.connection,
                rows.keyring,
                its.collection.id,
                gone_id=other.id,
                into_id=whole.id,
                at=now,
            )
            jobs.follow_references(its.connection, change.reference_ids, whole.id)
        return change

    return _changed(rows, caller, name, undo)


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
        there = [one for one in (done.subject, done.other) if one is not None]
        sizes = its.subjects.sizes([one.number for one in there])
        other = 0 if done.other is None else sizes.get(done.other.number, 0)
        return ChangedSubject(
            done.kind,
            done.subject,
            sizes.get(done.subject.number, 0),
            done.other,
            other,
            done.reference_ids,
            tuple(remarks),
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
    there = [one.id for one in (done.subject, done.other) if one is not None]
    return Outcome(
        reference_ids=done.moved, subject_ids=tuple(there), details={"change": done.kind.value}
    )


def _told_of_merge(
    rows: Rows, of: Collection, its: CollectionRows, gone: Subject, into: Subject
) -> list[str]:
    alike = alike_from(rows, of)
    theirs, others = (its.references.of_subject(one.id) for one in (gone, into))
    remarks = []
    if alike is not None:
        some, rest = (templates_of(of, its, one) for one in (theirs, others))
        if unlike := count_unlike(some, rest, alike):
            which = "All" if unlike == len(some) else f"{unlike} of {len(some)}"
            remarks.append(
                f"{which} merged references look like none of the others. See whether they are one"
                " person."
            )
    if are_told_apart(rows, its, gone, into):
        remarks.append("People told the two apart in a review. See whether they are one person.")
    return remarks


def _told_of_split(
    rows: Rows, of: Collection, its: CollectionRows, subject: Subject, reference_ids: set[UUID]
) -> list[str]:
    alike = alike_from(rows, of)
    if alike is None:
        return []
    every = its.references.of_subject(subject.id)
    off, rest = (
        templates_of(of, its, [one for one in every if (one.id in reference_ids) is is_off])
        for is_off in (True, False)
    )
    like = len(off) - count_unlike(off, rest, alike) if rest else 0
    if not like:
        return []
    which = "All" if like == len(off) else f"{like} of {len(off)}"
    return [
        f"{which} references split off look like some of the others. See whether they are two"
        " people."
    ]
