"""Who makes and changes keys is asked of policy, and put on record."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from likeness.access import Grant
from likeness.errors import Denied
from likeness.policy import vocabulary
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.keys import KeyActs
from likeness.service.uses.record import Record
from likeness.storage import Database, migrate, open_database
from likeness.terms import Principal, Role, Use
from tests.service.accounting import Accounting
from tests.service.governed import governed
from tests.service.unrecorded import UnrecordedDesk

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
def office(database: Database, desk: WatchedDesk, tmp_path: Path) -> KeyActs:
    return KeyActs(governed(database, Keyring(KeyFiles(tmp_path / "keys")), desk), ADA)


CHANGES: dict[str, Callable[[KeyActs], object]] = {
    "CreateAccessKey": lambda office: office.create("desk", Grant()),
    "DisableAccessKey": lambda office: office.disable("door", last_admin_too=False),
    "EnableAccessKey": lambda office: office.enable("door"),
    "RotateAccessKey": lambda office: office.rotate("door", grace_hours=0),
}


DETECTIVE = Grant(
    Role.OPERATOR, "Anytown", "police", "US-CA", ("missing-persons", "imminent-threat")
)
GRANTED = {
    "role": "operator",
    "sector": "police",
    "jurisdiction": "US-CA",
    "purpose_1": "missing-persons",
    "purpose_2": "imminent-threat",
}


@pytest.fixture
def accounting(database: Database, tmp_path: Path) -> Accounting:
    return Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


@pytest.fixture
def recorded_office(accounting: Accounting) -> KeyActs:
    return KeyActs(governed(accounting.database, accounting.keyring, accounting.desk()), ADA)


def test_the_ledger_says_which_key_was_made_with_what_and_never_its_name(
    recorded_office: KeyActs, accounting: Accounting
) -> None:
    issued = recorded_office.create("the chief's own", DETECTIVE)
    (entry,) = accounting.entries()
    assert (entry["kind"], entry["action"], entry["operation"]) == (
        "done",
        "govern",
        "CreateAccessKey",
    )
    assert entry["principal"]["id"] == "local:ada"
    assert entry["ids"] == {"key": str(issued.key.id)}
    assert entry["details"] == GRANTED
    written = json.dumps(entry)
    assert not any(
        each in written for each in ("chief", "Anytown", issued.access_key_id, issued.secret)
    )


@pytest.mark.parametrize("operation", [one for one in CHANGES if one != "CreateAccessKey"])
def test_the_ledger_says_which_key_was_changed(
    recorded_office: KeyActs, accounting: Accounting, operation: str
) -> None:
    recorded_office.create("desk", Grant())
    issued = recorded_office.create("door", DETECTIVE)
    CHANGES[operation](recorded_office)
    entry = accounting.entries()[-1]
    assert (entry["kind"], entry["operation"]) == ("done", operation)
    assert entry["ids"] == {"key": str(issued.key.id)}
    assert entry.get("details") == (None if operation == "DisableAccessKey" else GRANTED)


def test_the_ledger_says_which_key_was_the_first(
    recorded_office: KeyActs, accounting: Accounting
) -> None:
    issued = recorded_office.ensure_first()
    assert issued is not None
    (entry,) = accounting.entries()
    assert entry["ids"] == {"key": str(issued.key.id)}
    assert entry["details"]["role"] == "admin"


def test_a_key_of_every_purpose_there_is_can_be_recorded(
    recorded_office: KeyActs, accounting: Accounting
) -> None:
    purposes = tuple(vocabulary().purposes)
    recorded_office.create("desk", Grant(purposes=purposes))
    details = accounting.entries()[0]["details"]
    assert tuple(details[f"purpose_{place}"] for place in range(1, len(purposes) + 1)) == purposes


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_that_is_refused_changes_nothing(
    office: KeyActs, desk: WatchedDesk, operation: str
) -> None:
    office.create("door", Grant())
    before = office.every()
    desk.refuses = True
    with pytest.raises(Denied):
        CHANGES[operation](office)
    assert office.every() == before


def test_the_first_key_is_made_where_there_is_none(office: KeyActs, desk: WatchedDesk) -> None:
    first = office.ensure_first()
    assert first is not None
    assert (first.key.grant.role, first.key.created_by) == (Role.ADMIN, "local:ada")
    assert office.ensure_first() is None
    assert len(desk.uses) == 1
