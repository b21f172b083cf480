"""A server as it comes, with a source that is searched as it happens and a stream that is told."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from likeness.app.serving import Serving
from likeness.service.live.sources import NewSource, add_source, remove_source
from likeness.service.uses import Caller
from tests.cli.conftest import ship_standards
from tests.rekognition.conftest import Running, serving_discs
from tests.rekognition.operations.discs import GREEN, RED, disc
from tests.rekognition.operations.moving_discs import clip_of
from tests.rekognition.operations.refusals import refusal
from tests.rekognition.test_aws_cli import answered, aws
from tests.services.moto import KEY_ID, REGION, SECRET, DataStream, moto

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::123456789012:role/streams"
TAGS = {
    "likeness:place": "North gate",
    "likeness:authority": "Order 7",
    "likeness:criteria": "Staff",
    "likeness:hours": "1",
}


def video_arn(source: str) -> str:
    return f"arn:aws:kinesisvideo:{REGION}:123456789012:stream/{source}/1510552593455"


@dataclass(frozen=True)
class Site:
    """A server, what is behind it, an endpoint of data streams, and a folder."""

    server: Running
    serving: Serving
    endpoint: str
    folder: Path

    def caller(self) -> Caller:
        return Caller(self.serving.home.somebody, "test")

    def add_source(self, name: str, seconds: float) -> None:
        """Register a video: somebody of the staff on the left, later a stranger too."""
        frames = round(10 * seconds)
        clip = clip_of(
            self.folder / f"{name}.mp4",
            (GREEN, 60, 0, frames),
            (RED, 220, 10, frames),
            frames=frames,
        )
        add_source(self.serving.home, self.caller(), NewSource(name=name, address=clip))

    def create(self, client: Any, name: str, data_arn: str) -> None:
        """Create a processor of the source of its name."""
        client.create_stream_processor(
            Name=name,
            Input={"KinesisVideoStream": {"Arn": video_arn(name)}},
            Output={"KinesisDataStream": {"Arn": data_arn}},
            Settings={"FaceSearch": {"CollectionId": "staff", "FaceMatchThreshold": 90}},
            RoleArn=ROLE,
            Tags=TAGS,
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with moto() as endpoint:
        chosen = {
            "kinesis_endpoint": endpoint,
            "kinesis_region": REGION,
            "kinesis_access_key_id": KEY_ID,
            "kinesis_secret_access_key": SECRET,
        }
        shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
        home, clips = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("clips")
        with serving_discs(home, shipped, **chosen) as (server, serving):
            client = server.client()
            client.create_collection(CollectionId="staff")
            client.index_faces(
                CollectionId="staff", Image={"Bytes": disc(GREEN)}, ExternalImageId="green"
            )
            yield Site(server, serving, endpoint, clips)


def until(done: Callable[[], Any], within_s: float = 60.0) -> Any:
    """Wait for something; give it."""
    ends = time.monotonic() + within_s
    while not (found := done()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found


def is_in(client: Any, name: str, status: str) -> Any:
    """Describe a processor, once it is in a state."""
    said = client.describe_stream_processor(Name=name)
    assert said["Status"] == status or said["Status"] != "FAILED", said
    return said if said["Status"] == status else None


def test_a_stream_is_told_of_every_frame_as_aws_tells_it(site: Site) -> None:
    client, stream = site.server.client(), DataStream(site.endpoint, "frames")
    site.add_source("gate", 6.0)
    site.create(client, "gate", stream.arn)
    began = datetime.now(UTC)
    session = client.start_stream_processor(Name="gate")["SessionId"]
    until(lambda: is_in(client, "gate", "RUNNING"))
    until(lambda: is_in(client, "gate", "STOPPED"))

    records = stream.records()
    assert {one["PartitionKey"] for one in records} == {session}
    told = [json.loads(one["Data"]) for one in records]
    assert len(told) > 10
    places = [one["InputInformation"]["KinesisVideo"] for one in told]
    assert {one["StreamArn"] for one in places} == {video_arn("gate")}
    numbers = [int(one["FragmentNumber"]) for one in places]
    assert numbers == sorted(set(numbers))
    moments = [one["ProducerTimestamp"] + one["FrameOffsetInSeconds"] for one in places]
    assert began.timestamp() < moments[0] < moments[-1] < time.time()
    assert moments[-1] - moments[0] == pytest.approx(6, abs=2)

    last = told[-1]["FaceSearchResponse"]
    assert len(last) == 2
    by_place = sorted(last, key=lambda one: one["DetectedFace"]["BoundingBox"]["Left"])
    known, stranger = (one["MatchedFaces"] for one in by_place)
    assert known[0]["Face"]["ExternalImageId"] == "green"
    assert known[0]["Similarity"] >= 90
    assert stranger == []
    assert told[0]["FaceSearchResponse"][0]["MatchedFaces"] == []  # one look names nobody


def test_one_that_searches_is_not_started_again_and_stops_when_it_is_asked_to(site: Site) -> None:
    client, stream = site.server.client(), DataStream(site.endpoint, "long")
    site.add_source("door", 60.0)
    site.create(client, "door", stream.arn)
    client.start_stream_processor(Name="door")
    until(lambda: is_in(client, "door", "RUNNING"))
    again = refusal(client.start_stream_processor, Name="door")
    assert again == ("ResourceInUseException", "Specified resource is in use.")
    asked_s = time.monotonic()
    client.stop_stream_processor(Name="door")
    until(lambda: is_in(client, "door", "STOPPED"))
    assert time.monotonic() - asked_s < 5
    client.start_stream_processor(Name="door")
    until(lambda: is_in(client, "door", "RUNNING"))
    client.stop_stream_processor(Name="door")
    until(lambda: is_in(client, "door", "STOPPED"))
    client.delete_stream_processor(Name="door")


def test_a_stream_that_does_not_exist_ends_the_search(site: Site) -> None:
    client = site.server.client()
    site.add_source("yard", 60.0)
    site.create(client, "yard", f"arn:aws:kinesis:{REGION}:123456789012:stream/nowhere")
    client.start_stream_processor(Name="yard")
    failed = until(lambda: client.describe_stream_processor(Name="yard")["Status"] == "FAILED")
    assert failed
    assert "NotifierUnavailable" in client.describe_stream_processor(Name="yard")["StatusMessage"]


def test_a_source_that_is_removed_ends_its_search(site: Site) -> None:
    client, stream = site.server.client(), DataStream(site.endpoint, "removed")
    site.add_source("hall", 60.0)
    site.create(client, "hall", stream.arn)
    client.start_stream_processor(Name="hall")
    until(lambda: is_in(client, "hall", "RUNNING"))
    remove_source(site.serving.home, site.caller(), "hall")
    said = until(
        lambda: (one := client.describe_stream_processor(Name="hall"))["Status"] == "FAILED" and one
    )
    assert "The source was removed" in said["StatusMessage"]
    code, words = refusal(client.start_stream_processor, Name="hall")
    assert code == "ResourceNotFoundException"
    assert "'hall'" in words


def test_the_aws_cli_creates_starts_stops_and_deletes(site: Site, tmp_path: Path) -> None:
    stream = DataStream(site.endpoint, "cli")
    site.add_source("cli", 60.0)

    def act(*arguments: str) -> Any:
        return answered(site.server, tmp_path, *arguments)

    name = ("--name", "cli")
    made = act(
        "create-stream-processor",
        *name,
        "--input",
        f"KinesisVideoStream={{Arn={video_arn('cli')}}}",
        "--stream-processor-output",
        f"KinesisDataStream={{Arn={stream.arn}}}",
        "--settings",
        "FaceSearch={CollectionId=staff,FaceMatchThreshold=99}",
        "--role-arn",
        ROLE,
        "--tags",
        json.dumps(TAGS),
    )
    assert made["StreamProcessorArn"].endswith(":streamprocessor/cli")
    assert act("start-stream-processor", *name)["SessionId"]
    said = until(
        lambda: (one := act("describe-stream-processor", *name))["Status"] == "RUNNING" and one
    )
    assert said["Settings"]["FaceSearch"]["FaceMatchThreshold"] == 99
    listed = act("list-stream-processors", "--max-results", "1")["StreamProcessors"]
    assert len(listed) == 1
    done = aws(site.server, tmp_path, "delete-stream-processor", *name)
    assert "(ResourceInUseException)" in done.stderr
    assert aws(site.server, tmp_path, "stop-stream-processor", *name).returncode == 0
    until(lambda: act("describe-stream-processor", *name)["Status"] == "STOPPED")
    assert aws(site.server, tmp_path, "delete-stream-processor", *name).returncode == 0
    assert stream.records()


def test_a_search_ends_at_the_end_that_its_start_states(site: Site) -> None:
    client, stream = site.server.client(), DataStream(site.endpoint, "short")
    site.add_source("short", 60.0)
    site.create(client, "short", stream.arn)
    ends_at = datetime.now(UTC) + timedelta(seconds=4)

    def state(request: Any, **_: Any) -> None:
        request.headers["x-likeness-until"] = ends_at.isoformat()

    client.meta.events.register("before-sign.rekognition.StartStreamProcessor", state)
    client.start_stream_processor(Name="short")
    until(lambda: is_in(client, "short", "STOPPED"))
    last = client.describe_stream_processor(Name="short")["LastUpdateTimestamp"]
    assert abs(last - ends_at) < timedelta(seconds=3)
