"""A collection of another model than new ones, made beside a server and used through it."""

import base64
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import InstallationWithDiscs, ship_standards_of
from tests.rekognition.operations.discs import RED, disc

from .conftest import THORN, Served, search

OTHER = "sface-2021dec"


def test_a_watch_and_a_search_look_with_the_model_of_their_collection(
    serve: Callable[..., Served], standards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped" / "standards"
    shutil.copytree(standards, shipped)
    ship_standards_of(shipped, OTHER)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", shipped)
    home = serve(LIKENESS_CROPS="on")
    home.json("collections", "create", "old", "--recogniser", OTHER)
    desk = home.key("desk", *THORN, "--role", "operator", "--purpose", "missing-persons")
    expires = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 30 * 86400))

    added = desk.v1(
        "POST",
        "watches",
        {
            "collection": "old",
            "image": base64.b64encode(disc(RED)).decode(),
            "purpose": "missing-persons",
            "authority": "Court 7",
            "criteria": "missing since May",
            "expires_at": expires,
        },
    )

    assert added.status_code == 201, added.text
    indexed = home.admin.rekognition().index_faces(
        CollectionId="old", Image={"Bytes": disc(RED, side=120)}
    )
    assert indexed["FaceModelVersion"].startswith(f"{OTHER}-")
    (case,) = home.admin.v1("GET", "cases").json()["cases"]
    assert case["watch_id"] == added.json()["id"]
    assert len(search(home.admin, disc(RED), "old")["FaceMatches"]) == 1
