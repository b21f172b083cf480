"""Remembers of which better recognisers the users of a collection were told; it is said once."""

from uuid import UUID

from sqlalchemy import Connection, insert, select

from likeness.gallery.tables import BETTER_MODELS


def was_told(connection: Connection, collection_id: UUID, recogniser: str) -> bool:
    """Say whether a collection's users were told of a recogniser."""
    chosen = select(BETTER_MODELS.c.recogniser).where(
        BETTER_MODELS.c.collection_id == collection_id, BETTER_MODELS.c.recogniser == recogniser
    )
    return connection.execute(chosen).first() is not None


def remember(connection: Connection, collection_id: UUID, recogniser: str) -> None:
    """Remember that they were; again changes nothing."""
    if not was_told(connection, collection_id, recogniser):
        row = {"collection_id": collection_id, "recogniser": recogniser}
        connection.execute(insert(BETTER_MODELS), row)
