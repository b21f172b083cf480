"""Topics of an SNS endpoint: what they are told, and the endpoint's faults."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from likeness.errors import InvalidRequest, NotifierUnavailable
from likeness.notify import SnsTopics
from likeness.notify import sns as sns_module
from tests.buckets.test_s3 import Dripping, serving
from tests.services.moto import KEY_ID, REGION, SECRET, Topic

pytestmark = pytest.mark.slow

TOPIC = f"arn:aws:sns:{REGION}:123456789012:ended"


def topics(endpoint: str) -> SnsTopics:
    return SnsTopics(endpoint, region=REGION, access_key_id=KEY_ID, secret_access_key=SECRET)


def test_who_subscribed_to_a_topic_hears_the_message_as_it_is(endpoint: str) -> None:
    topic = Topic(endpoint, "ended")
    topics(endpoint).publish(topic.arn, '{"Status":"SUCCEEDED","name":"Bärbel ✓"}')
    topics(endpoint).publish(topic.arn, "second")
    assert topic.heard() == ['{"Status":"SUCCEEDED","name":"Bärbel ✓"}', "second"]


def test_a_topic_that_is_none_is_a_fault_that_does_not_quote_it(endpoint: str) -> None:
    for arn in (f"arn:aws:sns:{REGION}:123456789012:secret-topic", "secret-topic"):
        with pytest.raises(NotifierUnavailable, match="the topic") as raised:
            topics(endpoint).publish(arn, "secret-message")
        assert "secret-" not in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AuthorizationError"), (403, "SignatureDoesNotMatch"), (503, "ServiceUnavailable")],
)
def test_an_endpoint_that_refuses_is_asked_once_and_its_words_are_not_told(
    answering: Any, status: int, code: str
) -> None:
    answering.status = status
    answering.body = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"
        "</ErrorResponse>"
    ).encode()
    with pytest.raises(NotifierUnavailable, match=f"'{code}'") as raised:
        topics(answering.address).publish(TOPIC, "message")
    assert SECRET not in str(raised.value)
    assert answering.asked == 1


@pytest.mark.parametrize("body", [b"", b"not XML", b"0" * (4 << 20)])
def test_an_answer_that_makes_no_sense_is_a_fault(answering: Any, body: bytes) -> None:
    answering.status, answering.body = 500, body
    with pytest.raises(NotifierUnavailable):
        topics(answering.address).publish(TOPIC, "message")


def test_a_redirect_is_not_followed(answering: Any) -> None:
    answering.status = 307
    answering.headers_sent = {"Location": "http://127.0.0.1:1/", "Content-Length": "0"}
    with pytest.raises(NotifierUnavailable):
        topics(answering.address).publish(TOPIC, "message")


def test_an_answer_that_drips_is_a_fault_once_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sns_module, "_WHOLE_S", 0.3)

    class Server(Dripping):
        before, piece = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", b"0"

        def do_POST(self) -> None:
            self.do_GET()

    with serving(Server) as address, pytest.raises(NotifierUnavailable, match="Timeout"):
        began = time.monotonic()
        topics(address).publish(TOPIC, "message")
    assert time.monotonic() - began < 6


def test_an_endpoint_that_is_away_is_a_fault() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(NotifierUnavailable, match="LIKENESS_SNS_ENDPOINT"):
            topics(endpoint).publish(TOPIC, "message")


def test_the_users_own_aws_profile_has_no_say(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = Topic(endpoint, "profile")
    (tmp_path / "config").write_text("[default]\nregion = nowhere-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    topics(endpoint).publish(topic.arn, "message")
    assert topic.heard() == ["message"]


def test_what_is_no_endpoint_is_refused_unquoted() -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_SNS_ENDPOINT") as raised:
        topics("https://user:hidden-7@sns.example.org")
    assert "hidden-7" not in str(raised.value)


def test_half_an_access_key_is_refused() -> None:
    for key_id, secret in (("", "secret"), ("id", "")):
        with pytest.raises(InvalidRequest, match="LIKENESS_SNS_SECRET_ACCESS_KEY"):
            SnsTopics(
                "http://127.0.0.1:1",
                region=REGION,
                access_key_id=key_id,
                secret_access_key=secret,
            )
