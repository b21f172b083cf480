"""The wire with operations of our own: what is answered, counted and logged."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from likeness.access import Credential
from likeness.errors import DatabaseUnavailable, Denied, NotFound
from likeness.rekognition.application import Application
from likeness.rekognition.call import Call, Request, Response
from likeness.server import Gate, Limits, Metrics
from likeness.service.uses.caller import Stated
from likeness.terms import Action, LiveStatement, Principal, Role

KEY_ID, SECRET = "LKIAEXAMPLE", "secret-of-the-example"
PRINCIPAL = Principal("key:1", Role.CLIENT, purposes=("missing-persons", "research"))


class Keys:
    """One key; `failing` says that keys cannot be read."""

    failing = False

    def find(self, access_key_id: str) -> Credential | None:
        if self.failing:
            raise DatabaseUnavailable("the database at /secret/place cannot be read")
        return Credential(SECRET, PRINCIPAL, True) if access_key_id == KEY_ID else None


class Wire:
    """An application with operations of our own, behind a server."""

    def __init__(self, serve: Callable[[ASGIApp], str], limits: Limits) -> None:
        self.calls: list[Call] = []
        self.act: Callable[[Call, Request], Response] = lambda call, request: {}
        self.keys = Keys()
        self.registry = CollectorRegistry()
        self.gate = Gate(self.keys, Metrics(self.registry), limits)
        names = ("ListCollections", "DetectFaces", "DeleteCollection")
        self.url = serve(Application({name: self._do for name in names}, self.gate))

    def client(self, **chosen: Any) -> Any:
        known = {
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
            "region_name": "eu-west-1",
            "config": Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
        }
        return boto3.client("rekognition", endpoint_url=self.url, **{**known, **chosen})

    def counted(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def _do(self, call: Call, request: Request) -> Response:
        self.calls.append(call)
        return self.act(call, request)


@pytest.fixture
def make_wire(serve: Callable[[ASGIApp], str]) -> Iterator[Callable[..., Wire]]:
    made: list[Wire] = []

    def make(**limits: Any) -> Wire:
        made.append(Wire(serve, replace(Limits(), **limits)))
        return made[-1]

    yield make
    for wire in made:
        wire.gate.close()


@pytest.fixture
def wire(make_wire: Callable[..., Wire]) -> Wire:
    return make_wire()


def refusal(act: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        act(**arguments)
    response: dict[str, Any] = caught.value.response
    return response


def test_an_answer_has_the_request_id_and_the_headers_of_its_operation(wire: Wire) -> None:
    def act(call: Call, request: Request) -> Response:
        call.headers["X-Likeness-Receipt"] = "receipt"
        return {"CollectionIds": ["a"], "NextToken": None}

    wire.act = act
    answer = wire.client().list_collections(MaxResults=5)
    assert answer["CollectionIds"] == ["a"]
    assert "NextToken" not in answer
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    (call,) = wire.calls
    assert headers["x-likeness-receipt"] == "receipt"
    assert headers["x-amzn-requestid"] == str(call.caller.request_id)
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert (call.principal, call.region, call.operation) == (
        PRINCIPAL,
        "eu-west-1",
        "ListCollections",
    )


def test_an_error_of_ours_has_the_name_that_the_operation_lists(wire: Wire) -> None:
    def act(call: Call, request: Request) -> Response:
        raise NotFound("No such collection.")

    wire.act = act
    found = refusal(wire.client().delete_collection, CollectionId="x")
    assert found["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": "No such collection.",
    }
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 400
    picture = {"Bytes": b"x"}
    assert refusal(wire.client().detect_faces, Image=picture)["Error"]["Code"] == (
        "InvalidParameterException"
    )


def test_a_refusal_by_a_rule_keeps_its_words(wire: Wire) -> None:
    def act(call: Call, request: Request) -> Response:
        raise Denied("rule no-live-search forbids this")

    wire.act = act
    assert refusal(wire.client().list_collections)["Error"] == {
        "Code": "AccessDeniedException",
        "Message": "rule no-live-search forbids this",
    }


@pytest.mark.parametrize("error", [ZeroDivisionError, DatabaseUnavailable])
def test_what_is_not_the_callers_fault_tells_the_log_and_not_the_caller(
    wire: Wire, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    def act(call: Call, request: Request) -> Response:
        raise error("the name of somebody")

    wire.act = act
    found = refusal(wire.client().list_collections)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert found["Error"]["Code"] == "InternalServerError"
    assert "somebody" not in str(found)
    (failed,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert found["ResponseMetadata"]["RequestId"] in failed.getMessage()
    assert f"{error.__name__} at rekognition/application.py:" in failed.getMessage()
    assert "somebody" not in caplog.text


def test_an_answer_of_the_wrong_shape_is_our_fault(wire: Wire) -> None:
    wire.act = lambda call, request: {"Unknown": 1}
    assert refusal(wire.client().list_collections)["Error"]["Code"] == "InternalServerError"


def test_where_keys_cannot_be_read_nobody_is_let_in(wire: Wire) -> None:
    wire.keys.failing = True
    found = refusal(wire.client().list_collections)
    assert found["Error"]["Code"] == "InternalServerError"
    assert "/secret/place" not in str(found)
    assert wire.calls == []


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"aws_access_key_id": "LKIAOTHER"}, "UnrecognizedClientException"),
        ({"aws_session_token": "token"}, "UnrecognizedClientException"),
    ],
)
def test_a_caller_who_is_not_known_is_answered_as_by_aws(
    wire: Wire, chosen: dict[str, str], code: str
) -> None:
    assert refusal(wire.client(**chosen).list_collections)["Error"]["Code"] == code
    assert wire.calls == []


def with_header(client: Any, name: str, value: str, event: str = "before-sign") -> Any:
    def add(request: Any, **_: Any) -> None:
        request.headers[name] = value

    client.meta.events.register(f"{event}.rekognition", add)
    return client


def test_what_is_stated_of_a_use_counts_when_it_is_signed(wire: Wire) -> None:
    client = with_header(wire.client(), "X-Likeness-Purpose", "research")
    with_header(client, "X-Likeness-Case", "2026/17").list_collections()
    assert wire.calls[0].caller.stated == Stated(purpose="research", case="2026/17")


def test_where_pictures_come_from_is_stated_by_a_signed_header(wire: Wire) -> None:
    with_header(wire.client(), "X-Likeness-Footage", "body-camera").list_collections()
    caller = wire.calls[0].caller
    assert caller.stated == Stated(footage="body-camera")
    assert caller.use(Action.SEARCH).footage == "body-camera"


def test_what_is_stated_of_a_live_search_is_read_from_signed_headers(wire: Wire) -> None:
    client = wire.client()
    for name, text in {
        "Place": "the station, hall 1",
        "Authority": "District court",
        "Criteria": "wanted by warrant",
        "Until": "2027-05-01T18:00:00Z",
    }.items():
        with_header(client, f"X-Likeness-{name}", text)
    client.list_collections()
    ends_at = datetime(2027, 5, 1, 18, tzinfo=UTC)
    stated = LiveStatement("the station, hall 1", "District court", "wanted by warrant", ends_at)
    caller = wire.calls[0].caller
    assert caller.stated == Stated(live_search=stated)
    assert caller.use(Action.SEARCH).live_search == stated


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Until", "tomorrow"),
        ("Until", "2027-05-01T18:00"),
        ("Until", "9999-12-31T23:59:59-01:00"),
        ("Place", " "),
        ("Authority", "x" * 257),
    ],
)
def test_what_says_nothing_of_a_live_search_is_refused(wire: Wire, name: str, text: str) -> None:
    found = refusal(with_header(wire.client(), f"X-Likeness-{name}", text).list_collections)
    assert found["Error"]["Code"] == "ValidationException"
    assert wire.calls == []


def test_what_is_stated_and_not_signed_is_refused(wire: Wire) -> None:
    client = with_header(wire.client(), "X-Likeness-Warrant", "w", event="before-send")
    found = refusal(client.list_collections)
    assert found["Error"]["Code"] == "AccessDeniedException"
    assert "before-sign" in found["Error"]["Message"]
    assert wire.calls == []


@pytest.mark.parametrize(
    ("stated", "purpose", "granted"),
    [
        (None, "missing-persons", True),
        ("research", "research", True),
        ("surveillance", "surveillance", False),
        ("words-of-a-client", "unknown", False),
    ],
)
def test_a_use_is_for_a_purpose_that_rules_know_and_granted_if_the_key_has_it(
    wire: Wire, stated: str | None, purpose: str, granted: bool
) -> None:
    client = wire.client()
    if stated is not None:
        with_header(client, "X-Likeness-Purpose", stated)
    client.list_collections()
    use = wire.calls[0].caller.use(Action.READ)
    assert (use.purpose, use.granted) == (purpose, granted)


def test_answers_are_counted_by_operation_and_code(wire: Wire) -> None:
    wire.client().list_collections()
    refusal(wire.client().list_users, CollectionId="x")
    assert wire.counted("likeness_requests_total", operation="ListCollections", code="OK") == 1
    unknown = {"code": "UnknownOperationException"}
    assert wire.counted("likeness_requests_total", operation="ListUsers", **unknown) == 1
    for stage in ("read", "verify", "queue", "parse", "act", "serialise"):
        assert wire.counted("likeness_stage_seconds_count", stage=stage)


def test_who_is_turned_away_at_the_door_is_counted_under_what_they_asked_for(wire: Wire) -> None:
    refusal(wire.client(aws_access_key_id="LKIAOTHER").list_collections)
    nobodys = wire.client()
    target = ("X-Amz-Target", "RekognitionService.SomebodysName")
    nobodys.meta.events.register(
        "before-sign.rekognition", lambda request, **_: request.headers.replace_header(*target)
    )
    refusal(nobodys.list_collections)
    for operation, code in (
        ("ListCollections", "UnrecognizedClientException"),
        ("unknown", "UnknownOperationException"),
    ):
        assert wire.counted("likeness_requests_total", operation=operation, code=code) == 1


def test_an_equal_call_within_a_second_is_served_and_said_to_be_one(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    client = wire.client()
    signed: list[str] = []
    client.meta.events.register(
        "before-send.rekognition",
        lambda request, **_: signed.append(request.headers["Authorization"]),
    )
    while len(set(signed)) == len(signed) < 1000:
        client.list_collections()
    assert wire.counted("likeness_replayed_signatures_total") == 1
    assert len(wire.calls) == len(signed)
    *earlier, again = wire.calls
    assert again.caller.replayed
    assert not any(call.caller.replayed for call in earlier)
    lines = [vars(record)["fields"] for record in caplog.records if hasattr(record, "fields")]
    assert [line["request_id"] for line in lines if line.get("replayed")] == [
        str(again.caller.request_id)
    ]


def test_the_log_has_one_line_a_request_without_what_the_client_chose(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    client = with_header(wire.client(), "X-Likeness-Case", "case-of-somebody")
    client.delete_collection(CollectionId="collection-of-somebody")
    (record,) = [record for record in caplog.records if record.name.startswith("likeness.")]
    fields = record.fields  # type: ignore[attr-defined]
    assert fields.keys() == {
        "request_id", "operation", "principal", "status", "code", "ms", "bytes_in", "bytes_out",
    }  # fmt: skip
    assert (fields["operation"], fields["principal"]) == ("DeleteCollection", "key:1")
    assert "somebody" not in str(record.__dict__)


class Barrier:
    """An act that waits until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def act(self, call: Call, request: Request) -> Response:
        if call.operation == "DetectFaces":
            self.entered.release()
            self.open.wait(20)
        return {}


@pytest.fixture
def barrier() -> Iterator[Barrier]:
    barrier = Barrier()
    yield barrier
    barrier.open.set()


def test_too_many_are_throttled_and_the_other_lane_goes_on(
    make_wire: Callable[..., Wire], barrier: Barrier
) -> None:
    wire = make_wire(picture_workers=1, waiting=1)
    wire.act = barrier.act
    detect = wire.client().detect_faces
    picture = {"Bytes": b"x"}
    inside = [threading.Thread(target=detect, kwargs={"Image": picture}) for _ in range(2)]
    for thread in inside:
        thread.start()
    barrier.entered.acquire()
    while wire.counted("likeness_requests_inside", lane="pictures") != 2:
        time.sleep(0.01)
    throttled = refusal(detect, Image=picture)["Error"]["Code"]
    assert throttled == "ProvisionedThroughputExceededException"
    wire.client().list_collections()
    barrier.open.set()
    for thread in inside:
        thread.join()
    detect(Image=picture)
    assert wire.counted("likeness_requests_inside", lane="pictures") == 0


@pytest.mark.slow
def test_what_takes_too_long_is_answered_and_keeps_its_place(
    make_wire: Callable[..., Wire], barrier: Barrier
) -> None:
    wire = make_wire(picture_workers=1, request_s=0.3)
    wire.act = barrier.act
    for _ in range(2):
        found = refusal(wire.client().detect_faces, Image={"Bytes": b"x"})
        assert found["Error"]["Code"] == "InternalServerError"
        assert "0.3 seconds" in found["Error"]["Message"]
    assert wire.counted("likeness_requests_inside", lane="pictures") == 1
    barrier.open.set()
    while wire.counted("likeness_requests_inside", lane="pictures"):
        time.sleep(0.01)
    assert len(wire.calls) == 1


def test_a_key_may_be_held_to_a_rate(make_wire: Callable[..., Wire]) -> None:
    wire = make_wire(per_key_s=0.001)
    wire.client().list_collections()
    found = refusal(wire.client().list_collections)
    assert found["Error"]["Code"] == "ProvisionedThroughputExceededException"
