"""Stream processors as AWS's clients see them; what runs their searches is done by hand here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from likeness import jobs, sources
from likeness.jobs import JobState
from likeness.ledger import every_entry
from likeness.policy import disable_pack, enable_pack, shipped
from likeness.rekognition.backend import Backend
from likeness.service.live.asked import LIVE_SEARCH, LiveRequest, read_request
from likeness.sources import Source, SourceKind
from likeness.terms import LiveStatement, Principal, Role
from tests.gallery.galleries import Clock
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.refusals import refusal

NAME = {"Name": "gate-search"}
VIDEO = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1234567890"
DATA = "arn:aws:kinesis:eu-west-1:123456789012:stream/frames"
ARN = "arn:aws:rekognition:eu-west-1:000000000000:streamprocessor/gate-search"
NEW: dict[str, Any] = {
    **NAME,
    "Input": {"KinesisVideoStream": {"Arn": VIDEO}},
    "Output": {"KinesisDataStream": {"Arn": DATA}},
    "RoleArn": "arn:aws:iam::123456789012:role/streams",
    "Settings": {"FaceSearch": {"CollectionId": "staff", "FaceMatchThreshold": 92.5}},
}
TAGS = {
    "likeness:place": "North gate",
    "likeness:authority": "Order 7",
    "likeness:criteria": "Reported missing",
    "likeness:hours": "8",
}


@pytest.fixture
def streams(rekognition: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that can tell streams, the collection `staff`, and the source `gate`."""
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)  # rules change at once
    gate = Source(
        uuid4(),
        "gate",
        SourceKind.STREAM,
        "rtsp://camera.example/main",
        "fixed-camera",
        "Gate",
        backend.clock(),
        "local:ada",
    )
    address = "rtsp://ada:tide-and-time@camera.example/main"
    backend.database.write(lambda c: sources.add_source(c, backend.keyring, gate, address))
    with serving(telling(backend)) as client, without_pack(backend, "real-time"):
        yield client
    for job in all_jobs(backend):
        backend.database.write(lambda c, job=job: jobs.delete_job(c, job.id))
    for one in backend.database.read(lambda c: sources.list_processors(c, backend.keyring)):
        backend.database.write(lambda c, one=one: sources.remove_processor(c, one))
    for one in backend.database.read(lambda c: sources.list_sources(c, backend.keyring)):
        backend.database.write(lambda c, one=one: sources.remove_source(c, one.name))


@contextmanager
def without_pack(backend: Backend, name: str) -> Iterator[None]:
    """Let rules be as an operator has them who looks for people in real time."""
    backend.database.write(lambda c: disable_pack(c, name, now=backend.clock()))
    yield
    pack = shipped()[name]
    backend.database.write(lambda c: enable_pack(c, pack, {}, by="key:admin", now=backend.clock()))


def telling(backend: Backend) -> Backend:
    return replace(backend, tells_streams=True)


def all_jobs(backend: Backend) -> list[jobs.Job]:
    return backend.database.read(lambda c: jobs.list_jobs(c, backend.keyring, limit=1000))


def last_job(backend: Backend) -> jobs.Job:
    return all_jobs(backend)[0]


def asked_of(backend: Backend, job: jobs.Job) -> LiveRequest:
    return read_request(
        backend.database.read(lambda c: jobs.request_of(c, backend.keyring, job.id))
    )


def claim(backend: Backend) -> None:
    backend.database.write(
        lambda c: jobs.claim_job(c, backend.keyring, "runner", backend.clock(), lasting=True)
    )


def look(backend: Backend) -> None:
    """Let the search that runs look at its first frame."""
    job = last_job(backend)
    backend.database.write(
        lambda c: jobs.beat(c, job.id, "runner", backend.clock(), done_ms=1, total_ms=0)
    )


def end(backend: Backend, state: JobState = JobState.SUCCEEDED, **failure: str) -> None:
    job = last_job(backend)
    backend.database.write(
        lambda c: jobs.end_job(
            c, backend.keyring, job.id, "runner", state, backend.clock(), **failure
        )
    )


@contextmanager
def stating(client: Any, **stated: str) -> Iterator[None]:
    """Let a client state something of its requests, in signed headers."""

    def add(request: Any, **_: Any) -> None:
        for name, text in stated.items():
            request.headers[f"x-likeness-{name}"] = text

    client.meta.events.register("before-sign.rekognition", add)
    try:
        yield
    finally:
        client.meta.events.unregister("before-sign.rekognition", add)


def described(client: Any, **name: str) -> Any:
    answer = client.describe_stream_processor(**(name or NAME))
    answer.pop("ResponseMetadata")
    return answer


def test_a_processor_is_described_as_it_was_created(streams: Any, clock: Clock) -> None:
    assert streams.create_stream_processor(**NEW)["StreamProcessorArn"] == ARN
    said = described(streams)
    assert said.pop("CreationTimestamp") == said.pop("LastUpdateTimestamp") == clock()
    assert said == {
        **NEW,
        "StreamProcessorArn": ARN,
        "Status": "STOPPED",
    }


@pytest.mark.parametrize(("asked", "kept"), [(0, 80), (79.5, 80), (80, 80), (99, 99), (None, 80)])
def test_a_threshold_below_80_is_raised_to_it(streams: Any, asked: float | None, kept: int) -> None:
    faces = {"CollectionId": "staff"} | ({} if asked is None else {"FaceMatchThreshold": asked})
    streams.create_stream_processor(**NEW | {"Settings": {"FaceSearch": faces}})
    assert described(streams)["Settings"]["FaceSearch"]["FaceMatchThreshold"] == kept


def test_a_name_is_taken_once(streams: Any) -> None:
    streams.create_stream_processor(**NEW)
    assert refusal(streams.create_stream_processor, **NEW) == (
        "ResourceInUseException",
        "Stream processor name already in use.",
    )


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "labels": ({"Settings": {"ConnectedHome": {"Labels": ["PERSON"]}}}, "for labels"),
    "labels too": (
        {"Settings": {**NEW["Settings"], "ConnectedHome": {"Labels": ["PERSON"]}}},
        "for labels",
    ),
    "a bucket": ({"Output": {"S3Destination": {"Bucket": "frames"}}}, "for labels"),
    "a topic": (
        {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:eu-west-1:123456789012:ended"}},
        "NotificationChannel is for stream processors that look for labels",
    ),
    "regions": (
        {"RegionsOfInterest": [{"BoundingBox": {"Width": 0.5, "Height": 0.5}}]},
        "RegionsOfInterest is for",
    ),
    "a key": ({"KmsKeyId": "key-1"}, "KmsKeyId is for"),
    "sharing": ({"DataSharingPreference": {"OptIn": True}}, "DataSharingPreference is for"),
    "no collection": ({"Settings": {"FaceSearch": {}}}, "invalid parameters: give a Kinesis"),
    "no settings": ({"Settings": {}}, "FaceSearch's CollectionId"),
    "no source": ({"Input": {}}, "Input names no KinesisVideoStream"),
    "nobody to tell": ({"Output": {}}, "give a KinesisDataStream's Arn"),
    "no stream": (
        {"Input": {"KinesisVideoStream": {"Arn": VIDEO.replace("stream/", "channel/")}}},
        "Request has invalid parameters",
    ),
    "another service's stream": (
        {"Output": {"KinesisDataStream": {"Arn": DATA.replace("stream/", "consumer/")}}},
        "Not the ARN of a Kinesis data stream",
    ),
    "a source that nobody registered": (
        {"Input": {"KinesisVideoStream": {"Arn": VIDEO.replace("gate", "yard")}}},
        "No such source 'yard'",
    ),
    "a tag that no search goes by": (
        {"Tags": {"likeness:autority": "Order 7"}},
        "the nearest is 'likeness:authority'",
    ),
    "a blank place": ({"Tags": {"likeness:place": " "}}, "Not the place"),
    "hours that are none": ({"Tags": {"likeness:hours": "always"}}, "no number of hours"),
    "hours that last for years": ({"Tags": {"likeness:hours": "1e9"}}, "no number of hours"),
    "endless hours": ({"Tags": {"likeness:hours": "nan"}}, "no number of hours"),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_no_faces_are_searched_by_is_refused(
    streams: Any, changed: dict[str, Any], message: str
) -> None:
    code, said = refusal(streams.create_stream_processor, **NEW | changed)
    assert code == "InvalidParameterException"
    assert message in said
    assert streams.list_stream_processors()["StreamProcessors"] == []


def test_a_collection_that_is_not_there_is_not_found(streams: Any) -> None:
    settings = {"FaceSearch": {"CollectionId": "nobody"}}
    assert refusal(streams.create_stream_processor, **NEW | {"Settings": settings}) == (
        "ResourceNotFoundException",
        "The collection id: nobody does not exist",
    )


def test_without_an_endpoint_nothing_is_created_or_started(
    streams: Any, rekognition: Any, backend: Backend
) -> None:
    streams.create_stream_processor(**NEW)
    for act, request in (
        (rekognition.create_stream_processor, NEW | {"Name": "other"}),
        (rekognition.start_stream_processor, NAME),
    ):
        code, said = refusal(act, **request)
        assert code == "InvalidParameterException"
        assert "LIKENESS_KINESIS_ENDPOINT" in said
    assert all_jobs(backend) == []


def test_a_stream_without_the_moment_it_was_made_is_one_too(streams: Any) -> None:
    short = {"KinesisVideoStream": {"Arn": VIDEO.rpartition("/")[0]}}
    streams.create_stream_processor(**NEW | {"Input": short})
    assert described(streams)["Input"] == short


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_of_any_size_have_every_processor_once(streams: Any, clock: Clock, size: int) -> None:
    names = ["c", "a", "b"]
    for name in names:
        streams.create_stream_processor(**NEW | {"Name": name})
        clock.now += timedelta(seconds=1)
    listed, token = [], ""
    while True:
        page = streams.list_stream_processors(MaxResults=size, NextToken=token)
        assert len(page["StreamProcessors"]) <= size
        listed += page["StreamProcessors"]
        if "NextToken" not in page:
            break
        token = page["NextToken"]
    assert listed == [{"Name": name, "Status": "STOPPED"} for name in names]


def test_a_page_token_of_nobodys_is_refused(streams: Any) -> None:
    said = refusal(streams.list_stream_processors, NextToken="nonsense")
    assert said == ("InvalidPaginationTokenException", "Invalid Pagination Token")


def status(client: Any) -> str:
    said: str = described(client)["Status"]
    (listed,) = client.list_stream_processors()["StreamProcessors"]
    assert listed == {**NAME, "Status": said}
    return said


def test_a_processor_starts_runs_stops_and_starts_again(
    streams: Any, backend: Backend, clock: Clock
) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    first = streams.start_stream_processor(**NAME)["SessionId"]
    job = last_job(backend)
    assert (job.id, job.act, job.lasting) == (first, LIVE_SEARCH, True)
    assert status(streams) == "STARTING"
    claim(backend)
    assert status(streams) == "STARTING"
    look(backend)
    assert status(streams) == "RUNNING"
    clock.now += timedelta(minutes=1)
    streams.stop_stream_processor(**NAME)
    assert status(streams) == "STOPPING"
    assert described(streams)["LastUpdateTimestamp"] == clock()
    end(backend)
    assert status(streams) == "STOPPED"
    assert "StatusMessage" not in described(streams)
    assert streams.start_stream_processor(**NAME)["SessionId"] != first
    assert status(streams) == "STARTING"


def test_a_search_is_what_the_processor_defines(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    streams.start_stream_processor(**NAME)
    request = asked_of(backend, last_job(backend))
    asked = request.asked
    assert (asked.source, asked.collection, asked.threshold) == ("gate", "staff", 92.5)
    assert (asked.kinesis_arn, asked.video_arn, asked.processor) == (DATA, VIDEO, NAME["Name"])
    assert asked.statement == LiveStatement(
        "North gate", "Order 7", "Reported missing", backend.clock() + timedelta(hours=8)
    )
    assert request.stated.live
    assert request.stated.live_search == asked.statement


def test_what_a_start_states_goes_before_tags(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    until = backend.clock() + timedelta(minutes=90)
    with stating(streams, place="South gate", until=until.isoformat(), purpose="missing-persons"):
        refused = refusal(streams.start_stream_processor, **NAME)
    assert refused[0] == "AccessDeniedException"  # the key has no such purpose
    with stating(streams, place="South gate", until=until.isoformat()):
        streams.start_stream_processor(**NAME)
    statement = asked_of(backend, last_job(backend)).asked.statement
    assert statement == LiveStatement("South gate", "Order 7", "Reported missing", until)


def test_a_search_that_would_have_ended_is_not_started(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    past = backend.clock() - timedelta(minutes=1)
    with stating(streams, until=past.isoformat()):
        code, said = refusal(streams.start_stream_processor, **NAME)
    assert code == "InvalidParameterException"
    assert "in the past" in said
    assert all_jobs(backend) == []


def test_two_starts_of_one_begin_one_search(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    streams.start_stream_processor(**NAME)
    in_use = "ResourceInUseException", "Specified resource is in use."
    for step in (lambda: None, lambda: claim(backend), lambda: look(backend)):
        step()
        assert refusal(streams.start_stream_processor, **NAME) == in_use
    streams.stop_stream_processor(**NAME)
    assert refusal(streams.start_stream_processor, **NAME) == in_use
    assert len(all_jobs(backend)) == 1


def test_more_searches_than_may_be_are_a_limit(streams: Any, backend: Backend) -> None:
    for number in range(jobs.MOST_LASTING):
        streams.create_stream_processor(**NEW | {"Name": f"p{number}"}, Tags=TAGS)
        streams.start_stream_processor(Name=f"p{number}")
    streams.create_stream_processor(**NEW, Tags=TAGS)
    code, said = refusal(streams.start_stream_processor, **NAME)
    assert code == "LimitExceededException"
    assert "live searches" in said
    assert described(streams)["Status"] == "STOPPED"


@pytest.mark.parametrize(
    ("failure", "text", "said"),
    [
        ("NotFound", "The source was removed.", "The source was removed."),
        ("Denied", "rule no-live refuses this", "rule no-live refuses this"),
        ("SourceUnavailable", "It refuses the user.", "It refuses the user."),
        (
            "NotifierUnavailable",
            "http://10.0.0.1 takes no records",
            "Something that the server needs fails (NotifierUnavailable).",
        ),
    ],
)
def test_a_search_that_failed_says_why(
    streams: Any, backend: Backend, failure: str, text: str, said: str
) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    streams.start_stream_processor(**NAME)
    claim(backend)
    end(backend, JobState.FAILED, failure=failure, failure_text=text)
    assert status(streams) == "FAILED"
    assert described(streams)["StatusMessage"].startswith(said)
    streams.start_stream_processor(**NAME)
    assert "StatusMessage" not in described(streams)


def test_what_does_not_search_cannot_be_stopped(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    nothing = "ResourceInUseException", "Processor not available for stopping stream."
    assert refusal(streams.stop_stream_processor, **NAME) == nothing
    streams.start_stream_processor(**NAME)
    streams.stop_stream_processor(**NAME)  # nobody had begun it, so that it has ended
    assert status(streams) == "STOPPED"
    assert refusal(streams.stop_stream_processor, **NAME) == nothing


def test_what_searches_cannot_be_deleted(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    streams.start_stream_processor(**NAME)
    assert refusal(streams.delete_stream_processor, **NAME) == (
        "ResourceInUseException",
        "Cannot delete stream processor.",
    )
    streams.stop_stream_processor(**NAME)
    streams.delete_stream_processor(**NAME)
    assert streams.list_stream_processors()["StreamProcessors"] == []


def test_nothing_is_updated(streams: Any) -> None:
    streams.create_stream_processor(**NEW)
    code, said = refusal(streams.update_stream_processor, **NAME)
    assert code == "InvalidParameterException"
    assert "cannot be updated" in said


def test_a_processor_that_is_not_there_is_not_found(streams: Any) -> None:
    for act in (
        streams.describe_stream_processor,
        streams.start_stream_processor,
        streams.stop_stream_processor,
        streams.delete_stream_processor,
        streams.update_stream_processor,
    ):
        code, said = refusal(act, **NAME)
        assert code == "ResourceNotFoundException"
        assert "'gate-search'" in said


@pytest.mark.parametrize(
    "selector",
    [
        {"StartSelector": {"KVSStreamStartSelector": {"ProducerTimestamp": 1}}},
        {"StopSelector": {"MaxDurationInSeconds": 10}},
    ],
)
def test_selectors_are_for_labels(streams: Any, backend: Backend, selector: dict[str, Any]) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    code, said = refusal(streams.start_stream_processor, **NAME, **selector)
    assert code == "InvalidParameterException"
    assert "for labels" in said
    assert all_jobs(backend) == []


def test_what_is_gone_since_is_not_searched(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    backend.database.write(lambda c: sources.remove_source(c, "gate"))
    code, said = refusal(streams.start_stream_processor, **NAME)
    assert code == "ResourceNotFoundException"
    assert "No such source 'gate'" in said
    assert status(streams) == "STOPPED"


def test_a_search_is_its_starters_and_admins(streams: Any, backend: Backend) -> None:
    clients = (serving(telling(backend), Principal(f"key:{n}", Role.CLIENT)) for n in "ab")
    one, other = clients
    with one as one, other as other:
        one.create_stream_processor(**NEW, Tags=TAGS)
        other.start_stream_processor(**NAME)
        assert status(one) == "STARTING"
        code, said = refusal(one.stop_stream_processor, **NAME)
        assert code == "AccessDeniedException"
        assert "Somebody else started" in said
        other.stop_stream_processor(**NAME)
        other.start_stream_processor(**NAME)
    streams.stop_stream_processor(**NAME)
    assert status(streams) == "STOPPED"


def test_reviewers_look_and_start_nothing(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    with serving(telling(backend), Principal("key:rev", Role.REVIEWER)) as reviewer:
        assert status(reviewer) == "STOPPED"
        for act in (reviewer.start_stream_processor, reviewer.delete_stream_processor):
            assert refusal(act, **NAME)[0] == "AccessDeniedException"
        code, _ = refusal(reviewer.create_stream_processor, **NEW | {"Name": "other"})
        assert code == "AccessDeniedException"


def test_tags_are_changed_and_listed(streams: Any) -> None:
    streams.create_stream_processor(**NEW, Tags={"team": "north"})
    streams.tag_resource(ResourceArn=ARN, Tags=TAGS)
    listed = streams.list_tags_for_resource(ResourceArn=ARN)["Tags"]
    assert listed == {"team": "north", **TAGS}
    streams.untag_resource(ResourceArn=ARN, TagKeys=["team", "likeness:hours", "nothing"])
    left = streams.list_tags_for_resource(ResourceArn=ARN)["Tags"]
    assert left == {name: TAGS[name] for name in list(TAGS)[:3]}
    code, said = refusal(streams.tag_resource, ResourceArn=ARN, Tags={"likeness:live": "true"})
    assert code == "InvalidParameterException"
    assert "likeness:place" in said
    missing = ARN.replace("gate", "yard")
    assert refusal(streams.list_tags_for_resource, ResourceArn=missing)[0] == (
        "ResourceNotFoundException"
    )


def test_a_processor_has_fifty_tags_at_most(streams: Any) -> None:
    many = {f"tag-{number}": "" for number in range(50)}
    streams.create_stream_processor(**NEW, Tags=many)
    quota = "ServiceQuotaExceededException", "A resource can have 50 tags at most"
    assert refusal(streams.tag_resource, ResourceArn=ARN, Tags={"one": "more"}) == quota
    more = {**many, "one": "more"}
    said = refusal(streams.create_stream_processor, **NEW | {"Name": "other"}, Tags=more)
    assert said == quota


def test_entries_name_processors_by_our_ids(streams: Any, backend: Backend) -> None:
    streams.create_stream_processor(**NEW, Tags=TAGS)
    streams.start_stream_processor(**NAME)
    streams.stop_stream_processor(**NAME)
    streams.delete_stream_processor(**NAME)
    entries = backend.database.read(lambda c: list(map(json.loads, every_entry(c))))
    entries = [one for one in entries if one["kind"] == "done"][-4:]
    assert [(one["operation"], one["action"]) for one in entries] == [
        ("CreateStreamProcessor", "arrange"),
        ("StartStreamProcessor", "search"),
        ("StopStreamProcessor", "read"),
        ("DeleteStreamProcessor", "arrange"),
    ]
    created, started, _, deleted = (one["details"] for one in entries)
    assert UUID(created["processor_id"]) == UUID(deleted["processor_id"])
    assert started["job_id"]
    for word in ("gate", "North", "Order", "arn:"):
        assert word not in json.dumps(entries)
