"""The home of the settings, and who is at the command line, for the act of one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app import Installation, Workload
from likeness.app.access import Rows
from likeness.app.acts import rows_for_acts
from likeness.cli.collections.finder import finder_of
from likeness.cli.opened import installation
from likeness.errors import required
from likeness.service.uses import home as acts
from likeness.service.uses.caller import Caller


@contextmanager
def rows_opened(
    operation: str, settled: Installation | None = None
) -> Iterator[tuple[acts.Rows, Caller]]:
    """Open the rows of the home, also while a server runs; `operation` names the act."""
    with Rows(settled or installation()) as rows:
        yield (
            rows_for_acts(
                rows,
                lambda of: finder_of(rows, required(of, "a picture's collection"), Workload.ONE),
            ),
            Caller(rows.somebody, operation),
        )
