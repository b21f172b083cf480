"""Reads what an admin declares of a collection by its tags that start with `likeness:`.

A tag that rules do not know declares nothing, and its value would stand in the entries of uses for
ever. So none is taken, and of one that was taken before this was so, rules and entries see
`unknown`, which is refused or counts as not stated.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from unicodedata import normalize
from uuid import UUID

from likeness.errors import InvalidRequest
from likeness.policy import UNKNOWN, Notice, nearest, vocabulary
from likeness.terms import UNDECLARED, Action, CollectionFacts, Footage, Use

_PREFIX = "likeness:"
_LIVE = _PREFIX + "live"
_NOT_LIVE = "false"
# More values than this are not repeated in a message.
_FEW = 8


def use_in(use: Use, collection_id: UUID, tagged: Mapping[str, str], model: str) -> Use:
    """Say of a use which collection it is of, its model, and what its tags declare.

    In a collection that is tagged `likeness:live`, with anything but `false`, people are looked
    for in pictures of the moment, whatever the caller says. Other values than `true` are from
    before none was taken.
    """
    return replace(
        use,
        collection_id=collection_id,
        collection=facts_of(tagged),
        model=use.model or model,
        live=use.live or tagged.get(_LIVE, _NOT_LIVE) != _NOT_LIVE,
    )


def needed_to_tag(keys: Iterable[str]) -> Action:
    """Say what changing tags is: rules go by some, so that these are an admin's."""
    declares = any(key.startswith(_PREFIX) for key in keys)
    return Action.GOVERN if declares else Action.ARRANGE


def require_known_tags(tagged: Mapping[str, str]) -> None:
    """Refuse tags that start with `likeness:` and that rules do not go by.

    Raises:
        InvalidRequest: a key or its value is unknown; the nearest is named.
    """
    for key, value in tagged.items():
        # However it is spelt: whoever tags `Likeness:Sector` means to declare something.
        if not normalize("NFKC", key).strip().casefold().startswith(_PREFIX):
            continue
        values = known_values().get(key)
        if values is None:
            raise InvalidRequest(
                f"Rules go by no tag {key!r}{nearest(key, known_values())}. Choose among"
                f" {', '.join(known_values())}."
            )
        if value not in values:
            listed = "docs/policy.md lists them all."
            if len(values) <= _FEW:
                listed = f"Choose among {', '.join(values)}."
            raise InvalidRequest(
                f"Rules know no value {value!r} of {key}{nearest(value, values)}. {listed}"
            )


@cache
def known_values() -> dict[str, Collection[str]]:
    """Give the tags that rules go by, and the values of each that they know."""
    words = vocabulary()
    facts: dict[str, Iterable[str]] = {
        "sector": words.sectors,
        "jurisdiction": words.jurisdictions,
        "purpose": words.purposes,
        "footage": Footage,
        "notice": Notice,
    }
    known = {_PREFIX + fact: tuple(map(str, values)) for fact, values in facts.items()}
    return {**known, _LIVE: ("true", _NOT_LIVE)}


def declared_by(change: str, keys: Iterable[str]) -> dict[str, str]:
    """Name for an entry the tags that rules go by; no entry holds any other key, a caller's."""
    declaring = " ".join(sorted(known_values().keys() & set(keys)))
    return {change: declaring} if declaring else {}


def declares(tagged: Mapping[str, str]) -> bool:
    """Say whether an admin declared anything of a collection with some tags."""
    return any(key.startswith(_PREFIX) for key in tagged)


def facts_of(tagged: Mapping[str, str]) -> CollectionFacts:
    """Say what the tags of a collection declare."""

    def said(fact: str) -> str:
        key = _PREFIX + fact
        value = tagged.get(key, UNDECLARED)
        return value if value in known_values()[key] else UNKNOWN

    return CollectionFacts(*map(said, CollectionFacts.__dataclass_fields__))
