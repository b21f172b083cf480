"""What did an admin declare of a collection? Tags that start with `likeness:`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import tags
from likeness.gallery.seal import Seal
from likeness.terms.use import UNDECLARED, Action, CollectionFacts, Use

_PREFIX = "likeness:"
_LIVE = _PREFIX + "live"
_NOT_LIVE = "false"
_DECLARING = frozenset(_PREFIX + name for name in CollectionFacts.__dataclass_fields__) | {_LIVE}


def facts_of(connection: Connection, seal: Seal) -> CollectionFacts:
    """Read what was declared of a collection."""
    return _facts(tags.of(connection, seal))


def use_of(connection: Connection, use: Use, collection_id: UUID, seal: Seal) -> Use:
    """Say of a use which collection it is of, and what was declared of that.

    In a collection that is tagged `likeness:live`, with anything but `false`, people are looked
    for in pictures of the moment, whatever the caller says.
    """
    tagged = tags.of(connection, seal)
    return replace(
        use,
        collection_id=collection_id,
        collection=_facts(tagged),
        live=use.live or tagged.get(_LIVE, _NOT_LIVE) != _NOT_LIVE,
    )


def needed_to_tag(keys: Iterable[str]) -> Action:
    """Say what changing tags is: rules go by some, so that these are an admin's."""
    declares = any(key.startswith(_PREFIX) for key in keys)
    return Action.GOVERN if declares else Action.ARRANGE


def declared_by(change: str, keys: Iterable[str]) -> dict[str, str]:
    """Name for an entry the tags that rules go by; no entry holds any other key, a caller's."""
    declaring = " ".join(sorted(_DECLARING & set(keys)))
    return {change: declaring} if declaring else {}


def _facts(tagged: Mapping[str, str]) -> CollectionFacts:
    return CollectionFacts(
        *(tagged.get(_PREFIX + name, UNDECLARED) for name in CollectionFacts.__dataclass_fields__)
    )
