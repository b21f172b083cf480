"""IndexFaces, ListFaces, DeleteFaces."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from likeness.errors import Conflict
from likeness.rekognition.backend import Backend
from tests.gallery.galleries import Clock
from tests.rekognition.operations.discs import BLUE, GREEN, RED, beside, disc, discs, grey
from tests.rekognition.operations.refusals import refusal
from tests.service.people import colour

NOBODY = "00000000-0000-4000-8000-000000000000"


def index(rekognition: Any, picture: bytes, **changed: Any) -> Any:
    return rekognition.index_faces(CollectionId="staff", Image={"Bytes": picture}, **changed)


def ids(answer: Any) -> list[str]:
    return [record["Face"]["FaceId"] for record in answer["FaceRecords"]]


def test_faces_are_indexed_largest_first_with_what_is_kept_of_them(rekognition: Any) -> None:
    picture = discs((BLUE, 20), (RED, 32), (GREEN, 26))
    answer = index(rekognition, picture, ExternalImageId="group:1")
    assert answer["UnindexedFaces"] == []
    assert "OrientationCorrection" not in answer
    assert answer["FaceModelVersion"].startswith("dlib-resnet-v1-")
    widths = [record["Face"]["BoundingBox"]["Width"] for record in answer["FaceRecords"]]
    assert widths == sorted(widths, reverse=True)
    for record in answer["FaceRecords"]:
        face, detail = record["Face"], record["FaceDetail"]
        assert set(face) == {
            "FaceId",
            "BoundingBox",
            "ImageId",
            "ExternalImageId",
            "Confidence",
        }
        assert str(UUID(face["FaceId"])) == face["FaceId"]
        assert face["ExternalImageId"] == "group:1"
        assert detail["BoundingBox"]["Left"] == pytest.approx(face["BoundingBox"]["Left"], abs=1e-6)
        assert {"Landmarks", "Pose", "Quality"} < set(detail)
    assert len({record["Face"]["ImageId"] for record in answer["FaceRecords"]}) == 1


def test_an_image_id_is_a_uuid_of_version_5_made_from_the_picture(rekognition: Any) -> None:
    first, again = (index(rekognition, disc(RED)) for _ in range(2))
    other = index(rekognition, disc(BLUE))
    image_ids = [answer["FaceRecords"][0]["Face"]["ImageId"] for answer in (first, again, other)]
    assert UUID(image_ids[0]).version == 5
    assert image_ids[0] == image_ids[1] != image_ids[2]


def test_the_same_picture_and_external_id_stores_no_duplicate(rekognition: Any) -> None:
    picture = disc(RED, BLUE)
    first = index(rekognition, picture, ExternalImageId="one")
    assert index(rekognition, picture, ExternalImageId="one")["FaceRecords"] == first["FaceRecords"]
    other = index(rekognition, picture, ExternalImageId="other")
    none = index(rekognition, picture)
    assert len({*ids(first), *ids(other), *ids(none)}) == 6
    assert rekognition.describe_collection(CollectionId="staff")["FaceCount"] == 6


def test_the_same_picture_at_the_same_moment_stores_no_duplicate(rekognition: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        pictures = [disc(RED, BLUE)] * 8
        found = [ids(one) for one in threads.map(lambda one: index(rekognition, one), pictures)]
    assert len(found[0]) == 2
    assert found == [found[0]] * 8
    assert rekognition.describe_collection(CollectionId="staff")["FaceCount"] == 2


def test_a_picture_indexed_with_more_faces_adds_those_that_were_left_out(rekognition: Any) -> None:
    picture = disc(RED, BLUE, GREEN)
    first = index(rekognition, picture, MaxFaces=1)
    every = index(rekognition, picture)
    assert ids(every)[0] == ids(first)[0]
    assert rekognition.describe_collection(CollectionId="staff")["FaceCount"] == 3


def test_a_picture_without_a_face_has_no_records(rekognition: Any) -> None:
    answer = index(rekognition, grey(100, 100))
    assert answer["FaceRecords"] == answer["UnindexedFaces"] == []


def test_no_bytes_of_a_picture_are_kept(rekognition: Any, folder: Path) -> None:
    picture = disc(RED)
    index(rekognition, picture)
    kept = b"".join(path.read_bytes() for path in (folder / "home").rglob("*") if path.is_file())
    assert picture[100:400] not in kept


def test_faces_of_low_quality_are_not_indexed_by_default(rekognition: Any) -> None:
    blurred = disc(RED, grain=0)
    answer = index(rekognition, blurred)
    assert answer["FaceRecords"] == []
    (left_out,) = answer["UnindexedFaces"]
    assert "LOW_SHARPNESS" in left_out["Reasons"]
    assert set(left_out["FaceDetail"]) >= {"BoundingBox", "Pose", "Quality"}
    assert len(index(rekognition, blurred, QualityFilter="NONE")["FaceRecords"]) == 1


@pytest.mark.parametrize(("bar", "indexed"), [("LOW", 2), ("AUTO", 2), ("MEDIUM", 2), ("HIGH", 1)])
def test_higher_bars_leave_out_smaller_faces(rekognition: Any, bar: str, indexed: int) -> None:
    picture = discs((RED, 40), (BLUE, 20))  # 80 and 40 pixels across
    answer = index(rekognition, picture, QualityFilter=bar)
    assert len(answer["FaceRecords"]) == indexed
    reasons = [one["Reasons"] for one in answer["UnindexedFaces"]]
    assert reasons == [["SMALL_BOUNDING_BOX"]] * (2 - indexed)


def test_beyond_max_faces_the_lowest_quality_goes_first_then_the_smallest(
    rekognition: Any,
) -> None:
    # The second largest is blurred.
    sharp, blurred = discs((RED, 44), (GREEN, 34), (BLUE, 24)), disc(GREEN, grain=0, side=120)
    picture = beside(sharp, blurred)
    answer = index(rekognition, picture, MaxFaces=2, QualityFilter="NONE")
    kept = [record["Face"]["BoundingBox"]["Left"] for record in answer["FaceRecords"]]
    assert kept == sorted(kept)
    assert kept[-1] < 0.5
    assert [one["Reasons"] for one in answer["UnindexedFaces"]] == [["EXCEEDS_MAX_FACES"]] * 2
    first, second = [one["FaceDetail"]["BoundingBox"]["Left"] for one in answer["UnindexedFaces"]]
    assert first > 0.7
    assert 0.4 < second < 0.7


# Listing


def test_faces_are_listed_page_by_page_with_boxes_of_six_decimals(
    rekognition: Any, clock: Clock
) -> None:
    enrolled = [ids(index(rekognition, disc(colour(7 * n))))[0] for n in range(5)]
    listed, token = [], ""
    while token is not None:
        page = rekognition.list_faces(CollectionId="staff", MaxResults=2, NextToken=token)
        listed += page["Faces"]
        token = page.get("NextToken")
    assert [face["FaceId"] for face in listed] == enrolled
    for face in listed:
        assert all(side == round(side, 6) for side in face["BoundingBox"].values())
    whole = rekognition.list_faces(CollectionId="staff")
    assert whole["Faces"] == listed
    assert "NextToken" not in whole


def test_faces_are_listed_by_user_and_by_id(rekognition: Any) -> None:
    red, blue = (ids(index(rekognition, disc(one)))[0] for one in (RED, BLUE))
    rekognition.create_user(CollectionId="staff", UserId="Rosa")
    rekognition.associate_faces(CollectionId="staff", UserId="Rosa", FaceIds=[red])
    (of_rosa,) = rekognition.list_faces(CollectionId="staff", UserId="Rosa")["Faces"]
    assert (of_rosa["FaceId"], of_rosa["UserId"]) == (red, "Rosa")
    by_id = rekognition.list_faces(CollectionId="staff", FaceIds=[blue, NOBODY])["Faces"]
    assert [face["FaceId"] for face in by_id] == [blue]
    assert "UserId" not in by_id[0]
    code, _ = refusal(rekognition.list_faces, CollectionId="staff", UserId="Nobody")
    assert code == "ResourceNotFoundException"


# Deleting


def test_deleted_faces_are_gone_and_the_others_have_reasons(rekognition: Any) -> None:
    red, blue = (ids(index(rekognition, disc(one)))[0] for one in (RED, BLUE))
    rekognition.create_user(CollectionId="staff", UserId="Rosa")
    rekognition.associate_faces(CollectionId="staff", UserId="Rosa", FaceIds=[red])
    answer = rekognition.delete_faces(CollectionId="staff", FaceIds=[red, blue, blue, NOBODY])
    assert answer["DeletedFaces"] == [blue]
    reasons = {one["FaceId"]: one["Reasons"] for one in answer["UnsuccessfulFaceDeletions"]}
    assert reasons == {
        red: ["ASSOCIATED_TO_AN_EXISTING_USER"],
        NOBODY: ["FACE_NOT_FOUND"],
    }
    listed = rekognition.list_faces(CollectionId="staff")["Faces"]
    assert [face["FaceId"] for face in listed] == [red]
    found = rekognition.search_faces_by_image(CollectionId="staff", Image={"Bytes": disc(BLUE)})
    assert found["FaceMatches"] == []


def test_a_face_whose_erasure_cannot_be_finished_is_gone_nevertheless(
    rekognition: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    (red,) = ids(index(rekognition, disc(RED)))

    def in_the_way(_: object) -> None:
        raise Conflict("another program reads the database: ask it to stop")

    with monkeypatch.context() as patched:
        patched.setattr(backend.gallery.erasing, "finish", in_the_way)
        answer = rekognition.delete_faces(CollectionId="staff", FaceIds=[red])
    assert answer["DeletedFaces"] == [red]
    assert rekognition.list_faces(CollectionId="staff")["Faces"] == []
    (certificate,) = backend.gallery.erasing.finish_pending()
    assert certificate.erased.references == 1
