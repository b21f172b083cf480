"""A connection to an address that was checked, read in pieces that are bounded in size and time."""

import queue
import socket
import ssl
import threading
import time
from contextlib import suppress

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.reachable import Endpoint, Network, Resolve, reachable_address

_PIECE = 64 << 10
_ENCRYPTED = frozenset({"https", "rtsps"})


class OutOfReach(SourceUnavailable):
    """An address is one that may not be connected to."""


class Wire:
    """Reads and writes; one thread at a time reads, and `end` may be called by another.

    Each call has until `until_s`, by `time.monotonic`.

    Raises:
        SourceUnavailable: nothing came by then, or the other side ended the connection.
        InvalidStream: a line is longer than it may be.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._came = bytearray()
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._ended.is_set()

    def send(self, content: bytes, until_s: float) -> None:
        """Send all of it."""
        self._limit(until_s)
        try:
            self._socket.sendall(content)
        except TimeoutError as error:
            raise silent() from error
        except OSError as error:
            raise stopped() from error

    def line(self, most: int, until_s: float) -> bytes:
        """Give a line without its end."""
        while (end := self._came.find(b"\n", 0, most)) < 0:
            if len(self._came) >= most:
                raise rubbish()
            self._receive(until_s)
        line = bytes(self._came[:end])
        del self._came[: end + 1]
        return line.removesuffix(b"\r")

    def exactly(self, count: int, until_s: float) -> bytes:
        """Give so many bytes."""
        while len(self._came) < count:
            self._receive(until_s)
        content = bytes(self._came[:count])
        del self._came[:count]
        return content

    def peek(self, count: int, until_s: float) -> bytes:
        """Give so many bytes and leave them; fewer at the end."""
        while len(self._came) < count and self._receive_some(until_s):
            pass
        return bytes(self._came[:count])

    def drop_to(self, mark: bytes) -> int:
        """Drop what came, a byte at least, up to the next mark; say how much that was."""
        end = self._came.find(mark, 1)
        count = len(self._came) if end < 0 else end
        del self._came[:count]
        return count

    def some(self, most: int, until_s: float) -> bytes:
        """Give what is there, or wait for it; empty at the end."""
        if not self._came and not self._receive_some(until_s):
            return b""
        content = bytes(self._came[:most])
        del self._came[:most]
        return content

    def end(self) -> None:
        """Let a `read` in another thread find the end; what was to be sent still can be."""
        self._ended.set()
        with suppress(OSError):  # it has ended already
            # Of the plain socket: a TLS one would go on without encryption.
            socket.socket.shutdown(self._socket, socket.SHUT_RD)

    def close(self) -> None:
        """Let go of the connection."""
        self.end()
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._socket.close()

    def _receive(self, until_s: float) -> None:
        if not self._receive_some(until_s):
            raise stopped()

    def _receive_some(self, until_s: float) -> bool:
        if self.ended:
            return False
        self._limit(until_s)
        try:
            piece = self._socket.recv(_PIECE)
        except TimeoutError as error:
            raise silent() from error
        except OSError as error:
            if self.ended:
                return False
            raise stopped() from error
        self._came += piece
        return bool(piece)

    def _limit(self, until_s: float) -> None:
        left_s = _left_s(until_s)
        try:
            self._socket.settimeout(left_s)
        except OSError as error:
            raise stopped() from error


def open_wire(
    endpoint: Endpoint, networks: tuple[Network, ...], until_s: float, resolve: Resolve | None
) -> Wire:
    """Connect to an endpoint whose address is public or in one of `networks`.

    Raises:
        SourceUnavailable: it does not answer, or may not be connected to.
    """
    address = _looked_up(endpoint, networks, until_s, resolve)
    if address is None:
        raise OutOfReach(
            "The source's address is neither public nor allowed by LIKENESS_SOURCE_NETWORKS, so"
            " nothing is fetched from there. Give another, or allow its network.",
            definite=True,
        )
    try:
        plain = socket.create_connection((address, endpoint.port), _left_s(until_s))
    except ConnectionRefusedError as error:
        raise SourceUnavailable(
            "The source refuses connections. Check its port, and that its stream is switched on."
        ) from error
    except TimeoutError as error:
        raise silent() from error
    except OSError as error:
        raise SourceUnavailable(
            "No way leads to the source. Check that it is switched on, and the network to it."
        ) from error
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.scheme in _ENCRYPTED:
            return Wire(_encrypted(plain, endpoint, until_s))
        return Wire(plain)
    except BaseException:
        plain.close()
        raise


def _looked_up(
    endpoint: Endpoint, networks: tuple[Network, ...], until_s: float, resolve: Resolve | None
) -> str | None:
    """Give the address to connect to in time; the system's own look-up may take minutes."""
    found: queue.SimpleQueue[str | OSError | None] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(reachable_address(endpoint, networks, resolve))
        except OSError as error:
            found.put(error)

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        address = found.get(timeout=_left_s(until_s))
    except queue.Empty as error:
        raise SourceUnavailable(
            "The source's name is not looked up in time. Check this machine's name server."
        ) from error
    if isinstance(address, OSError):
        raise SourceUnavailable(
            "The source's name stands for no address. Check how it is spelt, and this machine's"
            " name server."
        ) from address
    return address


def _encrypted(plain: socket.socket, endpoint: Endpoint, until_s: float) -> socket.socket:
    # The whole handshake, and later each read, is over by then, however the bytes drip.
    plain.settimeout(_left_s(until_s))
    try:
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as error:
        raise SourceUnavailable(
            "The source's certificate is not one that this machine trusts. Install the"
            " certificate of whoever signed it; SSL_CERT_FILE names a file of such.",
            definite=True,
        ) from error
    except TimeoutError as error:
        raise silent() from error
    except OSError as error:
        raise SourceUnavailable(
            "The source does not encrypt as it should. Check that the address's port is its"
            " encrypted one."
        ) from error


def silent() -> SourceUnavailable:
    """Give the error of a source that is waited for in vain."""
    return SourceUnavailable("The source is silent. Check that it is switched on and sends.")


def stopped() -> SourceUnavailable:
    """Give the error of a connection that ended where more was to come."""
    return SourceUnavailable("The source ended the connection. Check that it is switched on.")


def rubbish() -> InvalidStream:
    """Give the error of what makes no sense."""
    return InvalidStream(
        "What the source sends is no stream. Check its address, and try it in a player."
    )


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise silent()
    return left_s
