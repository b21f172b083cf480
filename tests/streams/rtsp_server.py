"""A camera that speaks RTSP on loopback, well or badly."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.streams.gate import Gate
from tests.streams.listening import listening, read_head
from tests.streams.packets import Packets

_GOODBYE = b"\x81\xcb\x00\x01abcd"
PATH = "/Streaming/main?channel=1"


@dataclass
class Camera:
    """What a camera sends, how it is signed in to, and what it was asked."""

    packets: Packets
    description: tuple[str, ...] = ()
    sign_in: str = ""  # "basic", "md5", "sha-256", "md5 old", "md5-sess", "both"
    user: str = "viewer"
    password: str = "s/cret: ä"
    timeout_s: int = 60
    every_s: float = 0.0
    # Raw answers in place of proper ones, by method; what is sent before the answer to PLAY.
    answers: dict[str, bytes] = field(default_factory=dict)
    early: int = 0
    between: bytes = b""
    then: str = "bye"  # or "hang up", "silence", "loop"
    channel: int = 0
    context: ssl.SSLContext | None = None
    refuses_keep_alive: bool = False
    ages: bool = False  # nonces age before each keep-alive

    address: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    _nonce: int = 1
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The address, without a user."""
        return f"{'rtsps' if self.context else 'rtsp'}://{self.address}{PATH}"

    def signed_url(self, password: str | None = None) -> str:
        """The address with a user and password."""
        secret = quote(self.password if password is None else password, safe="")
        return self.url.replace("://", f"://{self.user}:{secret}@")

    @property
    def sent(self) -> list[bytes]:
        """Every packet of video."""
        return [one for frame in self.packets.frames for one in frame]

    def serve(self, connection: socket.socket) -> None:
        """Talk until either side ends it."""
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as lines:
            playing = threading.Event()
            lock = threading.Lock()
            streamer = threading.Thread(target=self._stream, args=[connection, playing, lock])
            streamer.start()
            try:
                while head := read_head(lines):
                    if head.startswith("RTSP/1.0"):
                        self.answered.append(head)
                        continue
                    method = head.partition(" ")[0]
                    self.asked.append(method)
                    self.heads.append(head)
                    answer = self._answer(method, head, playing.is_set())
                    with lock:
                        if method == "PLAY":
                            for packet in self.sent[: self.early]:
                                connection.sendall(_framed(self.channel, packet))
                        connection.sendall(answer)
                    if method == "PLAY" and answer.startswith(b"RTSP/1.0 200"):
                        playing.set()
                    if method == "TEARDOWN":
                        return
            finally:
                self._stopped.set()
                playing.set()
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
                streamer.join()
                self._stopped.clear()

    def _answer(self, method: str, head: str, playing: bool) -> bytes:
        number = re.search(r"(?mi)^cseq: *(\d+)", head)
        assert number
        if method in self.answers:
            return self.answers[method].replace(b"{n}", number[1].encode())
        if playing and self.ages:
            self._nonce += 1
            self.ages = False
        gate = self._gate()
        if self.sign_in and not gate.lets_in(method, head):
            asks = "".join(f"WWW-Authenticate: {one}\r\n" for one in gate.challenges())
            return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {number[1]}\r\n{asks}\r\n".encode()
        body, more = "", ""
        if method == "OPTIONS":
            public = "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY"
            more = f"Public: {public}{'' if self.refuses_keep_alive else ', GET_PARAMETER'}\r\n"
        elif method == "DESCRIBE":
            lines = self.description or (
                "v=0",
                "o=- 1 1 IN IP4 0.0.0.0",
                "s=Camera",
                "t=0 0",
                "a=control:*",
                "m=audio 0 RTP/AVP 0",
                "a=control:track0",
                *self.packets.lines,
                "a=control:track1",
            )
            body = "".join(f"{line}\r\n" for line in lines)
            base = self.url.partition("?")[0]
            more = f"Content-Base: {base}/\r\nContent-Type: application/sdp\r\n"
        elif method == "SETUP":
            channels = f"{self.channel}-{self.channel + 1}"
            more = (
                f"Session: 12ab34;timeout={self.timeout_s}\r\n"
                f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n"
            )
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return f"RTSP/1.0 200 OK\r\nCSeq: {number[1]}\r\n{more}{length}\r\n{body}".encode()

    def _gate(self) -> Gate:
        return Gate(self.sign_in, self.user, self.password, f"n{self._nonce}")

    def _stream(
        self, connection: socket.socket, playing: threading.Event, lock: threading.Lock
    ) -> None:
        playing.wait()
        with suppress(OSError):
            passed = self.early
            while not self._stopped.is_set():
                for frame in self.packets.frames:
                    if self._stopped.wait(self.every_s):
                        return
                    with lock:
                        connection.sendall(self.between)
                        for report in self.packets.reports[:1]:
                            connection.sendall(_framed(self.channel + 1, report))
                        for packet in frame:
                            if passed:
                                passed -= 1
                            else:
                                connection.sendall(_framed(self.channel, packet))
                if self.then == "bye":
                    connection.sendall(
                        _framed(self.channel + 1, self.packets.reports[0] + _GOODBYE)
                    )
                if self.then == "hang up":
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
                if self.then != "loop":
                    return


@contextmanager
def filming(camera: Camera) -> Iterator[Camera]:
    """Answer on a free port of 127.0.0.1."""
    with listening(camera.serve) as port:
        camera.address = f"127.0.0.1:{port}"
        yield camera


def _framed(channel: int, packet: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet
