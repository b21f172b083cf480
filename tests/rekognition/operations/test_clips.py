"""Clips of people over the wire: begun, waited for, and listed by boto3 as AWS's samples do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from likeness.jobs import LocalRunner
from likeness.rekognition.backend import Backend
from likeness.service.video.run import ClipJobs
from likeness.terms import Principal, Role
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc
from tests.rekognition.operations.moving_discs import clip_of, finished
from tests.rekognition.operations.test_video import pages

pytestmark = pytest.mark.slow

STAFF = {"CollectionId": "staff"}
# Whose key may be asked for again while a job runs; there is none.
SOMEBODY = Principal("local:somebody", Role.ADMIN)


@pytest.fixture
def clips(rekognition: Any, backend: Backend, folder: Path) -> Iterator[Any]:
    """A client, a runner of its jobs, and the clip `two.mp4`: RED from 0 s, GREEN from 1 s."""
    clip = folder / "buckets" / "pictures" / "two.mp4"
    clip_of(clip, (RED, 60, 0, 40), (GREEN, 220, 10, 30))
    jobs = ClipJobs(backend, backend.buckets)
    with (
        LocalRunner(backend.database, backend.keyring, jobs.acts, backend.clock),
        serving(backend, SOMEBODY) as client,
    ):
        yield client


def named(name: str) -> dict[str, Any]:
    return {"Video": {"S3Object": {"Bucket": "pictures", "Name": name}}}


def test_faces_of_a_clip_are_found_where_and_when_they_are(clips: Any) -> None:
    job_id = clips.start_face_detection(**named("two.mp4"))["JobId"]
    page = finished(clips.get_face_detection, job_id)
    assert page["JobStatus"] == "SUCCEEDED", page.get("StatusMessage")
    metadata = page["VideoMetadata"]
    assert (metadata["FrameWidth"], metadata["FrameHeight"]) == (320, 180)
    assert (metadata["Codec"], metadata["Format"]) == ("h264", "QuickTime / MOV")
    assert metadata["FrameRate"] == pytest.approx(10, abs=0.5)
    assert metadata["DurationMillis"] == pytest.approx(4000, abs=150)
    times = [one["Timestamp"] for one in page["Faces"]]
    assert times == sorted(times)
    for one in page["Faces"]:
        box = one["Face"]["BoundingBox"]
        assert box["Width"] == pytest.approx(0.25, abs=0.05)
    left = [one for one in page["Faces"] if one["Face"]["BoundingBox"]["Left"] < 0.4]
    right = [one for one in page["Faces"] if one["Face"]["BoundingBox"]["Left"] > 0.5]
    assert (left[0]["Timestamp"], left[-1]["Timestamp"]) == (0, 3500)
    assert right[0]["Timestamp"] == pytest.approx(1000, abs=110)
    assert right[-1]["Timestamp"] == pytest.approx(2500, abs=110)


@pytest.mark.parametrize("order", ["TIMESTAMP", "INDEX"])
def test_who_is_known_is_named_and_who_is_not_has_an_index(clips: Any, order: str) -> None:
    image = {"Image": {"Bytes": disc(GREEN)}}
    (record,) = clips.index_faces(**STAFF, **image, ExternalImageId="green")["FaceRecords"]
    clips.index_faces(**STAFF, Image={"Bytes": disc(BLUE)}, ExternalImageId="blue")
    job_id = clips.start_face_search(**STAFF, **named("two.mp4"), JobTag="two")["JobId"]
    page = finished(clips.get_face_search, job_id)
    assert page["JobStatus"] == "SUCCEEDED", page.get("StatusMessage")
    listed = [
        one
        for some in pages(
            clips.get_face_search, "Persons", JobId=job_id, MaxResults=1, SortBy=order
        )
        for one in some
    ]
    by_index = {0: [], 1: []}
    for one in listed:
        by_index[one["Person"]["Index"]].append(one)
    assert all("FaceMatches" not in one for one in by_index[0])
    for one in by_index[1]:
        (match,) = one["FaceMatches"]
        assert match["Face"]["FaceId"] == record["Face"]["FaceId"]
        assert match["Face"]["ExternalImageId"] == "green"
        assert match["Similarity"] > 99
    # Strangers reach 80 once in a thousand, with each of two faces: a track's rate is its own.
    said = page["ResponseMetadata"]["HTTPHeaders"]
    assert float(said["x-likeness-any-strangers"]) == pytest.approx(0.002)
    key = "Timestamp" if order == "TIMESTAMP" else "Index"
    keys = [one[key] if key in one else one["Person"][key] for one in listed]
    assert keys == sorted(keys)


def test_what_is_no_video_is_a_job_that_failed(clips: Any, folder: Path) -> None:
    (folder / "buckets" / "pictures" / "words.mp4").write_text("These are words. " * 1000)
    job_id = clips.start_face_detection(**named("words.mp4"))["JobId"]
    page = finished(clips.get_face_detection, job_id)
    assert page["JobStatus"] == "FAILED"
    assert "text" in page["StatusMessage"]


def test_a_clip_that_vanishes_before_it_is_read_is_a_job_that_failed(
    rekognition: Any, backend: Backend, folder: Path
) -> None:
    clip = folder / "buckets" / "pictures" / "gone.mp4"
    clip.write_bytes(b"a clip")
    job_id = rekognition.start_face_detection(**named("gone.mp4"))["JobId"]
    clip.unlink()
    acts = ClipJobs(backend, backend.buckets).acts
    with LocalRunner(backend.database, backend.keyring, acts, backend.clock):
        page = finished(rekognition.get_face_detection, job_id)
    assert page["JobStatus"] == "FAILED"
    assert page["StatusMessage"].startswith("Unable to get object metadata from S3.")


def test_one_good_look_names_nobody(clips: Any, folder: Path) -> None:
    glimpse = folder / "buckets" / "pictures" / "glimpse.mp4"
    clip_of(glimpse, (GREEN, 60, 0, 40), (RED, 220, 10, 13))
    for colour in (GREEN, RED):
        clips.index_faces(**STAFF, Image={"Bytes": disc(colour)}, ExternalImageId=str(colour[0]))
    job_id = clips.start_face_search(**STAFF, **named("glimpse.mp4"))["JobId"]
    page = finished(clips.get_face_search, job_id)
    by_index = {one["Person"]["Index"]: one for one in page["Persons"]}
    (match,) = by_index[0]["FaceMatches"]
    assert match["Face"]["ExternalImageId"] == str(GREEN[0])
    assert "FaceMatches" not in by_index[1]
