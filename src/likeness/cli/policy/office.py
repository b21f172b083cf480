"""Where do the commands of policy find the rules? In the home, also while a server runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.app.access import Rows, database_url
from likeness.cli.opened import installation
from likeness.policy import enabled
from likeness.policy.pack import ChosenPack, shipped
from likeness.service.policy_office import PolicyOffice
from likeness.storage import current, head, open_database
from likeness.storage.address import SqliteFile, read_address

NO_ADVICE = "No pack is legal advice."


@contextmanager
def office() -> Iterator[PolicyOffice]:
    """Open the rows of the home."""
    with Rows(installation()) as rows:
        yield PolicyOffice(rows.database, rows.keyring, rows.desk, rows.somebody)


def enabled_here() -> list[ChosenPack]:
    """Give the packs that are enabled in the home; where there is none yet, all that are shipped.

    Nothing is made.

    Raises:
        InvalidRequest: an enabled pack cannot be read.
    """
    url = database_url(installation().settings)
    address = read_address(url)
    if not isinstance(address, SqliteFile) or address.path.exists():
        with open_database(url) as database:
            if current(database) == head():
                return [one.chosen for one in database.read(enabled.every)]
    return [ChosenPack.of(pack, {}) for pack in shipped().values() if not pack.facts.always]
