"""Make, list, describe and tag collections, and choose how long they keep people."""

from collections.abc import Collection as Some
from collections.abc import Mapping

from sqlalchemy import Connection

from likeness.errors import Conflict
from likeness.gallery import MOST_TAGS, Collection
from likeness.service.uses import (
    Caller,
    Outcome,
    Rows,
    declared_by,
    needed_to_tag,
    require_known_tags,
)
from likeness.terms import Action


class TooManyTags(Conflict):
    """A collection would have more tags than it can."""


def create_collection(
    rows: Rows,
    caller: Caller,
    name: str,
    *,
    tagged: Mapping[str, str] | None = None,
    retention_days: int | None = None,
    recogniser: str | None = None,
) -> Collection:
    """Make an empty collection with a key of its own, of one model for good.

    That is the model of `recogniser`; without one, of the recogniser that the settings name.

    Raises:
        InvalidRequest: name or tags cannot be kept, rules do not know what a tag declares, or the
            retention is no number of days.
        AlreadyExists: there is one of that name.
        NotFound: there is no such recogniser, or its model has no cohort.
    """
    tagged = tagged or {}
    with rows.record(caller, needed_to_tag(tagged)) as record:
        _require_few(tagged)
        templates = rows.templates_of(recogniser)
        require_known_tags(tagged)

        def create(connection: Connection) -> Collection:
            collection = rows.collections.create(
                connection,
                name,
                model=templates.model,
                dimensions=templates.dimensions,
                cohort_version=templates.cohort_version,
                retention_days=retention_days,
                now=rows.clock(),
            )
            collection.within(connection).tags.put(tagged)
            return collection

        return record.write(create, lambda _: Outcome(details=declared_by("tagged", tagged)))


def list_collections(rows: Rows, caller: Caller) -> list[Collection]:
    """List the collections by name."""
    with rows.record(caller, Action.READ) as record:
        listed = list(rows.collections.collections())
        record.answered(Outcome())
    return listed


def has_no_collection(rows: Rows) -> bool:
    """Say whether nothing was begun here yet; it tells of nobody, and is on no record."""
    return not rows.collections.collections()


def describe_collection(rows: Rows, caller: Caller, name: str) -> Collection:
    """Give what a collection is, and how large.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.READ, name)
    with rows.record(caller, Action.READ, of) as record:
        record.answered(Outcome())
    return of


def choose_retention(rows: Rows, caller: Caller, name: str, days: int | None) -> Collection:
    """Keep references so many days, None for good; the next sweep goes by it.

    Raises:
        NoSuchCollection: there is none.
        InvalidRequest: it is no number of days.
    """
    of = rows.collection(caller, Action.ARRANGE, name)

    def choose(connection: Connection) -> Collection:
        of.within(connection).set_retention(days)
        return rows.collections.named(connection, of.name)

    kept = "for good" if days is None else str(days)
    with rows.record(caller, Action.ARRANGE, of) as record:
        return record.write(choose, lambda _: Outcome(details={"retention_days": kept}))


def tag_collection(rows: Rows, caller: Caller, name: str, tagged: Mapping[str, str]) -> None:
    """Give a collection tags; a key that it has gets the new value.

    Raises:
        NoSuchCollection: there is none.
        TooManyTags: it would have more than it can.
        InvalidRequest: a tag cannot be kept, or rules do not know what it declares.
    """
    action = needed_to_tag(tagged)
    of = rows.collection(caller, action, name)

    def put(connection: Connection) -> None:
        tags = of.within(connection).tags
        _require_few({**tags.all(), **tagged})
        tags.put(tagged)

    with rows.record(caller, action, of) as record:
        require_known_tags(tagged)
        record.write(put, lambda _: Outcome(details=declared_by("tagged", tagged)))


def untag_collection(rows: Rows, caller: Caller, name: str, keys: Some[str]) -> None:
    """Take tags from a collection by their keys; those that it has not are passed over.

    Raises:
        NoSuchCollection: there is none.
        InvalidRequest: a key is none that can be kept.
    """
    action = needed_to_tag(keys)
    of = rows.collection(caller, action, name)
    with rows.record(caller, action, of) as record:
        record.write(
            lambda connection: of.within(connection).tags.remove(keys),
            lambda _: Outcome(details=declared_by("untagged", keys)),
        )


def list_tags(rows: Rows, caller: Caller, name: str) -> Mapping[str, str]:
    """List the tags of a collection.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.READ, name)
    with rows.record(caller, Action.READ, of) as record:
        tagged = of.tags
        record.answered(Outcome())
    return tagged


def _require_few(tagged: Mapping[str, str]) -> None:
    if len(tagged) > MOST_TAGS:
        raise TooManyTags(
            f"{len(tagged)} tags: a collection has {MOST_TAGS} at most. Leave some out."
        )
