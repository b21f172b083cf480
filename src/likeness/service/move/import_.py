"""Import: make a collection of what another installation exported, whole or not at all.

1. Everything happens in one transaction: cut off in whatever way, it leaves nothing. Nobody else
   waits for it, since one process at a time has a home.
2. Ids and dates stay; a key of its own is made, and with it the ids of samples.
3. Who was erased here after the export was made stays away, unless they are to be brought back.
4. Nothing in the file is trusted: each line is checked, and at the end that all are as written.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import BinaryIO, TypeVar
from uuid import UUID

import numpy as np
from pydantic import ValidationError
from sqlalchemy import Connection

from likeness.errors import Conflict, InvalidRequest, KeyUnusable, NotFound
from likeness.gallery import (
    ArrivingReference,
    ArrivingSubject,
    Collection,
    Details,
    Marked,
    Size,
    erased_unmarked,
    mark_back,
    marked_among,
)
from likeness.secrets import SEALED_MAGIC, Keyring, opened_stream
from likeness.service.move.export_format import (
    ADAPTERS,
    LONGEST_LINE_BYTES,
    READABLE,
    VERSION,
    CohortPart,
    End,
    Header,
    Line,
    ReferenceLine,
    SubjectLine,
    encoded,
)
from likeness.service.uses import Caller, Outcome, Rows, declared_by, require_known_tags
from likeness.terms import (
    Action,
    Calibration,
    CohortStatistics,
    Template,
    checked_text,
    in_batches,
)
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.cohorts.standards import Standards

L = TypeVar("L", bound=Line)
Tell = Callable[[int, int], None]

_AT_ONCE = 500
_PIECE_BYTES = 64 << 10


class ExportLines:
    """The lines of an export, to be read once and in order: `header` is read already.

    Whether all is as it was written is known when `finish` has returned, and not before.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Read the first line of a file that comes in pieces.

        Raises:
            InvalidRequest: it is no export, or one of another version.
            Exception: whatever the pieces raise; so do all other methods.
        """
        self._lines = _split(pieces)
        self._digest = hashlib.sha256()
        self._number = 0
        line = next(self._lines, b"")
        _require_version(line)
        self.header = self._read(Header, line)

    def cohort(self) -> bytes:
        """Read the cohort's bytes.

        Raises:
            InvalidRequest: a line is not as it must be; so do the methods that follow.
        """
        return b"".join(part.cohort for part in self._next(CohortPart, self.header.cohort_parts))

    def subjects(self) -> Iterator[SubjectLine]:
        """Read the subjects."""
        return self._next(SubjectLine, self.header.subjects)

    def references(self) -> Iterator[ReferenceLine]:
        """Read the references."""
        return self._next(ReferenceLine, self.header.references)

    def finish(self) -> None:
        """Read the end, and see whether all before it is as it was written."""
        expected = encoded(End(self._digest.hexdigest()))
        if list(islice(self._lines, 2)) != [expected]:
            raise _damaged(self._number + 1)

    def _next(self, kind: type[L], count: int) -> Iterator[L]:
        for _ in range(count):
            yield self._read(kind, next(self._lines, b""))

    def _read(self, kind: type[L], line: bytes) -> L:
        self._number += 1
        self._digest.update(line)
        try:
            read: L = ADAPTERS[kind].validate_json(line)
        except ValidationError:
            # Without `from`: the cause quotes the line, which may hold a name.
            raise _damaged(self._number) from None
        return read


def read_export(file: BinaryIO, passphrase: Callable[[], str]) -> ExportLines:
    """Begin to read an export, whose passphrase is asked for where it is sealed.

    Raises:
        InvalidRequest: it is no export, of another version or cut off, or the passphrase is wrong.
        OSError: the file cannot be read; so do the methods of what is given.
    """
    beginning = file.read(len(SEALED_MAGIC))
    if beginning == SEALED_MAGIC:
        return ExportLines(opened_stream(file, passphrase()))
    file.seek(0)
    return ExportLines(iter(partial(file.read, _PIECE_BYTES), b""))


@dataclass(frozen=True, slots=True)
class Imported:
    """A collection that was made of an export, and who of it was erased here before.

    They were left out, or brought back where that was asked for. `with_collection` counts those who
    were erased with their whole collection alone, and are back.
    """

    collection: Collection
    left_out: Size
    brought_back: Size
    with_collection: Size


def import_collection(
    rows: Rows,
    caller: Caller,
    export: ExportLines,
    name: str | None = None,
    *,
    bring_back: bool = False,
    tell: Tell = lambda done, total: None,
) -> Imported:
    """Make a collection of an export; what is held does not grow with it.

    Who was erased here since is left out, subjects with the references that they had then.

    Args:
        rows: where it is to be.
        caller: who imports.
        export: what `read_export` gave.
        name: what to call the collection; as it was called without.
        bring_back: take those who were erased here, too; the ledger says so.
        tell: is called with how many of how many subjects and references are read; what it raises
            ends the import, and nothing is left of it.

    Raises:
        InvalidRequest: the export is damaged or cut off, or says what cannot be.
        AlreadyExists: there is a collection of that name.
        Conflict: an id is taken, or what the scores mean is known neither here nor in the file.
        OSError: the file cannot be read.
    """
    header = export.header

    def insert(connection: Connection) -> Imported:
        cohort, calibration = _standing(rows.standards, header, export.cohort())
        collection = rows.collections.create(
            connection,
            header.name if name is None else name,
            model=checked_text(header.model, "A model"),
            dimensions=header.dimensions,
            cohort_version=cohort.version,
            retention_days=header.retention_days,
            now=header.created_at,
        )
        its = collection.within(connection)
        require_known_tags(header.tags)
        its.tags.put(header.tags)
        if calibration is not None:
            its.keep_cohort(cohort.version, cohort.as_bytes(), calibration)
        total, done = header.subjects + header.references, 0
        erased = _Erased(connection, rows.keyring, bring_back)
        for subjects in in_batches(export.subjects(), _AT_ONCE):
            its.subjects.arrive(
                [
                    ArrivingSubject(one.subject, one.name, one.created_at)
                    for one in erased.without_subjects(subjects)
                ]
            )
            tell(done := done + len(subjects), total)
        for references in in_batches(export.references(), _AT_ONCE):
            if wanted := erased.without_references(references):
                its.references.arrive(_arriving(wanted, header, cohort))
            tell(done := done + len(references), total)
        export.finish()
        return erased.imported(rows.collections.named(connection, collection.name))

    with rows.record(caller, Action.ENROL, model=header.model) as record:
        return record.write(insert, lambda done: _outcome(done, header))


@dataclass(slots=True)
class _Erased:
    """Leaves out of an export who was erased here, and counts them."""

    connection: Connection
    keyring: Keyring
    bring_back: bool
    _older: Mapping[UUID, UUID] = field(default_factory=dict)
    _left_out: set[UUID] = field(default_factory=set)
    # Subjects whose references nobody marked: all of them are of the erased.
    _whole: set[UUID] = field(default_factory=set)
    _counts: Counter[tuple[str, Marked]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        try:
            self._older = erased_unmarked(self.connection)
        except KeyUnusable:  # of one whose row was changed nobody can tell whom it took
            if not self.bring_back:
                raise

    def without_subjects(self, lines: Sequence[SubjectLine]) -> list[SubjectLine]:
        """Give the subjects who come."""
        older = {one.subject for one in lines} & self._older.keys()
        marked = self._marked("subjects", [one.subject for one in lines], older)
        gone = {one for one, kind in marked.items() if kind is Marked.ID}
        self._whole |= gone & older
        if not self.bring_back:
            self._left_out |= gone
        return [one for one in lines if one.subject not in self._left_out]

    def without_references(self, lines: Sequence[ReferenceLine]) -> list[ReferenceLine]:
        """Give the references that come; those of who lost a name here come as nobody's."""
        theirs = {one.reference for one in lines if one.subject in self._whole}
        marked = self._marked("references", [one.reference for one in lines], theirs)
        if self.bring_back:
            return list(lines)
        return [
            replace(one, subject=None) if one.subject in self._left_out else one
            for one in lines
            if marked.get(one.reference) is not Marked.ID
        ]

    def imported(self, collection: Collection) -> Imported:
        """Say what came of it."""
        marked = self._size(Marked.ID)
        none, whole = Size(0, 0), self._size(Marked.WHOLE)
        if self.bring_back:
            return Imported(collection, none, marked, whole)
        return Imported(collection, marked, none, whole)

    def _marked(self, what: str, ids: Sequence[UUID], unmarked: Set[UUID]) -> dict[UUID, Marked]:
        """Say which ids are of the erased, some of whom have no mark."""
        marked = marked_among(self.connection, self.keyring, ids)
        marked |= {one: Marked.ID for one in unmarked if marked.get(one) is not Marked.BACK}
        self._counts.update((what, kind) for kind in marked.values())
        if self.bring_back:
            gone = (one for one, kind in marked.items() if kind is Marked.ID)
            older = {one: self._older.get(one) for one in gone}
            mark_back(self.connection, self.keyring, older)
        return marked

    def _size(self, kind: Marked) -> Size:
        return Size(self._counts["subjects", kind], self._counts["references", kind])


def _outcome(done: Imported, header: Header) -> Outcome:
    # A commitment to each would cost more than the import.
    counts = {
        "left_out": done.left_out,
        "brought_back": done.brought_back,
        "with_collection": done.with_collection,
    }
    made = done.collection
    return Outcome(
        details={
            "made": str(made.id),
            "subjects": str(made.size.subjects),
            "references": str(made.size.references),
            **{
                f"{name}_{what}": str(count)
                for name, size in counts.items()
                for what, count in (("subjects", size.subjects), ("references", size.references))
                if count
            },
            **declared_by("tagged", header.tags),
        }
    )


def _standing(
    standards: Standards, header: Header, content: bytes
) -> tuple[Cohort, Calibration | None]:
    """Choose the cohort: what is known here, else what came; and a calibration that is to be kept.

    Raises:
        InvalidRequest: what came is not the cohort that the file says.
        Conflict: what its scores mean is known neither here nor in the file.
    """
    if header.likeness_export != VERSION:
        try:
            known = standards.cohort(header.model)
        except NotFound as error:
            raise Conflict(
                f"The export is of an older Likeness, whose scores meant something else, and no"
                f" cohort is known here for {header.model}. Export it anew with this version, or"
                " make a cohort (`likeness models cohort FOLDER`)."
            ) from error
        if known.vectors.shape[1] != header.dimensions:
            raise InvalidRequest(
                f"The export says that templates of {header.model} have {header.dimensions}"
                f" numbers, and they have {known.vectors.shape[1]}: export it anew."
            )
        return known, None
    cohort = _required_cohort(header, content)
    if _is_known(standards.cohort_of, header):
        if header.calibration is None or _is_known(standards.calibration, header):
            return cohort, None
    elif header.calibration is None:
        raise Conflict(
            f"What scores with cohort {header.cohort_version} mean is known neither here nor in the"
            " export. Run `likeness models calibrate` where it was made, and export anew."
        )
    return cohort, header.calibration


def _required_cohort(header: Header, content: bytes) -> Cohort:
    """Read the cohort that the templates were evened out by; refuse any other bytes."""
    try:
        cohort = Cohort.from_bytes(content)
        anybody = np.eye(1, header.dimensions, dtype=np.float32)
        is_usable = bool(np.isfinite(cohort.means(anybody)).all())
    except Exception as error:  # readers of archives raise nearly everything on hostile bytes
        raise _other_cohort(header) from error
    of_header = (header.model, header.cohort_version)
    calibration = header.calibration
    if (
        not is_usable
        or (cohort.model, cohort.version) != of_header
        or (calibration and (calibration.model, calibration.cohort_version) != of_header)
    ):
        raise _other_cohort(header)
    return cohort


def _is_known(find: Callable[[str, str], object], header: Header) -> bool:
    try:
        find(header.model, header.cohort_version)
    except NotFound:
        return False
    return True


def _arriving(
    lines: Sequence[ReferenceLine], header: Header, cohort: Cohort
) -> list[ArrivingReference]:
    """Hold templates against the cohort; what a file says of that is not believed."""
    for line in lines:
        if len(line.vector) != 4 * header.dimensions:
            raise InvalidRequest(
                f"A template has {len(line.vector)} bytes, and those of this model have"
                f" {4 * header.dimensions}: export anew."
            )
    vectors = np.array([np.frombuffer(line.vector, "<f4") for line in lines], np.float32)
    # Numbers that are none are refused where templates are put in.
    means = cohort.means(np.nan_to_num(vectors)).tolist()
    return [
        ArrivingReference(
            line.reference,
            line.subject,
            Template(vector, header.model, CohortStatistics(mean, cohort.version)),
            Details(line.face, line.sample_size, line.sample_sha256, line.external_id),
            line.created_at,
            line.expires_at,
        )
        for line, vector, mean in zip(lines, vectors, means, strict=True)
    ]


def _other_cohort(header: Header) -> InvalidRequest:
    return InvalidRequest(
        f"The export does not hold the cohort that it says, {header.cohort_version}. Fetch the file"
        " again, or export anew."
    )


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give lines, each with its end; what follows the last end is a line too."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > LONGEST_LINE_BYTES:
            break
    if rest:
        yield rest


def _require_version(line: bytes) -> None:
    try:
        version = json.loads(line)["likeness_export"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidRequest(
            "Not an export of a collection. `likeness export` makes one."
        ) from None
    if version not in READABLE:
        raise InvalidRequest(
            f"The export is of version {version!r:.20}, and this Likeness reads up to {VERSION}."
            " Import it with the Likeness that wrote it, or a newer one."
        )


def _damaged(line: int) -> InvalidRequest:
    return InvalidRequest(
        f"Line {line} of the export is damaged or cut off. Fetch the file again, or export anew."
    )
