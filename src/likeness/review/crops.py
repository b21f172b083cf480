"""Pictures of enrolled faces for people to look at, kept only while the operator wants crops."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection, insert, select

from likeness.review import keys
from likeness.review.tables import CROPS
from likeness.secrets import Keyring


def keep(
    connection: Connection, keyring: Keyring, collection_id: UUID, crops_jpeg: Mapping[UUID, bytes]
) -> None:
    """Keep a picture of each of these references' faces, a JPEG.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    if not crops_jpeg:
        return
    key = keys.ensure_key(connection, keyring, collection_id)
    rows = [
        {
            "reference_id": reference_id,
            "collection_id": collection_id,
            "sealed_crop": key.seal(crop_jpeg, _context(reference_id)),
        }
        for reference_id, crop_jpeg in crops_jpeg.items()
    ]
    connection.execute(insert(CROPS), rows)


def open_crop(
    connection: Connection, keyring: Keyring, collection_id: UUID, reference_id: UUID
) -> bytes | None:
    """Open the picture of a reference's face, a JPEG; None where none was kept.

    Raises:
        KeyUnusable: a key is gone.
    """
    sealed = connection.execute(
        select(CROPS.c.sealed_crop).where(
            CROPS.c.reference_id == reference_id, CROPS.c.collection_id == collection_id
        )
    ).scalar()
    if sealed is None:
        return None
    return keys.open_key(connection, keyring, collection_id).unseal(sealed, _context(reference_id))


def with_crops(
    connection: Connection, collection_id: UUID, reference_ids: Collection[UUID]
) -> set[UUID]:
    """Say of which of these references a picture is kept."""
    chosen = select(CROPS.c.reference_id).where(
        CROPS.c.reference_id.in_(reference_ids), CROPS.c.collection_id == collection_id
    )
    return set(connection.execute(chosen).scalars())


def _context(reference_id: UUID) -> bytes:
    return b"crop of reference " + reference_id.bytes
