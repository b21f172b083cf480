"""What is said of a collection? Tags, keys and values, as functions over a connection."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from likeness.errors import InvalidRequest
from likeness.gallery.seal import Seal
from likeness.gallery.tables import TAGS
from likeness.terms import checked_text

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256

# Made once: every use of a collection comes here.
_OF_ONE = select(TAGS.c.key_digest, TAGS.c.sealed_tag).where(
    TAGS.c.collection_id == bindparam("collection_id")
)


def of(connection: Connection, seal: Seal) -> dict[str, str]:
    """Give a collection's tags, by key.

    Raises:
        KeyUnusable: one is damaged, or another's.
    """
    rows = connection.execute(_OF_ONE, {"collection_id": seal.collection_id})
    return dict(sorted(seal.opened_tag(row.key_digest, row.sealed_tag) for row in rows))


def put(connection: Connection, seal: Seal, tags: Mapping[str, str]) -> None:
    """Give a collection tags, all or none; a key that it has gets the new value.

    Raises:
        InvalidRequest: a key or a value cannot be kept, or there would be too many.
    """
    for value in tags.values():
        checked_text(value, "a tag's value", shortest=0, longest=LONGEST_VALUE)
    remove(connection, seal, tags)
    held = len(of(connection, seal))
    if held + len(tags) > MOST_TAGS:
        raise InvalidRequest(
            f"at most {MOST_TAGS} tags of a collection were expected and it would have"
            f" {held + len(tags)}: remove some first"
        )
    digests = {key: seal.tag_digest(key) for key in tags}
    rows = [
        {
            "collection_id": seal.collection_id,
            "key_digest": digests[key],
            "sealed_tag": seal.tag(digests[key], key, value),
        }
        for key, value in tags.items()
    ]
    if rows:
        connection.execute(insert(TAGS), rows)


def remove(connection: Connection, seal: Seal, keys: Iterable[str]) -> None:
    """Take tags away by their keys; those that are not there are passed over.

    Raises:
        InvalidRequest: a key is none that can be kept.
    """
    digests = [
        seal.tag_digest(checked_text(key, "a tag's key", longest=LONGEST_KEY)) for key in keys
    ]
    ours = TAGS.c.collection_id == seal.collection_id
    connection.execute(delete(TAGS).where(ours, TAGS.c.key_digest.in_(digests)))
