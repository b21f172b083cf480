"""What a Kinesis data stream is told of a frame, as programs read it that were written for AWS."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from likeness.gallery import Candidate, Details, Reference, Subject
from likeness.rekognition.frame_records import frame_record
from likeness.service.live.asked import LiveAsked
from likeness.service.live.sighting import AnalysedFace, AnalysedFrame
from likeness.service.search.naming import Strangers, Verdict
from likeness.service.video.naming import SeenMatch
from likeness.terms import Box, CohortStatistics, Comparison, LiveStatement
from tests.gallery.galleries import face

AT = datetime(2026, 3, 1, 12, 0, 7, 123456, tzinfo=UTC)
VIDEO = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/gate/1510552593455"
DATA = "arn:aws:kinesis:eu-west-1:123456789012:stream/frames"
ASKED = LiveAsked(
    source="gate",
    collection="staff",
    statement=LiveStatement(),
    kinesis_arn=DATA,
    video_arn=VIDEO,
    processor="gate-search",
)
REFERENCE = Reference(
    3,
    UUID("ed1b560f-d6af-4158-989a-ff586c931545"),
    None,
    UUID("70e09693-2114-47e1-807c-50b6d61fa4dc"),
    Details(face(), (640, 480), bytes(32), "ada.jpg"),
    CohortStatistics(-1.0, 0.1),
    AT,
    None,
)


def match(similarity: float = 92.123456789, external_id: str | None = "ada.jpg") -> SeenMatch:
    details = replace(REFERENCE.details, external_id=external_id)
    verdict = Verdict(1e-5, None, Strangers.ANY, True, False)
    candidate = Candidate(replace(REFERENCE, details=details), None, Comparison(0.8, -0.3))
    return SeenMatch(candidate, similarity, verdict, 4, 4, 1.0)


def frame(*faces: AnalysedFace, number: int = 41, at: datetime = AT) -> AnalysedFrame:
    return AnalysedFrame("0a" * 32, number, at, 8.2, 1920, 1080, faces)


def record(*faces: AnalysedFace, **changed: Any) -> Any:
    return json.loads(frame_record(ASKED, frame(*faces, **changed)))


def test_a_frame_is_told_as_aws_tells_it() -> None:
    seen = replace(face(), box=Box(96, 108, 192, 216))
    told = record(AnalysedFace(1, seen, (match(),)), AnalysedFace(2, seen))
    assert list(told) == ["InputInformation", "StreamProcessorInformation", "FaceSearchResponse"]
    assert told["StreamProcessorInformation"] == {"Status": "RUNNING"}
    assert told["InputInformation"] == {
        "KinesisVideo": {
            "StreamArn": VIDEO,
            "FragmentNumber": "1772366407123456000000000041",
            "ServerTimestamp": 1772366407.123,
            "ProducerTimestamp": 1772366407.123,
            "FrameOffsetInSeconds": 0.0,
        }
    }
    known, stranger = told["FaceSearchResponse"]
    assert set(known["DetectedFace"]) == {
        "BoundingBox",
        "Confidence",
        "Landmarks",
        "Pose",
        "Quality",
    }
    box = {"Left": 0.05, "Top": 0.1, "Width": 0.05, "Height": 0.1}
    assert known["DetectedFace"]["BoundingBox"] == box
    assert len(known["DetectedFace"]["Landmarks"]) == 5
    assert known["MatchedFaces"] == [
        {
            "Similarity": 92.123457,
            "Face": {
                "FaceId": str(REFERENCE.id),
                "BoundingBox": {
                    "Left": 0.015625,
                    "Top": 0.020833,
                    "Width": 0.0625,
                    "Height": 0.104167,
                },
                "ImageId": "70e09693-2114-57e1-807c-50b6d61fa4dc",
                "ExternalImageId": "ada.jpg",
                "Confidence": 99.0,
            },
        }
    ]
    assert stranger["MatchedFaces"] == []


def test_a_frame_with_nobody_is_told_too() -> None:
    assert record()["FaceSearchResponse"] == []


def test_what_nobody_named_is_left_out() -> None:
    told = record(AnalysedFace(1, face(), (match(external_id=None),)))
    (found,) = told["FaceSearchResponse"][0]["MatchedFaces"]
    assert "ExternalImageId" not in found["Face"]


def test_nobody_is_named_by_their_subject() -> None:
    ada = Subject(1, UUID(int=1), "Ada", AT)
    named = match()
    named = replace(named, candidate=replace(named.candidate, subject=ada))
    assert b"Ada" not in frame_record(ASKED, frame(AnalysedFace(1, face(), (named,))))


def test_times_and_offset_give_the_moment_of_the_frame() -> None:
    told = record()["InputInformation"]["KinesisVideo"]
    for clock in ("ProducerTimestamp", "ServerTimestamp"):
        moment = datetime.fromtimestamp(told[clock] + told["FrameOffsetInSeconds"], UTC)
        assert abs(moment - AT) < timedelta(milliseconds=1)


def test_numbers_of_fragments_count_up() -> None:
    numbers = [
        int(record(number=n, at=at)["InputInformation"]["KinesisVideo"]["FragmentNumber"])
        for n, at in ((1, AT), (2, AT), (1, AT + timedelta(microseconds=1)))
    ]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("data", [DATA, DATA.replace("arn:aws:", "arn:aws-us-gov:")])
def test_a_search_that_no_processor_defines_names_its_source(data: str) -> None:
    asked = replace(ASKED, kinesis_arn=data, video_arn=None, processor=None)
    told = json.loads(frame_record(asked, frame()))["InputInformation"]["KinesisVideo"]
    beside = data.replace(":kinesis:", ":kinesisvideo:").replace("frames", "gate/0")
    assert told["StreamArn"] == beside


def test_numbers_of_other_kinds_are_told_as_numbers() -> None:
    named = replace(match(), similarity=np.float32(99.5))
    told = record(AnalysedFace(1, face(), (named,)))
    assert told["FaceSearchResponse"][0]["MatchedFaces"][0]["Similarity"] == 99.5
