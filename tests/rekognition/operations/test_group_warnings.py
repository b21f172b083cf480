"""Answers carry a header where strangers of a group match far more often than was asked for."""

from dataclasses import replace
from typing import Any

from likeness.rekognition.backend import Backend
from likeness.terms import GroupPoint, GroupRates
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.discs import RED, disc

HEADER = "x-likeness-group-warning"
WOMEN = GroupRates("sex", "Frauen\n\u00fc", 5_000, (GroupPoint(-0.3, 0.04, 0.03, 0.05),))


def headers(answer: Any) -> dict[str, str]:
    found: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return found


def test_searches_and_comparisons_warn_of_groups(backend: Backend) -> None:
    known = replace(backend.calibration_of(None), groups=(WOMEN,))
    warning = replace(backend, calibration_of=lambda collection: known, warn_from=10.0)
    picture = {"Bytes": disc(RED)}
    with serving(warning) as client:
        compared = client.compare_faces(SourceImage=picture, TargetImage=picture)
        assert headers(compared)[HEADER] == r'times=40; groups=1; worst="Frauen\n\u00fc"'
        strict = client.compare_faces(
            SourceImage=picture, TargetImage=picture, SimilarityThreshold=99.9
        )
        assert HEADER not in headers(strict)
        client.create_collection(CollectionId="warned")
        face = client.index_faces(CollectionId="warned", Image=picture)["FaceRecords"][0]["Face"]
        for found in (
            client.search_faces_by_image(CollectionId="warned", Image=picture),
            client.search_faces(CollectionId="warned", FaceId=face["FaceId"]),
        ):
            assert headers(found)[HEADER].startswith("times=40;")


def test_without_measured_groups_there_is_no_header(backend: Backend) -> None:
    picture = {"Bytes": disc(RED)}
    with serving(backend) as client:
        compared = client.compare_faces(SourceImage=picture, TargetImage=picture)
        assert HEADER not in headers(compared)
