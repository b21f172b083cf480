"""Finders of collections: each of the collection's own model, each network loaded once."""

import threading
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from likeness.app import Workload
from likeness.app.finders import Finders
from likeness.app.installation import Installation, MissingPart
from likeness.artifacts import Progress
from likeness.config import Settings
from likeness.errors import Conflict
from likeness.gallery.stored_collections import StoredCollection
from likeness.vision.detections import FaceNetwork
from likeness.vision.models.cards import ModelCard
from likeness.vision.networks.session import Engine, Session
from tests.cli.conftest import InstallationWithDiscs, ship_standards, ship_standards_of
from tests.gallery.galleries import Clock

OTHER = "sface-2021dec"


class Counting(InstallationWithDiscs):
    """An installation that counts what it loads."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.loaded: list[str] = []

    def engine(self, workload: Workload) -> Engine:
        return cast(Engine, None)  # discs need none

    def face_network(
        self, engine: Engine, detector: ModelCard, progress: Progress | None = None
    ) -> FaceNetwork:
        self.loaded.append(detector.name)
        return super().face_network(engine, detector, progress)

    def template_network(
        self, engine: Engine, recogniser: ModelCard, progress: Progress | None = None
    ) -> Session:
        self.loaded.append(recogniser.name)
        return super().template_network(engine, recogniser, progress)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counting:
    shipped = ship_standards(tmp_path / "shipped")
    ship_standards_of(shipped, OTHER)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped, raising=False)
    return Counting(Settings(home=tmp_path / "home", cache=tmp_path / "cache"))


def collection(model: str, name: str = "staff") -> StoredCollection:
    return StoredCollection(uuid4(), name, model, 128, "cohort@1", None, Clock().now)


def finders(installation: Installation, *, fetches: bool = False) -> Finders:
    return Finders(installation, Workload.ONE, fetches=fetches)


def test_each_network_is_loaded_once_and_on_first_use(installation: Counting) -> None:
    ours = finders(installation)
    other = installation.template_model(OTHER).name
    assert installation.loaded == []

    assert ours.of(None).model == installation.model
    assert ours.of(collection(installation.model)) is ours.of(None)
    assert installation.loaded == ["centerface", "dlib-resnet-v1"]

    assert ours.of(collection(other)).model == other
    assert ours.of(collection(other)) is ours.of(collection(other, "b"))
    assert installation.loaded == ["centerface", "dlib-resnet-v1", OTHER]


def test_threads_that_come_at_once_get_the_same_finder(installation: Counting) -> None:
    ours, other = finders(installation), installation.template_model(OTHER).name
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda of: found.append(ours.of(of)), args=(one,))
        for one in [collection(installation.model), collection(other)] * 8
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(found), len(set(map(id, found)))) == (16, 2)
    assert sorted(installation.loaded) == sorted(["centerface", "dlib-resnet-v1", OTHER])


def test_a_model_that_is_not_known_is_refused_with_the_way_out(installation: Counting) -> None:
    with pytest.raises(Conflict) as refused:
        finders(installation).of(collection("net@1+eyes@1", "a b"))

    assert "Collection 'a b' is of a model that is not known here, net@1+eyes@1" in str(
        refused.value
    )
    assert "`likeness collections re-embed 'a b' --to dlib-resnet-v1`" in str(refused.value)


def test_weights_that_are_missing_stop_their_collections_alone_until_they_are_there(
    installation: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = finders(installation)
    of_other = collection(installation.template_model(OTHER).name)
    missing = MissingPart("the weights of it are not here", f"likeness models pull {OTHER}")
    with monkeypatch.context() as patch:
        patch.setattr(InstallationWithDiscs, "missing_parts", {OTHER: missing})
        with pytest.raises(Conflict, match=f"`likeness models pull {OTHER}`"):
            ours.of(of_other)
        assert ours.of(collection(installation.model)).model == installation.model

    assert ours.of(of_other).model == of_other.model


def test_a_model_without_a_cohort_is_no_missing_collection(installation: Counting) -> None:
    of_one = collection(installation.model.replace("+six", "+one"))
    with pytest.raises(
        Conflict, match=r"'staff' has no cohort\. .* `likeness models cohort FOLDER`"
    ):
        finders(installation).of(of_one)


def test_weights_are_asked_for_by_name(tmp_path: Path) -> None:
    real = Installation(Settings(home=tmp_path / "home", cache=tmp_path / "cache"))

    missing = real.missing_part(real.template_model())

    assert missing == MissingPart(
        "the weights of dlib-resnet-v1 are not here", "likeness models pull dlib-resnet-v1"
    )
