"""A collection's own cohort: made of some of its people, calibrated with the others."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from likeness.app.home import Home
from likeness.errors import Conflict, InvalidRequest
from likeness.gallery import staging
from likeness.gallery.references import NewReference
from likeness.gallery.search import By
from likeness.gallery.tables import CHANGES, COHORTS, REFERENCES, STAGED
from likeness.service import even_out as even_out_module
from likeness.service.enrol_source import read_source
from likeness.service.even_out import begin_evening_out, even_out
from likeness.service.make_collection_cohort import (
    MadeCohort,
    begun_cohort,
    make_collection_cohort,
)
from likeness.terms.template import CohortStatistics, Template
from tests.gallery.galleries import face
from tests.service.people import RED, draw, enroller, no_record, template_of

PEOPLE = 800


def reference(home: Home, seed: int, subject: str | None = None) -> NewReference:
    """A face to enrol, of a person of their own for each seed."""
    vector = np.random.default_rng(seed).normal(size=128)
    standard = home.installation.standards.cohort(home.installation.model)
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    (mean,), (deviation,) = standard.statistics(unit[None])
    statistics = CohortStatistics(float(mean), float(deviation), standard.version)
    return NewReference(
        Template(unit, home.installation.model, statistics),
        face(),
        hashlib.sha256(b"%d" % seed).digest(),
        (640, 480),
        subject,
    )


def fill(home: Home, people: int = PEOPLE) -> None:
    home.gallery.enrol("staff", [reference(home, n, f"person {n}") for n in range(people)])


def begin(home: Home, seed: int = 5) -> MadeCohort:
    return make_collection_cohort(home.database, home.gallery, "staff", fmr=1e-3, seed=seed)


def finish(home: Home, change: staging.Change) -> int:
    cohort_of = home.installation.standards.cohort_of
    return even_out(no_record(home), home.database, home.gallery, "staff", change, cohort_of)


def best(home: Home, seed: int, by: By = By.BEST) -> tuple[str, float]:
    (found,) = home.gallery.search("staff", reference(home, seed).template, 1, by)
    assert found.subject is not None
    return found.subject.name, found.comparison.score


def test_collection_is_evened_out_by_its_own_people(home: Home) -> None:
    fill(home)
    before = best(home, 7)

    made = begin(home)

    assert (made.averaged, made.compared) == (500, 300)
    assert made.calibration.pairs == 300 * 299 // 2
    assert best(home, 7) == before
    assert finish(home, made.change) == PEOPLE
    assert home.gallery.collection("staff").cohort_version == made.change.cohort_version
    for by in By:
        name, score = best(home, 7, by)
        assert name == "person 7" and score != before[1]
    own = home.gallery.own_cohort(home.gallery.collection("staff"))
    assert own is not None
    assert own.calibration == made.calibration
    assert "300 references of 300 subjects of the collection itself" in own.calibration.measured_on
    rows = home.database.read(
        lambda c: c.execute(
            select(REFERENCES.c.cohort_version, func.count()).group_by(REFERENCES.c.cohort_version)
        ).all()
    )
    assert [tuple(row) for row in rows] == [(own.cohort.version, PEOPLE)]


def test_whoever_comes_later_is_evened_out_so_too(home: Home) -> None:
    fill(home)
    finish(home, begin(home).change)

    home.gallery.enrol("staff", [reference(home, 9_000, "late")])

    assert best(home, 9_000)[0] == "late"


def test_pictures_enrolled_later_are_evened_out_so_too(home: Home, tmp_path: Path) -> None:
    fill(home)
    finish(home, begin(home).change)

    picture = draw(tmp_path / "people" / "Rosa.png", RED)
    (result,) = enroller(home).enrol(read_source(picture.parent))

    assert result.error is None
    (found,) = home.gallery.search("staff", template_of(home, picture), 1)
    assert found.subject is not None and found.subject.name == "Rosa"


def test_one_person_under_two_names_is_told_of(home: Home) -> None:
    fill(home)
    twins = [
        replace(reference(home, n, f"again {n}"), sample_sha256=b"%032d" % n) for n in range(30)
    ]
    home.gallery.enrol("staff", twins)

    made = begin(home)

    names = [set(pair.names) for pair in made.alike]
    assert made.pairs_alike == len(names) >= 1
    assert all(pair in [{f"person {n}", f"again {n}"} for n in range(30)] for pair in names)


@pytest.mark.parametrize(("people", "says"), [(500, "to average"), (530, "show rates down to")])
def test_too_few_people_are_refused_and_nothing_is_begun(
    home: Home, people: int, says: str
) -> None:
    fill(home, people)

    with pytest.raises(InvalidRequest, match=says):
        begin(home)

    for table in (CHANGES, COHORTS):
        assert home.database.read(lambda c, t=table: c.execute(select(t)).all()) == []


def test_collection_goes_back_to_the_cohort_of_its_model(home: Home) -> None:
    fill(home)
    before = best(home, 7)
    standard = home.installation.standards.cohort(home.installation.model)
    with pytest.raises(InvalidRequest, match="nothing to do"):
        begin_evening_out(home.database, home.gallery, "staff", standard)
    finish(home, begin(home).change)

    finish(home, begin_evening_out(home.database, home.gallery, "staff", standard))

    name, score = best(home, 7)
    assert name == before[0] and score == pytest.approx(before[1], rel=1e-4)
    assert home.gallery.own_cohort(home.gallery.collection("staff")) is None
    assert home.database.read(lambda c: c.execute(select(COHORTS)).all()) == []


def test_what_was_cut_off_is_gone_on_with(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home)
    made = begin(home)
    monkeypatch.setattr(even_out_module, "_AT_ONCE", 100)

    class Cut(Exception):
        pass

    def tell(done: int, total: int) -> None:
        if done >= 300:
            raise Cut

    with pytest.raises(Cut):
        even_out(
            no_record(home),
            home.database,
            home.gallery,
            "staff",
            made.change,
            home.installation.standards.cohort_of,
            tell,
        )
    assert len(home.database.read(lambda c: c.execute(select(STAGED)).all())) == 300
    with pytest.raises(Conflict, match="is changing to"):
        begin(home, seed=6)

    change = begun_cohort(home.database, home.gallery, "staff")

    assert change == made.change
    assert finish(home, change) == PEOPLE
    assert begun_cohort(home.database, home.gallery, "staff") is None


def test_who_is_enrolled_meanwhile_is_evened_out_before_the_switch(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home)
    made = begin(home)
    switch = type(home.gallery).switch
    late = iter([reference(home, 9_000, "late"), reference(home, 9_001, "later")])

    def enrol_and_switch(gallery: object, change: staging.Change, write: object) -> object:
        for one in late:
            home.gallery.enrol("staff", [one])
            break
        return switch(home.gallery, change)

    monkeypatch.setattr(type(home.gallery), "switch", enrol_and_switch)

    assert finish(home, made.change) == PEOPLE + 2
    assert {best(home, seed)[0] for seed in (9_000, 9_001)} == {"late", "later"}


def test_change_that_was_discarded_meanwhile_is_told_of(home: Home) -> None:
    fill(home)
    made = begin(home)
    home.database.write(lambda c: staging.discard(c, made.change, made.change.begun_at))
    home.gallery.erasing.finish([])

    with pytest.raises(Conflict, match="was ended"):
        finish(home, made.change)
