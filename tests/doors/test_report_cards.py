"""A rule about report cards holds for every use at every door, by the model in use."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from likeness.app import Installation
from likeness.config import read_settings
from likeness.policy import Evidence, accept_evidence, enable_pack, read_pack
from tests.cli.conftest import InstallationWithDiscs, ship_standards_of
from tests.service.accounting import FACTS

from .conftest import BLUE, GREEN, RED, Doors

pytestmark = pytest.mark.slow

OTHER = "sface-2021dec"
ALMOST_BLUE = (51, 71, 231)
RULE = (
    '@id("tested") @source("a test") @effective("2000-01-01")'
    ' forbid(principal, action in Action::"biometric", resource)'
    ' unless { context.leastTruePositives.greaterThanOrEqual(decimal("98.0")) };'
)
Use = Callable[[Doors, Path], bool]
"""Does something at a door; says whether it was done, and not refused by the rule."""


@pytest.fixture
def doors(doors: Doors, standards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Doors:
    """A home with `staff` and the rule, on a machine that knows two recognisers."""
    shipped = tmp_path / "shipped" / "standards"
    shutil.copytree(standards, shipped)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped)
    ship_standards_of(shipped, OTHER)
    doors.employ(RED, GREEN)
    forbid(doors, RULE)
    return doors


def accept(doors: Doors, model: str, percent: str = "98.5") -> None:
    now = datetime.now(UTC)
    evidence = Evidence(
        uuid4(),
        model,
        "FRTE 1:1",
        Decimal(percent),
        "{}",
        model[:64],
        bytes(32),
        now + timedelta(days=1),
        now,
        "local:test",
    )
    with doors.home() as home:
        home.database.write(lambda c: accept_evidence(c, evidence))


def model_of_settings() -> str:
    return InstallationWithDiscs(read_settings()).model


def by_wire(operation: str, **request: object) -> Use:
    def use(doors: Doors, picture: Path) -> bool:
        with doors.wire() as client:
            try:
                getattr(client, operation)(
                    **{
                        name: {"Bytes": picture.read_bytes()} if value is Path else value
                        for name, value in request.items()
                    }
                )
            except ClientError as error:
                assert "tested of of-a-test" in error.response["Error"]["Message"]
                return False
        return True

    return use


def by_command(*arguments: str) -> Use:
    def use(doors: Doors, picture: Path) -> bool:
        outcome = doors.command(*arguments, picture)
        if "tested of of-a-test" in outcome.err:
            assert outcome.code == 1
            return False
        assert outcome.code == 0, outcome.err
        return True

    return use


OF_COLLECTIONS = {
    "SearchFacesByImage": by_wire("search_faces_by_image", CollectionId="staff", Image=Path),
    "SearchUsersByImage": by_wire("search_users_by_image", CollectionId="staff", Image=Path),
    "IndexFaces": by_wire("index_faces", CollectionId="staff", Image=Path),
    "SearchUsers": by_wire("search_users", CollectionId="staff", UserId="p0"),
    "identify": by_command("identify", "--collection", "staff"),
    "enrol": by_command("enrol", "--collection", "staff", "--subject", "p0", "--any-quality"),
}
OF_PICTURES = {
    "CompareFaces": by_wire("compare_faces", SourceImage=Path, TargetImage=Path),
    "DetectFaces": by_wire("detect_faces", Image=Path),
}
EVERY = OF_COLLECTIONS | OF_PICTURES


@pytest.mark.parametrize("use", EVERY.values(), ids=list(EVERY))
def test_every_use_is_refused_without_a_card_and_done_with_one(doors: Doors, use: Use) -> None:
    picture = doors.picture("probe.png", RED)
    assert not use(doors, picture)
    accept(doors, "another@1")
    assert not use(doors, picture)
    accept(doors, model_of_settings())
    assert use(doors, picture)


@pytest.mark.parametrize("use", EVERY.values(), ids=list(EVERY))
def test_a_lower_figure_of_the_same_model_refuses_every_use(doors: Doors, use: Use) -> None:
    accept(doors, model_of_settings(), "97.9")
    assert not use(doors, doors.picture("probe.png", RED))


def test_collections_go_by_their_model_and_loose_pictures_by_the_settings(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = doors.picture("probe.png", RED)
    accept(doors, model_of_settings())
    monkeypatch.setenv("LIKENESS_RECOGNISER", OTHER)
    done = {name: use(doors, picture) for name, use in EVERY.items()}
    assert done == dict.fromkeys(OF_COLLECTIONS, True) | dict.fromkeys(OF_PICTURES, False)
    accept(doors, model_of_settings())
    assert all(use(doors, picture) for use in OF_PICTURES.values())


def test_a_change_of_model_goes_by_the_model_that_it_moves_to(doors: Doors) -> None:
    picture = doors.picture("probe.png", RED)
    move = by_command("collections", "re-embed", "staff", "--to", OTHER, "--yes")
    accept(doors, model_of_settings())
    assert not move(doors, picture)
    other = Installation(read_settings(recogniser=OTHER)).model
    accept(doors, other)
    assert (
        "tested of of-a-test"
        not in doors.command("collections", "re-embed", "staff", "--to", OTHER, picture).err
    )


@pytest.mark.parametrize("revoked", [False, True])
def test_a_watch_matches_only_while_its_model_has_a_card(doors: Doors, revoked: bool) -> None:
    begin = by_command(
        *("watch", "add", "--collection", "staff", "--purpose", "missing-persons"),
        *("--authority", "a court", "--criteria", "the ears"),
        *("--expires", f"{datetime.now(UTC) + timedelta(30):%Y-%m-%d}"),
    )
    wanted = doors.picture("wanted.png", BLUE)
    assert not begin(doors, wanted)
    accept(doors, model_of_settings())
    assert begin(doors, wanted)
    forbid(doors, RULE.replace('in Action::"biometric"', '== Action::"watch"'))
    if revoked:
        (card,) = doors.json("report", "list")["cards"]
        doors.json("report", "revoke", card["id"])
    enrol = ("enrol", "--collection", "staff", "--any-quality", "--subject", "b")
    assert doors.command(*enrol, doors.picture("found.png", ALMOST_BLUE)).code == 0
    assert len(doors.json("review", "list")["cases"]) == (0 if revoked else 1)


def forbid(doors: Doors, rule: str) -> None:
    pack = read_pack("of-a-test", FACTS, rule)
    with doors.home() as home:
        home.database.write(
            lambda c: enable_pack(c, pack, {}, by="local:test", now=datetime.now(UTC))
        )
