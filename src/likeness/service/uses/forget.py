"""Forget those who are erased in all that is not the gallery's, in the act that erases.

Entries of the ledger stay as they are; what tied them to a person is destroyed.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs, review
from likeness.access import TOKENS_KEPT
from likeness.gallery import Remainder, mark_ids, note_for_certificate
from likeness.ledger import FORGOTTEN_FROM as OF_LEDGER
from likeness.ledger import Ledger
from likeness.secrets import Keyring
from likeness.terms import in_batches

_AT_A_TIME = 900

FORGOTTEN_FROM = (*OF_LEDGER, *review.FORGOTTEN_FROM, *jobs.FORGOTTEN_FROM)
"""The tables that are to be scrubbed after an erasure, beside the gallery's."""


def left_of(connection: Connection, collection_id: UUID, now: datetime) -> tuple[Remainder, ...]:
    """Say what an erasure from a collection leaves: none of it says whom it is about."""
    held = jobs.held_by_jobs(connection, collection_id)
    of_jobs = []
    if held.until is not None:
        of_jobs.append(
            Remainder(
                "in what finished jobs found, sealed: that, when and where in a clip an unknown"
                " face was seen, and the faces of whoever was found to be like nobody",
                held.until,
                "nobody can tell whose they are",
            )
        )
    if held.running:
        of_jobs.append(
            Remainder(
                "faces in clips and streams that are being searched, sealed in the job",
                None,
                "they go when it is done, and it names nobody who is erased",
            )
        )
    return (
        *of_jobs,
        Remainder(
            "ids in answers that are kept sealed for requests that come again",
            now + TOKENS_KEPT,
            "such a request gets the same answer, and changes nothing twice",
        ),
        Remainder(
            "entries of the ledger about them, without what tells whom they are about",
            None,
            "the ledger is never edited, so that it proves what was done",
        ),
        Remainder(
            "a keyed mark of each id and picture, from which neither can be had",
            None,
            "an import must not bring anybody back unseen",
        ),
    )


def forget(
    connection: Connection,
    keyring: Keyring,
    ledger: Ledger,
    ids: Iterable[UUID],
    collection_id: UUID | None,
    certificate_id: UUID | None,
) -> None:
    """Forget whom an act has erased; `collection_id` where that is a whole collection.

    What may show them and has to stay is noted for the certificate of that id.
    """
    pictures: dict[UUID, datetime | None] = {}
    gone = tuple(dict.fromkeys(ids))
    if certificate_id is not None and collection_id is None:
        mark_ids(connection, keyring, certificate_id, gone)
    for some in in_batches(gone, _AT_A_TIME):
        ledger.forget(connection, some)
        if collection_id is None:
            pictures |= review.forget_people(connection, some)
            jobs.forget_people(connection, some)
    if collection_id is not None:
        review.forget_collection(connection, collection_id)
        jobs.forget_collection(connection, collection_id)
    ends = [until for until in pictures.values() if until is not None]
    if certificate_id is not None and ends:
        left = Remainder(
            f"pictures that were searched for, in {len(ends)} cases for review, which may show"
            " whoever is erased",
            max(ends),
            "others may be who they show, and people have to look at that",
        )
        note_for_certificate(connection, certificate_id, remainders=[left])
