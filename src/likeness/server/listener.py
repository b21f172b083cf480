"""Takes connections from the socket that is listened at, and hands on those that begin to speak.

1. A connection counts from the moment it is taken, before TLS, and one too many is closed.
2. Until its first byte, and with TLS until its whole first message, it costs a descriptor and
   nothing else; it has so long, and then goes.
3. A handshake has its time as well, and few begin at once, so that others go on being answered.
4. No error of taking one ends the listening, or is met again and again without a pause: where
   descriptors are short, idle connections are closed, and whoever waits is taken then.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from likeness.server.addresses import share_address
from likeness.server.connections import Connection, Connections
from likeness.server.refusals import Refusal, Refusals

_logger = logging.getLogger(__name__)
_AT_ONCE = 64  # so that a flood of newcomers does not keep others waiting
_BEGUN_AT_ONCE = 4
_SILENT_S = 10.0
_HANDSHAKE_S = 10.0
_PAUSE_S = 0.1
_CLOSED_AT_ONCE = 16
_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_HANDSHAKE = 22  # the type of a record of TLS, before its version and its length
_RECORD_HEAD_BYTES = 5
_RECORD_BYTES = 16 << 10

Speak = Callable[[Connection], asyncio.Protocol]
"""Makes what speaks on a connection."""


class Listener:
    """Listens on one socket, for the loop that runs; TLS is spoken where there is a context."""

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        refusals: Refusals,
        speak: Speak,
        tls: Callable[[], ssl.SSLContext | None],
    ) -> None:
        """Begin to listen; `tls` gives the context for the next connection."""
        self._listening = listening
        self._connections = connections
        self._refusals = refusals
        self._speak = speak
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        # Those that have not spoken, each with when that is over; those that have, and wait their
        # turn; and those that begin.
        self._silent: dict[socket.socket, asyncio.TimerHandle] = {}
        self._waiting: list[tuple[socket.socket, Connection]] = []
        self._beginning: set[asyncio.Task[None]] = set()
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)
        self._pause: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._loop.add_reader(listening.fileno(), self._take)

    def close(self) -> None:
        """Take no more, and let go of those that have not begun to speak."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listening.fileno())
        for accepted in list(self._silent):
            self._drop(accepted)
        for task in self._beginning:
            task.cancel()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    async def wait_closed(self) -> None:
        """Wait until nobody begins any more."""
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, address = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _SHORT:
                    self._make_room()
                elif error.errno not in (errno.ECONNABORTED, errno.EPROTO):
                    _logger.warning("a connection could not be taken: %s", error.strerror)
                    self._wait()
                return
            self._hold(accepted, share_address(str(address[0])))

    def _hold(self, accepted: socket.socket, address: str) -> None:
        accepted.setblocking(False)
        connection = self._connections.admit(address, partial(self._drop, accepted))
        if connection is None:
            accepted.close()
            return
        self._silent[accepted] = self._loop.call_later(
            _SILENT_S, self._drop_silent, accepted, connection
        )
        self._loop.add_reader(accepted.fileno(), self._hear, accepted, connection)

    def _hear(self, accepted: socket.socket, connection: Connection) -> None:
        """Let those speak who have something to say."""
        try:
            if not _has_spoken(accepted, tls=self._tls() is not None):
                return
        except OSError:
            connection.leave()
            self._drop(accepted)
            return
        self._loop.remove_reader(accepted.fileno())
        if not self._waiting:
            self._loop.call_soon(self._begin)
        self._waiting.append((accepted, connection))

    def _begin(self) -> None:
        for _ in range(min(_BEGUN_AT_ONCE, len(self._waiting))):
            # The newest first: whoever comes during a flood need not wait for all of it.
            accepted, connection = self._waiting.pop()
            if (timer := self._silent.pop(accepted, None)) is None:
                continue  # it was closed for others
            timer.cancel()
            task = self._loop.create_task(self._hand_on(accepted, connection))
            connection.close = partial(_cancel, task)
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
            task.add_done_callback(partial(_close_unbegun, accepted))
        if self._waiting:
            self._loop.call_soon(self._begin)

    async def _hand_on(self, accepted: socket.socket, connection: Connection) -> None:
        context = self._tls()
        try:
            await self._loop.connect_accepted_socket(
                partial(self._speak, connection),
                accepted,
                ssl=context,
                ssl_handshake_timeout=_HANDSHAKE_S if context else None,
            )
        except (OSError, asyncio.CancelledError) as error:
            # No handshake came about, or not in time, or its room is needed by others.
            connection.leave()
            accepted.close()  # the transport has let go of it, if there was one
            if isinstance(error, ConnectionAbortedError):
                self._refusals.count(Refusal.SLOW_HANDSHAKE)

    def _drop_silent(self, accepted: socket.socket, connection: Connection) -> None:
        connection.leave()
        self._refusals.count(Refusal.SILENT)
        self._drop(accepted)

    def _drop(self, accepted: socket.socket) -> None:
        self._silent.pop(accepted).cancel()
        self._loop.remove_reader(accepted.fileno())
        accepted.close()

    def _make_room(self) -> None:
        """Close idle connections for whoever waits; where there are none, refuse one of those."""
        self._refusals.count(Refusal.DESCRIPTORS)
        closed = [self._connections.close_one() for _ in range(_CLOSED_AT_ONCE)]
        if not any(closed) and self._spare is not None:
            os.close(self._spare)
            self._spare = None
            with suppress(OSError):
                self._listening.accept()[0].close()
        self._wait()

    def _wait(self) -> None:
        self._loop.remove_reader(self._listening.fileno())
        self._pause = self._loop.call_later(_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        if self._spare is None:
            with suppress(OSError):  # the next pause ends soon
                self._spare = os.open(os.devnull, os.O_RDONLY)
        self._loop.add_reader(self._listening.fileno(), self._take)


def _has_spoken(accepted: socket.socket, *, tls: bool) -> bool:
    """Say whether enough has come to begin; else the socket wakes the loop only once it has.

    Raises:
        OSError: nothing more comes.
    """
    peeked = accepted.recv(_RECORD_HEAD_BYTES, socket.MSG_PEEK)
    needed = 1
    if tls and peeked[:1] == bytes([_HANDSHAKE]):
        needed = _RECORD_HEAD_BYTES
        if len(peeked) == needed:
            needed += min(int.from_bytes(peeked[3:]), _RECORD_BYTES)
            peeked = accepted.recv(needed, socket.MSG_PEEK)
    if len(peeked) < needed:
        if not peeked or needed == accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT):
            raise ConnectionResetError  # it was woken for the end
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, needed)
        return False
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    return True


def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()


def _close_unbegun(accepted: socket.socket, task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        accepted.close()
