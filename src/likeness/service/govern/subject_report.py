"""Answers somebody who asks who searched for them: what is held of them, and which uses it was for.

The ledger says by commitments alone whom its entries are about; the keys of whoever is enrolled
open them, for the report of one person, which is a use of its own and on record. Who is erased has
no key any more, so that nothing can be said of them.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import keys, may
from likeness.errors import (
    ArtifactUnavailable,
    Conflict,
    Denied,
    IndexUnavailable,
    KeyUnusable,
    LedgerBroken,
    LikenessError,
    ModelTampered,
    SnapshotUnusable,
    StateError,
)
from likeness.gallery import By, Collection, CollectionRows, Reference, Subject
from likeness.ledger import Entry, Kind, ReceiptId, entry_count, every_entry, read_entry
from likeness.service.enrol.subjects import everybody_named
from likeness.service.search.faces import ReadSample
from likeness.service.search.search import Demands, Match, search_sample
from likeness.service.uses import Caller, Home, NoSuchSubject, Outcome, Rows
from likeness.terms import UNDECLARED, Action

_logger = logging.getLogger(__name__)

_MOST_MATCHES = 100
# What is wrong with one collection, of which the others know nothing.
_OF_ONE = (
    Denied,
    StateError,
    KeyUnusable,
    ArtifactUnavailable,
    ModelTampered,
    IndexUnavailable,
    SnapshotUnusable,
)
_RETURNS = (Action.SEARCH, Action.COMPARE)
CONTEST = (
    "If it is not you, or you do not want to be enrolled: ask to be erased. A certificate is"
    " issued, and says what stays, until when and why.",
    "If a search named you wrongly: ask for a review. Whom people told apart is not proposed for"
    " that face again.",
    "Each use has a receipt. With the ledger's public key it proves the entry to anybody.",
)
"""What somebody may do about what a report says."""


@dataclass(frozen=True, slots=True)
class UseOfSomebody:
    """An entry of the ledger about somebody.

    `holder` is what the access key is called now, None where there is none. `returned` is whether
    it gave them to whoever asked.
    """

    index: int
    receipt_id: str
    entry: Entry
    holder: str | None

    @property
    def returned(self) -> bool:
        """Whether the use gave them to whoever asked, as a match or a candidate.

        What assigns faces to somebody compares as a search does, and gives nobody.
        """
        entry = self.entry
        searched = entry.kind is Kind.DONE and entry.use.action in _RETURNS
        return searched and bool(entry.counts.get("candidates"))


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """What is held of one person in one collection, and the uses about them, the newest first.

    `subject` is None of somebody unnamed. `similarity` is how alike a picture of them was, 0 to
    100, where one was given.
    """

    collection: str
    subject: str | None
    references: tuple[Reference, ...]
    uses: tuple[UseOfSomebody, ...]
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Unsearched:
    """A collection of which it is not known whether somebody is in it, and why."""

    collection: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubjectReports:
    """The reports of somebody, by collection; `entries` of the ledger were read, `since` the first.

    `unreadable` entries are damaged, so that nobody can say whom they were about. `contact` is who
    answers for the installation, None where the settings name nobody.
    """

    reports: tuple[SubjectReport, ...]
    unsearched: tuple[Unsearched, ...]
    entries: int
    unreadable: int
    since: datetime | None
    contact: str | None


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody of a collection: a subject, or references that are nobody's."""

    subjects: tuple[Subject, ...]
    references: tuple[Reference, ...]
    similarity: float | None = None


@dataclass(slots=True)
class _Reports:
    """Reports while they are made."""

    rows: Rows
    caller: Caller
    reports: list[SubjectReport] = field(default_factory=list)
    unsearched: list[Unsearched] = field(default_factory=list)
    unreadable: set[int] = field(default_factory=set)

    def add(self, of: Collection, find: Callable[[], Sequence[_Person]]) -> None:
        """Report on people of a collection, as a use of it: who is there is looked up within."""
        rows = self.rows
        with rows.record(self.caller, Action.AUDIT, of) as record:
            _require_reader(self.caller)
            people = find()
            made = rows.database.read(
                partial(_report, rows=rows, of=of, people=people, unreadable=self.unreadable)
            )
            record.answered(
                Outcome(
                    candidates=len(people),
                    subject_ids=tuple(each.id for one in people for each in one.subjects),
                    reference_ids=tuple(each.id for one in people for each in one.references),
                )
            )
        self.reports += made

    def leave_out(self, of: Collection, error: LikenessError) -> None:
        """Say of a collection that it was not looked into; a fault's reason is the operator's."""
        reason = str(error)
        if not isinstance(error, Denied | StateError):
            _logger.warning("a report leaves out collection %s: %s", of.id, error)
            reason = f"It cannot be looked into ({error.kind}). `likeness doctor` says more."
        self.unsearched.append(Unsearched(of.name, reason))

    def done(self) -> SubjectReports:
        """Give what was reported."""
        entries, since = self.rows.database.read(_extent)
        return SubjectReports(
            tuple(self.reports),
            tuple(self.unsearched),
            entries,
            len(self.unreadable),
            since,
            self.rows.contact,
        )


def report_on_subject(
    rows: Rows, caller: Caller, collection: str | None, subject: str
) -> SubjectReports:
    """Report on a subject by name, or an external id, in one collection or in all.

    Raises:
        Denied: the role may not.
        NoSuchCollection, NoSuchSubject: there is none of that name.
        LedgerBroken: the ledger's secret does not open.
    """
    reports = _begin(rows, caller)
    for of in _collections(rows, caller, collection):
        try:
            reports.add(of, partial(_everybody_named, of, subject))
        except _OF_ONE as error:  # whoever is there
            if collection is not None:
                raise
            reports.leave_out(of, error)
    if not (reports.reports or reports.unsearched):
        with rows.record_use(caller, caller.use(Action.AUDIT, UNDECLARED)):
            raise NoSuchSubject(subject)
    return reports.done()


def report_on_picture(
    home: Home, caller: Caller, collection: str | None, read: ReadSample
) -> SubjectReports:
    """Report on whoever the largest face of a picture is like, in one collection or in all.

    Each collection is searched, which is a use of its own, as any search is. Where people have to
    decide first, or it cannot be searched here, that is said of it.

    Raises:
        Denied: the role may not, or a rule forbids the search of the one collection.
        NoSuchCollection: there is none of that name.
        NoFace: the picture shows none.
        LedgerBroken: the ledger's secret does not open.
    """
    reports, sample = _begin(home, caller), cache(read)
    demands = Demands(By.REFERENCE, _MOST_MATCHES)
    for of in _collections(home, caller, collection):
        try:
            found = search_sample(home, caller, of.name, sample, demands)
            if found.withheld:
                raise Conflict(
                    f"People have to decide first, in case {found.case_ids[0]}. Ask again then."
                )
            if not found.searched:
                _ = found.located.foremost  # or NoFace
            matches = [match for one in found.searched for match in one.matches]
            reports.add(of, partial(of.read, partial(_people, matches=matches)))
        except _OF_ONE as error:
            if collection is not None:
                raise
            reports.leave_out(of, error)
    return reports.done()


def _begin(rows: Rows, caller: Caller) -> _Reports:
    if not _is_reader(caller):  # nobody else learns who is where
        with rows.record_use(caller, caller.use(Action.AUDIT, UNDECLARED)):
            _require_reader(caller)
    return _Reports(rows, caller)


def _is_reader(caller: Caller) -> bool:
    return all(may(caller.principal.role, one) for one in (Action.AUDIT, Action.READ))


def _require_reader(caller: Caller) -> None:
    if not _is_reader(caller):
        raise Denied(
            f"{caller.principal.id} of role {caller.principal.role} may not report on people. Ask"
            " an operator."
        )


def _collections(rows: Rows, caller: Caller, name: str | None) -> Iterable[Collection]:
    if name is not None:
        return [rows.collection(caller, Action.AUDIT, name)]
    return rows.collections.collections()


def _named(its: CollectionRows, name: str) -> _Person:
    found = everybody_named(its, name)
    theirs = [one for each in found.subjects for one in its.references.of_subject(each.id)]
    return _Person(found.subjects, (*theirs, *found.references))


def _everybody_named(of: Collection, name: str) -> list[_Person]:
    try:
        return [of.read(partial(_named, name=name))]
    except NoSuchSubject:
        return []


def _people(its: CollectionRows, matches: Sequence[Match]) -> list[_Person]:
    """Group matches by subject; of somebody unnamed each reference is one."""
    people: dict[UUID, _Person] = {}
    for match in matches:
        reference, subject = match.candidate.reference, match.candidate.subject
        if subject is not None:
            theirs = tuple(its.references.of_subject(subject.id))
            people.setdefault(subject.id, _Person((subject,), theirs, match.similarity))
        elif reference is not None:
            people[reference.id] = _Person((), (reference,), match.similarity)
    return list(people.values())


def _report(
    connection: Connection,
    rows: Rows,
    of: Collection,
    people: Sequence[_Person],
    unreadable: set[int],
) -> list[SubjectReport]:
    if not people:
        return []
    its = of.within(connection)
    uses = _uses(connection, rows, of.id, [_ids_of(its, one) for one in people], unreadable)
    return [
        SubjectReport(
            of.name,
            one.subjects[0].name if one.subjects else None,
            one.references,
            tuple(theirs),
            one.similarity,
        )
        for one, theirs in zip(people, uses, strict=True)
    ]


def _ids_of(its: CollectionRows, person: _Person) -> list[UUID]:
    known = [one.id for one in person.subjects]
    # What was found of whoever was merged into them was found of them.
    taken_up = its.subjects.taken_up(known)
    return [*known, *taken_up, *(one.id for one in person.references)]


def _uses(
    connection: Connection,
    rows: Rows,
    collection_id: UUID,
    people: Sequence[Sequence[UUID]],
    unreadable: set[int],
) -> list[list[UseOfSomebody]]:
    """Find the entries about each of some people, by their ids, the newest first.

    The ledger is read once for all of them. The numbers of what are no entries are added.
    """
    holders = {one.principal.id: one.name for one in keys.every(connection)}
    commitments = [rows.ledger.commitments(connection, ids) for ids in people]
    # A look at the bytes spares most entries from being read.
    where = str(collection_id).encode()
    found: list[list[UseOfSomebody]] = [[] for _ in people]
    for index, written in enumerate(every_entry(connection)):
        if not written:
            unreadable.add(index)
            continue
        if where not in written or not (b'"references":[' in written or b'"subjects":[' in written):
            continue
        try:
            entry = read_entry(written)
        except LedgerBroken:
            unreadable.add(index)
            continue
        document = json.loads(written)
        named = {*document.get("references", ()), *document.get("subjects", ())}
        receipt_id = str(ReceiptId.of_entry(index, written))
        holder = holders.get(entry.use.principal.id)
        for theirs, uses in zip(commitments, found, strict=True):
            if not named.isdisjoint(theirs.in_use(entry.use.id)):
                uses.append(UseOfSomebody(index, receipt_id, entry, holder))
    return [uses[::-1] for uses in found]


def _extent(connection: Connection) -> tuple[int, datetime | None]:
    """Say how many entries the ledger has, and when it began."""
    since = None
    for first in islice(every_entry(connection), 1):
        with suppress(LedgerBroken):
            since = read_entry(first).at
    return entry_count(connection), since
