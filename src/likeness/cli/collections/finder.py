"""The finder of a collection that a command opens, and what there is to say of its model."""

import shlex

from likeness.app.access import Rows
from likeness.app.collections import better_recogniser, remember_choice
from likeness.app.finders import Finders
from likeness.app.installation import Workload
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.progress import fetching
from likeness.gallery import Collection
from likeness.vision.find import FaceFinder


def finder_of(rows: Rows, collection: Collection, workload: Workload) -> FaceFinder:
    """Get ready to find and embed faces with a collection's model; weights are fetched if needed.

    Raises what `Finders.of_collection` raises.
    """
    tell_of_better_model(rows, collection)
    settled = rows.installation
    with fetching() as progress:
        finders = Finders(settled, settled.engine(workload), progress, fetches=True)
        return finders.of_collection(collection)


def tell_of_better_model(rows: Rows, collection: Collection) -> None:
    """Say on stderr that new collections take a better model, once for each collection."""
    better = better_recogniser(rows, collection)
    if better is None or collection.was_told_of(better):
        return
    warn(
        f"a better model than that of collection {collection.name!r} exists, {better}: `likeness"
        f" collections re-embed {shlex.quote(collection.name)} --to {better}` moves the collection"
        " to it, from its pictures; until then it goes on as it is"
    )
    remember_choice(rows, collection)
