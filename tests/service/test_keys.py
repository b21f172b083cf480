"""Who makes and changes keys is asked of policy, and put on record."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from likeness.access import Grant
from likeness.errors import Denied
from likeness.secrets import KeyFiles, Keyring
from likeness.service.keys import KeyOffice
from likeness.service.record import Desk, Record
from likeness.service.unrecorded import UnrecordedDesk
from likeness.storage import Database, migrate, open_database
from likeness.terms.use import Action, Principal, Role, Use

ADA = Principal("local:ada", Role.ADMIN)


class WatchedDesk:
    """A desk that remembers what it admitted, and refuses when told."""

    def __init__(self, database: Database) -> None:
        self._desk = UnrecordedDesk(database)
        self.uses: list[Use] = []
        self.refuses = False

    def record(self, use: Use) -> AbstractContextManager[Record]:
        return self._admitted(use)

    @contextmanager
    def _admitted(self, use: Use) -> Iterator[Record]:
        self.uses.append(use)
        if self.refuses:
            raise Denied("not today")
        with self._desk.record(use) as record:
            yield record


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        yield database


@pytest.fixture
def desk(database: Database) -> WatchedDesk:
    return WatchedDesk(database)


@pytest.fixture
def office(database: Database, desk: WatchedDesk, tmp_path: Path) -> KeyOffice:
    admits: Desk = desk
    return KeyOffice(database, Keyring(KeyFiles(tmp_path / "keys")), admits, ADA)


CHANGES: dict[str, Callable[[KeyOffice], object]] = {
    "CreateAccessKey": lambda office: office.create("desk", Grant()),
    "DisableAccessKey": lambda office: office.disable("door", last_admin_too=False),
    "EnableAccessKey": lambda office: office.enable("door"),
    "RotateAccessKey": lambda office: office.rotate("door", grace_hours=0),
}


@pytest.mark.parametrize("operation", CHANGES)
def test_every_change_is_put_on_record(
    office: KeyOffice, desk: WatchedDesk, operation: str
) -> None:
    office.create("door", Grant())
    CHANGES[operation](office)
    use = desk.uses[-1]
    assert len(desk.uses) == 2
    assert (use.principal, use.action, use.operation) == (ADA, Action.GOVERN, operation)


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_that_is_refused_changes_nothing(
    office: KeyOffice, desk: WatchedDesk, operation: str
) -> None:
    office.create("door", Grant())
    before = office.every()
    desk.refuses = True
    with pytest.raises(Denied):
        CHANGES[operation](office)
    assert office.every() == before


def test_the_first_key_is_made_where_there_is_none(office: KeyOffice, desk: WatchedDesk) -> None:
    first = office.ensure_first()
    assert first is not None
    assert (first.key.grant.role, first.key.created_by) == (Role.ADMIN, "local:ada")
    assert office.ensure_first() is None
    assert len(desk.uses) == 1
