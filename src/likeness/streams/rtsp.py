"""Cameras that speak RTSP 1.0 (RFC 2326), their packets on the same connection (section 10.12).

Of their tracks one is asked for, of video: sound is never fetched.
"""

import re
import threading
import time
from collections import deque
from contextlib import suppress

from likeness.errors import LikenessError, SourceUnavailable
from likeness.reachable import Network, Resolve
from likeness.streams.description import Track, video_track
from likeness.streams.head import Head, read_head, read_headers, to_bytes
from likeness.streams.limits import FeedLimits
from likeness.streams.location import Location
from likeness.streams.sign_in import SignIn, require_success
from likeness.streams.wire import Wire, open_wire, rubbish, stopped

_FRAME = b"$"
_ANSWER = b"RTSP"
# What a camera may ask of us, by its first letters.
_QUESTIONS = (b"OPTI", b"GET_", b"SET_", b"ANNO", b"REDI", b"TEAR")
_MOST_RUBBISH = 256 << 10
_MOST_EARLY = 128
_GOODBYE = 203  # RTCP's BYE
_GOODBYE_S = 0.5
_CHANNELS = re.compile(r"interleaved=([0-9]{1,3})", re.IGNORECASE)
_SESSION = re.compile(r"([!-:<-~]{1,256})(?:\s*;\s*timeout=([0-9]{1,5}))?", re.IGNORECASE)
_USUAL_TIMEOUT_S = 60
_SHORTEST_TIMEOUT_S = 1


class RtspFeed:
    """Packets (RTP) of a camera's video track, one by one."""

    def __init__(self, conversation: "_Conversation", track: Track) -> None:
        self._conversation = conversation
        self._track = track
        self._reading = threading.Lock()

    @property
    def sdp(self) -> bytes:
        """What the packets hold."""
        return self._track.sdp

    def read(self) -> bytes:
        """Wait for the next packet, and give it; empty at the end.

        Raises:
            SourceUnavailable: the camera is silent for too long, or broke off.
            InvalidStream: what comes are no packets.
        """
        with self._reading:
            until_s = time.monotonic() + self._conversation.limits.silence_s
            try:
                while (frame := self._conversation.frame(until_s)) is not None:
                    channel, packet = frame
                    if self._is_goodbye(channel, packet):
                        return b""
                    if self._is_ours(channel, packet):
                        return packet
            except SourceUnavailable:
                if not self._conversation.wire.ended:
                    raise
            return b""

    def close(self) -> None:
        """Let the camera go, and say so to it; a `read` in another thread ends at once."""
        self._conversation.wire.end()
        # Whoever reads is about to see it. A camera that is not told ends the session itself.
        if self._reading.acquire(timeout=_GOODBYE_S):
            try:
                with suppress(LikenessError):
                    self._conversation.send("TEARDOWN", time.monotonic() + _GOODBYE_S)
            finally:
                self._reading.release()
        self._conversation.wire.close()

    def _is_goodbye(self, channel: int, packet: bytes) -> bool:
        if channel != self._conversation.channel + 1:
            return False
        # Several reports (RTCP) come together, goodbye as the last of them.
        at = 0
        while len(packet) >= at + 4:
            if packet[at + 1] == _GOODBYE:
                return True
            at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
        return False

    def _is_ours(self, channel: int, packet: bytes) -> bool:
        return (
            channel == self._conversation.channel
            and len(packet) > 12
            and packet[0] >> 6 == 2
            and packet[1] & 0x7F == self._track.payload_type
        )


def connect_rtsp(
    location: Location, networks: tuple[Network, ...], limits: FeedLimits, resolve: Resolve | None
) -> RtspFeed:
    """Ask a camera for its video, until it says that packets come.

    Raises:
        SourceUnavailable: it does not answer, or refuses.
        InvalidStream: it is no such camera, or its video is of no kind that is read.
    """
    until_s = time.monotonic() + limits.begin_s
    wire = open_wire(location.endpoint, networks, until_s, resolve)
    try:
        conversation = _Conversation(wire, location, limits)
        options, _ = conversation.ask("OPTIONS", until_s)
        if "GET_PARAMETER" in options.get("public").upper():
            conversation.keep_alive = "GET_PARAMETER"
        described, description = conversation.ask(
            "DESCRIBE", until_s, ("Accept", "application/sdp")
        )
        conversation.require_success(described)
        base = described.get("content-base") or described.get("content-location") or location.url()
        if not base.isascii() or not base.isprintable() or " " in base:
            raise rubbish()
        track = video_track(description, base)
        conversation.url = track.url
        set_up, _ = conversation.ask(
            "SETUP", until_s, ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")
        )
        conversation.require_success(set_up)
        conversation.begin_session(set_up.get("session"))
        if channels := _CHANNELS.search(set_up.get("transport")):
            conversation.channel = int(channels[1])
        conversation.url = track.whole_url
        played, _ = conversation.ask("PLAY", until_s, ("Range", "npt=0.000-"))
        conversation.require_success(played)
        return RtspFeed(conversation, track)
    except BaseException:
        wire.close()
        raise


class _Conversation:
    """What is asked of a camera and what it answers, with its packets in between."""

    def __init__(self, wire: Wire, location: Location, limits: FeedLimits) -> None:
        self.wire = wire
        self.limits = limits
        self.url = location.url()
        self.keep_alive = "OPTIONS"
        self.channel = 0
        self._sign_in = SignIn(location)
        self._asked = 0
        self._session = ""
        self._every_s = _USUAL_TIMEOUT_S / 2
        self._ask_again_s = 0.0
        self._early: deque[tuple[int, bytes]] = deque(maxlen=_MOST_EARLY)

    def require_success(self, head: Head) -> None:
        """Say why the camera refuses, if it does."""
        require_success(head, self._sign_in)

    def ask(self, method: str, until_s: float, *more: tuple[str, str]) -> tuple[Head, bytes]:
        """Give the answer to a request, and its body.

        Raises:
            SourceUnavailable: it refuses whoever asks: once, so that no account is locked.
        """
        self.send(method, until_s, *more)
        head, body = self._answer(until_s)
        if head.status == 401 and self._sign_in.take(head.all_of("www-authenticate")):
            self.send(method, until_s, *more)
            head, body = self._answer(until_s)
        if head.status == 401:
            raise self._sign_in.refusal()
        return head, body

    def send(self, method: str, until_s: float, *more: tuple[str, str]) -> None:
        """Send a request and await no answer."""
        self._asked += 1
        headers = [("CSeq", str(self._asked)), ("User-Agent", "likeness"), *more]
        if self._session:
            headers.append(("Session", self._session))
        headers += self._sign_in.header(method, self.url)
        lines = [f"{method} {self.url} RTSP/1.0", *(f"{name}: {value}" for name, value in headers)]
        self.wire.send(to_bytes("".join(f"{line}\r\n" for line in [*lines, ""])), until_s)

    def begin_session(self, header: str) -> None:
        """Take in the session that a camera began; it is kept alive from now on."""
        if session := _SESSION.match(header):
            self._session = session[1]
            timeout_s = int(session[2] or 0) or _USUAL_TIMEOUT_S
            self._every_s = max(timeout_s, _SHORTEST_TIMEOUT_S) / 2
        self._ask_again_s = time.monotonic() + self._every_s

    def frame(self, until_s: float) -> tuple[int, bytes] | None:
        """Give the channel and content of what comes next; None where the camera ends it.

        Raises:
            SourceUnavailable: the camera is silent, or broke off.
            InvalidStream: what comes belongs nowhere for too long.
        """
        if self._early:
            return self._early.popleft()
        passed_over = 0
        while True:
            self._keep_alive(until_s)
            first = self.wire.peek(4, until_s)
            if len(first) < 4:
                if self.wire.ended:
                    return None
                raise stopped()
            # Some cameras send what belongs nowhere: then a dollar alone may be chance.
            if first[:1] == _FRAME and (not passed_over or first[1] - self.channel in (0, 1)):
                return self._frame(first, until_s)
            if first == _ANSWER:
                self._answered(until_s)
            elif first in _QUESTIONS:
                if self._is_asked_to_end(until_s):
                    return None
            else:
                passed_over += self.wire.drop_to(_FRAME)
                if passed_over > _MOST_RUBBISH:
                    raise rubbish()

    def _keep_alive(self, until_s: float) -> None:
        now_s = time.monotonic()
        if now_s >= self._ask_again_s:
            self._ask_again_s = now_s + self._every_s
            self.send(self.keep_alive, until_s)

    def _answered(self, until_s: float) -> None:
        """Take in the answer to what kept the session alive."""
        head = read_head(self.wire, "RTSP", self.limits, until_s)
        self._body(head, until_s)
        if head.status == 401 and self._sign_in.take(head.all_of("www-authenticate")):
            # What it knew us by has aged: well before it takes the session for dead.
            self._ask_again_s = min(self._ask_again_s, time.monotonic() + self._every_s / 4)

    def _is_asked_to_end(self, until_s: float) -> bool:
        """Answer what a camera asks."""
        method = self.wire.line(self.limits.line_bytes, until_s).partition(b" ")[0]
        head = Head(0, read_headers(self.wire, self.limits, until_s))
        self._body(head, until_s)
        number = head.get("cseq")
        if number.isascii() and number.isdecimal():
            self.wire.send(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n\r\n".encode(), until_s)
        return method in (b"TEARDOWN", b"REDIRECT")

    def _answer(self, until_s: float) -> tuple[Head, bytes]:
        while (first := self.wire.peek(4, until_s))[:1] == _FRAME:
            if len(first) < 4:
                raise stopped()
            self._early.append(self._frame(first, until_s))
        head = read_head(self.wire, "RTSP", self.limits, until_s)
        return head, self._body(head, until_s)

    def _body(self, head: Head, until_s: float) -> bytes:
        return self.wire.exactly(head.length(self.limits.description_bytes) or 0, until_s)

    def _frame(self, first: bytes, until_s: float) -> tuple[int, bytes]:
        size = int.from_bytes(first[2:4], "big")
        return first[1], self.wire.exactly(4 + size, until_s)[4:]
