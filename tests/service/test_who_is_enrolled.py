"""Enrolment says who is not the person they are said to be, and who is known by another name."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from likeness.errors import IndexUnavailable, Unlike
from likeness.gallery import OpenCollection
from likeness.gallery.tables import REFERENCES
from likeness.ledger.tables import ENTRIES
from likeness.policy import enable_pack, read_pack
from likeness.service.enrol import enrol
from likeness.service.enrol.check_subjects import check_subjects
from likeness.service.enrol.enrol import Outcome, Result
from likeness.service.enrol.sources import read_source
from likeness.service.enrol.subject_changes import merge_subjects, undo_subject_change
from likeness.service.uses import Caller, Home
from tests.service.accounting import FACTS, NO_SEARCH
from tests.service.people import BLUE, GREEN, RED, draw, enroller

ENROLLED, REJECTED = Outcome.ENROLLED, Outcome.REJECTED
A, B = RED, BLUE


def results(home: Home, folder: Path, **demands: bool) -> dict[str, Result]:
    """Enrol a folder, and give what came of each picture by its name."""
    told = enroller(home, **demands).enrol(read_source(folder))
    return {Path(one.picture.place).stem: one for one in told}


def outcomes(home: Home, folder: Path, **demands: bool) -> dict[str, Outcome]:
    return {name: one.outcome for name, one in results(home, folder, **demands).items()}


def people(folder: Path, side: int = 90, **pictures: tuple[tuple[int, int, int], ...]) -> Path:
    """Draw a folder of people, each in pictures of these colours, called `NAME0`, `NAME1`."""
    for name, colours in pictures.items():
        for number, colour in enumerate(colours):
            draw(folder / name / f"{name}{number}.png", colour, side=side + number)
    return folder


@pytest.mark.parametrize("batch", [2, 32])
@pytest.mark.parametrize(
    ("first", "rejected"),
    [
        ((A, A, A, B), {"x3"}),
        ((B, A, A, A), {"x0"}),
        ((A, B, B, A, A), {"x1", "x2"}),
        ((A, B), {"x1"}),
        ((A, A), set()),
    ],
)
def test_whoever_looks_like_none_of_the_others_is_rejected_whichever_came_first(
    sqlite_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    first: tuple[tuple[int, int, int], ...],
    rejected: set[str],
) -> None:
    monkeypatch.setattr(enrol, "_BATCH", batch)
    found = results(sqlite_home, people(tmp_path / "people", x=first))
    assert {name for name, one in found.items() if one.outcome is REJECTED} == rejected
    for name in rejected:
        assert isinstance(found[name].error, Unlike)
        assert "--unlike" in str(found[name].error)


def test_who_is_known_counts_and_whoever_is_wanted_is_enrolled(
    sqlite_home: Home, tmp_path: Path
) -> None:
    home = sqlite_home
    folder = people(tmp_path / "people", x=(A,))
    assert outcomes(home, folder) == {"x0": ENROLLED}
    draw(folder / "x" / "x0.png", B)  # another person's picture in its place
    assert outcomes(home, folder) == {"x0": REJECTED}
    draw(folder / "x" / "x1.png", B, side=101)  # and one more of theirs
    assert outcomes(home, folder) == {"x0": REJECTED, "x1": REJECTED}

    found = results(home, folder, unlike=True)
    assert {one.outcome for one in found.values()} == {ENROLLED}
    assert found["x0"].remarks[0] == "looks like none of the person's other pictures"
    draw(folder / "x" / "x2.png", B, side=102)
    assert results(home, folder)["x2"].outcome is ENROLLED


def test_somebody_who_is_known_by_another_name_is_enrolled_with_a_remark(
    sqlite_home: Home, tmp_path: Path
) -> None:
    home = sqlite_home
    found = results(home, people(tmp_path / "people", Adalbert=(A,), Bo=(GREEN,)))
    assert not any(one.remarks for one in found.values())

    found = results(home, people(tmp_path / "others", 110, Adelheid=(A, A), Eve=(B,)))
    assert not found["Eve0"].remarks
    for name in ("Adelheid0", "Adelheid1"):
        assert found[name].outcome is ENROLLED
        assert "looks like 'Adalbert' as well (similarity" in found[name].remarks[-1]
    last = entries(home)[-2:]
    assert [(one["kind"], one["action"]) for one in last] == [
        ("intent", "search"),
        ("done", "search"),
    ]
    assert last[-1]["counts"]["candidates"] == 2
    assert not any(name in json.dumps(entries(home)) for name in ("Adalbert", "Adelheid"))


def entries(home: Home) -> list[dict[str, Any]]:
    written = home.database.read(lambda c: list(c.execute(select(ENTRIES))))
    return [json.loads(row.entry) for row in sorted(written, key=lambda row: row.position)]


def test_where_nobody_may_search_nobody_is_named(
    sqlite_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sqlite_home
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    results(home, people(tmp_path / "people", Ada=(A,)))
    rules = read_pack("no-search", FACTS, NO_SEARCH)
    home.database.write(lambda c: enable_pack(c, rules, {}, by="local:test", now=datetime.now(UTC)))

    (found,) = results(home, people(tmp_path / "others", 110, Adele=(A,))).values()

    assert (found.outcome, found.remarks) == (ENROLLED, ())
    assert {one["action"] for one in entries(home) if one["kind"] != "key"} == {"enrol"}


def test_an_index_that_is_away_keeps_nobody_from_being_enrolled(
    sqlite_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sqlite_home
    results(home, people(tmp_path / "people", Ada=(A,)))

    def away(*_: object, **__: object) -> None:
        raise IndexUnavailable("The server is away. Start it.")

    monkeypatch.setattr(OpenCollection, "search", away)
    (found,) = results(home, people(tmp_path / "others", 110, Adele=(A,))).values()
    assert (found.outcome, found.remarks) == (ENROLLED, ())


def test_a_damaged_reference_of_somebody_stops_nothing(sqlite_home: Home, tmp_path: Path) -> None:
    home = sqlite_home
    first = results(home, people(tmp_path / "people", Ada=(A, A), Bo=(B,)))["Ada0"]
    broken = {"sealed_vector": b"broken", "sealed_details": b"broken"}
    this = update(REFERENCES).where(REFERENCES.c.id == first.reference_id).values(**broken)
    home.database.write(lambda c: c.execute(this))
    caller = Caller(home.somebody, "test")

    found = results(home, people(tmp_path / "more", 120, Ada=(A, B)))
    assert (found["Ada0"].outcome, found["Ada1"].outcome) == (ENROLLED, REJECTED)
    assert check_subjects(home, caller, "staff").all_strays == 0
    merged = merge_subjects(home, caller, "staff", "Ada", "Bo")
    assert (merged.references, len(merged.moved)) == (4, 3)
    assert undo_subject_change(home, caller, "staff", "Bo").other_references == 3
