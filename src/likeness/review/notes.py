"""What reviewers note of a face that was searched for, once each, sealed by the key of its case.

It describes a person, so it lives no longer than the picture that it is of.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from likeness.errors import Conflict
from likeness.review.case import Case
from likeness.review.contents import key_of
from likeness.review.features import ProbeNote
from likeness.review.tables import NOTES
from likeness.secrets import Keyring


def keep_note(
    connection: Connection,
    keyring: Keyring,
    case: Case,
    reviewer_id: str,
    note: ProbeNote,
    now: datetime,
) -> None:
    """Keep what somebody noted of the face that was searched for.

    Raises:
        Conflict: they have noted something already.
        KeyUnusable: a key is gone.
    """
    if note_of(connection, keyring, case, reviewer_id) is not None:
        raise Conflict("You have noted the features of this face already, and your note stays.")
    sealed = key_of(connection, keyring, case).seal(note.as_bytes(), _context(case.id, reviewer_id))
    row = {
        "case_id": case.id,
        "reviewer_id": reviewer_id,
        "sealed_note": sealed,
        "given_at": now,
    }
    connection.execute(insert(NOTES), row)


def note_of(
    connection: Connection, keyring: Keyring, case: Case, reviewer_id: str
) -> ProbeNote | None:
    """Open what somebody noted of the face that was searched for; None where they have not.

    Raises:
        KeyUnusable: a key is gone.
    """
    theirs = NOTES.c.case_id == case.id, NOTES.c.reviewer_id == reviewer_id
    sealed = connection.execute(select(NOTES.c.sealed_note).where(*theirs)).scalar()
    if sealed is None:
        return None
    key = key_of(connection, keyring, case)
    return ProbeNote.from_bytes(key.unseal(sealed, _context(case.id, reviewer_id)))


def forget_notes(connection: Connection, case_ids: list[UUID]) -> None:
    """Forget what was noted of the faces of some cases, whose pictures go."""
    connection.execute(delete(NOTES).where(NOTES.c.case_id.in_(case_ids)))


def _context(case_id: UUID, reviewer_id: str) -> bytes:
    return b"note of case " + case_id.bytes + reviewer_id.encode()
