"""Collections whose scores meant something else go by the present cohort, on record."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from likeness.gallery.tables import REFERENCES
from likeness.ledger.tables import ENTRIES
from likeness.service.govern.cohorts import adopt_cohort
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.service.uses import Home
from likeness.vision.cohorts.standards import Standards
from tests.gallery.galleries import create
from tests.service.people import crowd, enroller, home_at, make, template_of


def strangers_of(home: Home) -> StrangerUpkeep:
    return StrangerUpkeep(home.database, home.gallery, home.calibration_of)


def older(home: Home, version: str = "0123456789ab") -> None:
    """Let `staff` be as a migration leaves what an older Likeness wrote."""
    staff = home.gallery.collection("staff")
    values = {"cohort_version": "", "cohort_mean": 0.07, "statistics_proof": None}
    home.database.write(lambda c: staff.within(c).adopt_cohort(version))
    home.database.write(lambda c: c.execute(update(REFERENCES).values(values)))


def adoptions(home: Home) -> list[str]:
    """The cohorts that the ledger says were adopted."""
    statement = select(ENTRIES.c.entry).order_by(ENTRIES.c.position)
    entries = home.database.read(lambda c: c.execute(statement).scalars().all())
    said = [json.loads(one) for one in entries]
    return [one["details"]["cohort"] for one in said if "cohort" in one.get("details", {})]


def test_a_collection_of_an_older_likeness_goes_by_the_cohort_of_its_model(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    with home_at(tmp_path, database_url, standards) as home:
        make(home)
        list(enroller(home).enrol(crowd(tmp_path / "pictures", 5)))
        probe = template_of(home, tmp_path / "pictures" / "person 03.png")
        before = [one.comparison for one in home.gallery.collection("staff").search(probe, 5)]
        version = home.gallery.collection("staff").cohort_version
        older(home)

    with home_at(tmp_path, database_url, standards) as home:
        assert home.gallery.collection("staff").cohort_version == version
        assert adoptions(home) == [version]
        found = home.gallery.collection("staff").search(probe, 5)
        assert found[0].subject is not None
        assert found[0].subject.name == "person 03"
        assert [one.comparison.score for one in found] == pytest.approx(
            [one.score for one in before], abs=1e-4
        )
        assert strangers_of(home).bring_up_to_date("staff").evened_out == 5
    with home_at(tmp_path, database_url, standards) as home:
        assert adoptions(home) == [version]
        assert strangers_of(home).bring_up_to_date("staff").evened_out == 0


def test_a_home_opens_though_a_cohort_is_damaged(tmp_path: Path, standards: Path) -> None:
    with home_at(tmp_path, "", standards) as home:
        make(home)
        older(home)
        own = Standards(tmp_path / "home" / "models")
        path = own.keep_cohort(home.standards.cohort(home.templates_of(None).model))
    path.write_bytes(b"no cohort")
    with home_at(tmp_path, "", standards) as home:
        assert home.gallery.collection("staff").cohort_version == "0123456789ab"
        assert adoptions(home) == []


def test_a_collection_whose_cohort_is_here_keeps_it(sqlite_home: Home) -> None:
    staff = sqlite_home.gallery.collection("staff")
    assert not adopt_cohort(sqlite_home, staff)
    assert adoptions(sqlite_home) == []


def test_a_collection_of_a_model_without_a_cohort_waits(sqlite_home: Home) -> None:
    create(sqlite_home.gallery, "other", model="m", dimensions=4, cohort_version="c")
    assert not adopt_cohort(sqlite_home, sqlite_home.gallery.collection("other"))
    assert sqlite_home.gallery.collection("other").cohort_version == "c"
