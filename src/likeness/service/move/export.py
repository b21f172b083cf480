"""Export: everything of one collection, in one file that another installation can read."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import BinaryIO
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from likeness.errors import NotFound
from likeness.gallery import Collection, CollectionRows, Reference, Size
from likeness.secrets import sealed_stream
from likeness.service.move.export_format import (
    COHORT_PART_BYTES,
    VERSION,
    CohortPart,
    End,
    Header,
    Line,
    ReferenceLine,
    SubjectLine,
    encoded,
)
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action, Calibration, Template
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.cohorts.standards import Standards

Tell = Callable[[int, int], None]

_AT_ONCE = 500


def export_collection(
    rows: Rows,
    caller: Caller,
    name: str,
    file: BinaryIO,
    *,
    passphrase: Callable[[], str] | None,
    tell: Tell = lambda done, total: None,
) -> Collection:
    """Write a collection as it is at one moment; what is held does not grow with it.

    When this returns, it is on record: whoever puts the file in its place does so after.

    Args:
        rows: what has the collection.
        caller: who exports.
        name: the collection's.
        file: where to write.
        passphrase: gives what to seal it with; None writes it in the clear.
        tell: is called with how many of how many subjects and references are written.

    Raises:
        NoSuchCollection: there is none.
        NotFound: its cohort is gone.
        InvalidRequest: the passphrase is too short.
        KeyUnusable: something that was sealed does not open.
        OSError: the file cannot be written.
    """
    of = rows.collection(caller, Action.READ, name)
    words = None
    if passphrase is not None:
        words = passphrase()
        # Whoever types takes a while, in which it may be tagged otherwise, or be another.
        of = rows.collection(caller, Action.READ, name)

    def write(connection: Connection) -> Collection:
        collection = rows.collections.of_id(connection, of.id)
        its = collection.within(connection)
        cohort, calibration = _standing(rows.standards, its)
        start, size = file.tell(), collection.size
        while True:
            lines = _lines(collection, its, cohort, calibration, size)
            count = _Count(tell)
            written = _ended(encoded(line) for line in count.lines(lines))
            file.writelines(written if words is None else sealed_stream(written, words))
            if count.written == size:
                return replace(collection, size=size)
            # Damaged rows were left out: once more, for the header says how many come.
            size = count.written
            file.seek(start)
            file.truncate()

    with rows.record(caller, Action.READ, of) as record:
        exported = rows.database.read(write)
        record.answered(
            Outcome(
                details={
                    "exported": "templates, names and ids of everybody",
                    "subjects": str(exported.size.subjects),
                    "references": str(exported.size.references),
                    "sealed": "no" if words is None else "by a passphrase",
                }
            )
        )
    return exported


def _standing(standards: Standards, rows: CollectionRows) -> tuple[Cohort, Calibration | None]:
    """Find what evens the collection's scores out, and what they mean if that is known."""
    collection = rows.collection
    kept = rows.kept_cohort(Cohort.from_bytes)
    # Collections know only what a cohort does; this is what was made of its bytes.
    if kept is not None and isinstance(kept.cohort, Cohort):
        return kept.cohort, kept.calibration
    cohort = standards.cohort_of(collection.model, collection.cohort_version)
    try:
        return cohort, standards.calibration(collection.model, collection.cohort_version)
    except NotFound:
        return cohort, None


def _lines(
    collection: Collection,
    rows: CollectionRows,
    cohort: Cohort,
    calibration: Calibration | None,
    size: Size,
) -> Iterator[Line]:
    content = cohort.as_bytes()
    starts = range(0, len(content), COHORT_PART_BYTES)
    header = Header(
        VERSION,
        collection.name,
        collection.model,
        collection.dimensions,
        collection.cohort_version,
        collection.retention_days,
        collection.created_at,
        calibration,
        len(starts),
        size.subjects,
        size.references,
        rows.tags.all(),
    )
    return chain(
        [header],
        (CohortPart(content[start : start + COHORT_PART_BYTES]) for start in starts),
        _subjects(rows),
        _references(rows),
    )


def _subjects(rows: CollectionRows) -> Iterator[SubjectLine]:
    last = 0
    while page := rows.subjects.page(after=last, limit=_AT_ONCE):
        for subject in page:
            yield SubjectLine(subject.id, subject.name, subject.created_at)
        last = page[-1].number


def _references(rows: CollectionRows) -> Iterator[ReferenceLine]:
    last = 0
    while page := rows.references.page(after=last, limit=_AT_ONCE):
        templates = rows.references.templates([one.number for one in page])
        known = rows.subjects.of(page)
        for one in page:
            subject = known.get(one.subject_number or 0)
            # What is damaged, or whose subject is, is left out, and noted where it was read.
            if one.number in templates and (subject or one.subject_number is None):
                yield _reference(one, subject.id if subject else None, templates[one.number])
        last = page[-1].number


def _reference(reference: Reference, subject: UUID | None, template: Template) -> ReferenceLine:
    details = reference.details
    return ReferenceLine(
        reference.id,
        subject,
        np.ascontiguousarray(template.vector, "<f4").tobytes(),
        details.face,
        details.sample_size,
        details.sample_sha256,
        details.external_id,
        reference.created_at,
        reference.expires_at,
    )


class _Count:
    """Counts the subjects and references that are written."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.written = Size(0, 0)

    def lines(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Give lines on, of which the first is the header."""
        header, subjects, references = next(lines), 0, 0
        if not isinstance(header, Header):
            raise TypeError("an export begins with its header")
        yield header
        for line in lines:
            yield line
            subjects += isinstance(line, SubjectLine)
            references += isinstance(line, ReferenceLine)
            done, total = subjects + references, header.subjects + header.references
            if isinstance(line, SubjectLine | ReferenceLine) and (
                done % _AT_ONCE == 0 or done == total
            ):
                self._tell(min(done, total), total)
        self.written = Size(subjects, references)


def _ended(lines: Iterable[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        yield line
    yield encoded(End(digest.hexdigest()))
