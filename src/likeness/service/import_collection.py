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
from likeness.gallery import arrivals, cohorts, collections, tags
from likeness.gallery.arrivals import ArrivingReference, ArrivingSubject
from likeness.gallery.cohorts import Cohort
from likeness.gallery.collections import Collection, Size
from likeness.gallery.names import checked_name
from likeness.gallery.seal import Details, Seal
from likeness.secrets import Keyring
from likeness.service.collection_facts import declared_by, require_known_tags
from likeness.service.export_format import Header, ReferenceLine
from likeness.service.import_lines import ExportLines
from likeness.service.in_batches import in_batches
from likeness.service.record import Outcome, Record
from likeness.terms.template import CohortStatistics, Template
from likeness.vision.kept_cohort import models_of, read_cohort
from likeness.vision.standards import Standards

Tell = Callable[[int, int], None]

_AT_ONCE = 500
_STATISTICS_APART = 1e-4


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made."""

    collection: Collection
    size: Size


def import_collection(
    record: Record,
    keyring: Keyring,
    standards: Standards,
    export: ExportLines,
    name: str | None = None,
    tell: Tell = lambda done, total: None,
) -> Imported:
    """Make a collection of an export; what is held does not grow with it.

    Args:
        record: of this use.
        keyring: what the collection's key is sealed with.
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
        collection = collections.create(
            connection,
            keyring,
            header.name if name is None else name,
            model=checked_name(header.model, "a model"),
            dimensions=header.dimensions,
            cohort_version=checked_name(header.cohort_version, "a cohort's version"),
            retention_days=header.retention_days,
            now=header.created_at,
        )
        seal = collections.seal_of(connection, keyring, collection)
        require_known_tags(header.tags)
        tags.put(connection, seal, header.tags)
        content = export.cohort()
        cohort = _required_cohort(header, content)
        _keep_cohort(connection, seal, standards, header, content)
        size = Size(header.subjects, header.references)
        total, done = size.subjects + size.references, 0
        for subjects in in_batches(export.subjects(), _AT_ONCE):
            arrivals.insert_subjects(
                connection,
                seal,
                [ArrivingSubject(one.subject, one.name, one.created_at) for one in subjects],
            )
            tell(done := done + len(subjects), total)
        for references in in_batches(export.references(), _AT_ONCE):
            arriving = [_arriving(one, header) for one in references]
            arrivals.insert_references(connection, collection, seal, arriving)
            _require_statistics(cohort, [one.template for one in arriving])
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


def _keep_cohort(
    connection: Connection, seal: Seal, standards: Standards, header: Header, content: bytes
) -> None:
    """Keep the cohort as the collection's own, unless this installation knows it."""
    if _is_known(standards.cohort_of, header):
        if header.calibration is None or _is_known(standards.calibration, header):
            return
    elif header.calibration is None:
        raise Conflict(
            f"what scores with cohort {header.cohort_version} mean was expected to be known, and is"
            " neither here nor in the export: run `likeness models calibrate` where it was made,"
            " and export anew"
        )
    if header.calibration is not None:
        cohorts.keep(connection, seal, header.cohort_version, content, header.calibration)


def _required_cohort(header: Header, content: bytes) -> Cohort:
    """Read the cohort that the templates were evened out by; refuse any other bytes."""
    try:
        cohort = read_cohort(content)
        anybody = np.eye(1, header.dimensions, dtype=np.float32)
        is_usable = all(np.isfinite(values).all() for values in cohort.statistics(anybody))
    except Exception as error:  # readers of archives raise nearly everything on hostile bytes
        raise _other_cohort(header) from error
    of_header = (header.model, header.cohort_version)
    calibration = header.calibration
    if (
        not is_usable
        or (models_of(cohort), cohort.version) != ({header.model}, header.cohort_version)
        or (calibration and (calibration.model, calibration.cohort_version) != of_header)
    ):
        raise _other_cohort(header)
    return cohort


def _require_statistics(cohort: Cohort, templates: Sequence[Template]) -> None:
    """Refuse statistics that are not the cohort's: with others, one template is like everybody."""
    computed = cohort.statistics(np.stack([one.vector for one in templates]))
    stated = [(one.cohort.mean, one.cohort.deviation) for one in templates]
    # Processors differ in the last digits; this moves no score by more than 0.01.
    if not np.allclose(np.transpose(computed), stated, rtol=0, atol=_STATISTICS_APART):
        raise InvalidRequest(
            "templates were expected to stand to their cohort as the export says and one does not:"
            " it was changed, or written by another program; export anew"
        )


def _is_known(find: Callable[[str, str], object], header: Header) -> bool:
    try:
        find(header.model, header.cohort_version)
    except NotFound:
        return False
    return True


def _arriving(line: ReferenceLine, header: Header) -> ArrivingReference:
    if len(line.vector) != 4 * header.dimensions:
        raise InvalidRequest(
            f"templates of {header.dimensions} numbers were expected and one of"
            f" {len(line.vector)} bytes came: export anew"
        )
    statistics = CohortStatistics(line.cohort_mean, line.cohort_deviation, header.cohort_version)
    return ArrivingReference(
        line.reference,
        line.subject,
        Template(np.frombuffer(line.vector, "<f4"), header.model, statistics),
        Details(line.face, line.sample_size, line.sample_sha256, line.external_id),
        line.created_at,
        line.expires_at,
    )


def _other_cohort(header: Header) -> InvalidRequest:
    return InvalidRequest(
        f"cohort {header.cohort_version} of the collection's model was expected in the export and"
        " is not what came: fetch the file again, or export anew"
    )
