"""Proves that rows are as Likeness wrote them, by digests under the collection's key.

Templates, names and faces are sealed each for its own row. What a search reads of hundreds of rows
is in the clear, and two digests vouch for it: one for a reference's cohort statistics, so that
nobody is made to resemble everybody, and one for whose it is. Both take its number, by which
indexes know it. Whoever writes the database and has no key makes neither, and what they change is
refused when it would be an answer.
"""

import hmac
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    bindparam,
    outerjoin,
    select,
    update,
)

from likeness.errors import KeyUnusable
from likeness.gallery.seal import Seal
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.storage import OneOf, legible
from likeness.terms import CohortStatistics

WITH_SUBJECTS: FromClause = outerjoin(
    REFERENCES, SUBJECTS, SUBJECTS.c.number == REFERENCES.c.subject_number
)
"""Where the columns that are proven come from."""

OLDER = ""
"""The cohort version of statistics that an older Likeness wrote; they are computed anew."""

PROVEN = (
    *(REFERENCES.c[name] for name in ("number", "id", "subject_number")),
    *(REFERENCES.c[f"cohort_{name}"] for name in ("mean", "version")),
    *(REFERENCES.c[f"{name}_proof"] for name in ("statistics", "subject")),
    SUBJECTS.c.id.label("subject_id"),
)
"""The columns that `require` needs."""

_OF_SUBJECTS = OneOf(
    REFERENCES.c.subject_number,
    lambda some: (
        select(*PROVEN)
        .select_from(WITH_SUBJECTS)
        .where(REFERENCES.c.collection_id == bindparam("collection_id"), some)
    ),
)


def of_statistics(seal: Seal, number: int, statistics: CohortStatistics) -> bytes:
    """Prove the cohort statistics of a reference."""
    said = struct.pack("<qd", number, statistics.mean)
    return seal.proof(b"statistics " + said + statistics.version.encode())


def of_subject(seal: Seal, number: int, reference_id: UUID, subject_id: UUID | None) -> bytes:
    """Prove whose a reference is; None for nobody's."""
    said = struct.pack("<q", number) + reference_id.bytes
    return seal.proof(b"subject " + said + (subject_id.bytes if subject_id else b""))


def require(seal: Seal, row: Row[Any]) -> CohortStatistics:
    """Hold a row, of the columns `PROVEN`, to its proofs, and give its statistics.

    Raises:
        KeyUnusable: it was changed.
    """
    statistics = _statistics(row)
    # What an older Likeness wrote is not used, so it needs no proof.
    if statistics.version != OLDER and not hmac.compare_digest(
        row.statistics_proof or b"", of_statistics(seal, row.number, statistics)
    ):
        raise _changed(row, "cohort statistics")
    _require_subject(seal, row)
    return statistics


def require_references_of(connection: Connection, seal: Seal, subjects: Iterable[int]) -> None:
    """Hold all that say they are references of some subjects, by number, to their proofs.

    Raises:
        KeyUnusable: one was changed.
    """
    for row in _OF_SUBJECTS.all(connection, list(subjects), collection_id=seal.collection_id):
        _require_subject(seal, row)


def proven_subjects(connection: Connection, seal: Seal, subjects: Sequence[int]) -> list[int]:
    """Give those of some subjects, by number, all of whose references are proven to be theirs."""
    rows = _OF_SUBJECTS.all(connection, subjects, collection_id=seal.collection_id)

    def proven(row: Row[Any]) -> int:
        _require_subject(seal, row)
        return int(row.number)

    sound = set(legible(connection, REFERENCES.c.number, rows, proven))
    changed = {row.subject_number for row in rows if row.number not in sound}
    return [one for one in subjects if one not in changed]


def write(
    connection: Connection,
    seal: Seal,
    numbers: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    subject_ids: Mapping[int, UUID],
) -> None:
    """Prove references that were just inserted; `subject_ids` are by number."""
    proofs = [
        _both(
            seal,
            number,
            CohortStatistics(row["cohort_mean"], row["cohort_version"]),
            row["id"],
            subject_ids.get(row["subject_number"]),
        )
        for number, row in zip(numbers, rows, strict=True)
    ]
    connection.execute(_PROVE, proofs)


def even_out(
    connection: Connection, seal: Seal, statistics: Mapping[int, CohortStatistics]
) -> None:
    """Give references, by number, other statistics, and prove those."""
    if statistics:
        rows = [
            {
                "row_number": number,
                "cohort_mean": one.mean,
                "cohort_version": one.version,
                "statistics_proof": of_statistics(seal, number, one),
            }
            for number, one in statistics.items()
        ]
        connection.execute(_EVEN_OUT, rows)


def assign(
    connection: Connection,
    seal: Seal,
    chosen: ColumnElement[bool],
    subject: tuple[int, UUID] | None,
) -> None:
    """Make references a subject's, by number and id, or nobody's; their proofs go along.

    Raises:
        KeyUnusable: one that is to be a subject's was changed. To be nobody's needs no proof: so
            what was changed can be taken away and erased.
    """
    number, subject_id = subject or (None, None)
    rows = _chosen(connection, seal, chosen)
    if subject is not None:
        for row in rows:
            require(seal, row)
    if rows:
        moved = [
            {
                "row_number": row.number,
                "subject_number": number,
                "subject_proof": of_subject(seal, row.number, row.id, subject_id),
            }
            for row in rows
        ]
        connection.execute(_ASSIGN, moved)


_THIS = update(REFERENCES).where(REFERENCES.c.number == bindparam("row_number"))
_PROVE = _THIS.values({name: bindparam(name) for name in ("statistics_proof", "subject_proof")})
_EVEN_OUT = _THIS.values(
    {name: bindparam(name) for name in ("cohort_mean", "cohort_version", "statistics_proof")}
)
_ASSIGN = _THIS.values({name: bindparam(name) for name in ("subject_number", "subject_proof")})


def _chosen(
    connection: Connection, seal: Seal, chosen: ColumnElement[bool], at_most: int | None = None
) -> Sequence[Row[Any]]:
    ours = REFERENCES.c.collection_id == seal.collection_id
    rows = select(*PROVEN).select_from(WITH_SUBJECTS).where(ours, chosen)
    return connection.execute(rows.limit(at_most)).all()


def _both(
    seal: Seal,
    number: int,
    statistics: CohortStatistics,
    reference_id: UUID,
    subject_id: UUID | None,
) -> dict[str, int | bytes]:
    return {
        "row_number": number,
        "statistics_proof": of_statistics(seal, number, statistics),
        "subject_proof": of_subject(seal, number, reference_id, subject_id),
    }


def _statistics(row: Row[Any]) -> CohortStatistics:
    return CohortStatistics(row.cohort_mean, row.cohort_version)


def _require_subject(seal: Seal, row: Row[Any]) -> None:
    proof = of_subject(seal, row.number, row.id, row.subject_id)
    if not hmac.compare_digest(row.subject_proof or b"", proof):
        raise _changed(row, "subject")


def _changed(row: Row[Any], what: str) -> KeyUnusable:
    return KeyUnusable(
        f"The {what} of reference {row.id} was changed from outside. Restore the row from a backup,"
        " or take the reference from its subject and erase it."
    )
