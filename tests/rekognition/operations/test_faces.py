"""DetectFaces and CompareFaces."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, discs, grey


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def test_a_face_has_the_default_attributes_and_no_guesses(rekognition: Any) -> None:
    answer = rekognition.detect_faces(Image={"Bytes": disc(RED)}, Attributes=["ALL"])
    assert "OrientationCorrection" not in answer
    (face,) = answer["FaceDetails"]
    assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert set(face["Pose"]) == {"Roll", "Yaw", "Pitch"}
    assert set(face["Quality"]) == {"Brightness", "Sharpness"}
    kinds = [point["Type"] for point in face["Landmarks"]]
    assert kinds == ["eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"]
    assert face["Confidence"] == pytest.approx(90)
    box = face["BoundingBox"]
    assert box["Left"] == pytest.approx(16 / 96, abs=0.02)
    assert box["Width"] == pytest.approx(65 / 96, abs=0.02)


def test_a_picture_without_a_face_has_no_face_details(rekognition: Any) -> None:
    assert rekognition.detect_faces(Image={"Bytes": grey(100, 100)})["FaceDetails"] == []


def test_faces_come_largest_first_and_at_most_the_hundred_largest(rekognition: Any) -> None:
    crowd = discs(*[(RED, 12)] * 104, (BLUE, 20), side=60, columns=15)
    found = rekognition.detect_faces(Image={"Bytes": crowd})["FaceDetails"]
    assert len(found) == 100
    assert found[0]["BoundingBox"]["Left"] > 0.9
    assert found[0]["BoundingBox"]["Top"] > 0.8
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in found]
    assert areas == sorted(areas, reverse=True)


def test_boxes_are_ratios_of_the_picture_after_its_exif_rotation(rekognition: Any) -> None:
    picture = Image.open(io.BytesIO(discs((RED, 30), (BLUE, 20)))).transpose(Image.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees to see it upright
    turned = io.BytesIO()
    picture.save(turned, "JPEG", exif=exif, quality=95)
    red, blue = rekognition.detect_faces(Image={"Bytes": turned.getvalue()})["FaceDetails"]
    assert red["BoundingBox"]["Left"] == pytest.approx(18 / 192, abs=0.02)
    assert red["BoundingBox"]["Width"] == pytest.approx(61 / 192, abs=0.02)
    assert red["BoundingBox"]["Height"] == pytest.approx(61 / 96, abs=0.03)
    assert blue["BoundingBox"]["Left"] > 0.5


def test_the_largest_face_of_the_source_is_compared_with_all_of_the_target(
    rekognition: Any,
) -> None:
    answer = rekognition.compare_faces(
        SourceImage={"Bytes": discs((GREEN, 20), (RED, 32))},
        TargetImage={"Bytes": disc(BLUE, RED, GREEN)},
    )
    assert answer["SourceImageFace"]["BoundingBox"]["Left"] > 0.5
    assert set(answer["SourceImageFace"]) == {"BoundingBox", "Confidence"}
    (match,) = answer["FaceMatches"]
    assert match["Similarity"] > 99
    assert 1 / 3 < match["Face"]["BoundingBox"]["Left"] < 2 / 3
    assert len(answer["UnmatchedFaces"]) == 2
    assert "SourceImageOrientationCorrection" not in answer


def test_similarity_descends_and_reaches_the_threshold_asked_for(rekognition: Any) -> None:
    pictures = {
        "SourceImage": {"Bytes": disc(RED)},
        "TargetImage": {"Bytes": disc(BLUE, (200, 60, 60), RED)},
    }
    every = rekognition.compare_faces(**pictures, SimilarityThreshold=0)
    alike = [match["Similarity"] for match in every["FaceMatches"]]
    assert alike == sorted(alike, reverse=True)
    assert len(alike) == 3
    assert every["UnmatchedFaces"] == []
    none = rekognition.compare_faces(**pictures, SimilarityThreshold=100)
    assert none["FaceMatches"] == []
    assert len(none["UnmatchedFaces"]) == 3
    default = rekognition.compare_faces(**pictures)["FaceMatches"]
    assert [match["Similarity"] for match in default] == [one for one in alike if one >= 80]


def test_headers_give_the_rate_of_as_many_strangers_as_faces_were_compared(
    rekognition: Any,
) -> None:
    def rate(*target: tuple[int, int, int]) -> float:
        answer = rekognition.compare_faces(
            SourceImage={"Bytes": disc(RED)}, TargetImage={"Bytes": disc(*target)}
        )
        return float(answer["ResponseMetadata"]["HTTPHeaders"]["x-likeness-any-strangers"])

    assert rate(RED, BLUE, GREEN) == pytest.approx(3 * rate(RED), rel=0.01)


def test_who_does_not_match_is_in_no_order_that_tells_how_alike_they_are(rekognition: Any) -> None:
    near, far, farther = (200, 60, 60), GREEN, BLUE
    for faces in ((far, near, farther), (farther, far, near), (near, farther, far)):
        answer = rekognition.compare_faces(
            SourceImage={"Bytes": disc(RED)},
            TargetImage={"Bytes": discs(*zip(faces, (32, 26, 20), strict=True))},
            SimilarityThreshold=100,
        )
        heights = [one["BoundingBox"]["Height"] for one in answer["UnmatchedFaces"]]
        assert len(heights) == 3
        assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("faceless", ["SourceImage", "TargetImage"])
def test_no_face_in_source_or_target_is_an_invalid_parameter(
    rekognition: Any, faceless: str
) -> None:
    pictures = {
        "SourceImage": {"Bytes": disc(RED)},
        "TargetImage": {"Bytes": disc(RED)},
        faceless: {"Bytes": grey(100, 100)},
    }
    with pytest.raises(ClientError) as error:
        rekognition.compare_faces(**pictures)
    code, text = refused(error)
    assert code == "InvalidParameterException"
    assert text.startswith("Request has invalid parameters: ")
    assert "no face" in text.lower()


def test_faces_below_the_quality_asked_for_are_not_compared(rekognition: Any) -> None:
    pictures = {
        "SourceImage": {"Bytes": disc(RED)},
        "TargetImage": {"Bytes": disc(RED, grain=0)},
    }
    assert len(rekognition.compare_faces(**pictures)["FaceMatches"]) == 1
    with pytest.raises(ClientError, match="invalid parameters"):
        rekognition.compare_faces(**pictures, QualityFilter="AUTO")
