"""Stream processors without a server: their operations on rows, rules and a ledger alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from likeness import jobs, sources
from likeness.errors import Denied, InvalidRequest, NotFound
from likeness.jobs import JobState
from likeness.policy import disable_pack
from likeness.rekognition.backend import Backend, PageTokens
from likeness.rekognition.call import Call
from likeness.rekognition.faults import AwsError, in_aws_words
from likeness.rekognition.operations import OPERATIONS
from likeness.secrets import KeyFiles, Keyring
from likeness.service.live.asked import read_request
from likeness.service.live.processors import NoSuchProcessor
from likeness.service.uses import Caller, NoSuchCollection, Stated
from likeness.sources import Source, SourceKind
from likeness.storage import migrate, open_database
from likeness.terms import LiveStatement, Principal, Role
from tests.service.accounting import Accounting
from tests.service.acts import rows_of

VIDEO = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1510552593455"
DATA = "arn:aws:kinesis:eu-west-1:123456789012:stream/frames"
ARN = "arn:aws:rekognition:eu-west-1:000000000000:streamprocessor/one"
NEW: dict[str, Any] = {
    "Input": {"KinesisVideoStream": {"Arn": VIDEO}},
    "Output": {"KinesisDataStream": {"Arn": DATA}},
    "RoleArn": "arn:aws:iam::123456789012:role/streams",
    "Settings": {"FaceSearch": {"CollectionId": "staff", "FaceMatchThreshold": 92.5}},
    "Tags": {
        "likeness:place": "North gate",
        "likeness:authority": "Order 7",
        "likeness:criteria": "Staff",
        "likeness:hours": "8",
    },
}


class Staff:
    """The one collection that there is."""

    id = uuid4()
    name = "staff"
    tags: Mapping[str, str] = MappingProxyType({})
    model = "net@1+eyes@1"

    def collection(self, name: str) -> "Staff":
        if name != self.name:
            raise NotFound("No such collection. Make it.")
        return self


class Wire:
    """Calls operations as somebody, on an installation's rows."""

    def __init__(self, accounting: Accounting) -> None:
        self.of = accounting
        rows = rows_of(
            accounting.database,
            accounting.keyring,
            accounting.desk(),
            clock=lambda: accounting.now,
            collections=Staff(),
            calibration_of=lambda of: SimpleNamespace(),
        )
        self.backend = Backend(
            **rows.parts(),
            gallery=Staff(),  # type: ignore[arg-type]
            reviewing=None,  # type: ignore[arg-type]
            buckets=None,  # type: ignore[arg-type]
            page_tokens=PageTokens(rows.keyring, rows.clock),
            request_tokens=None,  # type: ignore[arg-type]
            account="000000000000",
            tells_streams=True,
        )
        self.principal = Principal("key:ada", Role.ADMIN)
        self.stated = Stated()

    def __call__(self, operation: str, **request: Any) -> Any:
        caller = Caller(self.principal, operation, self.stated)
        return OPERATIONS[operation](self.backend, Call(caller, "eu-west-1"), request)

    def refusal(self, operation: str, **request: Any) -> tuple[str, str]:
        with pytest.raises((AwsError, InvalidRequest, NotFound, Denied)) as raised:
            self(operation, **request)
        worded = in_aws_words(raised.value, frozenset({"ResourceNotFoundException"}))
        return worded.code, worded.message

    def status(self, name: str = "one") -> str:
        said: str = self("DescribeStreamProcessor", Name=name)["Status"]
        return said

    def job(self) -> jobs.Job:
        """The search that was started last."""
        keyring = self.of.keyring
        return self.of.database.read(lambda c: jobs.list_jobs(c, keyring, limit=1))[0]

    def begin(self) -> None:
        """Begin the search that waits, and look at its first frame."""
        self.of.database.write(
            lambda c: jobs.claim_job(c, self.of.keyring, "runner", self.of.now, lasting=True)
        )
        job_id = self.job().id
        self.of.database.write(lambda c: jobs.beat(c, job_id, "runner", self.of.now, 1, 0))

    def end(self, state: JobState = JobState.SUCCEEDED, **failure: str) -> None:
        job_id = self.job().id
        self.of.database.write(
            lambda c: jobs.end_job(
                c, self.of.keyring, job_id, "runner", state, self.of.now, **failure
            )
        )


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        accounting = Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))
        database.write(lambda c: disable_pack(c, "real-time", now=accounting.now))
        gate = Source(
            uuid4(),
            "gate",
            SourceKind.STREAM,
            "rtsp://camera.example/main",
            "fixed-camera",
            None,
            accounting.now,
            "local:ada",
        )
        address = "rtsp://ada:tide-and-time@camera.example/main"
        database.write(lambda c: sources.add_source(c, accounting.keyring, gate, address))
        yield Wire(accounting)


def test_a_processor_lives_from_its_creation_to_its_end(wire: Wire) -> None:
    assert wire("CreateStreamProcessor", Name="one", **NEW) == {"StreamProcessorArn": ARN}
    assert wire.status() == "STOPPED"
    session = wire("StartStreamProcessor", Name="one")["SessionId"]
    assert (wire.job().id, wire.status()) == (session, "STARTING")
    wire.begin()
    assert wire.status() == "RUNNING"
    assert wire.refusal("StartStreamProcessor", Name="one") == (
        "ResourceInUseException",
        "Specified resource is in use.",
    )
    assert wire.refusal("DeleteStreamProcessor", Name="one") == (
        "ResourceInUseException",
        "Cannot delete stream processor.",
    )
    wire.of.now += timedelta(minutes=1)
    assert wire("StopStreamProcessor", Name="one") == {}
    said = wire("DescribeStreamProcessor", Name="one")
    assert (said["Status"], said["LastUpdateTimestamp"]) == ("STOPPING", wire.of.now)
    wire.end()
    assert wire.status() == "STOPPED"
    assert wire.refusal("StopStreamProcessor", Name="one") == (
        "ResourceInUseException",
        "Processor not available for stopping stream.",
    )
    assert wire("DeleteStreamProcessor", Name="one") == {}
    assert wire("ListStreamProcessors") == {"StreamProcessors": [], "NextToken": None}


def test_a_search_is_asked_as_defined_and_stated(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire.stated = Stated(live_search=LiveStatement("South gate"))
    wire("StartStreamProcessor", Name="one")
    job = wire.job()
    request = read_request(
        wire.of.database.read(lambda c: jobs.request_of(c, wire.of.keyring, job.id))
    )
    asked = request.asked
    assert asked.statement == LiveStatement(
        "South gate", "Order 7", "Staff", wire.of.now + timedelta(hours=8)
    )
    assert (asked.kinesis_arn, asked.video_arn, asked.threshold) == (DATA, VIDEO, 92.5)


def test_rules_about_live_searches_hold(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW | {"Tags": {"likeness:place": "North gate"}})
    code, said = wire.refusal("StartStreamProcessor", Name="one")
    assert code == "AccessDeniedException"
    assert "live-search" in said
    assert wire.status() == "STOPPED"


def test_a_search_that_failed_says_why(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire("StartStreamProcessor", Name="one")
    wire.begin()
    wire.end(JobState.FAILED, failure="SourceUnavailable", failure_text="It refuses the user.")
    said = wire("DescribeStreamProcessor", Name="one")
    assert (said["Status"], said["StatusMessage"]) == ("FAILED", "It refuses the user.")


def test_a_search_that_is_kept_no_longer_has_stopped(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    job_id = wire("StartStreamProcessor", Name="one")["SessionId"]
    wire.of.database.write(lambda c: jobs.delete_job(c, job_id))
    assert wire.status() == "STOPPED"
    wire("StartStreamProcessor", Name="one")
    assert wire.status() == "STARTING"


def test_another_callers_search_is_stopped_by_them_and_admins(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire.principal = Principal("key:bob", Role.CLIENT)
    wire("StartStreamProcessor", Name="one")
    wire.principal = Principal("key:eve", Role.CLIENT)
    code, said = wire.refusal("StopStreamProcessor", Name="one")
    assert code == "AccessDeniedException"
    assert "Somebody else started" in said
    wire.principal = Principal("key:ada", Role.ADMIN)
    assert wire("StopStreamProcessor", Name="one") == {}


def test_lists_turn_pages(wire: Wire) -> None:
    for name in ("b", "a", "c"):
        wire("CreateStreamProcessor", Name=name, **NEW)
        wire.of.now += timedelta(seconds=1)
    first = wire("ListStreamProcessors", MaxResults=2)
    rest = wire("ListStreamProcessors", MaxResults=2, NextToken=first["NextToken"])
    names = [one["Name"] for page in (first, rest) for one in page["StreamProcessors"]]
    assert names == ["b", "a", "c"]
    assert rest["NextToken"] is None


def test_more_searches_than_may_be_are_a_limit(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.jobs.rows.MOST_LASTING", 1)
    for name in ("one", "two"):
        wire("CreateStreamProcessor", Name=name, **NEW)
    wire("StartStreamProcessor", Name="one")
    code, _ = wire.refusal("StartStreamProcessor", Name="two")
    assert code == "LimitExceededException"
    assert wire.status("two") == "STOPPED"


@pytest.mark.parametrize("act", ["Describe", "Start", "Stop", "Delete", "Update"])
def test_a_processor_that_is_not_there_is_not_found(wire: Wire, act: str) -> None:
    with pytest.raises(NoSuchProcessor, match="'one'"):
        wire(f"{act}StreamProcessor", Name="one")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Settings": {"ConnectedHome": {"Labels": ["PERSON"]}}}, "for labels"),
        ({"Output": {"S3Destination": {"Bucket": "frames"}}}, "for labels"),
        ({"KmsKeyId": "key-1"}, "KmsKeyId is for"),
        ({"Settings": {"FaceSearch": {}}}, "invalid parameters"),
        ({"Input": {"KinesisVideoStream": {"Arn": DATA}}}, "invalid parameters"),
        ({"Output": {"KinesisDataStream": {"Arn": VIDEO}}}, "Not the ARN of a Kinesis data"),
        ({"Tags": {"likeness:autority": "Order 7"}}, "the nearest is 'likeness:authority'"),
        ({"Tags": {"likeness:hours": "-1"}}, "no number of hours"),
        ({"Tags": {f"tag-{n}": "" for n in range(51)}}, "50 tags at most"),
    ],
)
def test_what_cannot_be_created_says_why(wire: Wire, changed: dict[str, Any], message: str) -> None:
    _, said = wire.refusal("CreateStreamProcessor", Name="one", **NEW | changed)
    assert message in said
    assert wire("ListStreamProcessors")["StreamProcessors"] == []


def test_what_is_not_there_is_not_found(wire: Wire) -> None:
    settings = {"FaceSearch": {"CollectionId": "nobody"}}
    with pytest.raises(NoSuchCollection):
        wire("CreateStreamProcessor", Name="one", **NEW | {"Settings": settings})
    yard = {"KinesisVideoStream": {"Arn": VIDEO.replace("gate", "yard")}}
    with pytest.raises(NotFound, match="'yard'"):
        wire("CreateStreamProcessor", Name="one", **NEW | {"Input": yard})


def test_names_are_taken_once(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    said = wire.refusal("CreateStreamProcessor", Name="one", **NEW)
    assert said == ("ResourceInUseException", "Stream processor name already in use.")


def test_nothing_is_started_that_nobody_can_be_told_of(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire.backend = replace(wire.backend, tells_streams=False)
    code, said = wire.refusal("StartStreamProcessor", Name="one")
    assert code == "InvalidParameterException"
    assert "LIKENESS_KINESIS_ENDPOINT" in said


def test_updates_and_selectors_are_refused(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    assert "cannot be updated" in wire.refusal("UpdateStreamProcessor", Name="one")[1]
    stop = {"StopSelector": {"MaxDurationInSeconds": 10}}
    assert "for labels" in wire.refusal("StartStreamProcessor", Name="one", **stop)[1]


def test_tags_are_listed_changed_and_bounded(wire: Wire) -> None:
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire("TagResource", ResourceArn=ARN, Tags={"team": "north", "likeness:hours": "2"})
    wire("UntagResource", ResourceArn=ARN, TagKeys=["likeness:place", "nothing"])
    assert wire("ListTagsForResource", ResourceArn=ARN)["Tags"] == {
        "team": "north",
        "likeness:authority": "Order 7",
        "likeness:criteria": "Staff",
        "likeness:hours": "2",
    }
    many = {f"tag-{n}": "" for n in range(50)}
    code, _ = wire.refusal("TagResource", ResourceArn=ARN, Tags=many)
    assert code == "ServiceQuotaExceededException"


def test_what_a_start_states_is_changed_by_whoever_made_the_processor_and_admins(
    wire: Wire,
) -> None:
    admin, maker = wire.principal, Principal("key:bob", Role.CLIENT)
    wire.principal = maker
    wire("CreateStreamProcessor", Name="one", **NEW)
    wire.principal = Principal("key:eve", Role.CLIENT)
    wire("TagResource", ResourceArn=ARN, Tags={"team": "north"})
    for operation, request in (
        ("TagResource", {"Tags": {"likeness:authority": "Nobody's"}}),
        ("UntagResource", {"TagKeys": ["likeness:hours"]}),
        ("DeleteStreamProcessor", {"Name": "one"}),
    ):
        named = {} if "Name" in request else {"ResourceArn": ARN}
        code, said = wire.refusal(operation, **named, **request)
        assert code == "AccessDeniedException"
        assert "Somebody else made" in said
    for principal, order in ((maker, "Order 8"), (admin, "Order 9")):
        wire.principal = principal
        wire("TagResource", ResourceArn=ARN, Tags={"likeness:authority": order})
        tags = wire("ListTagsForResource", ResourceArn=ARN)["Tags"]
        assert tags == NEW["Tags"] | {"team": "north", "likeness:authority": order}
    wire("CreateStreamProcessor", Name="two", **NEW | {"Tags": {"team": "north"}})
    wire.principal = maker
    for name in ("one", "two"):
        wire("DeleteStreamProcessor", Name=name)
