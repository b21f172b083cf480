"""Files at addresses: over https only, and never more of one is read than is pinned.

The caller compares the digest before the file has its name.

Where an address needs permission, because its publisher is asked, that takes little time or fails,
and a failed try counts for a day. Whatever the publisher or somebody between does:

1. The connection stands within 5 seconds and all is over within 30, several files together: a
   thread of its own talks to the network, and who waits for it stops waiting. Not even looking
   up a name can take longer.
2. A redirect is followed within the same host.
"""

import http.client
import json
import queue
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from likeness.artifacts.pins import Address
from likeness.artifacts.whole_files import copy_exactly, write_whole
from likeness.errors import ArtifactUnavailable, ModelTampered

_SILENCE_SECONDS = 60.0
_CHUNK_BYTES = 1 << 16
_REMEMBERED = timedelta(days=1)
_REASONS = (
    (TimeoutError, "did not answer"),
    (ConnectionRefusedError, "refused the connection"),
    (ssl.SSLError, "showed a certificate that is not trusted here"),
    (socket.gaierror, "could not be found from here"),
)


class GuardedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect unless `check`, given the old address and the new one, raises."""

    def __init__(self, check: Callable[[str, str], None]) -> None:
        self._check = check

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow a redirect that passes the check."""
        fp.close()  # else the body of the redirect is read, however long it is
        self._check(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(_: str, address: str) -> None:
    """Follow a redirect only to where nobody else listens."""
    if urlsplit(address).scheme != "https":
        raise urllib.error.URLError("it redirects to an address that is not https")


def https_opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Make what opens addresses, with the user's own proxies and certificates."""
    return urllib.request.build_opener(GuardedRedirects(_require_https), *handlers)


def download_address(
    address: Address,
    size: int,
    destination: Path,
    progress: Callable[[int], None],
    opener: urllib.request.OpenerDirector | None = None,
) -> None:
    """Write the `size` bytes at `address` to `destination`; `progress` hears the bytes so far.

    Raises:
        ArtifactUnavailable: the address does not answer, or redirects away from https.
        ModelTampered: it holds more or fewer bytes; no more than `size` are written.
    """
    try:
        with (opener or https_opener()).open(address.url, timeout=_SILENCE_SECONDS) as response:
            copy_exactly(response, size, destination, address.url, progress)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ArtifactUnavailable(f"{address.url} could not be fetched ({reason}).") from error


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a publisher has to connect, and in all."""

    connect_s: float = 5.0
    total_s: float = 30.0


class PublisherFailed(Exception):
    """Why there is no file; its text follows "its publisher"."""


def download_from_publisher(
    address: Address,
    size: int,
    destination: Path,
    progress: Callable[[int], None],
    *,
    begun: float | None = None,
    patience: Patience = Patience(),
    context: ssl.SSLContext | None = None,
    handlers: Sequence[urllib.request.BaseHandler] = (),
) -> None:
    """Write the `size` bytes at `address` to `destination`; `progress` hears the bytes so far.

    `begun` is when the first of several files was begun, by `time.monotonic`; now without.

    Raises:
        PublisherFailed: the publisher does not answer in time, or with something else.
        OSError: `destination` cannot be written.
    """
    transfer = _Transfer(address, size, patience, begun)
    opener = urllib.request.build_opener(
        GuardedRedirects(_require_same_host),
        _Https(transfer.connected, patience, context),
        *handlers,
    )
    # It may outlive the wait for it, by a look-up of a name for one, and must not hold up an exit.
    threading.Thread(target=transfer.run, args=(opener,), name="publisher", daemon=True).start()
    try:
        copy_exactly(transfer, size, destination, address.url, progress)
    except ModelTampered as error:
        raise PublisherFailed(f"sent more than the {size:,} bytes of the file") from error
    finally:
        transfer.stop()


class _Transfer:
    """Hands bytes from the thread that reads them to the one that waits for them."""

    def __init__(
        self,
        address: Address,
        size: int,
        patience: Patience,
        begun: float | None,
    ) -> None:
        self._address = address
        self._size = size
        self._patience = patience
        self._asked = time.monotonic()
        self._begun = self._asked if begun is None else begun
        self._connected = threading.Event()
        self._stopped = threading.Event()
        self._arrived: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
        self._read_bytes = 0
        self._left = b""

    def run(self, opener: urllib.request.OpenerDirector) -> None:
        """Read the file; everything that happens is queued."""
        try:
            with opener.open(self._address.url, timeout=self._patience.connect_s) as response:
                self.connected()
                if response.headers.get_content_type() == "text/html":
                    raise PublisherFailed(
                        "answered with a web page, as networks do that want a login first"
                    )
                room = self._size + 1
                while not self._stopped.is_set():
                    chunk = response.read1(min(_CHUNK_BYTES, room))
                    self._arrived.put(chunk)
                    room -= len(chunk)
                    if not chunk or not room:
                        return
        except Exception as error:  # whatever it is, somebody waits for it
            self._arrived.put(error)

    def connected(self) -> None:
        """Hear that the connection stands."""
        self._connected.set()
        self._arrived.put(None)

    def stop(self) -> None:
        """Let the reading end."""
        self._stopped.set()

    def read(self, size: int) -> bytes:
        """Give up to `size` bytes, when they are there; none at the end of the whole file."""
        if not self._left:
            self._left = self._next_chunk()
        given, self._left = self._left[:size], self._left[size:]
        self._read_bytes += len(given)
        if not given and self._read_bytes < self._size:
            raise PublisherFailed(f"sent {self._read_bytes:,} of {self._size:,} bytes")
        return given

    def _next_chunk(self) -> bytes:
        while True:
            connected, now = self._connected.is_set(), time.monotonic()
            total_left = self._begun + self._patience.total_s - now
            connect_left = self._asked + self._patience.connect_s - now
            left = total_left if connected else min(connect_left, total_left)
            try:
                if left <= 0:
                    raise queue.Empty
                arrived = self._arrived.get(timeout=left)
            except queue.Empty:
                if connected or total_left < connect_left:
                    raise self._took_too_long() from None
                if self._connected.is_set():
                    continue  # it connected just now
                raise PublisherFailed(
                    f"did not answer within {self._patience.connect_s:g} s"
                ) from None
            if isinstance(arrived, TimeoutError) and self._connected.is_set():
                raise self._took_too_long() from arrived
            if isinstance(arrived, Exception):
                raise PublisherFailed(_reason(arrived)) from arrived
            if arrived is not None:
                return arrived

    def _took_too_long(self) -> PublisherFailed:
        return PublisherFailed(f"took more than {self._patience.total_s:g} s")


class _Https(urllib.request.HTTPSHandler):
    """Says when a connection stands, and gives it more time from then on."""

    def __init__(
        self, connected: Callable[[], None], patience: Patience, context: ssl.SSLContext | None
    ) -> None:
        super().__init__()
        self._connected = connected
        self._patience = patience
        self._tls = context or ssl.create_default_context()

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request over a connection of ours."""
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **arguments: Any) -> http.client.HTTPSConnection:
        connected, total_s = self._connected, self._patience.total_s

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                self.sock.settimeout(total_s)
                connected()

        return Connection(host, context=self._tls, **arguments)


def _require_same_host(old: str, new: str) -> None:
    if _origin(old) != _origin(new):
        raise PublisherFailed("redirects to another host")


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or 443
    except ValueError:  # a port that is no number
        return parts.scheme, None, 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answered {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, PublisherFailed):
        return str(reason)
    said = getattr(reason, "strerror", None) or type(reason).__name__
    words = (words for kind, words in _REASONS if isinstance(reason, kind))
    return next(words, f"could not be reached ({said})")


@dataclass(frozen=True, slots=True)
class FailedTry:
    """When a publisher was asked in vain, and what came of it, such as "did not answer"."""

    at: datetime
    reason: str

    def __str__(self) -> str:
        """Put it into words that follow a file's or a model's name."""
        return f"its publisher {self.reason} on {self.at:%Y-%m-%d at %H:%M} UTC"


def failed_try(cache_dir: Path, host: str, now: datetime) -> FailedTry | None:
    """Recall a try of the last day; what cannot be read, or lies ahead of us, is none."""
    try:
        written = json.loads(_path(cache_dir, host).read_bytes())
        failed = FailedTry(datetime.fromtimestamp(written["at"], UTC), str(written["reason"]))
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    recent = timedelta(0) <= now - failed.at < _REMEMBERED
    return failed if recent and failed.reason.isprintable() else None


def remember(cache_dir: Path, host: str, failed: FailedTry) -> None:
    """Write a failed try down; a cache that cannot be written just does not remember."""
    content = json.dumps({"at": failed.at.timestamp(), "reason": failed.reason}).encode()
    with suppress(ArtifactUnavailable):
        write_whole(_path(cache_dir, host), content)


def forget(cache_dir: Path, host: str) -> None:
    """Forget a failed try: the publisher has answered."""
    with suppress(OSError):
        _path(cache_dir, host).unlink(missing_ok=True)


def _path(cache_dir: Path, host: str) -> Path:
    return cache_dir / "failed-tries" / f"{host}.json"
