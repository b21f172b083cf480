"""CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces."""

from typing import Any

from likeness.rekognition.backend import Backend
from likeness.service.enrol.subject_changes import (
    merge_subjects,
    rename_subject,
    undo_subject_change,
)
from likeness.service.uses import Caller
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, discs
from tests.rekognition.operations.refusals import refusal
from tests.service.people import colour

NOBODY = "00000000-0000-4000-8000-000000000000"
STAFF = {"CollectionId": "staff"}
ROSA = {**STAFF, "UserId": "Rosa"}
UNKNOWN = ("ResourceNotFoundException", "The user id: Unknown does not exist")


def indexed(rekognition: Any, *pictures: bytes) -> list[str]:
    return [
        record["Face"]["FaceId"]
        for picture in pictures
        for record in rekognition.index_faces(**STAFF, Image={"Bytes": picture})["FaceRecords"]
    ]


def statuses(rekognition: Any) -> dict[str, str]:
    users = rekognition.list_users(**STAFF)["Users"]
    return {user["UserId"]: user["UserStatus"] for user in users}


def associated(answer: Any) -> list[str]:
    return [one["FaceId"] for one in answer["AssociatedFaces"]]


def test_a_user_is_created_then_active_once_there_are_faces(rekognition: Any) -> None:
    (red,) = indexed(rekognition, disc(RED))
    rekognition.create_user(**ROSA)
    assert statuses(rekognition) == {"Rosa": "CREATED"}
    answer = rekognition.associate_faces(**ROSA, FaceIds=[red])
    assert answer["UserStatus"] == "UPDATING"
    assert associated(answer) == [red]
    assert answer["UnsuccessfulFaceAssociations"] == []
    assert statuses(rekognition) == {"Rosa": "ACTIVE"}
    answer = rekognition.disassociate_faces(**ROSA, FaceIds=[red])
    assert answer["UserStatus"] == "UPDATING"
    assert answer["DisassociatedFaces"] == [{"FaceId": red}]
    assert statuses(rekognition) == {"Rosa": "CREATED"}


def test_a_user_that_exists_is_a_conflict(rekognition: Any) -> None:
    rekognition.create_user(**ROSA)
    assert refusal(rekognition.create_user, **ROSA) == (
        "ConflictException",
        "The user id: Rosa already exists.",
    )
    rekognition.create_user(**STAFF, UserId="rosa")


def test_an_unknown_user_does_not_exist(rekognition: Any) -> None:
    unknown = {**STAFF, "UserId": "Unknown"}
    assert refusal(rekognition.delete_user, **unknown) == UNKNOWN
    assert refusal(rekognition.associate_faces, **unknown, FaceIds=[NOBODY]) == UNKNOWN
    assert refusal(rekognition.disassociate_faces, **unknown, FaceIds=[NOBODY]) == UNKNOWN


def test_a_deleted_users_faces_stay_and_can_be_anothers(rekognition: Any) -> None:
    (red,) = indexed(rekognition, disc(RED))
    rekognition.create_user(**ROSA)
    rekognition.associate_faces(**ROSA, FaceIds=[red])
    rekognition.delete_user(**ROSA)
    assert statuses(rekognition) == {}
    (face,) = rekognition.list_faces(**STAFF)["Faces"]
    assert face["FaceId"] == red
    assert "UserId" not in face
    rekognition.create_user(**STAFF, UserId="Ruth")
    answer = rekognition.associate_faces(**STAFF, UserId="Ruth", FaceIds=[red])
    assert associated(answer) == [red]


def test_users_are_listed_page_by_page(rekognition: Any) -> None:
    names = [f"user:{9 - number}" for number in range(5)]
    for name in names:
        rekognition.create_user(**STAFF, UserId=name)
    paginator = rekognition.get_paginator("list_users")
    pages = list(paginator.paginate(**STAFF, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [user["UserId"] for page in pages for user in page["Users"]] == names
    assert "NextToken" not in pages[-1]


def test_faces_that_stay_whose_they_are_have_reasons(rekognition: Any) -> None:
    red, green, blue = indexed(rekognition, disc(RED), disc(GREEN), disc(BLUE))
    for name, face in (("Rosa", red), ("Greta", green)):
        rekognition.create_user(**STAFF, UserId=name)
        rekognition.associate_faces(**STAFF, UserId=name, FaceIds=[face])
    answer = rekognition.associate_faces(**ROSA, FaceIds=[red, green, blue, NOBODY])
    assert answer["AssociatedFaces"] == []
    refused = {one["FaceId"]: one for one in answer["UnsuccessfulFaceAssociations"]}
    # Hers already: passed over in silence.
    assert set(refused) == {green, blue, NOBODY}
    assert refused[NOBODY]["Reasons"] == ["FACE_NOT_FOUND"]
    assert refused[green]["Reasons"] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]
    assert refused[green]["UserId"] == "Greta"
    assert refused[blue]["Reasons"] == ["LOW_MATCH_CONFIDENCE"]
    assert refused[blue]["Confidence"] < 75
    answer = rekognition.disassociate_faces(**ROSA, FaceIds=[green, blue, NOBODY])
    assert answer["DisassociatedFaces"] == []
    refused = {one["FaceId"]: one for one in answer["UnsuccessfulFaceDisassociations"]}
    assert set(refused) == {green, NOBODY}
    assert refused[green]["Reasons"] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]
    assert refused[NOBODY]["Reasons"] == ["FACE_NOT_FOUND"]


def test_the_match_threshold_is_75_and_holds_once_a_user_has_a_face(rekognition: Any) -> None:
    red, again, blue = indexed(rekognition, disc(RED), disc(RED, side=120), disc(BLUE))
    rekognition.create_user(**ROSA)
    # A user's first faces are theirs whatever they look like.
    answer = rekognition.associate_faces(**ROSA, FaceIds=[red], UserMatchThreshold=100)
    assert associated(answer) == [red]
    assert associated(rekognition.associate_faces(**ROSA, FaceIds=[again, blue])) == [again]
    lowered = rekognition.associate_faces(**ROSA, FaceIds=[blue], UserMatchThreshold=0)
    assert associated(lowered) == [blue]


def test_a_user_has_a_hundred_faces_at_most(rekognition: Any) -> None:
    crowd = discs(*[(colour(n % 100), 14) for n in range(60)], side=60, columns=10)
    more = discs(*[(colour(n % 100), 14) for n in range(41)], side=60, columns=10)
    many = [indexed(rekognition, picture) for picture in (crowd, more)]
    assert [len(some) for some in many] == [60, 41]
    rekognition.create_user(**ROSA)
    rekognition.associate_faces(**ROSA, FaceIds=many[0])
    associate = {**ROSA, "UserMatchThreshold": 0}
    code, _ = refusal(rekognition.associate_faces, **associate, FaceIds=many[1])
    assert code == "ServiceQuotaExceededException"
    assert len(rekognition.list_faces(**ROSA)["Faces"]) == 60
    answer = rekognition.associate_faces(**associate, FaceIds=many[1][:40])
    assert len(answer["AssociatedFaces"]) == 40


def test_a_request_with_the_same_token_takes_effect_once(rekognition: Any) -> None:
    (red,) = indexed(rekognition, disc(RED))
    for _ in range(3):
        rekognition.create_user(**ROSA, ClientRequestToken="made")
    answers = [
        rekognition.associate_faces(**ROSA, FaceIds=[red], ClientRequestToken="associated")
        for _ in range(3)
    ]
    assert [associated(answer) for answer in answers] == [[red]] * 3
    for _ in range(3):
        rekognition.disassociate_faces(**ROSA, FaceIds=[red], ClientRequestToken="apart")
    for _ in range(3):
        rekognition.delete_user(**ROSA, ClientRequestToken="deleted")
    assert statuses(rekognition) == {}


def test_a_token_that_came_with_other_input_is_in_use_already(rekognition: Any) -> None:
    rekognition.create_user(**ROSA, ClientRequestToken="token-1")
    ruth = {**STAFF, "UserId": "Ruth"}
    assert refusal(rekognition.create_user, **ruth, ClientRequestToken="token-1") == (
        "IdempotentParameterMismatchException",
        "The ClientRequestToken: token-1 you have supplied is already in use.",
    )
    # Another operation's tokens are others.
    rekognition.delete_user(**ROSA, ClientRequestToken="token-1")


def test_faces_that_look_like_none_of_the_users_others_are_counted(rekognition: Any) -> None:
    ids = indexed(rekognition, disc(RED), disc(RED, side=200), disc(BLUE))
    rekognition.create_user(**ROSA)

    def unlike(*ids: str, **asked: Any) -> str | None:
        answer = rekognition.associate_faces(**ROSA, FaceIds=list(ids), **asked)
        assert len(associated(answer)) == len(ids)
        headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
        return headers.get("x-likeness-unlike")

    assert unlike(*ids[:2]) is None
    assert unlike(ids[2], UserMatchThreshold=0.0) == "1"
    rekognition.disassociate_faces(**ROSA, FaceIds=ids)
    assert unlike(*ids) == "1"


def test_users_who_are_merged_and_split_keep_their_faces(
    rekognition: Any, backend: Backend
) -> None:
    red, blue = indexed(rekognition, disc(RED), disc(BLUE))
    for name, face in (("Rosa", red), ("Bruno", blue)):
        rekognition.create_user(**STAFF, UserId=name)
        rekognition.associate_faces(**STAFF, UserId=name, FaceIds=[face])
    caller = Caller(backend.somebody, "test")

    def whose() -> dict[str, str]:
        return {one["FaceId"]: one["UserId"] for one in rekognition.list_faces(**STAFF)["Faces"]}

    def found(face: str) -> list[str]:
        matches = rekognition.search_users(**STAFF, FaceId=face)["UserMatches"]
        return [one["User"]["UserId"] for one in matches]

    merge_subjects(backend, caller, "staff", "Bruno", "Rosa")
    assert whose() == {red: "Rosa", blue: "Rosa"}
    assert statuses(rekognition) == {"Rosa": "ACTIVE"}
    assert refusal(rekognition.delete_user, **STAFF, UserId="Bruno")[0] == UNKNOWN[0]
    undo_subject_change(backend, caller, "staff", "Rosa")
    assert whose() == {red: "Rosa", blue: "Bruno"}
    assert found(blue) == ["Bruno"]
    rename_subject(backend, caller, "staff", "Bruno", "Bruno B.")
    assert found(blue) == ["Bruno B."]
