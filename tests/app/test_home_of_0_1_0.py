"""A home that 0.1.0 made opens, and everything in it works.

Commit a4bb76e, which was 0.1.0, made the home in `home_of_0_1_0` with its own acts: synthetic
templates under a key that is for nothing else, and `no picture` where pictures would be. Its ledger
begins in June 2025.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.app import Installation
from likeness.app.home import open_home
from likeness.cli.terminal import command
from likeness.config import Settings
from likeness.gallery import NewReference
from likeness.review import live_cases, outcome_of, probe_crop
from likeness.service.uses import Home
from likeness.storage import current, head
from likeness.terms import CohortStatistics, Template
from tests.gallery.galleries import enrol, face

OF_0_1_0 = Path(__file__).parent / "home_of_0_1_0"
STAFF = ["Ada", "Zoë", "Bo", "Cy", "Di"]
"""Number N has the synthetic templates of seeds N and 100 + N."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home as 0.1.0 left it."""
    home = tmp_path / "home"
    (home / "keys").mkdir(mode=0o700, parents=True)
    key = home / "keys" / "installation-1.key"
    key.touch(0o600)
    key.write_bytes((OF_0_1_0 / key.name).read_bytes())
    made = sqlite3.connect(home / "likeness.db")
    made.executescript((OF_0_1_0 / "likeness.sql").read_text())
    made.close()
    monkeypatch.setenv("LIKENESS_HOME", str(home))
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    return home


@pytest.fixture
def home(folder: Path) -> Iterator[Home]:
    with open_home(Installation(Settings(home=folder, cache=folder.parent / "cache"))) as opened:
        yield opened


def template(home: Home, seed: int) -> Template:
    """A synthetic template, as the cohort of the collection's model sees it now."""
    drawn = np.random.default_rng(seed).normal(size=128)
    vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    collection = home.gallery.collection("staff")
    cohort = home.standards.cohort(collection.model)
    mean = float(cohort.means(vector[None])[0])
    return Template(vector, collection.model, CohortStatistics(mean, cohort.version))


def named(home: Home, seed: int) -> str | None:
    """Who a search of `staff` finds first."""
    found = home.gallery.collection("staff").search(template(home, seed), 1)[0].subject
    return found and found.name


def answer(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capfd.readouterr()
    assert command.run([*arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_searches_find_who_was_enrolled_by_0_1_0(home: Home) -> None:
    assert current(home.database) == head()
    assert [one.name for one in home.gallery.collections()] == ["guests", "staff"]
    for number, name in enumerate(STAFF):
        assert named(home, number) == named(home, 100 + number) == name


def test_enrolment_goes_on(home: Home) -> None:
    sha256 = hashlib.sha256(b"500").digest()
    new = NewReference(template(home, 500), face(), sha256, (640, 480), "Ada")
    enrol(home.gallery, "staff", [new])
    assert named(home, 500) == named(home, 0) == "Ada"
    assert home.gallery.collection("staff").size.subjects == len(STAFF)


def test_review_has_its_case(home: Home) -> None:
    (case,) = home.database.read(lambda c: live_cases(c, datetime.now(UTC)))
    candidates = home.database.read(lambda c: outcome_of(c, case)).candidates
    assert [one.similarity for one in candidates] == [99.0]
    assert home.database.read(lambda c: probe_crop(c, home.keyring, case)) == b"no picture"


def test_commands_show_collections_keys_and_rules(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    listed = answer(capfd, "collections", "list")["collections"]
    assert {one["name"]: one["references"] for one in listed} == {"guests": 1, "staff": 11}
    (key,) = answer(capfd, "keys", "list")["keys"]
    assert (key["name"], key["broken"], key["purposes"]) == ("clinic", False, ["missing-persons"])
    assert answer(capfd, "keys", "rotate", "clinic")["name"] == "clinic"
    rules = answer(capfd, "policy", "list")
    assert "ibm-2020" in [one["pack"] for one in rules["packs"] if one["in_force"]]
    assert [one["subject"] for one in rules["suspensions"]] == ["Acme"]
    assert answer(capfd, "secrets", "rotate")["resealed"] == 5


def test_somebody_is_erased_and_the_ledger_holds_from_the_first_entry(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answer(capfd, "erase", "--collection", "staff", "Zoë", "--yes")
    assert answer(capfd, "collections", "show", "staff")["references"] == 9
    found = answer(capfd, "ledger", "verify", "--against", str(OF_0_1_0 / "checkpoint.txt"))
    assert (found["holds"], found["compared"]) == (True, 16)
    assert found["entries"] > 16
