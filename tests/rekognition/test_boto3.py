"""boto3 as it comes, against a server on loopback."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from likeness.rekognition.contract import contract, contracts
from likeness.rekognition.operations import OPERATIONS

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
