"""The home of the settings, and who is at the command line, for the act of one command."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial

from likeness.app import Installation, Workload
from likeness.app.finders import Finders, adopt_cohort_and_require_comparable, better_recogniser
from likeness.app.home import open_home, open_rows
from likeness.cli.installation import installation_here
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.progress import fetching
from likeness.errors import HomeInUse, required
from likeness.gallery import Collection
from likeness.service.uses import Caller, Home, Rows
from likeness.storage import Database
from likeness.vision.find import FaceFinder

_MOST_NAMED = 10


@contextmanager
def rows_for(
    operation: str,
    installation: Installation | None = None,
    *,
    makes_home: bool = False,
    without_lost_keys: bool = False,
) -> Iterator[tuple[Rows, Caller]]:
    """Open the rows of the home, also while a server runs; `operation` names the act.

    An act that may be the first in a home `makes_home`.
    """
    installation = installation or installation_here()
    with open_rows(
        installation, makes_home=makes_home, without_lost_keys=without_lost_keys
    ) as rows:
        load_finder = partial(_load_finder, installation, rows, Workload.ONE)
        yield replace(rows, load_finder=load_finder), Caller(rows.somebody, operation)
        _tell_of_damage(rows.database)


@contextmanager
def home_for(
    operation: str,
    installation: Installation | None = None,
    beside_server: str | None = None,
    *,
    makes_home: bool = False,
) -> Iterator[tuple[Home, Caller]]:
    """Open the home for this command alone; weights that are missing are fetched with progress.

    `beside_server` says what else than this command does the same while a server runs. An act that
    may be the first in a home `makes_home`.
    """
    installation = installation or installation_here()
    with ExitStack() as opened:
        try:
            home = opened.enter_context(open_home(installation, makes_home=makes_home))
        except HomeInUse as error:
            if beside_server is None:
                raise
            raise HomeInUse(f"{str(error).rstrip('.')}, or {beside_server}.") from error
        load_finder = cache(partial(_load_finder, installation, home, Workload.MANY))
        yield replace(home, load_finder=load_finder), Caller(home.somebody, operation)
        _tell_of_damage(home.database)


def _tell_of_damage(database: Database) -> None:
    """Name on stderr the rows that could not be read, and were left out of the answer."""
    rows = database.damage.rows
    for row in rows[:_MOST_NAMED]:
        warn(f"Row {row} is damaged and was left out. Restore it from a backup.")
    if len(rows) > _MOST_NAMED:
        warn(f"{len(rows) - _MOST_NAMED} more are damaged. `likeness doctor` counts them.")


def tell_of_better_model(installation: Installation, collection: Collection) -> None:
    """Say on stderr that new collections take a better model, once for each collection."""
    better = better_recogniser(installation, collection)
    if better is None or collection.was_told_of(better):
        return
    name = shlex.quote(collection.name)
    warn(
        f"A better model than that of collection {collection.name!r} exists, {better}."
        f" `likeness collections re-embed {name} --to {better}` moves the collection to it, from"
        " its pictures. Until then it goes on as it is."
    )
    collection.remember_told_of(better)


def _load_finder(
    installation: Installation, rows: Rows, workload: Workload, collection: Collection | None
) -> FaceFinder:
    """Load what finds and embeds faces with a collection's model, once it can be compared with."""
    of = required(collection, "the collection of a picture")
    adopt_cohort_and_require_comparable(installation, rows, of)
    tell_of_better_model(installation, of)
    with fetching() as progress:
        finders = Finders(installation, workload, progress, fetches=True)
        return finders.of(of)
