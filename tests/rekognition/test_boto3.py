"""boto3 as it comes, against a server on loopback."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from likeness.rekognition.call import contract, contracts
from likeness.rekognition.not_offered import not_offered
from likeness.rekognition.operations import OPERATIONS
from tests.cli.conftest import ship_standards
from tests.rekognition.conftest import serving_discs

pytestmark = pytest.mark.slow


def test_every_operation_is_one_of_the_contract() -> None:
    assert set(contracts()) > set(OPERATIONS)


def test_operations_that_wait_for_buckets_and_networks_hold_up_no_other() -> None:
    taking = {name for name in OPERATIONS if (known := contract(name)) and known.takes_media}
    assert taking == {
        "CompareFaces",
        "DetectFaces",
        "IndexFaces",
        "SearchFacesByImage",
        "SearchUsersByImage",
        "StartFaceDetection",
        "StartFaceSearch",
    }


def least(shape: Any) -> Any:
    """What a shape has to have, of the simplest values."""
    match shape.type_name:
        case "structure":
            return {name: least(shape.members[name]) for name in shape.required_members}
        case "list":
            return [least(shape.member)] * max(shape.metadata.get("min", 1), 1)
        case "map":
            return {"a": least(shape.value)}
        case "string":
            return (shape.enum or ["a" * max(shape.metadata.get("min", 1), 1)])[0]
        case "timestamp":
            return 0
        case "blob":
            return b"a"
        case "boolean":
            return True
        case _:
            return 1


@pytest.mark.parametrize("operation", sorted(set(contracts()) - set(OPERATIONS)))
def test_an_operation_not_offered_says_what_there_is_instead(
    rekognition: Any, operation: str
) -> None:
    with pytest.raises(ClientError) as caught:
        rekognition._make_api_call(operation, least(contracts()[operation].input))
    said = caught.value.response["Error"]
    assert said["Code"] == "UnknownOperationException"
    assert said["Message"].startswith(f"{operation} is not offered by Likeness. ")
    assert said["Message"].endswith(".")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("operation", "instead"),
    [
        ("StartPersonTracking", "StartFaceSearch and StartFaceDetection follow people"),
        ("GetPersonTracking", "StartFaceSearch and StartFaceDetection follow people"),
        ("StartCelebrityRecognition", "It knows nobody by itself"),
        ("StartLabelDetection", "faces, and nothing else"),
        ("StartMediaAnalysisJob", "faces, and nothing else"),
        ("CreateFaceLivenessSession", "masks"),
    ],
)
def test_whoever_leaves_an_operation_behind_is_told_where_to_go(
    operation: str, instead: str
) -> None:
    assert instead in not_offered(operation)


def test_the_first_key_is_known_as_soon_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 3600)
    with serving_discs(tmp_path / "home", ship_standards(tmp_path / "shipped")) as (server, _):
        assert server.client().list_collections()["CollectionIds"] == []
