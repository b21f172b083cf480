"""SearchFaces, SearchFacesByImage, SearchUsers, SearchUsersByImage."""

from typing import Any

import pytest

from likeness.gallery import stored_collections
from likeness.rekognition.backend import Backend
from likeness.storage import Database
from likeness.terms import similarity
from likeness.vision import decode
from likeness.vision.decode import inspect
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, discs, grey
from tests.rekognition.operations.refusals import refusal

PINK = (222, 44, 44)
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def faces(rekognition: Any) -> dict[str, str]:
    """Ids of faces in `staff`: two of one person, and two of others."""
    colours = {"red": RED, "pink": PINK, "green": GREEN, "blue": BLUE}
    return {name: indexed(rekognition, disc(colour), name) for name, colour in colours.items()}


def indexed(rekognition: Any, picture: bytes, name: str) -> str:
    answer = rekognition.index_faces(
        CollectionId="staff", Image={"Bytes": picture}, ExternalImageId=name
    )
    return str(answer["FaceRecords"][0]["Face"]["FaceId"])


def names(answer: Any) -> list[str]:
    return [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]


def users(answer: Any) -> list[str]:
    return [match["User"]["UserId"] for match in answer["UserMatches"]]


def make_user(rekognition: Any, name: str, *face_ids: str) -> None:
    rekognition.create_user(CollectionId="staff", UserId=name)
    if face_ids:
        rekognition.associate_faces(
            CollectionId="staff", UserId=name, FaceIds=face_ids, UserMatchThreshold=0
        )


# SearchFacesByImage


@pytest.mark.usefixtures("faces")
def test_a_picture_header_and_a_collection_are_read_once(
    rekognition: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction for the collection, its tags, size and strangers, and one for candidates."""
    picture = disc(RED)
    rekognition.search_faces_by_image(CollectionId="staff", Image={"Bytes": picture})
    headers, reads, named = [], [], []

    def counted(owner: Any, name: str, calls: list[str]) -> None:
        plain = getattr(owner, name)

        def call(*arguments: Any, **chosen: Any) -> Any:
            calls.append(name)
            return plain(*arguments, **chosen)

        monkeypatch.setattr(owner, name, call)

    counted(decode, "_format_of", headers)
    counted(Database, "read", reads)
    counted(stored_collections, "get", named)
    rekognition.search_faces_by_image(CollectionId="staff", Image={"Bytes": picture})
    assert (len(headers), len(named)) == (1, 1)
    # Rules are looked at again twice a second.
    assert len(reads) <= 3


@pytest.mark.usefixtures("faces")
def test_the_largest_face_of_a_picture_is_searched_for(rekognition: Any) -> None:
    answer = rekognition.search_faces_by_image(
        CollectionId="staff", Image={"Bytes": discs((GREEN, 20), (RED, 32))}
    )
    assert answer["SearchedFaceBoundingBox"]["Left"] > 0.5
    assert answer["SearchedFaceConfidence"] == pytest.approx(90)
    assert set(names(answer)) == {"red", "pink"}
    assert answer["FaceModelVersion"].startswith("dlib-resnet-v1-")
    for match in answer["FaceMatches"]:
        assert all(side == round(side, 6) for side in match["Face"]["BoundingBox"].values())


@pytest.mark.usefixtures("faces")
def test_matches_descend_from_100_to_the_threshold_which_is_80(rekognition: Any) -> None:
    search = {"CollectionId": "staff", "Image": {"Bytes": disc(RED)}}
    every = rekognition.search_faces_by_image(**search, FaceMatchThreshold=0)
    alike = [match["Similarity"] for match in every["FaceMatches"]]
    assert len(alike) == 4
    assert alike == sorted(alike, reverse=True)
    default = rekognition.search_faces_by_image(**search)
    assert [match["Similarity"] for match in default["FaceMatches"]] == [
        one for one in alike if one >= 80
    ]
    assert len(rekognition.search_faces_by_image(**search, MaxFaces=1)["FaceMatches"]) == 1


@pytest.mark.usefixtures("faces")
def test_a_search_gives_4096_matches_at_most(rekognition: Any) -> None:
    search = {"CollectionId": "staff", "Image": {"Bytes": disc(RED)}, "FaceMatchThreshold": 0}
    every = rekognition.search_faces_by_image(**search, MaxFaces=4096)
    assert len(every["FaceMatches"]) == 4
    code, said = refusal(rekognition.search_faces_by_image, **search, MaxFaces=4097)
    assert code == "ValidationException"
    assert "less than or equal to 4096" in said


@pytest.mark.usefixtures("faces")
def test_similarity_is_a_function_of_the_false_match_rate(
    rekognition: Any, backend: Backend
) -> None:
    search = {"CollectionId": "staff", "Image": {"Bytes": disc(RED)}, "FaceMatchThreshold": 0}
    matches = rekognition.search_faces_by_image(**search)["FaceMatches"]
    located = backend.load_finder(None).locate(inspect(disc(RED)))
    (probe,) = backend.load_finder(None).templates(located)
    candidates = backend.gallery.collection("staff").search(probe, 4, "reference")
    said = [match["Similarity"] for match in matches]
    assert said == pytest.approx(
        [backend.calibration_of(None).similarity(one.comparison.score) for one in candidates]
    )
    # A picture with itself is wholly alike, and nothing else is.
    assert said[0] == 100
    assert said[1:] == pytest.approx(
        [
            similarity(backend.calibration_of(None).fmr(one.comparison.score))
            for one in candidates[1:]
        ]
    )
    assert similarity(1e-3) == pytest.approx(80)


def test_a_search_for_a_picture_without_a_face_is_an_invalid_parameter(rekognition: Any) -> None:
    said = (
        "InvalidParameterException",
        "There are no faces in the image. Should be at least 1.",
    )
    search = {"CollectionId": "staff", "Image": {"Bytes": grey(100, 100)}}
    assert refusal(rekognition.search_faces_by_image, **search) == said
    blurred = {"CollectionId": "staff", "Image": {"Bytes": disc(RED, grain=0)}}
    assert rekognition.search_faces_by_image(**blurred)["FaceMatches"] == []
    assert refusal(rekognition.search_faces_by_image, **blurred, QualityFilter="AUTO") == said


# SearchFaces


def test_a_face_of_the_collection_is_searched_for_and_left_out(
    rekognition: Any, faces: dict[str, str]
) -> None:
    answer = rekognition.search_faces(CollectionId="staff", FaceId=faces["red"])
    assert answer["SearchedFaceId"] == faces["red"]
    assert names(answer) == ["pink"]
    every = rekognition.search_faces(
        CollectionId="staff", FaceId=faces["red"], FaceMatchThreshold=0, MaxFaces=2
    )
    assert names(every)[0] == "pink"
    assert len(names(every)) == 2


def test_an_unknown_face_is_an_invalid_parameter(rekognition: Any) -> None:
    assert refusal(rekognition.search_faces, CollectionId="staff", FaceId=NOBODY) == (
        "InvalidParameterException",
        "faceId was not found in the collection",
    )
    assert refusal(rekognition.search_users, CollectionId="staff", FaceId=NOBODY) == (
        "InvalidParameterException",
        "faceId was not found in the collection",
    )


# SearchUsers


def test_users_are_found_by_a_face(rekognition: Any, faces: dict[str, str]) -> None:
    make_user(rekognition, "Rosa", faces["red"])
    make_user(rekognition, "Greta", faces["green"])
    make_user(rekognition, "Nobody")
    answer = rekognition.search_users(CollectionId="staff", FaceId=faces["pink"])
    assert answer["SearchedFace"] == {"FaceId": faces["pink"]}
    assert "SearchedUser" not in answer
    assert users(answer) == ["Rosa"]
    assert answer["UserMatches"][0]["User"]["UserStatus"] == "ACTIVE"
    every = {"CollectionId": "staff", "FaceId": faces["pink"], "UserMatchThreshold": 0}
    assert users(rekognition.search_users(**every)) == ["Rosa", "Greta"]
    assert users(rekognition.search_users(**every, MaxUsers=1)) == ["Rosa"]


def test_users_are_found_by_a_user_who_is_left_out(rekognition: Any, faces: dict[str, str]) -> None:
    make_user(rekognition, "Rosa", faces["red"])
    make_user(rekognition, "Rosie", faces["pink"])
    make_user(rekognition, "Nobody")
    answer = rekognition.search_users(CollectionId="staff", UserId="Rosa")
    assert answer["SearchedUser"] == {"UserId": "Rosa"}
    assert users(answer) == ["Rosie"]
    assert users(rekognition.search_users(CollectionId="staff", UserId="Nobody")) == []
    code, _ = refusal(rekognition.search_users, CollectionId="staff", UserId="Unknown")
    assert code == "ResourceNotFoundException"


def test_users_are_searched_for_with_a_face_or_a_user(rekognition: Any) -> None:
    invalid = (
        "InvalidParameterException",
        "Request has invalid parameters: give either a FaceId or a UserId",
    )
    assert refusal(rekognition.search_users, CollectionId="staff") == invalid
    both = {"CollectionId": "staff", "FaceId": NOBODY, "UserId": "Rosa"}
    assert refusal(rekognition.search_users, **both) == invalid


# SearchUsersByImage


def test_users_are_found_by_the_largest_face_of_a_picture(
    rekognition: Any, faces: dict[str, str]
) -> None:
    make_user(rekognition, "Rosa", faces["red"], faces["pink"])
    make_user(rekognition, "Greta", faces["green"])
    answer = rekognition.search_users_by_image(
        CollectionId="staff", Image={"Bytes": discs((GREEN, 20), (RED, 32))}
    )
    assert users(answer) == ["Rosa"]
    assert answer["SearchedFace"]["FaceDetail"]["BoundingBox"]["Left"] > 0.5
    (unsearched,) = answer["UnsearchedFaces"]
    assert unsearched["Reasons"] == ["FACE_NOT_LARGEST"]
    assert unsearched["FaceDetails"]["BoundingBox"]["Left"] < 0.5


def test_a_picture_without_a_face_has_no_users_and_no_searched_face(rekognition: Any) -> None:
    answer = rekognition.search_users_by_image(
        CollectionId="staff", Image={"Bytes": grey(100, 100)}
    )
    assert answer["UserMatches"] == answer["UnsearchedFaces"] == []
    assert "SearchedFace" not in answer


def test_a_largest_face_of_low_quality_is_not_searched_for_if_that_is_asked(
    rekognition: Any,
) -> None:
    answer = rekognition.search_users_by_image(
        CollectionId="staff", Image={"Bytes": disc(RED, grain=0)}, QualityFilter="AUTO"
    )
    assert "SearchedFace" not in answer
    (unsearched,) = answer["UnsearchedFaces"]
    assert "LOW_SHARPNESS" in unsearched["Reasons"]
    assert "FACE_NOT_LARGEST" not in unsearched["Reasons"]
