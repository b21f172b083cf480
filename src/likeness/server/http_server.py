"""Listens for an ASGI application: one socket, TLS or a proxy beyond loopback, a calm end."""

import asyncio
import errno
import ipaddress
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likeness.errors import InvalidRequest
from likeness.server.addresses import address_of
from likeness.server.certificate import Certificate, Shown
from likeness.server.connections import Connection, Connections
from likeness.server.descriptors import descriptors_for_connections, raise_limit
from likeness.server.http_connection import HttpConnection, Refuse, Surroundings
from likeness.server.listener import Listener
from likeness.server.monitoring import Metrics
from likeness.server.refusals import Refusal, Refusals
from likeness.terms import Closing

_BACKLOG = 1024
_MOST = 2048
_MOST_TLS = 1024  # for asyncio takes 0.3 MiB for each
_SHARE = 0.5  # of all connections, for one address
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_IDLE_S = 65  # a little longer than AWS's SDKs and common proxies keep a connection


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
        raise_limit()  # before anything is opened that waits for descriptors by `select`
        self._shown = Shown(place.certificate)
        self._behind_proxy = place.behind_proxy
        self._socket = _listening_at(place)
        self._application: ASGIApp = PlainTextResponse("Nothing is served yet.", 503)
        self._refusing: Refuse | None = None
        self._own_refusals = self._refusals = Refusals(Metrics(CollectorRegistry()))
        self._most = _MOST_TLS if place.certificate else _MOST
        # Requests inside, by the address that the proxy says.
        self._inside: Counter[str] = Counter()
        self._server = _Server(
            self._listen,
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=int(stop_within_s),
            ),
        )
        scheme = "https" if place.certificate else "http"
        bound, port = self._socket.getsockname()[:2]
        # Nobody can ask for every address, and no certificate names it.
        host = socket.gethostname() if ipaddress.ip_address(bound).is_unspecified else place.host
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        # From now on, for a server may be told while it still reads its networks.
        self._before = _on_hang_up(self._hang_up)

    def run(
        self,
        application: ASGIApp,
        refuse: Refuse | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        """Answer until `stop`, SIGTERM or Ctrl-C, and finish what came before.

        What is no HTTP never comes to the application, and is answered all the same: by `refuse`.
        Connections that are refused are counted by `refusals`. SIGHUP reads the certificate anew.

        Raises:
            InvalidRequest: this process may open too little to serve anybody.
            KeyboardInterrupt: it was Ctrl-C.
        """
        self._application, self._refusing = application, refuse
        self._refusals = refusals or self._refusals
        self._most = min(self._most, descriptors_for_connections())
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
        self._own_refusals.close()
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)

    def _listen(self, serve: Callable[..., HttpConnection]) -> Listener:
        """Begin to take connections; `serve` makes what speaks on one."""
        share = self._most if self._behind_proxy else self._share()
        around = Surroundings(self._refuse, self._stopping, self._refusals, self._behind_proxy)

        def speak(held: Connection) -> HttpConnection:
            return serve(around=around, held=held)

        return Listener(
            self._socket,
            Connections(self._most, share, self._refusals),
            self._refusals,
            speak,
            tls=lambda: self._shown.context,
        )

    def _share(self) -> int:
        return max(1, int(self._most * _SHARE))

    def _hang_up(self, terminal_closed: bool) -> None:
        if terminal_closed:
            self.stop()
        else:
            self._shown.read_anew()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless one address behind the proxy has too many requests inside already."""
        if not self._behind_proxy:
            await self._answer_one(scope, receive, send)
            return
        address = address_of(scope)
        if self._inside[address] >= self._share():
            self._refusals.count(Refusal.ADDRESS_REQUESTS)
            words = "Too many requests of this address are being answered. Try again."
            await PlainTextResponse(words, 503, {"retry-after": "1"})(scope, receive, send)
            return
        self._inside[address] += 1
        try:
            await self._answer_one(scope, receive, send)
        finally:
            self._inside[address] -= 1
            if not self._inside[address]:
                del self._inside[address]

    async def _answer_one(self, scope: Scope, receive: Receive, send: Send) -> None:
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


class _Server(uvicorn.Server):
    """uvicorn, with a listener of ours in place of its own."""

    def __init__(
        self, listen: Callable[[Callable[..., HttpConnection]], Listener], config: uvicorn.Config
    ) -> None:
        super().__init__(config)
        self._listen = listen

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        serve = partial(
            HttpConnection,
            config=self.config,
            server_state=self.server_state,
            app_state={},
        )
        self.servers = [self._listen(serve)]  # type: ignore[list-item]  # closed like one
        self.started = True


def _on_hang_up(act: Callable[[bool], None]) -> Any:
    """Act on SIGHUP, told whether the terminal was closed; gives what was done before, if known.

    Whoever ignored it (`nohup`) is not told of a terminal. Only a main thread hears signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    before = signal.getsignal(signal.SIGHUP)
    minds = before is not signal.SIG_IGN and _at_a_terminal()
    signal.signal(signal.SIGHUP, lambda number, frame: act(minds and not _at_a_terminal()))
    return before


def _at_a_terminal() -> bool:
    """Say whether this process has a terminal that can be closed over it."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


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
