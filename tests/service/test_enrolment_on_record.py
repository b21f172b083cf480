"""What enrolment leaves beside references, on both databases: entries, faces, cases, notices."""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from likeness.access import AccessKey, Grant, keys
from likeness.errors import Conflict, Denied
from likeness.gallery import Size
from likeness.ledger.tables import ENTRIES
from likeness.policy import Scope, enable_pack, read_pack, suspend
from likeness.review import Grounds, NewWatch, Owed, Watch, begin_watch, delete_watch
from likeness.review.tables import CASES, CROPS, OUTBOX
from likeness.service.enrol import enrol
from likeness.service.enrol.sources import read_source
from likeness.service.uses import Home
from likeness.terms import UNDECLARED, Principal, Role
from tests.service import enrolling
from tests.service.accounting import FACTS
from tests.service.people import (
    RED,
    crowd,
    draw,
    enroller,
    home_at,
    make,
    make_on_record,
    template_of,
)

SOMEBODY = Principal("local:searcher", Role.ADMIN)


@contextmanager
def home_with_crops(folder: Path, url: str, standards: Path) -> Iterator[Home]:
    """Open a home that keeps pictures for review, with the empty collection `staff`."""
    with home_at(folder, url, standards, crops="on") as home:
        make(home)
        yield home


@pytest.fixture
def home(database_url: str, tmp_path: Path, standards: Path) -> Iterator[Home]:
    with home_with_crops(tmp_path, database_url, standards) as home:
        yield home


def rows(home: Home, table: Table) -> list[Any]:
    return home.database.read(lambda connection: list(connection.execute(select(table))))


def entries(home: Home) -> list[dict[str, Any]]:
    written = sorted(rows(home, ENTRIES), key=lambda row: row.position)
    return [one for one in (json.loads(row.entry) for row in written) if one["kind"] != "key"]


def enrolments(home: Home) -> list[dict[str, Any]]:
    """The entries of enrolments alone: who looks like somebody else is found by a search."""
    return [one for one in entries(home) if one["action"] == "enrol"]


def watch_for(
    home: Home, picture: Path, least_similarity: float = 0.0, keeper: Principal = SOMEBODY
) -> Watch:
    now = datetime.now(UTC)
    new = NewWatch(
        home.gallery.collection("staff").id,
        keeper,
        "missing-persons",
        Grounds("Court 7", "missing since May"),
        Owed(1),
        least_similarity,
        template_of(home, picture),
        b"crop",
        now + timedelta(days=30),
        "https://hooks.example/likeness",
    )
    return home.database.write(lambda c: begin_watch(c, home.keyring, new, now))[0]


def test_a_watch_opens_a_case_and_posts_a_notice_with_the_batch_that_it_resembles(
    home: Home, tmp_path: Path
) -> None:
    watch = watch_for(home, draw(tmp_path / "probe.png", RED, side=120))
    pictures = crowd(tmp_path / "pictures", 3)
    list(enroller(home).enrol(pictures))
    draw(tmp_path / "red" / "Rosa.png", RED)
    (result,) = enroller(home).enrol(read_source(tmp_path / "red"))

    last = enrolments(home)[-1]["use"]
    (case,) = [one for one in rows(home, CASES) if one.use_id == UUID(last)]
    assert case.watch_id == watch.id
    assert result.reference_id in {row.reference_id for row in rows(home, CROPS)}
    assert len(rows(home, CROPS)) == 4
    assert str(case.id) in "".join(row.payload for row in rows(home, OUTBOX))


def test_a_watch_proposes_nobody_below_what_rules_demanded(home: Home, tmp_path: Path) -> None:
    watch_for(home, draw(tmp_path / "probe.png", RED, side=120), least_similarity=100.1)
    draw(tmp_path / "red" / "Rosa.png", RED)
    list(enroller(home).enrol(read_source(tmp_path / "red")))
    assert rows(home, CASES) == rows(home, OUTBOX) == []
    assert len(rows(home, CROPS)) == 1


def test_without_calibration_nobody_is_enrolled_past_a_watch(
    database_url: str, tmp_path: Path, standards: Path
) -> None:
    uncalibrated = tmp_path / "standards"
    shutil.copytree(standards, uncalibrated)
    for path in uncalibrated.glob("*.calibration.json"):
        path.unlink()
    with home_with_crops(tmp_path, database_url, uncalibrated) as home:
        watch = watch_for(home, draw(tmp_path / "probe.png", RED, side=120))
        draw(tmp_path / "red" / "Rosa.png", RED)
        with pytest.raises(Conflict, match=r"Nothing was enrolled.*nobody has measured"):
            list(enroller(home).enrol(read_source(tmp_path / "red")))
        assert home.gallery.collection("staff").size == Size(0, 0)
        assert rows(home, CROPS) == rows(home, CASES) == []

        home.database.write(lambda c: delete_watch(c, watch))
        (result,) = enroller(home).enrol(read_source(tmp_path / "red"))
        assert result.outcome is enrol.Outcome.ENROLLED


def stop_the_purpose(home: Home, key: AccessKey) -> None:
    act = partial(
        suspend,
        scope=Scope.PURPOSE,
        subject="missing-persons",
        reason="an audit",
        by="local:test",
        now=datetime.now(UTC),
    )
    home.database.write(act)


def disable(home: Home, key: AccessKey) -> None:
    act = partial(keys.disable, keyring=home.keyring, name=key.name, now=datetime.now(UTC))
    home.database.write(act)


@pytest.mark.parametrize("sector", ["charity", "police"])
def test_a_watch_begun_at_the_command_line_goes_by_what_was_declared_then(
    home: Home, tmp_path: Path, sector: str
) -> None:
    keeper = replace(SOMEBODY, sector=sector, jurisdiction="US")
    watch_for(home, draw(tmp_path / "probe.png", RED, side=120), keeper=keeper)
    draw(tmp_path / "red" / "Rosa.png", RED)
    list(enroller(home).enrol(read_source(tmp_path / "red")))
    # Nobody at this command line is of the police, which the moratorium of 2020 refuses.
    assert home.somebody.sector == UNDECLARED
    assert len(rows(home, CASES)) == (1 if sector == "charity" else 0)


def test_the_stop_switch_reaches_a_watch_begun_at_the_command_line(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    keeper = replace(SOMEBODY, organisation="Thorn", sector="charity", jurisdiction="US")
    watch_for(home, draw(tmp_path / "probe.png", RED, side=120), keeper=keeper)
    home.database.write(
        lambda c: suspend(
            c, Scope.ORGANISATION, "Thorn", "a complaint", by="local:test", now=datetime.now(UTC)
        )
    )
    draw(tmp_path / "red" / "Rosa.png", RED)
    list(enroller(home).enrol(read_source(tmp_path / "red")))
    assert rows(home, CASES) == rows(home, OUTBOX) == []


@pytest.mark.parametrize("stop", [None, stop_the_purpose, disable])
def test_a_watch_matches_only_while_rules_let_its_keeper_watch(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: Callable[[Home, AccessKey], None] | None,
) -> None:
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    grant = Grant(role=Role.OPERATOR, purposes=("missing-persons",))
    key = home.database.write(
        lambda c: keys.create(
            c, home.keyring, "desk", grant, created_by="local:test", now=datetime.now(UTC)
        )
    ).key
    picture = draw(tmp_path / "probe.png", RED, side=120)
    watch_for(home, picture, keeper=key.principal)
    if stop is not None:
        stop(home, key)
    draw(tmp_path / "red" / "Rosa.png", RED)
    list(enroller(home).enrol(read_source(tmp_path / "red")))
    assert home.gallery.collection("staff").size.references == 1
    assert len(rows(home, CASES)) == len(rows(home, OUTBOX)) == (1 if stop is None else 0)


@pytest.mark.parametrize(
    ("duty", "amount", "met", "opened"),
    [
        ("separate-review", "2", "context.separateReviews >= 2", [(2, True)]),
        ("notice", "1", "context.noticeShown", []),
        ("authorisation", "24", "context.authorised", []),
    ],
)
def test_what_rules_demand_of_watches_by_now_holds_for_those_begun_before(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    duty: str,
    amount: str,
    met: str,
    opened: list[tuple[int, bool]],
) -> None:
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    watch_for(home, draw(tmp_path / "probe.png", RED, side=120))
    text = (
        f'@id("later") @source("a test") @effective("2000-01-01") @obligation("{duty}")'
        f' @amount("{amount}") forbid(principal, action == Action::"watch", resource)'
        f" unless {{ {met} }};"
    )
    home.database.write(
        lambda c: enable_pack(
            c, read_pack("later", FACTS, text), {}, by="local:test", now=datetime.now(UTC)
        )
    )

    draw(tmp_path / "red" / "Rosa.png", RED)
    list(enroller(home).enrol(read_source(tmp_path / "red")))

    assert [(case.reviews, case.separately) for case in rows(home, CASES)] == opened


def test_an_act_that_fails_leaves_no_face_no_case_and_says_so(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_for(home, draw(tmp_path / "probe.png", RED, side=120))
    draw(tmp_path / "red" / "Rosa.png", RED)

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("likeness.review.matches.post_notice", full)
    with pytest.raises(OSError, match="no space"):
        list(enroller(home).enrol(read_source(tmp_path / "red")))
    assert home.gallery.collection("staff").size == Size(0, 0)
    assert rows(home, CROPS) == rows(home, CASES) == []
    assert [one["kind"] for one in entries(home)] == ["intent", "failed"]


def test_what_is_stopped_meanwhile_ends_with_the_batch(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrol, "_BATCH", 2)
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    told = enroller(home).enrol(crowd(tmp_path / "pictures", 8))
    next(told)
    home.database.write(
        lambda c: suspend(c, Scope.ALL, "", "an audit", by="local:test", now=datetime.now(UTC))
    )
    with pytest.raises(Denied, match="stop-switch"):
        list(told)
    assert home.gallery.collection("staff").size.references == 2
    assert [one["kind"] for one in enrolments(home)] == ["intent", "done", "refused"]


@pytest.mark.slow
def test_kill_9_while_pictures_are_looked_at_leaves_the_intent(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    crowd(tmp_path / "people", 3)
    with home_at(tmp_path, database_url, standards) as home:
        make_on_record(home)
    program = multiprocessing.get_context("spawn").Process(
        target=enrolling.run_until_commit, args=(tmp_path, database_url, standards)
    )
    program.start()
    program.join()
    assert program.exitcode == -9
    with home_at(tmp_path, database_url, standards) as home:
        assert home.gallery.collection("staff").size == Size(0, 0)
        assert [one["kind"] for one in entries(home)] == ["done", "intent"]
