"""Sends signed messages, each as one POST whose answer counts by its status alone.

Receivers know a message as ours by its signature, in the Standard Webhooks form,
https://github.com/standard-webhooks/standard-webhooks, version 1: HMAC-SHA-256 over id, time and
body, under a secret that is written `whsec_` and base64.
"""

import base64
import binascii
import hmac
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Self

from likeness.errors import InvalidRequest
from likeness.reachable import (
    Endpoint,
    Network,
    Resolve,
    may_be_named,
    reachable_address,
    read_endpoint,
)

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """What signs, and what the receiver checks signatures with."""

    raw: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make a random one."""
        return cls(os.urandom(32))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises:
            InvalidRequest: it is no such secret.
        """
        try:
            raw = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raw = b""
        if not text.startswith(_PREFIX) or not _FEWEST_BYTES <= len(raw) <= _MOST_BYTES:
            raise InvalidRequest(
                f"Not a webhook's secret, which is {_PREFIX} and base64 of {_FEWEST_BYTES} to"
                f" {_MOST_BYTES} bytes. Copy it again."
            )
        return cls(raw)

    @property
    def text(self) -> str:
        """The secret as receivers' libraries take it."""
        return _PREFIX + base64.b64encode(self.raw).decode()

    def sign(self, message_id: str, timestamp_s: int, body: bytes) -> str:
        """Give the value of the header `webhook-signature`."""
        signed = f"{message_id}.{timestamp_s}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(self.raw, signed, "sha256")).decode()


_PORTS = {"http": 80, "https": 443}
_STEP_S = 10.0
_WHOLE_S = 20.0


def read_url(url: str) -> Endpoint:
    """Take a webhook's URL apart.

    Raises:
        InvalidRequest: it is none that a message may go to.
    """
    return read_endpoint(url, _PORTS, "a webhook's URL")


def require_reachable(endpoint: Endpoint, allowed: tuple[Network, ...]) -> None:
    """Refuse an address, in whatever spelling, that no message would be sent to; any name passes.

    Raises:
        InvalidRequest: it is such an address.
    """
    if not may_be_named(endpoint, allowed):
        raise InvalidRequest(
            "This webhook's address is neither public nor allowed by LIKENESS_WEBHOOK_NETWORKS, so"
            " no message would be sent there. Give another, or allow its network."
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where messages go, and what signs them."""

    url: str
    secret: WebhookSecret


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends to public addresses and to the networks that are `allowed`."""

    allowed: tuple[Network, ...] = ()
    resolve: Resolve | None = None
    clock: Callable[[], float] = time.time
    whole_s: float = _WHOLE_S

    def send(self, webhook: Webhook, message_id: str, body: bytes) -> str | None:
        """Send JSON; None where the receiver took it, else why not, in words without the URL.

        A receiver may get one message twice, with one id.

        Raises:
            InvalidRequest: the URL is none.
        """
        endpoint = read_url(webhook.url)
        timestamp_s = int(self.clock())
        headers = {
            "content-type": "application/json",
            "user-agent": "likeness",
            "connection": "close",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": webhook.secret.sign(message_id, timestamp_s, body),
        }
        try:
            address = reachable_address(endpoint, self.allowed, self.resolve)
            if address is None:
                return "its address is neither public nor allowed by LIKENESS_WEBHOOK_NETWORKS"
            status = self._post(endpoint, address, headers, body)
        except (OSError, http.client.HTTPException) as error:
            return f"it cannot be reached ({type(error).__name__})"
        # A redirect is not followed: it could lead to where no message may go.
        return None if 200 <= status < 300 else f"it answered with status {status}"

    def _post(self, endpoint: Endpoint, address: str, headers: dict[str, str], body: bytes) -> int:
        connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
        with (
            socket.create_connection((address, endpoint.port), _STEP_S) as plain,
            _HangUp(self.whole_s) as hang_up,
            closing(connection),
        ):
            hang_up.on(plain)
            connection.sock = plain
            if endpoint.scheme == "https":
                connection.default_port = 443  # left out of the header Host
                connection.sock = encrypted = ssl.create_default_context().wrap_socket(
                    plain, server_hostname=endpoint.host, do_handshake_on_connect=False
                )
                hang_up.on(encrypted)
                encrypted.do_handshake()
            connection.request("POST", endpoint.target, body, headers)
            return connection.getresponse().status


class _HangUp:
    """Ends a connection after a while, however busy the receiver looks, by a `TimeoutError`."""

    def __init__(self, after_s: float) -> None:
        self._connected: socket.socket | None = None
        self._hung_up = False
        self._timer = threading.Timer(after_s, self._now)
        self._timer.daemon = True

    def on(self, connected: socket.socket) -> None:
        self._connected = connected

    def __enter__(self) -> "_HangUp":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._hung_up:  # what came may be half an answer
            raise TimeoutError

    def _now(self) -> None:
        self._hung_up = True
        if self._connected is not None:
            with suppress(OSError):  # it has ended already
                self._connected.shutdown(socket.SHUT_RDWR)
