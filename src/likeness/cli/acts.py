"""The home of the settings, and who is at the command line, for the act of one command."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

from likeness.app import Installation, Workload
from likeness.app.access import Rows
from likeness.app.acts import home_for_acts, rows_for_acts
from likeness.app.finders import Finders, better_recogniser, require_comparable
from likeness.app.home import Home
from likeness.cli.opened import installation
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.progress import fetching
from likeness.errors import HomeInUse, required
from likeness.gallery import Collection
from likeness.service.uses import Caller
from likeness.service.uses import home as acts
from likeness.vision.find import FaceFinder


@contextmanager
def rows_opened(
    operation: str, settled: Installation | None = None
) -> Iterator[tuple[acts.Rows, Caller]]:
    """Open the rows of the home, also while a server runs; `operation` names the act."""
    with Rows(settled or installation()) as rows:
        acting = rows_for_acts(rows, partial(_finder_of, rows, Workload.ONE))
        yield acting, Caller(rows.somebody, operation)


@contextmanager
def home_opened(
    operation: str, settled: Installation | None = None, beside_server: str | None = None
) -> Iterator[tuple[acts.Home, Caller]]:
    """Open the home for this command alone; weights that are missing are fetched with progress.

    `beside_server` says what else than this command does the same while a server runs.
    """
    with _home_alone(settled or installation(), beside_server) as home:
        acting = home_for_acts(home, cache(partial(_finder_of, home, Workload.MANY)))
        yield acting, Caller(home.somebody, operation)


def tell_of_better_model(settled: Installation, collection: Collection) -> None:
    """Say on stderr that new collections take a better model, once for each collection."""
    better = better_recogniser(settled, collection)
    if better is None or collection.was_told_of(better):
        return
    name = shlex.quote(collection.name)
    warn(
        f"A better model than that of collection {collection.name!r} exists, {better}."
        f" `likeness collections re-embed {name} --to {better}` moves the collection to it, from"
        " its pictures. Until then it goes on as it is."
    )
    collection.remember_told_of(better)


def _home_alone(settled: Installation, beside_server: str | None) -> Home:
    """Open the home; where another process has it, say what else does the same."""
    try:
        return Home(settled)
    except HomeInUse as error:
        if beside_server is None:
            raise
        raise HomeInUse(f"{error}, or {beside_server}") from error


def _finder_of(rows: Rows, workload: Workload, collection: Collection | None) -> FaceFinder:
    """Load what finds and embeds faces with a collection's model, once it can be compared with."""
    of, settled = required(collection, "the collection of a picture"), rows.installation
    require_comparable(settled, rows, of)
    tell_of_better_model(settled, of)
    with fetching() as progress:
        finders = Finders(settled, settled.engine(workload), progress, fetches=True)
        return finders.of_collection(of)
