"""`likeness collections cohort` and `re-embed`, through the real command."""

import csv
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from likeness.config import read_settings
from likeness.gallery.tables import BETTER_MODELS, REFERENCES
from tests.gallery.galleries import enrol
from tests.service.people import person

from .conftest import BLUE, GREEN, RED, InstallationWithDiscs, ship_standards_of
from .staff import Command, Make, employ, home

pytestmark = pytest.mark.slow

PEOPLE = 60


def answer(command: Command, *arguments: object) -> Any:
    return json.loads(command(*arguments, "--json").out)


@pytest.fixture
def crowd(likeness: Command) -> None:
    """A collection `crowd` of sixty people."""
    likeness("collections", "create", "crowd")
    with home() as opened:
        people = [person(opened, n, f"person {n}") for n in range(PEOPLE)]
        enrol(opened.gallery, "crowd", people)


@pytest.fixture
def staff(likeness: Command, picture: Make) -> None:
    employ(likeness, picture)


@pytest.mark.usefixtures("staff")
def test_a_model_that_nobody_calibrated_is_refused_before_anything_is_embedded(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with home() as opened:
        cohort = opened.standards.cohort(opened.templates_of(None).model)
    before = answer(likeness, "collections", "show", "staff")
    monkeypatch.setenv("LIKENESS_CHIPS", "one")
    installation = InstallationWithDiscs(read_settings())
    installation.standards.keep_cohort(replace(cohort, model=installation.model))

    outcome = likeness("collections", "re-embed", "staff", tmp_path)

    assert outcome.code == 2
    assert "models calibrate" in outcome.err
    monkeypatch.delenv("LIKENESS_CHIPS")
    assert answer(likeness, "collections", "show", "staff")["model"] == before["model"]


@pytest.fixture
def new_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another model for new collections, with a cohort."""
    with home() as opened:
        cohort = opened.standards.cohort(opened.templates_of(None).model)
    monkeypatch.setenv("LIKENESS_CHIPS", "one")
    installation = InstallationWithDiscs(read_settings())
    standards, model = installation.standards, installation.model
    ours = replace(cohort, model=model)
    standards.keep_cohort(ours)
    old = standards.calibration(cohort.model, cohort.version)
    standards.keep_calibration(replace(old, model=model, cohort_version=ours.version))


# Strangers of a collection


@pytest.mark.usefixtures("crowd")
def test_the_people_of_a_collection_are_measured_and_say_what_scores_mean(
    likeness: Command,
) -> None:
    before = answer(likeness, "collections", "show", "crowd")
    assert before["operating_point"]["at_hand"] is None

    outcome = likeness("collections", "cohort", "crowd")

    assert (outcome.code, outcome.err) == (0, "")
    said = " ".join(outcome.out.split())
    assert "60 people of crowd joined its cohort; 1,770 pairs of them say what scores mean" in said
    assert "different people here reach" in said
    shown = answer(likeness, "collections", "show", "crowd")
    at_hand = shown["operating_point"]["at_hand"]
    assert (at_hand["strangers"], at_hand["pairs"]) == ("own", 1_770)
    assert (shown["cohort"], shown["hindrance"]) == (before["cohort"], None)


@pytest.mark.usefixtures("crowd")
def test_what_was_measured_is_answered_in_json(likeness: Command) -> None:
    made = answer(likeness, "collections", "cohort", "crowd")
    assert (made["collection"], made["joined"], made["evened_out"]) == ("crowd", PEOPLE, 0)
    point = made["operating_point"]
    assert (point["at_hand"]["strangers"], point["at_hand"]["pairs"]) == ("own", 1_770)
    assert "60 people of the collection itself" in point["at_hand"]["measured_on"]


@pytest.mark.usefixtures("staff")
def test_too_few_people_to_measure_are_told_of(likeness: Command) -> None:
    outcome = likeness("collections", "cohort", "staff")
    assert (outcome.code, outcome.err) == (0, "")
    assert "staff has fewer than 30 named people" in " ".join(outcome.out.split())
    assert answer(likeness, "collections", "cohort", "staff")["joined"] is None
    assert likeness("collections", "cohort", "nowhere").code == 2


def test_a_collection_whose_cohort_is_gone_takes_that_of_its_model(
    likeness: Command, picture: Make
) -> None:
    employ(likeness, picture)
    shown = answer(likeness, "collections", "show", "staff")
    with home() as opened:
        staff = opened.gallery.collection("staff")
        opened.database.write(lambda c: staff.within(c).adopt_cohort("rd1-of-before"))
        opened.database.write(
            lambda c: c.execute(update(REFERENCES).values(cohort_version="", cohort_mean=9.0))
        )

    made = answer(likeness, "collections", "cohort", "staff")

    assert made["evened_out"] == shown["references"]
    assert answer(likeness, "collections", "show", "staff") == shown
    found = likeness("identify", "--collection", "staff", picture("probe.png", RED))
    assert "1  Rosa" in found.out


# Re-embedding


@pytest.mark.usefixtures("staff", "new_model")
def test_a_collection_keeps_its_model_whatever_the_settings_say(
    likeness: Command, picture: Make
) -> None:
    before = answer(likeness, "collections", "show", "staff")
    late = picture("late.png", BLUE)

    enrolled = likeness("enrol", "--collection", "staff", "--any-quality", late, "--subject", "Li")

    assert (enrolled.code, enrolled.err) == (0, "")
    assert before["model"].endswith("+six")
    assert answer(likeness, "collections", "show", "staff")["references"] == 4
    assert "1  Li" in likeness("identify", "--collection", "staff", late).out
    likeness("collections", "create", "other")
    assert answer(likeness, "collections", "show", "other")["model"].endswith("+one")


@pytest.fixture
def better(standards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Another recogniser, whose standards are here."""
    shipped = tmp_path / "shipped" / "standards"
    shutil.copytree(standards, shipped)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped)
    ship_standards_of(shipped, "sface-2021dec")
    return "sface-2021dec"


def test_a_collection_may_be_made_for_another_recogniser(
    likeness: Command, better: str, picture: Make
) -> None:
    made = answer(likeness, "collections", "create", "b", "--recogniser", better)
    likeness("collections", "create", "staff")
    probe = picture("probe.png", RED)

    for name in ("b", "staff"):
        enrolled = likeness(
            "enrol", "--collection", name, "--any-quality", probe, "--subject", "Rosa"
        )
        assert (enrolled.code, enrolled.err) == (0, "")
        found = likeness("identify", "--collection", name, probe)
        assert (found.code, found.err, "1  Rosa" in found.out) == (0, "", True)

    assert made["recogniser"] == better
    assert made["model"].startswith(f"{better}@")
    listed = likeness("collections", "list").out.splitlines()
    assert [line.split()[:2] for line in listed] == [["b", better], ["staff", "dlib-resnet-v1"]]
    assert f"Recogniser {better}" in likeness("collections", "show", "b").out


def test_a_watch_looks_with_the_model_of_its_collection(
    likeness: Command, better: str, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "b", "--recogniser", better)
    wanted = picture("wanted.png", RED)

    added = likeness(
        *("watch", "add", wanted, "--collection", "b", "--purpose", "missing-persons"),
        *("--authority", "Court 7", "--criteria", "missing", "--expires", in_a_month()),
    )

    assert (added.code, added.err) == (0, "")
    later = picture("later.png", RED, side=200)
    likeness("enrol", "--collection", "b", "--any-quality", later, "--subject", "Rosa")
    (case,) = answer(likeness, "review", "list")["cases"]
    assert case["watch_id"] in added.out


def in_a_month() -> str:
    return (datetime.now(UTC) + timedelta(30)).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("name", "message"),
    [("centerface", "not a recogniser"), ("nothing", "No such model 'nothing'")],
)
def test_what_is_no_recogniser_makes_no_collection(
    likeness: Command, name: str, message: str
) -> None:
    outcome = likeness("collections", "create", "b", "--recogniser", name)
    assert (outcome.code, message in outcome.err) == (2, True)
    assert answer(likeness, "collections", "list") == {"collections": []}


@pytest.mark.usefixtures("staff")
def test_that_a_better_model_exists_is_said_once(
    likeness: Command, better: str, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_RECOGNISER", better)
    probe = picture("probe.png", RED)

    told = likeness("identify", "--collection", "staff", probe)

    assert told.code == 0
    (line,) = told.err.splitlines()
    assert f"`likeness collections re-embed staff --to {better}`" in line
    assert likeness("identify", "--collection", "staff", probe).err == ""
    assert likeness("collections", "show", "staff").err == ""

    certificate = likeness("collections", "delete", "staff", "--yes")
    assert certificate.code == 0
    with home() as opened:
        rows = opened.database.read(lambda c: c.execute(select(BETTER_MODELS)).all())
    assert rows == []


@pytest.mark.usefixtures("staff")
def test_a_collection_is_made_anew_with_the_model_of_new_ones(
    likeness: Command, picture: Make, tmp_path: Path, new_model: None
) -> None:
    probe = picture("probe.png", RED)
    picture("people/stranger.png", (150, 60, 200))

    outcome = likeness("collections", "re-embed", "staff", tmp_path / "people")

    assert (outcome.code, outcome.err) == (0, "")
    assert "4 pictures: 3 references made anew, 1 of nobody here, 0 rejected." in outcome.out
    assert "+one from now on" in outcome.out
    assert likeness("identify", "--collection", "staff", probe).code == 0
    again = likeness("collections", "re-embed", "staff", tmp_path / "people")
    assert (again.code, "already. Choose another" in again.err) == (2, True)


@pytest.mark.usefixtures("staff", "new_model")
def test_pictures_that_do_not_come_hold_the_switch_back_and_may_come_later(
    likeness: Command, tmp_path: Path
) -> None:
    people, report = tmp_path / "people", tmp_path / "report.csv"
    (people / "bad.png").write_bytes(b"no picture")

    outcome = likeness(
        "collections", "re-embed", "staff", people / "Rosa", people / "bad.png", "--report", report
    )

    assert outcome.code == 2
    rejected, waiting = outcome.err.splitlines()
    assert "bad.png" in rejected
    assert "1 references of 'staff' have no new template, so it stays as it is" in waiting
    assert "Without a new template: 1 reference." in outcome.out
    (row,) = csv.DictReader(report.read_text().splitlines())
    assert (row["subject"], row["reason"]) == ("[bold]Greta", "its picture did not come")
    assert row["reference_id"] in outcome.out
    said = answer(likeness, "collections", "re-embed", "staff", people / "Rosa")
    assert (said["made_anew"], said["missing"], said["switched"]) == (0, 1, False)

    assert likeness("collections", "re-embed", "staff", people / "[bold]Greta.png").code == 0


@pytest.mark.usefixtures("staff", "new_model")
def test_references_left_out_are_erased_when_that_is_said_twice(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    arguments = ["collections", "re-embed", "staff", tmp_path / "people" / "Rosa", "--leave-out"]
    refused = likeness(*arguments)
    assert (refused.code, "Give --yes if you are sure" in refused.err) == (2, True)

    certificate = tmp_path / "certificate.json"
    said = answer(likeness, *arguments, "--yes", "--certificate", certificate)

    assert (said["missing"], said["switched"]) == (1, True)
    assert said["erased"][0]["certificate"] == json.loads(certificate.read_text())
    assert likeness("collections", "verify", certificate).code == 0
    assert answer(likeness, "collections", "show", "staff")["references"] == 2
    greta = likeness("identify", "--collection", "staff", picture("probe.png", GREEN))
    assert "Greta" not in greta.out


@pytest.mark.usefixtures("staff", "new_model")
def test_what_is_ready_can_be_discarded(likeness: Command, tmp_path: Path) -> None:
    likeness("collections", "re-embed", "staff", tmp_path / "people" / "Rosa")
    both = likeness("collections", "re-embed", "staff", tmp_path, "--discard")
    assert (both.code, "--discard is given alone" in both.err) == (2, True)

    outcome = likeness("collections", "re-embed", "staff", "--discard")

    assert (outcome.code, outcome.out) == (
        0,
        "Dropped: 2 references made ready. staff stays as it is.\n",
    )
    assert likeness("collections", "re-embed", "staff", "--discard").code == 2


@pytest.mark.usefixtures("staff")
def test_a_collection_moves_to_a_model_that_is_named(
    likeness: Command, better: str, tmp_path: Path, picture: Make
) -> None:
    moved = likeness("collections", "re-embed", "staff", tmp_path / "people", "--to", better)

    assert (moved.code, moved.err) == (0, "")
    assert answer(likeness, "collections", "show", "staff")["recogniser"] == better
    found = likeness("identify", "--collection", "staff", picture("probe.png", RED))
    assert (found.code, found.err) == (0, "")  # whoever chose is told of no better one
    again = likeness("collections", "re-embed", "staff", tmp_path / "people", "--to", better)
    assert (again.code, "is of" in again.err, "already" in again.err) == (2, True, True)
    none = likeness("collections", "re-embed", "staff", tmp_path / "people", "--to", "centerface")
    assert (none.code, "not a recogniser" in none.err) == (2, True)


def test_a_collection_moves_by_a_bucket_and_by_crops(
    likeness: Command,
    better: str,
    tmp_path: Path,
    picture: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    monkeypatch.setenv("LIKENESS_BUCKETS", str(tmp_path / "buckets"))
    employ(likeness, picture)
    shutil.copytree(tmp_path / "people" / "Rosa", tmp_path / "buckets" / "kept" / "Rosa")
    command = ("collections", "re-embed", "staff", "s3://kept/Rosa/", "--to", better)

    first = answer(likeness, *command)
    second = answer(likeness, *command, "--crops")

    assert (first["made_anew"], first["missing"], first["switched"]) == (2, 1, False)
    assert (second["pictures"], second["made_anew"], second["switched"]) == (3, 1, True)
    found = likeness("identify", "--collection", "staff", picture("probe.png", GREEN))
    assert "Greta" in found.out
