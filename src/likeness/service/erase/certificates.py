"""Give certificates of erasures again, and verify them: each act on record.

Whoever may audit may: a certificate holds ids and numbers of ours, and no name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict
from likeness.gallery import (
    ErasureCertificate,
    KeptErasure,
    Verification,
    damaged_erasure,
    kept_erasure,
    kept_erasures,
)
from likeness.service.uses import Caller, Home, Outcome, Rows
from likeness.terms import UNDECLARED, Action


@dataclass(frozen=True, slots=True)
class ListedErasure:
    """An erasure, and what its collection is called; None where that is erased."""

    erasure: KeptErasure
    collection: str | None


@dataclass(frozen=True, slots=True)
class ErasuresPage:
    """Some erasures, the newest first; `after` is where the next page begins, None at the end."""

    listed: Sequence[ListedErasure]
    after: UUID | None


def list_certificates(
    rows: Rows,
    caller: Caller,
    *,
    collection: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> ErasuresPage:
    """List erasures with their certificates, whichever door they came by.

    Of a collection where one is named: by its name, or by its id where it is erased.

    Raises:
        Denied: the role may not.
        NotFound: there is no such collection, or no erasure to begin behind.
    """

    def read(connection: Connection) -> ErasuresPage:
        of = None if collection is None else _collection_id(rows, connection, collection)
        found, more = kept_erasures(connection, after=after, collection_id=of, limit=limit)
        names = {one.id: one.name for one in rows.collections.every(connection)}
        listed = [ListedErasure(one, names.get(one.collection_id)) for one in found]
        return ErasuresPage(listed, found[-1].id if found and more else None)

    with rows.record_use(caller, caller.use(Action.AUDIT, UNDECLARED)) as record:
        page = rows.database.read(read)
        record.answered(Outcome())
    return page


def show_certificate(rows: Rows, caller: Caller, certificate_id: UUID) -> ErasureCertificate:
    """Give a certificate as it was issued.

    Raises:
        Denied: the role may not.
        NotFound: there is none.
        Conflict: the erasure is not finished.
        KeyUnusable: its row was changed from outside.
    """
    with rows.record_use(caller, caller.use(Action.AUDIT, UNDECLARED)) as record:
        found = rows.database.read(lambda connection: kept_erasure(connection, certificate_id))
        if found.damaged:
            raise damaged_erasure(certificate_id)
        if found.certificate is None:
            raise Conflict(
                f"Erasure {certificate_id} is not finished, and has no certificate yet: it is out"
                " of every answer, and the next sweep or start does the rest."
            )
        record.answered(Outcome(certificate_id=certificate_id))
    return found.certificate


def verify_certificate(home: Home, caller: Caller, certificate: ErasureCertificate) -> Verification:
    """Look whether anything is left of what a certificate says is gone, in every collection."""
    with home.record_use(caller, caller.use(Action.AUDIT, UNDECLARED)) as record:
        found = home.gallery.erasing.verify(certificate)
        # The certificate may be anybody's words: what was not issued here is not named.
        record.answered(Outcome(certificate_id=certificate.id if found.issued else None))
    return found


def verify_kept_certificate(home: Home, caller: Caller, certificate_id: UUID) -> Verification:
    """Do the same with one that is kept here; raises what `show_certificate` raises."""
    return verify_certificate(home, caller, show_certificate(home, caller, certificate_id))


def _collection_id(rows: Rows, connection: Connection, named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        return rows.collections.named(connection, named).id
