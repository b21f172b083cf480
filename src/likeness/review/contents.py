"""What a case keeps sealed, under a key of its own: pictures, and what was stated of a search.

The key of its collection, in which it is sealed itself, opens it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from likeness.review.case import Case
from likeness.review.keys import open_key
from likeness.review.tables import CANDIDATES, CASES
from likeness.secrets import Key, Keyring


def probe_crop(connection: Connection, keyring: Keyring, case: Case) -> bytes | None:
    """Open the picture of the face that was searched for, a JPEG; None where none was kept.

    Raises:
        KeyUnusable: a key is gone.
    """
    sealed = kept_of(connection, case, "sealed_crop")
    if sealed is None:
        return None
    return key_of(connection, keyring, case).unseal(sealed, place_of(case.id, "probe"))


def statement_of(connection: Connection, keyring: Keyring, case: Case) -> bytes | None:
    """Open what was stated of an ongoing search; None where the case is not of one as a whole.

    Raises:
        KeyUnusable: a key is gone.
    """
    sealed = kept_of(connection, case, "sealed_statement")
    if sealed is None:
        return None
    return key_of(connection, keyring, case).unseal(sealed, place_of(case.id, "statement"))


def sighting_crop(
    connection: Connection, keyring: Keyring, case: Case, number: int
) -> bytes | None:
    """Open the picture of a candidate who is a sighting, a JPEG; None where there is none.

    Raises:
        KeyUnusable: a key is gone.
    """
    of_number = CANDIDATES.c.case_id == case.id, CANDIDATES.c.number == number
    sealed = connection.execute(select(CANDIDATES.c.sealed_crop).where(*of_number)).scalar()
    if sealed is None:
        return None
    return key_of(connection, keyring, case).unseal(sealed, place_of(case.id, "sighting", number))


def key_of(connection: Connection, keyring: Keyring, case: Case) -> Key:
    """Open the key of a case.

    Raises:
        KeyUnusable: a key is gone.
    """
    under = open_key(connection, keyring, case.collection_id)
    return Key(under.unseal(kept_of(connection, case, "sealed_key"), place_of(case.id, "key")))


def kept_of(connection: Connection, case: Case, column: str) -> Any:
    """Read what is kept of a case beside what it is."""
    return connection.execute(select(CASES.c[column]).where(CASES.c.id == case.id)).scalar_one()


def seal(key: Key, content: bytes | None, place: bytes) -> bytes | None:
    """Seal content for its place (`place_of`); there may be none."""
    return None if content is None else key.seal(content, place)


def place_of(case_id: UUID, what: str, number: int | None = None) -> bytes:
    """Say where something of a case belongs, for sealing: of a candidate by its number."""
    place = f"{what} of case ".encode() + case_id.bytes
    return place if number is None else place + b" %d" % number
