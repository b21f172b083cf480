"""Whether somebody enrolled is called somebody watched for: by the strangers of the collection."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from likeness.gallery import Gallery
from likeness.review import Arrival, Probe
from likeness.service.enrol.review import ReviewOfEnrolments, as_evened_out
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.terms import Calibration, Template
from tests.gallery.changing import fill
from tests.gallery.galleries import COHORT, MODEL, Home, make, template, vector

# Any strangers reach -1 in one of a hundred cases, those who are alike -0.2.
KNOWN = Calibration(
    MODEL,
    COHORT,
    (-2.0, -0.5),
    (1.0, 1e-3),
    10**6,
    "anybody",
    alike=Calibration(MODEL, COHORT, (-1.0, -0.2), (1.0, 1e-2), 10**4, "people who are alike"),
    one_person=0.97,
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database:
        yield made


@pytest.fixture
def gallery(home: Home) -> Iterator[Gallery]:
    with home.open() as opened:
        make(opened)
        yield opened


def arrival(share: float) -> Arrival:
    """Somebody who is as far from `template(1)` as the share of another in them says."""
    mixed = (1 - share) * vector(1) + share * vector(2)
    unit = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return Arrival(uuid4(), None, replace(template(1), vector=unit))


def is_named(gallery: Gallery, share: float, calibration: Calibration = KNOWN) -> bool:
    reviewing = ReviewOfEnrolments(
        None,  # type: ignore[arg-type]  # nothing is kept
        True,
        1e-3,
        timedelta(days=30),
        lambda _: calibration,
        lambda *_: None,
        fpir=0.01,
    )
    staff = gallery.collection("staff")
    return reviewing.is_named(staff, calibration, template(1), arrival(share))


def test_strangers_who_are_alike_decide_where_the_collection_was_not_measured(
    gallery: Gallery,
) -> None:
    assert is_named(gallery, 0.1)
    assert not is_named(gallery, 0.8)
    assert is_named(gallery, 0.8, replace(KNOWN, alike=None))


def test_own_strangers_decide_where_they_were_measured(home: Home, gallery: Gallery) -> None:
    fill(gallery, 40)
    StrangerUpkeep(home.database, gallery, lambda _: KNOWN, home.clock).measure_if_changed("staff")
    measured = gallery.collection("staff").measured()
    assert measured is not None
    shares = [n / 20 for n in range(20)]
    named = [is_named(gallery, share) for share in shares]
    # The nearer, the sooner; those as far off as people here are from each other, never.
    assert named == sorted(named, reverse=True)
    assert (named[0], named[-1]) == (True, False)


def test_watched_faces_are_evened_out_by_the_collections_cohort_and_others_stay(
    home: Home, gallery: Gallery
) -> None:
    staff = gallery.collection("staff")
    home.database.write(lambda c: staff.within(c).adopt_cohort("cohort@2"))

    def probe(of: Template) -> Probe:
        return Probe(None, of)  # type: ignore[arg-type]  # whose it is says nothing here

    ours, older, theirs = (
        probe(template(1)),
        probe(template(2, cohort="", mean=9.0)),
        probe(template(3, model="other")),
    )
    evened = as_evened_out(gallery.collection("staff"), [ours, older, theirs])
    by_vector = {one.template.vector.tobytes(): one.template for one in evened}
    assert len(by_vector) == 3
    for one in (ours, older):
        found = by_vector[one.template.vector.tobytes()]
        assert (found.cohort.mean, found.cohort.version) == (0.0, "cohort@2")
    assert by_vector[theirs.template.vector.tobytes()] == theirs.template


def test_no_watch_is_evened_out_by_nobody(gallery: Gallery) -> None:
    assert as_evened_out(gallery.collection("staff"), []) == []
