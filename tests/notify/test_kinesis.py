"""Data streams of a Kinesis endpoint: what they are told, and the endpoint's faults."""

import json
import socket
import time
from typing import Any

import pytest

from likeness.errors import InvalidRequest, NotifierUnavailable
from likeness.notify import KinesisStreams
from likeness.notify import kinesis as kinesis_module
from tests.buckets.test_s3 import Dripping, serving
from tests.services.moto import KEY_ID, REGION, SECRET, DataStream

pytestmark = pytest.mark.slow

NOWHERE = f"arn:aws:kinesis:{REGION}:123456789012:stream/secret-stream"


def streams(endpoint: str) -> KinesisStreams:
    return KinesisStreams(endpoint, region=REGION, access_key_id=KEY_ID, secret_access_key=SECRET)


def test_who_reads_a_stream_finds_the_records_as_they_were_told(endpoint: str) -> None:
    stream = DataStream(endpoint, "frames")
    with streams(endpoint).output(stream.arn, str.encode, "job 7") as output:
        for n in range(1100):
            output.tell(f"{n} Bärbel ✓")
            if n % 400 == 399:
                time.sleep(0.5)
        ends_s = time.monotonic() + 30
        while len(records := stream.records()) < 1100 and time.monotonic() < ends_s:
            time.sleep(0.1)
    assert [one["Data"].decode() for one in records] == [f"{n} Bärbel ✓" for n in range(1100)]
    assert {one["PartitionKey"] for one in records} == {"job 7"}


def test_a_stream_that_is_not_there_is_a_fault_that_does_not_quote_it(endpoint: str) -> None:
    with pytest.raises(NotifierUnavailable, match="ResourceNotFound") as raised:
        streams(endpoint).put(NOWHERE, "key", [b"secret-record"])
    assert "secret-" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_whoever_tells_a_stream_that_is_not_there_learns_of_it(endpoint: str) -> None:
    with streams(endpoint).output(NOWHERE, str.encode) as output:
        ends_s = time.monotonic() + 10
        with pytest.raises(NotifierUnavailable, match="LIKENESS_KINESIS_ENDPOINT"):
            while time.monotonic() < ends_s:
                output.tell("record")
                time.sleep(0.01)


def answer(answering: Any, status: int, content: object) -> None:
    answering.status, answering.body = status, json.dumps(content).encode()


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InvalidSignatureException", "UnrecognizedClientException"]
)
def test_an_endpoint_that_refuses_is_asked_once_and_its_words_are_not_told(
    answering: Any, code: str
) -> None:
    answer(answering, 400, {"__type": code, "message": SECRET})
    with pytest.raises(NotifierUnavailable, match=f"'{code}'") as raised:
        streams(answering.address).put(NOWHERE, "key", [b"record"])
    assert SECRET not in str(raised.value)
    assert answering.asked == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "KMSThrottlingException"),
        (500, "InternalFailure"),
        (503, "SomethingElse"),
    ],
)
def test_what_passes_by_itself_leaves_all_records_for_later(
    answering: Any, status: int, code: str
) -> None:
    answer(answering, status, {"__type": code})
    put = streams(answering.address).put(NOWHERE, "key", [b"one", b"two"])
    assert put.left == [b"one", b"two"]
    assert put.reason == repr(code)


def test_records_that_a_shard_has_no_room_for_are_left(answering: Any) -> None:
    taken = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
    full = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "full"}
    answer(answering, 200, {"FailedRecordCount": 2, "Records": [full, taken, full]})
    put = streams(answering.address).put(NOWHERE, "key", [b"one", b"two", b"three"])
    assert put.left == [b"one", b"three"]
    assert put.reason == "'ProvisionedThroughputExceededException'"


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"{}", b"[]", b'{"Records":[]}', b'{"Records":[1]}', b"0" * (4 << 20)],
)
def test_an_answer_that_makes_no_sense_leaves_all_records(answering: Any, body: bytes) -> None:
    answering.body = body
    put = streams(answering.address).put(NOWHERE, "key", [b"one"])
    assert put.left == [b"one"]
    assert put.reason


def test_a_redirect_is_not_followed(answering: Any) -> None:
    answering.status = 307
    answering.headers_sent = {"Location": "http://127.0.0.1:1/", "Content-Length": "0"}
    with pytest.raises(NotifierUnavailable):
        streams(answering.address).put(NOWHERE, "key", [b"one"])
    assert answering.asked == 1


def test_an_answer_that_drips_is_given_up_once_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kinesis_module, "_WHOLE_S", 0.3)

    class Server(Dripping):
        before, piece = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", b"0"

        def do_POST(self) -> None:
            self.do_GET()

    with serving(Server) as address:
        began = time.monotonic()
        assert streams(address).put(NOWHERE, "key", [b"one"]).left == [b"one"]
    assert time.monotonic() - began < 6


def test_an_endpoint_that_is_away_leaves_all_records() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert streams(endpoint).put(NOWHERE, "key", [b"one"]).left == [b"one"]


def test_what_is_no_endpoint_is_refused_unquoted() -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_KINESIS_ENDPOINT") as raised:
        streams("https://user:hidden-7@kinesis.example.org")
    assert "hidden-7" not in str(raised.value)
