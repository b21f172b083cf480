"""What do indexes follow beside new references? Notes of what was given, taken and erased.

Each note has a number of its own, so that the indexes of every program on the database hear of it.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select

from likeness.gallery.tables import REASSIGNMENTS, REMOVALS

_AT_ONCE = 10_000


def note_reassigned(
    connection: Connection, collection_id: UUID, subject_numbers: Sequence[int]
) -> int:
    """Note that subjects' references are others, or that the subjects are gone.

    Only the last note of each is kept. Gives the number that indexes have to follow.
    """
    for some in _portions(subject_numbers):
        connection.execute(delete(REASSIGNMENTS).where(REASSIGNMENTS.c.subject_number.in_(some)))
        rows = [{"collection_id": collection_id, "subject_number": number} for number in some]
        connection.execute(insert(REASSIGNMENTS), rows)
    latest = select(func.max(REASSIGNMENTS.c.number))
    ours = REASSIGNMENTS.c.collection_id == collection_id
    return connection.execute(latest.where(ours)).scalar() or 0


def note_removed(
    connection: Connection, collection_id: UUID, reference_numbers: Sequence[int]
) -> None:
    """Note that references are gone."""
    for some in _portions(reference_numbers):
        rows = [{"collection_id": collection_id, "reference_number": number} for number in some]
        connection.execute(insert(REMOVALS), rows)


def _portions(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]
