"""What other rules would have said is asked once of each use that rules decided."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.policy import PolicyEngine
from likeness.policy.changes import packs_in_force
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.simulation import Simulation, simulate_policy
from likeness.service.uses.record import Outcome
from likeness.service.uses.withhold import Probe
from likeness.storage import migrate, open_database
from likeness.terms import Action, CollectionFacts, Principal, Role, Use
from tests.service.accounting import FACE, POLICE, Accounting, Match, nobody_else, sample


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Accounting]:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        yield Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


def simulated(home: Accounting, *, without: str = "") -> Simulation:
    """Ask the rules in force, less a pack."""

    def act(connection: Connection) -> Simulation:
        packs = [one for one in packs_in_force(connection) if one.pack.name != without]
        return simulate_policy(connection, PolicyEngine(packs))

    return home.database.read(act)


def refusals(home: Accounting) -> dict[str, Use]:
    """Uses that the desk refuses by itself."""
    return {
        "role": home.use(principal=Principal("key:auditor", Role.AUDITOR, "Example", "commerce")),
        "purpose-not-granted": replace(home.use(), granted=False),
        "footage-unknown": replace(home.use(), collection=CollectionFacts(footage="moon")),
    }


@pytest.mark.parametrize("rule", ["role", "purpose-not-granted", "footage-unknown"])
def test_what_the_desk_refused_by_itself_is_no_difference(home: Accounting, rule: str) -> None:
    with suppress(Denied):
        home.search([], refusals(home)[rule])
    (entry,) = home.entries()
    assert entry["rules"]["refused_by"] == [rule]
    assert simulated(home) == Simulation(0, ())


def test_a_use_with_several_faces_withheld_is_one(home: Accounting) -> None:
    home.owe("review", "1", "context.reviews >= 1")
    with home.desk().record(home.use()) as record:
        for place in range(3):
            probe = Probe(sample(), FACE, parameters=(("face", str(place)),))
            record.release([Match(97.0)], probe, nobody_else)
    assert home.kinds() == ["intent", "withheld", "withheld", "withheld"]
    assert simulated(home) == Simulation(1, ())


def test_a_comparison_that_has_to_become_a_search_is_asked_about_as_both(home: Accounting) -> None:
    compared = replace(home.use(Action.COMPARE), collection_id=None)
    with home.desk().record(compared) as record:
        with home.desk().record(replace(compared, action=Action.SEARCH)) as searched:
            searched.answered(Outcome())
        record.answered(Outcome())
    assert home.kinds() == ["intent", "intent", "done", "done"]
    assert simulated(home) == Simulation(2, ())


def test_what_other_rules_would_have_allowed_is_a_difference(home: Accounting) -> None:
    home.search([])
    with suppress(Denied):
        home.search([], replace(home.use(principal=POLICE), id=uuid4()))
    found = simulated(home, without="amazon-2020")
    assert found.uses == 2
    (difference,) = found.differences
    assert difference.recorded.said.refused_by == {"amazon-2020-police"}
    assert difference.said.allowed
