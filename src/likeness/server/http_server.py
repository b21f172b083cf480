"""Listens for an ASGI application: one socket, TLS or a proxy beyond loopback, a calm end."""

import asyncio
import errno
import ipaddress
import signal
import socket
import ssl
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likeness.errors import InvalidRequest
from likeness.server.http_connection import HttpConnection, Refuse
from likeness.terms import Closing

_BACKLOG = 1024
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_IDLE_S = 65  # a little longer than AWS's SDKs and common proxies keep a connection


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain, and its key, as PEM files."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 takes any."""

    host: str = "127.0.0.1"
    port: int = 8020
    certificate: Certificate | None = None
    behind_proxy: bool = False

    @property
    def loopback(self) -> bool:
        """Whether nobody but this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class HttpServer(Closing):
    """A place that is taken: who connects waits until `run` is given an application."""

    def __init__(self, place: Place, stop_within_s: float) -> None:
        """Take the place.

        Raises:
            InvalidRequest: it cannot be listened at, or not safely, or the certificate is none.
        """
        if not (place.loopback or place.certificate or place.behind_proxy):
            raise InvalidRequest(
                f"Nothing is served in the clear beyond loopback, and {place.host} would be. Give"
                " --tls-cert and --tls-key, or --behind-proxy where a proxy adds TLS."
            )
        if place.certificate:
            _check(place.certificate)
        self._socket = _listening_at(place)
        self._application: ASGIApp = PlainTextResponse("Nothing is served yet.", 503)
        self._refusing: Refuse | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                http=partial(  # type: ignore[arg-type]  # no class, but what is called like one
                    HttpConnection, self._refuse, self._stopping
                ),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=int(stop_within_s),
                backlog=_BACKLOG,
                ssl_certfile=place.certificate.chain if place.certificate else None,
                ssl_keyfile=place.certificate.key if place.certificate else None,
            )
        )
        scheme = "https" if place.certificate else "http"
        bound, port = self._socket.getsockname()[:2]
        # Nobody can ask for every address, and no certificate names it.
        host = socket.gethostname() if ipaddress.ip_address(bound).is_unspecified else place.host
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self, application: ASGIApp, refuse: Refuse | None = None) -> None:
        """Answer until `stop`, SIGTERM or Ctrl-C, and finish what came before.

        What is no HTTP never comes to the application, and is answered all the same: by `refuse`.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
        """
        self._application, self._refusing = application, refuse
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal that ended it once more, and its default would end the
            # process before the home is closed.
            signal.signal(signal.SIGTERM, lambda number, frame: None)
        self._server.run([self._socket])

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Give the place up."""
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._application(scope, receive, send_noted)
        except asyncio.CancelledError:
            # It took longer than the end may, or Ctrl-C came twice: no failure of the application.
            if not begun:
                await PlainTextResponse("The server has stopped.", 503)(scope, receive, send)

    def _stopping(self) -> bool:
        return self._server.should_exit

    def _refuse(self, words: str, began_s: float, received_bytes: int) -> bytes:
        if self._refusing is None:
            return _REFUSED
        return self._refusing(words, began_s, received_bytes)


def _check(certificate: Certificate) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate.chain, certificate.key)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidRequest(
            f"Not a certificate and its key in PEM: {str(certificate.chain)!r} and"
            f" {str(certificate.key)!r} ({reason}). Check --tls-cert and --tls-key."
        ) from error


def _listening_at(place: Place) -> socket.socket:
    try:
        # With the protocol's number, which `socket.create_server` leaves at 0: asyncio turns
        # TCP_NODELAY on only where it sees it. Else an answer's body waits 40 ms for its head to
        # be acknowledged.
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening
    except (OSError, OverflowError) as error:
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise InvalidRequest(
            f"Cannot listen at {place.host} port {place.port}:"
            f" {'in use' if in_use else getattr(error, 'strerror', None) or error}. Choose others"
            " with --host and --port."
        ) from error
