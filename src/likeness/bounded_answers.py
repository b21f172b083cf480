"""AWS's own client, with answers that are bounded from the first byte to the last.

Timeouts of sockets begin anew with every byte: a server that drips would hold its reader for as
long as it likes. And what an error says is read whole, however long it is. botocore has no setting
for either, so the connections of a client are taken in.

A client for an endpoint of the operator's asks nothing else: who it is comes from settings alone,
never from the user's AWS profile or a machine's metadata service.
"""

import io
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError
from botocore.session import Session
from urllib3.exceptions import HTTPError

from likeness.errors import InvalidRequest

# What a client raises where an endpoint cannot be reached, or answers what makes no sense: numbers
# and dates of heads that are none are `ValueError`s.
NO_ANSWER = (BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError)

# As botocore describes a variable: its name in profiles, in the environment, its value, a parser.
_NO_PROFILE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def bounded_client(
    service: str,
    endpoint: str,
    *,
    region: str,
    access_key_id: str,
    secret_access_key: str,
    config: Config,
) -> Any:
    """Make a client of an endpoint that settings name; it asks inside `answers_within` alone.

    Raises:
        InvalidRequest: the address is none, or the access key is not whole.
    """
    name = service.upper()
    if not _is_address(endpoint):
        # Unquoted: somebody may have written a password into it.
        raise InvalidRequest(
            f"LIKENESS_{name}_ENDPOINT is not the address of an endpoint. Give one such as"
            f" https://{service}.example.org:9000."
        )
    if not access_key_id or not secret_access_key:
        raise InvalidRequest(
            f"There is no access key for LIKENESS_{name}_ENDPOINT, or half of one. Set"
            f" LIKENESS_{name}_ACCESS_KEY_ID and LIKENESS_{name}_SECRET_ACCESS_KEY."
        )
    client = Session(_NO_PROFILE).create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(defaults_mode="legacy").merge(config),
    )
    bound_answers(client)
    return client


def _is_address(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        return False
    return bool(usable) and not set("@?#") & set(endpoint)


@dataclass(slots=True)
class _Left:
    """What is left to all answers of one call."""

    ends_s: float
    silence_s: float
    count_bytes: int
    behind_s: float
    slowest: float | None

    def came(self, count: int) -> None:
        """Count bytes that came; where a rate is asked for, they buy time."""
        self.count_bytes -= count
        if self.slowest is not None:
            earned = self.ends_s + count / self.slowest
            self.ends_s = min(earned, time.monotonic() + self.behind_s)


_LEFT: ContextVar[_Left] = ContextVar("left")


def bound_answers(client: Any) -> None:
    """Let a client of botocore read answers inside `answers_within` alone."""
    # botocore has no setting for it; sessions share these classes with the pools of proxies.
    classes = client._endpoint.http_session._pool_classes_by_scheme
    classes.update(http=_Pool, https=_TlsPool)


@contextmanager
def answers_within(
    whole_s: float, silence_s: float, most_bytes: int, slowest: float | None = None
) -> Iterator[None]:
    """Bound what is read of all answers inside: together, between two pieces, and in bytes.

    With `slowest`, in bytes a second, they may take longer than `whole_s` together, and are ended
    once they are that far behind the rate; what came faster before does not count.

    What goes beyond raises errors of botocore and urllib3, as other failures of connections do.
    """
    token = _LEFT.set(_Left(time.monotonic() + whole_s, silence_s, most_bytes, whole_s, slowest))
    try:
        yield
    finally:
        _LEFT.reset(token)


class _Pieces(io.RawIOBase):
    """What comes of an answer, as long as there is time and room."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket) -> None:
        self._raw = raw
        self._connected = connected
        self._left = _LEFT.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._left.ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer takes too long")
        self._connected.settimeout(min(left_s, self._left.silence_s))
        count = self._raw.readinto(buffer)
        self._left.came(count or 0)
        if self._left.count_bytes < 0:
            raise ConnectionError("the answer is too long")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp = io.BufferedReader(_Pieces(self.fp.detach(), sock))


class _Connection(AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    response_class = _Answer


class _TlsConnection(AWSHTTPSConnection):  # type: ignore[misc]  # botocore has no types
    response_class = _Answer


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]  # botocore has no types
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]  # botocore has no types
    ConnectionCls = _TlsConnection
