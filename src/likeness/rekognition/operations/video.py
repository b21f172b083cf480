"""StartFaceDetection, GetFaceDetection, StartFaceSearch, GetFaceSearch, and what topics are told.

A job is IN_PROGRESS until it has SUCCEEDED or FAILED; one that was cancelled has failed. Results
are listed by time, or by person and then by time.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from likeness.errors import InvalidRequest, NotFound
from likeness.jobs import Job, JobState
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.once import once
from likeness.rekognition.operations.pictures import invalid_parameters, unreadable
from likeness.rekognition.operations.words import (
    bounding_box,
    face_detail,
    face_matches,
    say_rates,
    warn_of_groups,
)
from likeness.service.search.naming import SIMILARITY
from likeness.service.uses import NoSuchCollection
from likeness.service.video.asked import Asked, BucketClip, ClipAct, Topic, read_request
from likeness.service.video.kept import ClipFacts
from likeness.service.video.manage import told_of_failure
from likeness.service.video.results import After, ClipJob, LooksPage, Order, looks_page
from likeness.service.video.start import start_detection, start_search

_A_PAGE = 1000
_PLACE = struct.Struct("<qq")
_STATUS = {
    JobState.WAITING: "IN_PROGRESS",
    JobState.RUNNING: "IN_PROGRESS",
    JobState.SUCCEEDED: "SUCCEEDED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "FAILED",
}
_ORDERS = {"TIMESTAMP": Order.TIME, "INDEX": Order.PERSON}
_STARTED = {ClipAct.DETECT: "StartFaceDetection", ClipAct.SEARCH: "StartFaceSearch"}
# FFmpeg's long names, as AWS has them; others go by their short ones.
_FORMATS = {
    "avi": "AVI (Audio Video Interleaved)",
    "matroska": "Matroska / WebM",
    "mov": "QuickTime / MOV",
    "mpegts": "MPEG-TS (MPEG-2 Transport Stream)",
}
# A container's duration counts where decoding came about as far.
_ABOUT_MS = 1000


def start_face_detection(backend: Backend, call: Call, request: Request) -> Response:
    """Begin to find the faces of a clip."""
    asked = _asked(backend, request)
    with once(backend, request) as one, _clip_in_aws_words():
        job = start_detection(backend, backend.buckets, call.caller, asked, one)
    return {"JobId": job.id}


def start_face_search(backend: Backend, call: Call, request: Request) -> Response:
    """Begin to search a collection for the people of a clip."""
    collection, asked = request["CollectionId"], _asked(backend, request)
    with once(backend, request) as one, _clip_in_aws_words():
        job = start_search(backend, backend.buckets, call.caller, collection, asked, one)
    return {"JobId": job.id}


def get_face_detection(backend: Backend, call: Call, request: Request) -> Response:
    """List the faces of a clip by time."""
    page = _page(backend, call, request, ClipAct.DETECT)
    size = _size(page.of.facts)
    return {
        **_of_the_job(page.of),
        "Faces": [
            {"Timestamp": one.at_ms, "Face": face_detail(one.face, size)} for one in page.looks
        ],
        "NextToken": _token_after(backend, call, request, page),
    }


def get_face_search(backend: Backend, call: Call, request: Request) -> Response:
    """List when the people of a clip are seen, and whom of the collection they are like."""
    page = _page(backend, call, request, ClipAct.SEARCH)
    call.tell_cases(page.case_ids)
    if page.expected is not None:
        say_rates(call, page.expected)
    warn_of_groups(call, page.group_warning)
    size = _size(page.of.facts)
    return {
        **_of_the_job(page.of),
        "Persons": [
            {
                "Timestamp": one.at_ms,
                "Person": {
                    "Index": one.person,
                    "BoundingBox": bounding_box(one.face.box, size),
                    "Face": face_detail(one.face, size),
                },
                # Absent where there is nobody, as in AWS's answers.
                "FaceMatches": face_matches(page.matches.get(one.person, ())) or None,
            }
            for one in page.looks
        ],
        "NextToken": _token_after(backend, call, request, page),
    }


def said_to_a_topic(job: Job, request: bytes) -> str:
    """Write what a topic is told when a job has ended, of what it was asked."""
    asked, ended = read_request(request).asked, job.ended_at or job.made_at
    place = asked.place if isinstance(asked.place, BucketClip) else None
    message = {
        "JobId": job.id,
        "Status": _STATUS[job.state],
        "API": _STARTED[ClipAct(job.act)],
        "JobTag": asked.tag,
        "Timestamp": round(1000 * ended.timestamp()),
        "Video": place and {"S3ObjectName": place.key, "S3Bucket": place.bucket},
    }
    return json.dumps({name: said for name, said in message.items() if said is not None})


def _asked(backend: Backend, request: Request) -> Asked:
    """Read what is wanted of which clip.

    Raises:
        AwsError: no clip is named, or a topic that nobody can be told by.
    """
    place, channel = request["Video"].get("S3Object"), request.get("NotificationChannel")
    if place is None:
        raise invalid_parameters("Video has no S3Object")
    if "Bucket" not in place or "Name" not in place:
        raise unreadable()
    if channel is not None and not backend.tells_topics:
        raise AwsError(
            "InvalidParameterException",
            "No SNS endpoint is set, so that no topic can be told. Leave NotificationChannel out"
            " and ask for results until they are there, or have LIKENESS_SNS_ENDPOINT set.",
        )
    return Asked(
        place=BucketClip(place["Bucket"], place["Name"], place.get("Version")),
        threshold=request.get("FaceMatchThreshold", SIMILARITY),
        tag=request.get("JobTag"),
        topic=None if channel is None else Topic(channel["SNSTopicArn"]),
    )


@contextmanager
def _clip_in_aws_words() -> Iterator[None]:
    """Say that a clip cannot be had as AWS does."""
    try:
        yield
    except NoSuchCollection:
        raise
    except (NotFound, InvalidRequest) as error:
        raise unreadable() from error


def _page(backend: Backend, call: Call, request: Request, act: ClipAct) -> LooksPage:
    job_id = request["JobId"]
    place = backend.page_tokens.place(call, request, None)
    after: After | None = None if place is None else _PLACE.unpack(place)
    try:
        return looks_page(
            backend,
            call.caller,
            act,
            job_id,
            order=_ORDERS[request.get("SortBy", "TIMESTAMP")],
            after=after,
            limit=min(request.get("MaxResults", _A_PAGE), _A_PAGE),
        )
    except NotFound as error:
        # What AWS says is not known.
        raise AwsError(
            "ResourceNotFoundException", f"The job id: {job_id} does not exist"
        ) from error


def _token_after(backend: Backend, call: Call, request: Request, page: LooksPage) -> str | None:
    """Make the token of the page that follows; it is of this job, since the request names it."""
    if page.after is None:
        return None
    return backend.page_tokens.token(call, request, None, _PLACE.pack(*page.after))


def _of_the_job(of: ClipJob) -> Response:
    """Say what every page says."""
    place, facts = of.asked.place, of.facts
    clip = place if isinstance(place, BucketClip) else None
    return {
        "JobId": of.job.id,
        "JobStatus": _STATUS[of.job.state],
        "StatusMessage": _why(of.job),
        "VideoMetadata": None if facts is None else _metadata(facts),
        "Video": clip
        and {"S3Object": {"Bucket": clip.bucket, "Name": clip.key, "Version": clip.version}},
        "JobTag": of.asked.tag,
    }


def _why(job: Job) -> str | None:
    """Say why a job has failed; what AWS says is not known, but of an object that is not there."""
    match job.state:
        case JobState.CANCELLED:
            return "The job was cancelled."
        case JobState.FAILED if job.failure == NotFound.__name__:
            return unreadable().message
        case JobState.FAILED:
            return told_of_failure(job)
        case _:
            return None


def _metadata(facts: ClipFacts) -> Response:
    clip = facts.clip
    return {
        "Codec": clip.codec,
        "DurationMillis": _duration_ms(facts),
        "Format": _FORMATS.get(clip.container.partition(",")[0], clip.container),
        "FrameRate": clip.frame_rate,
        "FrameHeight": clip.height,
        "FrameWidth": clip.width,
        "ColorRange": "FULL" if clip.full_range else "LIMITED",
    }


def _duration_ms(facts: ClipFacts) -> int:
    """Say how long a clip is: what its container claims, unless decoding found it otherwise."""
    if facts.clip.duration_s is not None:
        claimed_ms = round(1000 * facts.clip.duration_s)
        if abs(claimed_ms - facts.to_ms) <= _ABOUT_MS:
            return claimed_ms
    return facts.to_ms


def _size(facts: ClipFacts | None) -> tuple[int, int]:
    return (1, 1) if facts is None else (facts.clip.width, facts.clip.height)
