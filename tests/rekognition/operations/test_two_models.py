"""Two collections of two models, side by side in one server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from likeness.access import IssuedSecret
from likeness.app import Workload
from likeness.app.installation import MissingPart
from likeness.app.serving import Serving
from likeness.config import Settings
from likeness.service.enrol.collections import create_collection
from likeness.service.uses import Home
from likeness.service.uses.caller import Caller
from likeness.vision.networks.session import Engine
from tests.cli.conftest import InstallationWithDiscs, ship_standards, ship_standards_of
from tests.rekognition.conftest import Running, running
from tests.rekognition.operations.discs import BLUE, RED, disc
from tests.rekognition.operations.refusals import refusal

OTHER = "sface-2021dec"


class WithoutEngine(InstallationWithDiscs):
    """Discs need no engine.

    OpenVINO gives the main thread a stack for signals and takes it away with an engine: where
    several end in another order than they began, the next signal finds none and the process dies.
    """

    def engine(self, workload: Workload) -> Engine:
        return cast(Engine, None)


@dataclass(frozen=True)
class Server:
    """A server, its client, and what stands behind it."""

    client: Any
    serving: Serving
    key: IssuedSecret


@contextmanager
def server(folder: Path, key: IssuedSecret | None = None, **chosen: Any) -> Iterator[Server]:
    """Serve the home in a folder under some settings; `key` is one of an earlier start."""
    settings = Settings(home=folder / "home", cache=folder / "cache", **chosen)
    with Serving(WithoutEngine(settings)) as serving, running(serving.router) as url:
        key = serving.ensure_first_key() or key
        assert key is not None
        yield Server(Running(url, key.access_key_id, key.secret).client(), serving, key)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shipped = ship_standards(tmp_path / "shipped")
    ship_standards_of(shipped, OTHER)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped, raising=False)
    return tmp_path


def filled(client: Any, name: str) -> None:
    for colour in (RED, BLUE):
        client.index_faces(CollectionId=name, Image={"Bytes": disc(colour)})


def create_old(home: Home) -> None:
    """Make a collection of another model than new ones take."""
    create_collection(home, Caller(home.somebody, "test"), "old", recogniser=OTHER)


def test_collections_of_two_models_live_side_by_side(folder: Path) -> None:
    with server(folder) as here:
        create_old(here.serving.home)
        here.client.create_collection(CollectionId="new")
        version = {
            name: here.client.describe_collection(CollectionId=name)["FaceModelVersion"]
            for name in ("old", "new")
        }
        for name in ("old", "new"):
            filled(here.client, name)
            indexed = here.client.index_faces(CollectionId=name, Image={"Bytes": disc(RED)})
            assert indexed["FaceModelVersion"] == version[name]
            image = {"Bytes": disc(RED)}
            found = here.client.search_faces_by_image(CollectionId=name, Image=image)
            assert found["FaceModelVersion"] == version[name]
            assert (
                found["FaceMatches"][0]["Face"]["FaceId"]
                == (indexed["FaceRecords"][0]["Face"]["FaceId"])
            )
            users = here.client.search_users_by_image(CollectionId=name, Image=image)
            assert users["FaceModelVersion"] == version[name]
    assert version["old"].startswith(f"{OTHER}-")
    assert version["new"].startswith("dlib-resnet-v1-")


def test_a_collection_whose_weights_are_missing_is_refused_and_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(folder) as here:
        create_old(here.serving.home)
        here.client.create_collection(CollectionId="new")
        missing = MissingPart(
            f"the weights of {OTHER} are not here", f"likeness models pull {OTHER}"
        )
        monkeypatch.setattr(InstallationWithDiscs, "missing_parts", {OTHER: missing})
        for operation in (here.client.index_faces, here.client.search_faces_by_image):
            code, said = refusal(operation, CollectionId="old", Image={"Bytes": disc(RED)})
            assert code == "InvalidParameterException"
            assert f"`likeness models pull {OTHER}`" in said
        filled(here.client, "new")
        found = here.client.search_faces_by_image(CollectionId="new", Image={"Bytes": disc(RED)})
        assert len(found["FaceMatches"]) == 1
        assert here.client.list_faces(CollectionId="old")["Faces"] == []

        monkeypatch.setattr(InstallationWithDiscs, "missing_parts", {})
        filled(here.client, "old")  # weights that came are found without a restart


def test_what_needs_no_network_works_without_the_weights(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(folder) as here:
        create_old(here.serving.home)
        filled(here.client, "old")
        here.client.index_faces(CollectionId="old", Image={"Bytes": disc(RED, side=120)})
    missing = MissingPart(f"the weights of {OTHER} are not here", f"likeness models pull {OTHER}")
    monkeypatch.setattr(InstallationWithDiscs, "missing_parts", {OTHER: missing})
    with server(folder, here.key) as here:
        ids = [one["FaceId"] for one in here.client.list_faces(CollectionId="old")["Faces"]]
        found = here.client.search_faces(CollectionId="old", FaceId=ids[0])
        assert [one["Face"]["FaceId"] for one in found["FaceMatches"]] == ids[2:]
        here.client.create_user(CollectionId="old", UserId="Rosa")
        given = here.client.associate_faces(
            CollectionId="old", UserId="Rosa", FaceIds=[ids[0], ids[2]]
        )
        assert len(given["AssociatedFaces"]) == 2
        users = here.client.search_users(CollectionId="old", UserId="Rosa", UserMatchThreshold=0)
        assert users["FaceModelVersion"].startswith(f"{OTHER}-")
        here.client.delete_faces(CollectionId="old", FaceIds=ids[1:2])


def test_a_collection_keeps_its_model_when_new_ones_take_another(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = {"Bytes": disc(RED)}
    with server(folder) as here:
        here.client.create_collection(CollectionId="people-of-before")
        filled(here.client, "people-of-before")
        (old,) = here.serving.home.gallery.collections()
        before = here.client.search_faces_by_image(CollectionId=old.name, Image=image)
    with (
        caplog.at_level("INFO", "likeness"),
        server(folder, here.key, recogniser=OTHER) as here,
    ):
        new = here.client.create_collection(CollectionId="new")
        after = here.client.search_faces_by_image(CollectionId=old.name, Image=image)
    assert new["FaceModelVersion"].startswith(f"{OTHER}-")
    assert after["FaceModelVersion"].startswith("dlib-resnet-v1-")
    assert after["FaceMatches"] == before["FaceMatches"] != []
    (line,) = [one.getMessage() for one in caplog.records if OTHER in one.getMessage()]
    assert str(old.id) in line
    assert old.name not in line
