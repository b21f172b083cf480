"""What an answer looks like on the wire."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from likeness.rekognition.call import Response, contract
from likeness.rekognition.documents import serialise


def written(operation: str, response: Response) -> Any:
    wanted = contract(operation)
    assert wanted is not None
    return json.loads(serialise(wanted, response))


def test_none_is_left_out_and_empty_lists_are_sent() -> None:
    response: Response = {"Faces": [], "NextToken": None, "FaceModelVersion": "x"}
    assert written("ListFaces", response) == {"Faces": [], "FaceModelVersion": "x"}


def test_times_are_seconds_with_a_fraction() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
    response: Response = {"FaceCount": 2, "CreationTimestamp": moment}
    assert written("DescribeCollection", response) == {
        "FaceCount": 2,
        "CreationTimestamp": 1767323045.679,
    }


def test_numbers_are_written_as_the_model_has_them() -> None:
    response: Response = {"FaceDetails": [{"BoundingBox": {"Left": 1, "Top": 0.5}}]}
    box = written("DetectFaces", response)["FaceDetails"][0]["BoundingBox"]
    assert box == {"Left": 1.0, "Top": 0.5}


def test_bytes_are_base64() -> None:
    response: Response = {"SessionId": "s", "Status": "CREATED", "ReferenceImage": {"Bytes": b"x"}}
    answer = written("GetFaceLivenessSessionResults", response)
    assert answer["ReferenceImage"] == {"Bytes": "eA=="}


@pytest.mark.parametrize(
    "response", [{"Unknown": 1}, {"FaceDetails": [{"Confidence": float("nan")}]}]
)
def test_an_answer_that_is_not_of_its_shape_is_a_mistake(response: Response) -> None:
    with pytest.raises(ValueError):
        written("DetectFaces", response)
