"""What did an admin declare of a collection? Tags that start with `likeness:`."""

from collections.abc import Iterable

from sqlalchemy import Connection

from likeness.gallery import tags
from likeness.gallery.seal import Seal
from likeness.terms.use import UNDECLARED, Action, CollectionFacts

_PREFIX = "likeness:"


def facts_of(connection: Connection, seal: Seal) -> CollectionFacts:
    """Read what was declared of a collection."""
    tagged = tags.of(connection, seal)
    return CollectionFacts(
        *(tagged.get(_PREFIX + name, UNDECLARED) for name in CollectionFacts.__dataclass_fields__)
    )


def needed_to_tag(keys: Iterable[str]) -> Action:
    """Say what changing tags is: rules go by some, so that these are an admin's."""
    declares = any(key.startswith(_PREFIX) for key in keys)
    return Action.GOVERN if declares else Action.ARRANGE
