"""A server as it comes, with clips on an S3 endpoint and a topic that is told of their jobs."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ship_standards
from tests.rekognition.conftest import Running, serving_discs
from tests.rekognition.operations.discs import GREEN, RED, disc
from tests.rekognition.operations.moving_discs import clip_of, finished
from tests.rekognition.operations.refusals import refusal
from tests.services.moto import KEY_ID, REGION, SECRET, Topic, client, moto

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::123456789012:role/tell"
CLIP = {"S3Object": {"Bucket": "clips", "Name": "two people.mp4"}}


@dataclass(frozen=True)
class Site:
    """A server, the topic that it tells, its home, and a client of its bucket."""

    server: Running
    topic: Topic
    home: Path
    s3: Any


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    clip = clip_of(
        tmp_path_factory.mktemp("clips") / "two.mp4", (RED, 60, 0, 40), (GREEN, 220, 10, 30)
    )
    home = tmp_path_factory.mktemp("home")
    with moto() as endpoint:
        s3 = client("s3", endpoint)
        s3.create_bucket(Bucket="clips")
        s3.upload_file(str(clip), "clips", "two people.mp4")
        chosen = {
            f"{service}_{name}": value
            for service in ("s3", "sns")
            for name, value in {
                "endpoint": endpoint,
                "region": REGION,
                "access_key_id": KEY_ID,
                "secret_access_key": SECRET,
            }.items()
        }
        shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
        with serving_discs(home, shipped, **chosen) as (server, _):
            yield Site(server, Topic(endpoint, "ended"), home, s3)


def heard(topic: Topic) -> Any:
    """Wait for the topic's next message."""
    ends = time.monotonic() + 60
    while not (messages := topic.heard()):
        assert time.monotonic() < ends
        time.sleep(0.2)
    (message,) = messages
    return json.loads(message)


def test_a_topic_hears_when_a_search_is_over_and_results_are_there_then(site: Site) -> None:
    likeness = site.server.client()
    likeness.create_collection(CollectionId="staff")
    likeness.index_faces(
        CollectionId="staff", Image={"Bytes": disc(GREEN)}, ExternalImageId="green"
    )
    began_ms = 1000 * time.time()
    job_id = likeness.start_face_search(
        Video=CLIP,
        CollectionId="staff",
        NotificationChannel={"SNSTopicArn": site.topic.arn, "RoleArn": ROLE},
        JobTag="case-7",
    )["JobId"]
    message = heard(site.topic)
    assert began_ms <= message.pop("Timestamp") <= 1000 * time.time()
    assert message == {
        "JobId": job_id,
        "Status": "SUCCEEDED",
        "API": "StartFaceSearch",
        "JobTag": "case-7",
        "Video": {"S3ObjectName": "two people.mp4", "S3Bucket": "clips"},
    }
    page = likeness.get_face_search(JobId=job_id)
    assert page["JobStatus"] == "SUCCEEDED"
    named = [
        {match["Face"]["ExternalImageId"] for match in one.get("FaceMatches", [])}
        for one in page["Persons"]
    ]
    assert {"green"} in named and set() in named
    assert list((site.home / "work").iterdir()) == []


def test_a_topic_hears_of_a_job_that_failed(site: Site) -> None:
    likeness = site.server.client()
    site.s3.put_object(Bucket="clips", Key="words.mp4", Body=b"These are words. " * 1000)
    place = {"Bucket": "clips", "Name": "words.mp4"}
    job_id = likeness.start_face_detection(
        Video={"S3Object": place},
        NotificationChannel={"SNSTopicArn": site.topic.arn, "RoleArn": ROLE},
    )["JobId"]
    message = heard(site.topic)
    assert (message["JobId"], message["Status"]) == (job_id, "FAILED")
    assert message["API"] == "StartFaceDetection"
    assert "JobTag" not in message
    assert likeness.get_face_detection(JobId=job_id)["StatusMessage"]


def test_a_topic_that_is_none_costs_nobody_the_results(site: Site) -> None:
    likeness = site.server.client()
    nowhere = f"arn:aws:sns:{REGION}:123456789012:nowhere"
    job_id = likeness.start_face_detection(
        Video=CLIP, NotificationChannel={"SNSTopicArn": nowhere, "RoleArn": ROLE}
    )["JobId"]
    page = finished(likeness.get_face_detection, job_id)
    assert page["JobStatus"] == "SUCCEEDED"
    assert page["Faces"]


def test_a_bucket_that_vanishes_before_a_job_runs_fails_it_alone(site: Site) -> None:
    likeness = site.server.client()
    site.s3.create_bucket(Bucket="short-lived")
    site.s3.copy_object(
        Bucket="short-lived",
        Key="one.mp4",
        CopySource={"Bucket": "clips", "Key": "two people.mp4"},
    )
    place = {"Bucket": "short-lived", "Name": "one.mp4"}
    # One job runs at a time: what waits behind another loses its bucket.
    first = likeness.start_face_detection(Video=CLIP)["JobId"]
    second = likeness.start_face_detection(Video={"S3Object": place})["JobId"]
    site.s3.delete_object(Bucket="short-lived", Key="one.mp4")
    site.s3.delete_bucket(Bucket="short-lived")
    assert finished(likeness.get_face_detection, first)["JobStatus"] == "SUCCEEDED"
    page = finished(likeness.get_face_detection, second)
    assert page["JobStatus"] == "FAILED"
    assert page["StatusMessage"].startswith("Unable to get object metadata from S3.")
    assert refusal(likeness.start_face_detection, Video={"S3Object": place})[0] == (
        "InvalidS3ObjectException"
    )
