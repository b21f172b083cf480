"""`auto` is the better recogniser where it is here, and says what it costs where it is not."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from likeness.app import Installation
from likeness.app.installation import BETTER, FALLBACK
from likeness.artifacts import Publisher
from likeness.artifacts import fetch_all as public
from likeness.artifacts.addresses import FailedTry, PublisherFailed, remember
from likeness.config import Settings
from likeness.errors import ArtifactUnavailable, InvalidRequest
from likeness.vision.embed import Chips

WEIGHTS, GRAPH = BETTER.files
HOST = "storage.openvinotoolkit.org"
Make = Callable[..., Installation]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of the better recogniser's names; nobody looks into them here."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    for file in BETTER.files:
        (folder / file.name).touch()
    return folder


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make an installation whose home has a cohort for the better recogniser."""

    def make(publisher: Publisher = Publisher.NEVER, /, **chosen: object) -> Installation:
        where = {"home": tmp_path / "home", "cache": tmp_path / "cache"}
        by_name = Installation(Settings.model_validate({**where, "recogniser": BETTER.name}))
        standards = tmp_path / "home" / "models" / "standards"
        standards.mkdir(parents=True, exist_ok=True)
        (standards / f"{by_name.model}.cohort.npz").touch()
        return Installation(Settings.model_validate({**where, **chosen}), publisher)

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was asked for a file; nobody answers."""
    urls: list[str] = []

    def refuse(address: object, *_: object, begun: float) -> None:
        urls.append(address.url)  # type: ignore[attr-defined]  # an Address
        raise PublisherFailed("did not answer within 5 s")

    module = __import__(public.__module__, fromlist=["_"])
    monkeypatch.setattr(module, "download_from_publisher", refuse)
    return urls


def test_what_lies_in_the_folder_is_taken(make: Make, folder: Path) -> None:
    chosen = make(artifacts=str(folder))
    assert (chosen.recogniser, chosen.chips, chosen.choice.drawback) == (
        BETTER,
        Chips.MIRRORED,
        None,
    )
    assert chosen.model.startswith(f"{BETTER.name}@{BETTER.digest[:8]}+centerface@")
    assert chosen.model.endswith("+upright-mirrored-retail+mirrored")


def test_the_other_one_says_what_it_costs_and_what_to_do(make: Make) -> None:
    chosen = make()
    assert (chosen.recogniser, chosen.chips) == (FALLBACK, Chips.SIX)
    drawback = chosen.choice.drawback or ""
    assert "\n" not in drawback
    for words in (
        f"This uses {FALLBACK.name}, which misses 4.2%",
        f"{BETTER.name} misses 0.88%",
        "it was not fetched yet",
        "`likeness models pull`",
        "LIKENESS_ARTIFACTS",
    ):
        assert words in drawback


def test_one_file_of_two_is_not_enough(make: Make, folder: Path) -> None:
    (folder / GRAPH.name).unlink()
    chosen = make(artifacts=str(folder))
    assert chosen.recogniser == FALLBACK
    assert f"of its two files {GRAPH.name} is missing" in (chosen.choice.drawback or "")


def test_without_a_cohort_it_is_not_taken(make: Make, folder: Path) -> None:
    # No cohort was made for six chips of it.
    chosen = make(artifacts=str(folder), chips="six")
    assert chosen.recogniser == FALLBACK
    assert "no cohort evens its scores out" in (chosen.choice.drawback or "")


def test_a_recogniser_chosen_by_name_is_taken_and_has_no_drawback(make: Make) -> None:
    for card in (BETTER, FALLBACK):
        chosen = make(recogniser=card.name)
        assert (chosen.recogniser, chosen.choice.drawback) == (card, None)


def test_a_missing_folder_stops_everything(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="There is no artifacts folder"):
        make(artifacts=str(tmp_path / "nowhere"))


def test_making_an_installation_asks_nobody(make: Make, asked: list[str]) -> None:
    make(Publisher.ALWAYS)
    assert asked == []


def test_the_publisher_is_asked_once_a_day_and_says_so(make: Make, asked: list[str]) -> None:
    said: list[str] = []
    for _ in range(2):
        make(Publisher.UNLESS_IT_FAILED).fetch_better(said.append, lambda *_: None)
    assert len(asked) == 1
    assert said == [f"Fetching {BETTER.name} (2.6 MB) from its publisher, {HOST} ..."]
    drawback = make().choice.drawback or ""
    assert "is not here (its publisher did not answer within 5 s on 20" in drawback

    make(Publisher.ALWAYS).fetch_better(said.append, lambda *_: None)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("publisher", "chosen"),
    [
        (Publisher.NEVER, {}),
        (Publisher.ALWAYS, {"publisher": "never"}),
        (Publisher.ALWAYS, {"recogniser": FALLBACK.name}),
        (Publisher.ALWAYS, {"chips": "six"}),
    ],
    ids=["not let", "forbidden by the operator", "another is chosen", "it would not be used"],
)
def test_nobody_is_asked_where_it_is_not_wanted(
    make: Make, asked: list[str], publisher: Publisher, chosen: dict[str, str]
) -> None:
    make(publisher, **chosen).fetch_better(lambda line: None, lambda *_: None)
    assert asked == []


def test_where_it_was_chosen_by_name_its_absence_is_an_error(
    make: Make, asked: list[str], tmp_path: Path
) -> None:
    remember(tmp_path / "cache", HOST, FailedTry(datetime.now(UTC), "refused the connection"))
    chosen = make(Publisher.UNLESS_IT_FAILED, recogniser=BETTER.name)
    with pytest.raises(ArtifactUnavailable, match="its publisher refused the connection on 20"):
        chosen.models.require(chosen.recogniser.name)
    assert asked == []
