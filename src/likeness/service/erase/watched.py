"""Watches for whoever is erased: they end with the erasure, or the certificate names them.

A watch keeps a face and a template of somebody, and no name. Whose it is, only a comparison tells:
it is of somebody where it is as alike to a reference of theirs as watches match from. One that was
made with another model than the collection's is compared with nobody, and stays until its end.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.errors import KeyUnusable, NotFound
from likeness.gallery import Collection, CollectionRows, Reference, Remainder
from likeness.review import (
    Watch,
    delete_cases_of_watch,
    delete_watch,
    is_anybody_watched,
    live_watches,
    scores_of_watches,
    watched_in,
)
from likeness.service.enrol.review import as_evened_out
from likeness.service.uses import Home
from likeness.terms import Template


@dataclass(frozen=True, slots=True)
class WatchesOf:
    """The watches that look for somebody, and those of which nobody can tell."""

    alike: tuple[Watch, ...]
    unknown: tuple[Watch, ...]


def watches_of(
    connection: Connection, home: Home, of: Collection, references: Sequence[Reference]
) -> WatchesOf:
    """Find the watches in a collection that look for somebody of some of its references."""
    now = home.clock()
    if not is_anybody_watched(connection, of.id, now):
        return WatchesOf((), ())
    try:
        watched = as_evened_out(of, watched_in(connection, home.keyring, of.id, now))
        least = home.calibration_of(of).point(home.fmr).threshold
    except (KeyUnusable, NotFound):  # a key is gone, or what scores mean, and that keeps nobody
        every = live_watches(connection, now)
        return WatchesOf((), tuple(one for one in every if one.collection_id == of.id))
    scores = scores_of_watches(watched, _templates(of.within(connection), references))
    return WatchesOf(
        tuple(watch for watch, score in scores.items() if score is not None and score >= least),
        tuple(watch for watch, score in scores.items() if score is None),
    )


def _templates(its: CollectionRows, references: Sequence[Reference]) -> list[Template]:
    """Open the templates of references; one that was changed from outside is passed over."""
    templates: list[Template] = []
    for one in references:
        with suppress(KeyUnusable):
            templates += its.references.templates([one.number]).values()
    return templates


def end_watches(connection: Connection, watches: Sequence[Watch]) -> list[str]:
    """End watches with the cases that they opened; say so for a certificate."""
    done = []
    for watch in watches:
        cases = delete_cases_of_watch(connection, watch.id)
        delete_watch(connection, watch)
        done.append(f"watch {watch.id} for somebody as alike ended, with {cases} cases of it")
    return done


def left_watches(found: WatchesOf, *, ended: bool) -> list[Remainder]:
    """Say for a certificate which watches may look for who is erased, and stay."""
    left = [
        Remainder(
            f"watch {one.id}, which looks for somebody by a picture",
            one.expires_at,
            "its template is of another model or cohort, so that nobody can tell for whom it is;"
            " `likeness watch end` ends it",
        )
        for one in found.unknown
    ]
    if not ended:
        left += [
            Remainder(
                f"watch {one.id}, which looks for somebody as alike",
                one.expires_at,
                "an erasure of references, one by whoever may not watch, or one that is told to,"
                " ends no watch; `likeness watch end` does",
            )
            for one in found.alike
        ]
    return left
