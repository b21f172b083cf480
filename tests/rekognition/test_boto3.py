"""boto3 as it comes, against a server on loopback."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from likeness.rekognition.call import contract, contracts
from likeness.rekognition.operations import OPERATIONS
from tests.cli.conftest import ship_standards
from tests.rekognition.conftest import serving_discs

pytestmark = pytest.mark.slow


def test_every_operation_is_one_of_the_contract() -> None:
    assert set(contracts()) > set(OPERATIONS)


def test_networks_run_for_the_operations_that_take_a_picture() -> None:
    taking = {name for name in OPERATIONS if (known := contract(name)) and known.takes_picture}
    assert taking == {
        "CompareFaces",
        "DetectFaces",
        "IndexFaces",
        "SearchFacesByImage",
        "SearchUsersByImage",
    }


def test_an_operation_not_offered_names_itself(rekognition: Any) -> None:
    with pytest.raises(ClientError) as caught:
        rekognition.detect_labels(Image={"Bytes": b"picture"})
    assert caught.value.response["Error"] == {
        "Code": "UnknownOperationException",
        "Message": "DetectLabels is not offered by Likeness.",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_first_key_is_known_as_soon_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 3600)
    with serving_discs(tmp_path / "home", ship_standards(tmp_path / "shipped")) as (server, _):
        assert server.client().list_collections()["CollectionIds"] == []
