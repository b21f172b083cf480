"""The shapes of changes of subjects, and of reports to them, in answers."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime

from likeness.gallery import ChangeKind, Reference, Subject
from likeness.service.enrol.subject_changes import ChangedSubject
from likeness.service.govern.subject_report import (
    CONTEST,
    SubjectReport,
    SubjectReports,
    UseOfSomebody,
)
from likeness.v1.answers import Answer


class SubjectAnswer(Answer):
    """A subject, with so many references as they have now."""

    id: UUID
    name: str
    references: int


class ChangedSubjectAnswer(Answer):
    """A change of who subjects are, or what came of undoing one.

    `others` are who were merged into `subject`, and have no reference left, who was split off, who
    is back, or who got references of theirs; `other` is the first. `moved` references changed
    hands. `remarks` say what is worth a look. Where faces were named by a change that is undone,
    and had made the subject, `subject` is gone.
    """

    change: ChangeKind
    undone: bool
    subject: SubjectAnswer
    other: SubjectAnswer | None
    others: list[SubjectAnswer]
    moved: int
    remarks: list[str]

    @classmethod
    def of(cls, done: ChangedSubject, *, undone: bool = False) -> Self:
        """Show one."""

        def shown(one: Subject, references: int) -> SubjectAnswer:
            return SubjectAnswer(id=one.id, name=one.name, references=references)

        others = [shown(one.subject, one.references) for one in done.others]
        return cls(
            change=done.kind,
            undone=undone,
            subject=shown(done.subject, done.references),
            other=others[0] if others else None,
            others=others,
            moved=len(done.moved),
            remarks=list(done.remarks),
        )


class HeldReferenceAnswer(Answer):
    """An enrolled face of somebody."""

    id: UUID
    external_id: str | None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None

    @classmethod
    def of(cls, reference: Reference) -> Self:
        """Show one."""
        return cls.shown(reference, external_id=reference.details.external_id)


class UseOfSomebodyAnswer(Answer):
    """An entry of the ledger about somebody; `returned` is whether it named them to whoever asked.

    `holder` is what the access key is called now.
    """

    index: int
    receipt: str
    at: AwareDatetime
    kind: str
    action: str
    operation: str
    principal: str
    holder: str | None
    organisation: str
    purpose: str
    live: bool
    footage: str
    returned: bool

    @classmethod
    def of(cls, one: UseOfSomebody) -> Self:
        """Show one."""
        use = one.entry.use
        return cls(
            index=one.index,
            receipt=one.receipt_id,
            at=one.entry.at,
            kind=one.entry.kind.value,
            action=use.action.value,
            operation=use.operation,
            principal=use.principal.id,
            holder=one.holder,
            organisation=use.principal.organisation,
            purpose=use.purpose,
            live=use.live,
            footage=use.footage,
            returned=one.returned,
        )


class SubjectReportAnswer(Answer):
    """What is held of one person in one collection, and the uses about them, the newest first."""

    collection: str
    subject: str | None
    similarity: float | None
    references: list[HeldReferenceAnswer]
    uses: list[UseOfSomebodyAnswer]

    @classmethod
    def of(cls, one: SubjectReport) -> Self:
        """Show one."""
        return cls.shown(
            one,
            references=[HeldReferenceAnswer.of(each) for each in one.references],
            uses=[UseOfSomebodyAnswer.of(each) for each in one.uses],
        )


class UnsearchedAnswer(Answer):
    """A collection of which it is not known whether somebody is in it."""

    collection: str
    reason: str


class SubjectReportsAnswer(Answer):
    """The reports of somebody; `contest` says what they may do, and `contact` whom to ask."""

    reports: list[SubjectReportAnswer]
    unsearched: list[UnsearchedAnswer]
    entries: int
    unreadable: int
    since: AwareDatetime | None
    contest: list[str]
    contact: str | None

    @classmethod
    def of(cls, found: SubjectReports) -> Self:
        """Show them."""
        return cls.shown(
            found,
            reports=[SubjectReportAnswer.of(one) for one in found.reports],
            unsearched=[UnsearchedAnswer.shown(one) for one in found.unsearched],
            contest=list(CONTEST),
        )
