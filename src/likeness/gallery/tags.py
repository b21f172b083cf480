"""What is said of a collection: tags, keys and values, read and changed in one transaction."""

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, insert, select

from likeness.errors import InvalidRequest
from likeness.gallery.tables import TAGS
from likeness.gallery.unit import Unit
from likeness.terms import checked_text

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256

# Made once: every use of a collection comes here.
_OF_ONE = select(TAGS.c.key_digest, TAGS.c.sealed_tag).where(
    TAGS.c.collection_id == bindparam("collection_id")
)


class Tags(Unit):
    """The tags of a collection."""

    __slots__ = ()

    def all(self) -> dict[str, str]:
        """Give the tags, by key.

        Raises:
            KeyUnusable: one is damaged, or another's.
        """
        rows = self.connection.execute(_OF_ONE, {"collection_id": self.seal.collection_id})
        return dict(sorted(self.seal.opened_tag(row.key_digest, row.sealed_tag) for row in rows))

    def put(self, tags: Mapping[str, str]) -> None:
        """Give the collection tags, all or none; a key that it has gets the new value.

        Raises:
            InvalidRequest: a key or a value cannot be kept, or there would be too many.
        """
        for value in tags.values():
            checked_text(value, "a tag's value", shortest=0, longest=LONGEST_VALUE)
        self.remove(tags)
        held = len(self.all())
        if held + len(tags) > MOST_TAGS:
            raise InvalidRequest(
                f"Too many tags: the collection would have {held + len(tags)} of at most"
                f" {MOST_TAGS}. Remove some first."
            )
        digests = {key: self.seal.tag_digest(key) for key in tags}
        rows = [
            {
                "collection_id": self.seal.collection_id,
                "key_digest": digests[key],
                "sealed_tag": self.seal.tag(digests[key], key, value),
            }
            for key, value in tags.items()
        ]
        if rows:
            self.connection.execute(insert(TAGS), rows)

    def remove(self, keys: Iterable[str]) -> None:
        """Take tags away by their keys; those that are not there are passed over.

        Raises:
            InvalidRequest: a key is none that can be kept.
        """
        digests = [
            self.seal.tag_digest(checked_text(key, "a tag's key", longest=LONGEST_KEY))
            for key in keys
        ]
        ours = TAGS.c.collection_id == self.seal.collection_id
        self.connection.execute(delete(TAGS).where(ours, TAGS.c.key_digest.in_(digests)))
