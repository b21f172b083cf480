"""Where do the commands of policy find the rules? In the home, also while a server runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app.access import Rows
from likeness.cli.opened import installation
from likeness.service.govern.policy_office import PolicyOffice

NO_ADVICE = "No pack is legal advice."


@contextmanager
def office() -> Iterator[PolicyOffice]:
    """Open the rows of the home."""
    with Rows(installation()) as rows:
        yield PolicyOffice(rows.database, rows.collections, rows.desk, rows.somebody)
