"""Collections, and their tags."""

import re
from typing import Any

import pytest

from likeness.rekognition.backend import Backend
from tests.gallery.galleries import Clock, create
from tests.rekognition.operations.discs import RED, disc
from tests.rekognition.operations.refusals import refusal

ARN = "aws:rekognition:eu-west-1:000000000000:collection/"
ID = "00000000-0000-4000-8000-000000000000"


def test_a_collection_is_made_with_an_arn_that_lacks_its_prefix(rekognition: Any) -> None:
    made = rekognition.create_collection(CollectionId="Guests_1.a-b")
    assert made["StatusCode"] == 200
    assert made["CollectionArn"] == ARN + "Guests_1.a-b"
    assert re.fullmatch(r"dlib-resnet-v1-[0-9a-f]{8}", made["FaceModelVersion"])


def test_a_collection_is_described_with_the_whole_arn(
    rekognition: Any, clock: Clock, backend: Backend
) -> None:
    version = rekognition.create_collection(CollectionId="guests")["FaceModelVersion"]
    rekognition.index_faces(CollectionId="guests", Image={"Bytes": disc(RED)})
    rekognition.create_user(CollectionId="guests", UserId="Rosa")
    described = rekognition.describe_collection(CollectionId="guests")
    assert described["CollectionARN"] == "arn:" + ARN + "guests"
    assert described["CreationTimestamp"] == clock.now
    assert (described["FaceCount"], described["UserCount"]) == (1, 1)
    assert described["FaceModelVersion"] == version


def test_a_collection_that_exists_is_said_to(rekognition: Any) -> None:
    assert refusal(rekognition.create_collection, CollectionId="staff") == (
        "ResourceAlreadyExistsException",
        "The collection id: staff already exists.",
    )


def test_ids_of_collections_are_case_sensitive(rekognition: Any) -> None:
    rekognition.create_collection(CollectionId="Staff")
    assert set(rekognition.list_collections()["CollectionIds"]) == {"staff", "Staff"}
    rekognition.delete_collection(CollectionId="Staff")
    assert rekognition.list_collections()["CollectionIds"] == ["staff"]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("associate_faces", {"UserId": "Rosa", "FaceIds": [ID]}),
        ("create_user", {"UserId": "Rosa"}),
        ("delete_collection", {}),
        ("delete_faces", {"FaceIds": [ID]}),
        ("delete_user", {"UserId": "Rosa"}),
        ("describe_collection", {}),
        ("disassociate_faces", {"UserId": "Rosa", "FaceIds": [ID]}),
        ("index_faces", {"Image": {"Bytes": disc(RED)}}),
        ("list_faces", {}),
        ("list_users", {}),
        ("search_faces", {"FaceId": ID}),
        ("search_faces_by_image", {"Image": {"Bytes": disc(RED)}}),
        ("search_users", {"FaceId": ID}),
        ("search_users_by_image", {"Image": {"Bytes": disc(RED)}}),
    ],
)
def test_an_unknown_collection_is_said_not_to_exist(
    rekognition: Any, operation: str, request_: dict[str, Any]
) -> None:
    assert refusal(getattr(rekognition, operation), CollectionId="Nobody", **request_) == (
        "ResourceNotFoundException",
        "The collection id: Nobody does not exist",
    )


def test_collections_are_listed_page_by_page(rekognition: Any, clock: Clock) -> None:
    names = ["staff"]
    for number in range(5):
        clock.pass_days(1)
        names.append(f"guests-{9 - number}")
        rekognition.create_collection(CollectionId=names[-1])
    listed, token = [], ""
    while token is not None:
        page = rekognition.list_collections(MaxResults=2, NextToken=token)
        assert len(page["CollectionIds"]) == len(page["FaceModelVersions"]) == 2
        listed += page["CollectionIds"]
        token = page.get("NextToken")
    assert listed == names
    pages = rekognition.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 4})
    assert [name for page in pages for name in page["CollectionIds"]] == names


def test_a_deleted_collection_is_gone(rekognition: Any) -> None:
    rekognition.index_faces(CollectionId="staff", Image={"Bytes": disc(RED)})
    assert rekognition.delete_collection(CollectionId="staff")["StatusCode"] == 200
    assert rekognition.list_collections()["CollectionIds"] == []
    code, _ = refusal(rekognition.delete_collection, CollectionId="staff")
    assert code == "ResourceNotFoundException"
    rekognition.create_collection(CollectionId="staff")
    assert rekognition.list_faces(CollectionId="staff")["Faces"] == []


def test_a_collection_of_another_model_or_cohort_is_told_from_one_that_is_not_there(
    rekognition: Any, backend: Backend
) -> None:
    for name, model, cohort in (
        ("of-model", "net@1+eyes@1", backend.templates_of(None).cohort_version),
        ("of-cohort", backend.templates_of(None).model, "cohort@1"),
    ):
        create(backend.gallery, name, model=model, dimensions=128, cohort_version=cohort)
        for operation in (rekognition.index_faces, rekognition.search_faces_by_image):
            code, said = refusal(operation, CollectionId=name, Image={"Bytes": disc(RED)})
            assert code == "InvalidParameterException"
            assert ("net@1+eyes@1" if name == "of-model" else "cohort@1") in said
    version = rekognition.describe_collection(CollectionId="of-model")["FaceModelVersion"]
    assert version.startswith("net-")


# Tags


@pytest.mark.parametrize("begins", ["", "arn:"])
def test_tags_come_with_a_collection_and_can_be_changed(rekognition: Any, begins: str) -> None:
    """By the ARN that CreateCollection answers, and as AWS writes it elsewhere."""
    made = rekognition.create_collection(CollectionId="guests", Tags={"team": "door", "floor": "1"})
    arn = begins + made["CollectionArn"]
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {
        "team": "door",
        "floor": "1",
    }
    rekognition.tag_resource(ResourceArn=arn, Tags={"floor": "2", "note": ""})
    rekognition.untag_resource(ResourceArn=arn, TagKeys=["team", "absent"])
    tags = rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert tags == {"floor": "2", "note": ""}


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:" + ARN + "Nobody", "ResourceNotFoundException"),
        (
            "arn:aws:rekognition:eu-west-1:111111111111:collection/staff",
            "ResourceNotFoundException",
        ),
        (ARN.replace("aws:", "azure:") + "staff", "InvalidParameterException"),
        (ARN + "staff/more", "InvalidParameterException"),
        ("arn:aws:rekognition:eu-west-1:000000000000:project/staff", "InvalidParameterException"),
    ],
)
def test_a_resource_that_is_no_collection_has_no_tags(
    rekognition: Any, arn: str, code: str
) -> None:
    assert refusal(rekognition.list_tags_for_resource, ResourceArn=arn)[0] == code
    assert refusal(rekognition.tag_resource, ResourceArn=arn, Tags={"a": "b"})[0] == code
    assert refusal(rekognition.untag_resource, ResourceArn=arn, TagKeys=["a"])[0] == code


def test_more_than_fifty_tags_are_refused(rekognition: Any) -> None:
    many = {f"key-{number}": "value" for number in range(51)}
    code, _ = refusal(rekognition.tag_resource, ResourceArn="arn:" + ARN + "staff", Tags=many)
    assert code == "ServiceQuotaExceededException"
    assert rekognition.list_tags_for_resource(ResourceArn="arn:" + ARN + "staff")["Tags"] == {}
    code, _ = refusal(rekognition.create_collection, CollectionId="guests", Tags=many)
    assert code == "ServiceQuotaExceededException"
