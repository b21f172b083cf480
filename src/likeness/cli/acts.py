"""The home of the settings, for the acts of one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app import Installation, Workload
from likeness.app.access import Rows
from likeness.app.acts import rows_for_acts
from likeness.cli.collections.finder import finder_of
from likeness.cli.opened import installation
from likeness.errors import required
from likeness.gallery import Collection
from likeness.service.uses import home as acts
from likeness.vision.find import FaceFinder


@contextmanager
def rows_opened(settled: Installation | None = None) -> Iterator[acts.Rows]:
    """Open the rows of the home, also while a server runs."""
    with Rows(settled or installation()) as rows:

        def finder(collection: Collection | None) -> FaceFinder:
            of = required(collection, "the collection of a picture")
            return finder_of(rows, of, Workload.ONE)

        yield rows_for_acts(rows, finder)
