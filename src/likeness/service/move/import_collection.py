"""Import: make a collection of what another installation exported, whole or not at all.

1. Everything happens in one transaction: cut off in whatever way, it leaves nothing. Nobody else
   waits for it, since one process at a time has a home.
2. Ids and dates stay; a key of its own is made, and with it the ids of samples.
3. Nothing in the file is trusted: each line is checked, and at the end that all are as written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from likeness.errors import Conflict, InvalidRequest, NotFound
from likeness.gallery import (
    ArrivingReference,
    ArrivingSubject,
    Collection,
    Collections,
    Details,
    Size,
)
from likeness.service.move.export_format import VERSION, Header, ReferenceLine
from likeness.service.move.import_lines import ExportLines
from likeness.service.uses.collection_facts import declared_by, require_known_tags
from likeness.service.uses.record import Outcome, Record
from likeness.terms import Calibration, CohortStatistics, Template, checked_text, in_batches
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.cohorts.standards import Standards

Tell = Callable[[int, int], None]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made."""

    collection: Collection
    size: Size


def import_collection(
    record: Record,
    collections: Collections,
    standards: Standards,
    export: ExportLines,
    name: str | None = None,
    tell: Tell = lambda done, total: None,
) -> Imported:
    """Make a collection of an export; what is held does not grow with it.

    Args:
        record: of this use.
        collections: where it is to be.
        standards: what has the cohorts that are known here.
        export: what `read_export` gave.
        name: what to call the collection; as it was called without.
        tell: is told how many of how many subjects and references are read; what it raises ends the
            import, and nothing is left of it.

    Raises:
        InvalidRequest: the export is damaged or cut off, or says what cannot be.
        AlreadyExists: there is a collection of that name.
        Conflict: an id is taken, or what the scores mean is known neither here nor in the file.
        OSError: the file cannot be read.
    """
    header = export.header

    def insert(connection: Connection) -> Imported:
        standing = _standing(standards, header, export.cohort())
        collection = collections.create(
            connection,
            header.name if name is None else name,
            model=checked_text(header.model, "a model"),
            dimensions=header.dimensions,
            cohort_version=standing.cohort.version,
            retention_days=header.retention_days,
            now=header.created_at,
        )
        rows = collection.within(connection)
        require_known_tags(header.tags)
        rows.tags.put(header.tags)
        if standing.calibration is not None:
            rows.keep_cohort(
                standing.cohort.version, standing.cohort.as_bytes(), standing.calibration
            )
        size = Size(header.subjects, header.references)
        total, done = size.subjects + size.references, 0
        for subjects in in_batches(export.subjects(), _AT_ONCE):
            rows.subjects.arrive(
                [ArrivingSubject(one.subject, one.name, one.created_at) for one in subjects]
            )
            tell(done := done + len(subjects), total)
        for references in in_batches(export.references(), _AT_ONCE):
            rows.references.arrive(_arriving(references, header, standing.cohort))
            tell(done := done + len(references), total)
        export.finish()
        return Imported(collection, size)

    return record.write(insert, lambda imported: _outcome(imported, header))


def _outcome(imported: Imported, header: Header) -> Outcome:
    # A commitment to each would cost more than the import.
    size = imported.size
    return Outcome(
        details={
            "made": str(imported.collection.id),
            "subjects": str(size.subjects),
            "references": str(size.references),
            **declared_by("tagged", header.tags),
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """What is to even the collection out, and its calibration where that is to be kept too."""

    cohort: Cohort
    calibration: Calibration | None


def _standing(standards: Standards, header: Header, content: bytes) -> _Standing:
    """Choose the cohort: what is known here, else what came.

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
                f" cohort is known here for {header.model}: export it anew with this version, or"
                " make a cohort (`likeness models cohort FOLDER`)."
            ) from error
        if known.vectors.shape[1] != header.dimensions:
            raise InvalidRequest(
                f"The export says that templates of {header.model} have {header.dimensions}"
                f" numbers, and they have {known.vectors.shape[1]}: export it anew."
            )
        return _Standing(known, None)
    cohort = _required_cohort(header, content)
    if _is_known(standards.cohort_of, header):
        if header.calibration is None or _is_known(standards.calibration, header):
            return _Standing(cohort, None)
    elif header.calibration is None:
        raise Conflict(
            f"What scores with cohort {header.cohort_version} mean is known neither here nor in the"
            " export: run `likeness models calibrate` where it was made, and export anew."
        )
    return _Standing(cohort, header.calibration)


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
        f"cohort {header.cohort_version} of the collection's model was expected in the export and"
        " is not what came: fetch the file again, or export anew"
    )
