"""Webhooks: signed so that receivers' libraries agree, and sent to nothing inside."""

import socket
import threading

import pytest

from likeness.errors import InvalidRequest
from likeness.notify import (
    Webhook,
    WebhookSecret,
    WebhookSender,
    read_url,
    require_reachable,
)
from likeness.reachable import read_networks
from tests.test_reachable import INSIDE

from .receiver import receiving

SECRET = WebhookSecret(bytes(range(32)))
LOOPBACK = read_networks("127.0.0.0/8")


def test_signature_is_that_of_the_standards_own_example() -> None:
    # From the tests of standard-webhooks' libraries.
    secret = WebhookSecret.from_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secret_is_shown_to_receivers_and_to_no_log() -> None:
    assert WebhookSecret.from_text(SECRET.text) == SECRET
    assert repr(SECRET) == "WebhookSecret()"


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!!", "whsec_AAAA", SECRET.text[6:]])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="whsec_"):
        WebhookSecret.from_text(text)


def test_message_arrives_with_a_signature_that_holds() -> None:
    with receiving() as receiver:
        sender = WebhookSender(LOOPBACK, clock=lambda: 1_700_000_000.9)
        assert sender.send(Webhook(receiver.url, SECRET), "id-1", b'{"a":1}') is None
        ((headers, _),) = receiver.came
        assert receiver.verified(SECRET) == [b'{"a":1}']
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("id-1", "1700000000")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with receiving() as elsewhere, receiving() as receiver:
        receiver.status, receiver.location = status, elsewhere.url
        sender = WebhookSender(LOOPBACK)
        why = sender.send(Webhook(receiver.url, SECRET), "id", b"{}")
        assert why == f"it answered with status {status}"
        assert elsewhere.came == []


def test_address_that_is_not_public_is_not_reached_unless_allowed() -> None:
    with receiving() as receiver:
        why = WebhookSender().send(Webhook(receiver.url, SECRET), "id", b"{}")
        assert why is not None
        assert "LIKENESS_WEBHOOK_NETWORKS" in why
        assert receiver.came == []


def test_name_is_resolved_once_and_the_address_that_was_checked_is_reached() -> None:
    with receiving() as receiver:
        endpoint = read_url(receiver.url)
        answers = iter([["127.0.0.1"], ["169.254.169.254"]])  # as a name that changes would
        sender = WebhookSender(LOOPBACK, resolve=lambda host, port: next(answers))
        url = f"http://hooks.example:{endpoint.port}/"
        assert sender.send(Webhook(url, SECRET), "id", b"{}") is None
        assert receiver.came[0][0]["host"] == f"hooks.example:{endpoint.port}"
        assert next(answers) == ["169.254.169.254"]


SPELT_OUT = [
    "2130706433",
    "0x7f.1",
    "127.1",
    *(f"[{one}]" if ":" in one else one for one in INSIDE),
]


@pytest.mark.parametrize("host", SPELT_OUT)
def test_address_inside_is_refused_as_soon_as_it_is_named(host: str) -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_WEBHOOK_NETWORKS") as raised:
        require_reachable(read_url(f"https://{host}:8443/secret"), ())
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "host", ["hooks.example", "localhost", "93.184.216.34", "[2606:2800:220:1::1]", "127.0.0.1"]
)
def test_public_or_allowed_address_or_any_name_may_be_named(host: str) -> None:
    require_reachable(read_url(f"https://{host}/"), LOOPBACK)


BAD_URLS = [
    "",
    "hooks.example",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "http://",
    "http://user:secret@hooks.example/",
    "http://hooks.example:99999/",
    "http://hooks.example/\r\nhost: inside",
    "http://hooks.example/a b",
    "http://hooks.example/#fragment",
    "http://h\u00f6ks.example/",
    "http://hooks..example/",
    "http://hooks.example/" + "a" * 2048,
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidRequest, match="Not a webhook's URL") as raised:
        read_url(url)
    assert "secret" not in str(raised.value)


def test_receiver_that_is_not_there_is_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    why = WebhookSender(LOOPBACK).send(Webhook(f"http://127.0.0.1:{port}/x", SECRET), "id", b"{}")
    assert why == "it cannot be reached (ConnectionRefusedError)"


def test_receiver_that_only_keeps_us_waiting_is_hung_up_on() -> None:
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not done.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=[server])
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        why = WebhookSender(LOOPBACK, whole_s=0.3).send(Webhook(url, SECRET), "id", b"{}")
        done.set()
        thread.join()
    assert why == "it cannot be reached (TimeoutError)"


def test_receiver_without_a_certificate_is_not_told() -> None:
    with receiving() as receiver:
        url = receiver.url.replace("http://", "https://")
        why = WebhookSender(LOOPBACK).send(Webhook(url, SECRET), "id", b"{}")
        assert why == "it cannot be reached (SSLError)"
        assert receiver.came == []
