"""Who makes and changes keys is asked of policy, and put on record."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from likeness.access import Grant, IssuedSecret
from likeness.errors import Denied
from likeness.policy import vocabulary
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern import keys
from likeness.service.uses import Caller, Ongoing, Rows
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

    def record(self, use: Use, ongoing: Ongoing | None = None) -> AbstractContextManager[Record]:
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
def rows(database: Database, desk: WatchedDesk, tmp_path: Path) -> Rows:
    return governed(database, Keyring(KeyFiles(tmp_path / "keys")), desk)


CHANGES: dict[str, Callable[[Rows, Caller], object]] = {
    "CreateAccessKey": lambda rows, caller: keys.create_key(rows, caller, "desk", Grant()),
    "DisableAccessKey": lambda rows, caller: keys.disable_key(
        rows, caller, "door", last_admin_too=False
    ),
    "EnableAccessKey": lambda rows, caller: keys.enable_key(rows, caller, "door"),
    "RotateAccessKey": lambda rows, caller: keys.rotate_key(rows, caller, "door", grace_hours=0),
}


def create(rows: Rows, name: str, grant: Grant) -> IssuedSecret:
    return keys.create_key(rows, Caller(ADA, "CreateAccessKey"), name, grant)


def ensure_first(rows: Rows) -> IssuedSecret | None:
    return keys.ensure_first_key(rows, Caller(ADA, "CreateAccessKey"))


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
def recorded_rows(accounting: Accounting) -> Rows:
    return governed(accounting.database, accounting.keyring, accounting.desk())


def test_the_ledger_says_which_key_was_made_with_what_and_never_its_name(
    recorded_rows: Rows, accounting: Accounting
) -> None:
    issued = create(recorded_rows, "the chief's own", DETECTIVE)
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
    recorded_rows: Rows, accounting: Accounting, operation: str
) -> None:
    create(recorded_rows, "desk", Grant())
    issued = create(recorded_rows, "door", DETECTIVE)
    CHANGES[operation](recorded_rows, Caller(ADA, operation))
    entry = accounting.entries()[-1]
    assert (entry["kind"], entry["operation"]) == ("done", operation)
    assert entry["ids"] == {"key": str(issued.key.id)}
    assert entry.get("details") == (None if operation == "DisableAccessKey" else GRANTED)


def test_the_ledger_says_which_key_was_the_first(
    recorded_rows: Rows, accounting: Accounting
) -> None:
    issued = ensure_first(recorded_rows)
    assert issued is not None
    (entry,) = accounting.entries()
    assert entry["ids"] == {"key": str(issued.key.id)}
    assert entry["details"]["role"] == "admin"


def test_a_key_of_every_purpose_there_is_can_be_recorded(
    recorded_rows: Rows, accounting: Accounting
) -> None:
    purposes = tuple(vocabulary().purposes)
    create(recorded_rows, "desk", Grant(purposes=purposes))
    details = accounting.entries()[0]["details"]
    assert tuple(details[f"purpose_{place}"] for place in range(1, len(purposes) + 1)) == purposes


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_that_is_refused_changes_nothing(
    rows: Rows, desk: WatchedDesk, operation: str
) -> None:
    create(rows, "door", Grant())
    before = keys.list_keys(rows)
    desk.refuses = True
    with pytest.raises(Denied):
        CHANGES[operation](rows, Caller(ADA, operation))
    assert keys.list_keys(rows) == before


def test_the_first_key_is_made_where_there_is_none(rows: Rows, desk: WatchedDesk) -> None:
    first = ensure_first(rows)
    assert first is not None
    assert (first.key.grant.role, first.key.created_by) == (Role.ADMIN, "local:ada")
    assert ensure_first(rows) is None
    assert len(desk.uses) == 1
