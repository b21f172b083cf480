"""That the strangers of every collection are measured while a server runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from likeness.gallery.tables import REFERENCES
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.terms import Calibration
from tests.gallery.changing import fill
from tests.gallery.galleries import COHORT, MODEL, Home, enrol, make, new

KNOWN = Calibration(MODEL, COHORT, (-2.0, -0.5), (1.0, 1e-4), 10**6, "anybody", one_person=0.97)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database:
        yield made


def test_a_damaged_collection_holds_up_no_other(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with home.open() as gallery:
        make(gallery, "damaged")
        enrol(gallery, "damaged", [new(n, f"name {n}") for n in range(31)])
        home.database.write(lambda c: c.execute(update(REFERENCES).values(sealed_vector=b"?")))
        make(gallery)
        fill(gallery, 31)

        StrangerUpkeep(home.database, gallery, lambda _: KNOWN, home.clock).bring_every_up_to_date()

        assert "is damaged and left out" in caplog.text
        assert gallery.collection("damaged").measured() is None
        assert gallery.collection("staff").measured() is not None
