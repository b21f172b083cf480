"""Looks through a home for rows that cannot be read, which lists and searches leave out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from likeness import jobs, review, sources
from likeness.errors import KeyUnusable, StateError
from likeness.gallery import Collection, CollectionRows, Collections, kept_erasures
from likeness.secrets import Keyring
from likeness.storage import DamagedRow, legible_named

_AT_ONCE = 1_000
_MOST_JOBS = _MOST_ERASURES = 1_000


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: the damaged rows, and in words which collections cannot be used.

    `references` were looked at; `whole` says that those were all.
    """

    rows: list[DamagedRow]
    collections: list[str]
    references: int
    whole: bool


def look_for_damage(
    collections: Collections, keyring: Keyring, now: datetime, most_references: int
) -> Looked:
    """Read everything that lists and searches read, of references so many; nothing is changed.

    Raises:
        DatabaseUnavailable: the rows cannot be read at all.
    """
    database = collections.database
    database.read(partial(sources.list_sources, keyring=keyring))
    database.read(partial(sources.list_processors, keyring=keyring))
    database.read(partial(jobs.list_jobs, keyring=keyring, limit=_MOST_JOBS))
    database.read(partial(review.live_cases, now=now))
    database.read(partial(kept_erasures, limit=_MOST_ERASURES))

    def watches(connection: Connection) -> None:
        found = review.live_watches(connection, now)
        legible_named(
            connection,
            "review_watches",
            found,
            lambda one: review.grounds_of(connection, keyring, one),
        )

    database.read(watches)
    unusable, looked, whole = list[str](), 0, True
    for collection in collections.collections():
        try:
            _ = collection.tags
            _read_all(collection, lambda its, after: its.subjects.page(after=after, limit=_AT_ONCE))
            seen, is_all = _read_references(collection, most_references - looked)
        except (KeyUnusable, StateError) as error:
            unusable.append(f"{collection.name}: {error}")
            continue
        looked, whole = looked + seen, whole and is_all
    return Looked(database.damage.rows, unusable, looked, whole)


def _read_references(collection: Collection, most: int) -> tuple[int, bool]:
    """Read references with their templates; say how many, and whether those are all."""

    def some(its: CollectionRows, after: int) -> Sequence[Any]:
        page = its.references.page(after=after, limit=_AT_ONCE)
        its.references.templates([one.number for one in page])
        return page

    return _read_all(collection, some, most)


def _read_all(
    collection: Collection,
    some: Callable[[CollectionRows, int], Sequence[Any]],
    most: int | None = None,
) -> tuple[int, bool]:
    last, seen = 0, 0
    while most is None or seen < most:
        page = collection.read(partial(_page, some=some, after=last))
        if not page:
            return seen, True
        last, seen = page[-1].number, seen + len(page)
    return seen, False


def _page(
    its: CollectionRows, some: Callable[[CollectionRows, int], Sequence[Any]], after: int
) -> Sequence[Any]:
    return some(its, after)
