"""Jobs on stored video as AWS's clients see them; what runs them is done by hand here."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from likeness import errors, jobs
from likeness.errors import Fault
from likeness.jobs import JobState
from likeness.rekognition.backend import Backend
from likeness.rekognition.operations.video import said_to_a_topic
from likeness.service.video import kept
from likeness.service.video.gathering import SeenLook
from likeness.service.video.kept import ClipFacts
from likeness.terms import Box, Principal, Role
from likeness.video import Clip
from tests.gallery.galleries import Clock, face
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.refusals import refusal

CLIP = {"S3Object": {"Bucket": "pictures", "Name": "clips/one.mp4"}}
VIDEO = {"Video": CLIP}
SEARCH = {**VIDEO, "CollectionId": "staff"}
CHANNEL = {
    "SNSTopicArn": "arn:aws:sns:eu-west-1:123456789012:ended",
    "RoleArn": "arn:aws:iam::123456789012:role/tell",
}
FACTS = ClipFacts(
    clip=Clip("mov", "h264", 640, 480, 10.0, 29.97),
    sha256="00" * 32,
    from_ms=0,
    to_ms=9967,
    frames=300,
    looked_at=100,
    damaged=0,
    remarks=(),
)
UNREADABLE = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)


@pytest.fixture
def video(rekognition: Any, backend: Backend, folder: Path) -> Iterator[Any]:
    """A client, the collection `staff`, and a clip in a bucket; no job is left over."""
    clip = folder / "buckets" / "pictures" / "clips" / "one.mp4"
    clip.parent.mkdir(exist_ok=True)
    clip.write_bytes(b"a clip")
    yield rekognition
    for job in all_jobs(backend):
        backend.database.write(lambda c, job=job: jobs.delete_job(c, job.id))


def all_jobs(backend: Backend) -> list[jobs.Job]:
    return backend.database.read(lambda c: jobs.list_jobs(c, backend.keyring, limit=1000))


def claim(backend: Backend, job_id: str) -> None:
    backend.database.write(
        lambda c: jobs.claim_job(c, backend.keyring, "runner", backend.clock(), job_id=job_id)
    )


def end(
    backend: Backend, job_id: str, state: JobState = JobState.SUCCEEDED, **failure: str
) -> None:
    backend.database.write(
        lambda c: jobs.end_job(
            c, backend.keyring, job_id, "runner", state, backend.clock(), **failure
        )
    )


def succeed(
    backend: Backend, job_id: str, *seen: tuple[int, int], facts: ClipFacts = FACTS
) -> None:
    """Let a job succeed that has seen people, by their numbers, at some milliseconds."""
    looks = [
        SeenLook(at_ms, person, replace(face(), box=Box(64, 48, 64 + 32 * (person + 1), 96)))
        for at_ms, person in seen
    ]
    claim(backend, job_id)
    kept.keep(backend, job_id, [kept.of_clip(facts), *kept.of_looks(looks, 0)], "runner")
    end(backend, job_id)


def pages(get: Any, list_of: str, **request: Any) -> Iterator[Any]:
    """Ask for page after page, as AWS's samples do."""
    token = ""
    while True:
        page = get(**request, NextToken=token)
        assert page["VideoMetadata"]["Codec"] == "h264"
        yield page[list_of]
        if "NextToken" not in page:
            return
        token = page["NextToken"]


def test_a_job_is_in_progress_until_its_faces_are_there(video: Any, backend: Backend) -> None:
    started = video.start_face_detection(**VIDEO, JobTag="case-7")
    job_id = started["JobId"]
    assert len(bytes.fromhex(job_id)) == 32
    for step in (lambda: None, lambda: claim(backend, job_id)):
        step()
        page = video.get_face_detection(JobId=job_id)
        assert page.pop("ResponseMetadata")["HTTPHeaders"]["x-likeness-receipt"]
        assert page == {
            "JobId": job_id,
            "JobStatus": "IN_PROGRESS",
            "JobTag": "case-7",
            "Video": CLIP,
            "Faces": [],
        }

    succeed(backend, job_id, (0, 0), (500, 0), (500, 1))
    page = video.get_face_detection(JobId=job_id)
    assert (page["JobStatus"], page["JobTag"], page["Video"]) == ("SUCCEEDED", "case-7", CLIP)
    assert page["VideoMetadata"] == {
        "Codec": "h264",
        "DurationMillis": 10000,
        "Format": "QuickTime / MOV",
        "FrameRate": 29.97,
        "FrameHeight": 480,
        "FrameWidth": 640,
        "ColorRange": "LIMITED",
    }
    assert "NextToken" not in page and "StatusMessage" not in page
    assert [one["Timestamp"] for one in page["Faces"]] == [0, 500, 500]
    shown = page["Faces"][0]["Face"]
    assert shown["BoundingBox"] == {"Left": 0.1, "Top": 0.1, "Width": 0.05, "Height": 0.1}
    assert len(shown["Landmarks"]) == 5


@pytest.mark.parametrize(
    ("claimed_s", "to_ms", "said_ms"),
    [(10.0, 9960, 10000), (None, 9960, 9960), (36000.0, 9960, 9960), (1.0, 9960, 9960)],
)
def test_a_duration_that_the_container_gets_wrong_is_not_repeated(
    video: Any, backend: Backend, claimed_s: float | None, to_ms: int, said_ms: int
) -> None:
    clip = Clip("matroska,webm", "vp9", 640, 480, claimed_s, None)
    job_id = video.start_face_detection(**VIDEO)["JobId"]
    succeed(backend, job_id, facts=replace(FACTS, clip=clip, to_ms=to_ms))
    page = video.get_face_detection(JobId=job_id)
    assert page["VideoMetadata"]["DurationMillis"] == said_ms
    assert page["VideoMetadata"]["Format"] == "Matroska / WebM"
    assert "FrameRate" not in page["VideoMetadata"]
    assert page["Faces"] == []


SEEN = [(0, 0), (500, 0), (500, 1), (1000, 1), (1000, 0), (1500, 2)]


@pytest.mark.parametrize("size", [1, 2, 5, 1000, 4000])
def test_pages_of_any_size_have_every_face_once(video: Any, backend: Backend, size: int) -> None:
    job_id = video.start_face_detection(**VIDEO)["JobId"]
    succeed(backend, job_id, *SEEN)
    listed = list(pages(video.get_face_detection, "Faces", JobId=job_id, MaxResults=size))
    assert [len(page) for page in listed][:-1] == [size] * (len(listed) - 1)
    assert [one["Timestamp"] for page in listed for one in page] == [at for at, _ in SEEN]


def test_a_page_has_a_thousand_faces_at_most(video: Any, backend: Backend) -> None:
    job_id = video.start_face_detection(**VIDEO)["JobId"]
    succeed(backend, job_id, *((500 * number, 0) for number in range(1001)))
    for asked in ({}, {"MaxResults": 5000}):
        listed = pages(video.get_face_detection, "Faces", JobId=job_id, **asked)
        assert [len(page) for page in listed] == [1000, 1]


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({}, SEEN),
        ({"SortBy": "TIMESTAMP"}, SEEN),
        ({"SortBy": "INDEX"}, sorted(SEEN, key=lambda one: (one[1], one[0]))),
    ],
)
def test_people_are_listed_by_time_or_by_person(
    video: Any, backend: Backend, order: dict[str, str], expected: list[Any], size: int
) -> None:
    job_id = video.start_face_search(**SEARCH)["JobId"]
    succeed(backend, job_id, *SEEN)
    asked = {"JobId": job_id, "MaxResults": size, **order}
    listed = [one for page in pages(video.get_face_search, "Persons", **asked) for one in page]
    assert [(one["Timestamp"], one["Person"]["Index"]) for one in listed] == expected
    for one in listed:
        assert one["Person"]["BoundingBox"] == one["Person"]["Face"]["BoundingBox"]
        assert "FaceMatches" not in one


def test_a_page_token_is_of_one_job_and_order(video: Any, backend: Backend) -> None:
    one, other = (video.start_face_search(**SEARCH)["JobId"] for _ in range(2))
    for job_id in (one, other):
        succeed(backend, job_id, *SEEN)
    token = video.get_face_search(JobId=one, MaxResults=1)["NextToken"]
    for request in (
        {"JobId": other, "NextToken": token},
        {"JobId": one, "SortBy": "INDEX", "NextToken": token},
        {"JobId": one, "NextToken": "nonsense"},
    ):
        said = refusal(video.get_face_search, **request)
        assert said == ("InvalidPaginationTokenException", "Invalid Pagination Token")


@pytest.mark.parametrize(
    ("failure", "text", "said"),
    [
        ("InvalidClip", "Not a video: the file is a text file.", "Not a video: the file is a"),
        ("Denied", "rule no-drones refuses this", "rule no-drones refuses this"),
        ("NotFound", "No such bucket or object.", UNREADABLE[1]),
        (
            "BucketsUnavailable",
            "http://10.0.0.1 fails",
            "Something that the server needs fails (BucketsUnavailable).",
        ),
        ("KeyError", "/home/secret", "Something that the server needs fails (Fault)."),
    ],
)
def test_a_job_that_failed_says_why_as_far_as_it_is_the_callers(
    video: Any, backend: Backend, failure: str, text: str, said: str
) -> None:
    job_id = video.start_face_detection(**VIDEO)["JobId"]
    claim(backend, job_id)
    end(backend, job_id, JobState.FAILED, failure=failure, failure_text=text)
    page = video.get_face_detection(JobId=job_id)
    assert (page["JobStatus"], page["Faces"]) == ("FAILED", [])
    assert page["StatusMessage"].startswith(said)
    if issubclass(getattr(errors, failure, Fault), Fault):
        assert text not in page["StatusMessage"]


def test_a_job_that_was_cancelled_has_failed(video: Any, backend: Backend) -> None:
    job_id = video.start_face_search(**SEARCH)["JobId"]
    backend.database.write(lambda c: jobs.cancel_job(c, backend.keyring, job_id, backend.clock()))
    page = video.get_face_search(JobId=job_id)
    assert (page["JobStatus"], page["Persons"]) == ("FAILED", [])
    assert page["StatusMessage"] == "The job was cancelled."


def test_a_job_is_there_for_its_own_operation_and_caller(video: Any, backend: Backend) -> None:
    mine = video.start_face_detection(**VIDEO)["JobId"]

    def unknown(job_id: str) -> tuple[str, str]:
        return "ResourceNotFoundException", f"The job id: {job_id} does not exist"

    assert refusal(video.get_face_search, JobId=mine) == unknown(mine)
    for nobodys in ("0" * 64, "a-word"):
        assert refusal(video.get_face_detection, JobId=nobodys) == unknown(nobodys)
    with serving(backend, Principal("key:other", Role.CLIENT)) as other:
        assert refusal(other.get_face_detection, JobId=mine) == unknown(mine)


def test_a_request_that_comes_again_begins_one_job(video: Any, backend: Backend) -> None:
    token = {"ClientRequestToken": "once-1"}
    first = video.start_face_search(**SEARCH, **token)["JobId"]
    assert video.start_face_search(**SEARCH, **token)["JobId"] == first
    for other in (
        {"FaceMatchThreshold": 99.0},
        {"JobTag": "other"},
        {"Video": {"S3Object": {"Bucket": "pictures", "Name": "other.mp4"}}},
    ):
        said = refusal(video.start_face_search, **SEARCH | token | other)
        assert said[0] in ("IdempotentParameterMismatchException", UNREADABLE[0])
    assert refusal(video.start_face_search, **SEARCH | token | {"JobTag": "other"}) == (
        "IdempotentParameterMismatchException",
        "The ClientRequestToken: once-1 you have supplied is already in use.",
    )
    assert len(all_jobs(backend)) == 1
    assert video.start_face_search(**SEARCH)["JobId"] != first
    # Another operation's token is another.
    assert video.start_face_detection(**VIDEO, **token)["JobId"] != first


def test_twenty_jobs_at_once_are_as_many_as_may_be(video: Any, backend: Backend) -> None:
    first = video.start_face_detection(**VIDEO, ClientRequestToken="first")["JobId"]
    for _ in range(19):
        video.start_face_search(**SEARCH)
    code, said = refusal(video.start_face_detection, **VIDEO)
    assert code == "LimitExceededException"
    assert "20 jobs" in said
    assert video.start_face_detection(**VIDEO, ClientRequestToken="first")["JobId"] == first
    succeed(backend, first)
    video.start_face_detection(**VIDEO)


@pytest.mark.parametrize(
    "place",
    [
        {"Bucket": "pictures", "Name": "clips/two.mp4"},
        {"Bucket": "nowhere", "Name": "clips/one.mp4"},
        {"Bucket": "pictures", "Name": "../clips/one.mp4"},
        {"Bucket": "pictures", "Name": "clips"},
        {"Bucket": "pictures", "Name": "clips/one.mp4", "Version": "1"},
        {"Bucket": "pictures"},
        {"Name": "clips/one.mp4"},
    ],
)
def test_a_clip_that_cannot_be_had_begins_no_job(
    video: Any, backend: Backend, place: dict[str, str]
) -> None:
    asked = {"Video": {"S3Object": place}}
    assert refusal(video.start_face_detection, **asked) == UNREADABLE
    assert refusal(video.start_face_search, CollectionId="staff", **asked) == UNREADABLE
    assert all_jobs(backend) == []


def test_a_request_without_a_clip_is_invalid(video: Any) -> None:
    code, _ = refusal(video.start_face_detection, Video={})
    assert code == "InvalidParameterException"


def test_a_clip_over_ten_gigabytes_is_too_large(video: Any, folder: Path) -> None:
    large = folder / "buckets" / "pictures" / "large.mp4"
    large.touch()
    os.truncate(large, (10 << 30) + 1)
    asked = {"Video": {"S3Object": {"Bucket": "pictures", "Name": "large.mp4"}}}
    code, said = refusal(video.start_face_detection, **asked)
    assert code == "VideoTooLargeException"
    assert str(10 << 30) in said
    large.unlink()


def test_an_unknown_collection_is_said_to_be_none(video: Any) -> None:
    said = refusal(video.start_face_search, **VIDEO, CollectionId="nobody")
    assert said == ("ResourceNotFoundException", "The collection id: nobody does not exist")


def test_a_topic_that_nobody_could_tell_is_refused_before_anything_is_kept(
    video: Any, backend: Backend
) -> None:
    code, said = refusal(video.start_face_search, **SEARCH, NotificationChannel=CHANNEL)
    assert code == "InvalidParameterException"
    assert said.startswith("No SNS endpoint is set")
    assert all_jobs(backend) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"JobTag": "case-7"}, {"JobTag": "case-7"}),
        ({}, {}),
    ],
)
def test_a_topic_is_told_what_aws_tells(
    video: Any, backend: Backend, clock: Clock, given: dict[str, str], said: dict[str, str]
) -> None:
    with serving(replace(backend, tells_topics=True)) as telling:
        job_id = telling.start_face_search(**SEARCH, NotificationChannel=CHANNEL, **given)["JobId"]
    succeed(backend, job_id)
    (notice,) = backend.database.read(
        lambda c: jobs.due_notices(c, backend.keyring, backend.clock())
    )
    assert notice.told.decode() == CHANNEL["SNSTopicArn"]
    request = backend.database.read(lambda c: jobs.request_of(c, backend.keyring, job_id))
    assert json.loads(said_to_a_topic(notice.job, request)) == {
        "JobId": job_id,
        "Status": "SUCCEEDED",
        "API": "StartFaceSearch",
        **said,
        "Timestamp": round(1000 * clock().timestamp()),
        "Video": {"S3ObjectName": "clips/one.mp4", "S3Bucket": "pictures"},
    }
    failed = replace(notice.job, state=JobState.CANCELLED)
    assert json.loads(said_to_a_topic(failed, request))["Status"] == "FAILED"


def test_where_footage_comes_from_is_stated_in_a_header(video: Any, backend: Backend) -> None:
    def state(request: Any, **_: object) -> None:
        request.headers["X-Likeness-Footage"] = "body-camera"

    video.meta.events.register("before-sign.rekognition.StartFaceDetection", state)
    try:
        job_id = video.start_face_detection(**VIDEO)["JobId"]
    finally:
        video.meta.events.unregister("before-sign.rekognition.StartFaceDetection", state)
    request = backend.database.read(lambda c: jobs.request_of(c, backend.keyring, job_id))
    assert json.loads(request)["stated"]["footage"] == "body-camera"


def test_jobs_die_with_their_collection(video: Any, backend: Backend) -> None:
    job_id = video.start_face_search(**SEARCH)["JobId"]
    succeed(backend, job_id, *SEEN)
    video.delete_collection(CollectionId="staff")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        video.get_face_search(JobId=job_id)
    assert UUID(int=0) not in {job.collection_id for job in all_jobs(backend)}
