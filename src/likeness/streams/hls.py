"""HLS: a stream in segments, which are named by a playlist and fetched one by one.

Segments come at once and last seconds. Their bytes are given at the pace at which they are seen, so
that a reader who wants the newest frame is not shown every tenth.
"""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.reachable import Endpoint, Network
from likeness.streams.http import Getter, join, require_stream
from likeness.streams.playlist import (
    Key,
    MediaPlaylist,
    Part,
    Segment,
    Variants,
    read_playlist,
)
from likeness.streams.sign_in import SignIn
from likeness.streams.wire import OutOfReach, Wire, rubbish

_PIECES_PER_S = 40
_SMALLEST_PIECE = 7 * 188
# Who is this many segments behind goes on with the newest; who is a little behind hurries.
_TOO_FAR_BEHIND = 3
_HURRY = 0.9
_SHORTEST_WAIT_S = 0.25
_MOST_FAILURES = 3
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a playlist lies, and as whom its server is asked."""

    endpoint: Endpoint
    networks: tuple[Network, ...]
    sign_in: SignIn


class HlsFeed:
    """The bytes of segments, one after the other, as containers have them."""

    def __init__(self, fetcher: "Fetcher", at: Endpoint, playlist: MediaPlaylist) -> None:
        self._fetcher = fetcher
        self._at = at
        self._playlist = playlist
        # What was recorded is seen from its beginning, what goes on from the newest.
        self._next = playlist.segments[0 if playlist.ended else -1].number
        self._loaded_s = self._changed_s = time.monotonic()
        self._due_s = self._loaded_s
        self._head: Part | None = None
        self._begun = False
        self._failures = 0
        self._pieces: deque[tuple[float, bytes]] = deque()

    @property
    def sdp(self) -> bytes:
        """Nothing: these are no packets."""
        return b""

    def read(self) -> bytes:
        """Wait for more, and give it; empty at the end.

        Raises:
            SourceUnavailable: nothing is added for too long, or segments cannot be fetched.
            InvalidStream: what comes is no stream.
        """
        while not self._fetcher.ended:
            if self._pieces:
                due_s, piece = self._pieces.popleft()
                if self._fetcher.wait(due_s):
                    break
                return piece
            try:
                if not self._go_on():
                    break
            except SourceUnavailable:
                if self._fetcher.ended:
                    break
                self._failures += 1
                if self._failures >= _MOST_FAILURES or not self._begun:
                    raise
                self._fetcher.wait(time.monotonic() + _SHORTEST_WAIT_S)
        return b""

    def close(self) -> None:
        """Let go of the server; a `read` in another thread ends soon."""
        self._fetcher.end()

    def _go_on(self) -> bool:
        """Fetch what comes next, or wait for it; False where there will be nothing."""
        segment = self._waiting()
        if segment is not None:
            # A reader of fragmented MP4 takes one head: with another, the stream begins anew.
            if self._begun and segment.head != self._head:
                return False
            self._next = segment.number + 1  # also where it cannot be fetched
            self._take(segment)
            return True
        if self._playlist.ended:
            return False
        return self._reload()

    def _waiting(self) -> Segment | None:
        segments = self._playlist.segments
        behind = [one for one in segments if one.number >= self._next]
        if not behind:
            return None
        if not self._playlist.ended and len(behind) > _TOO_FAR_BEHIND:
            return behind[-1]
        return behind[0]

    def _take(self, segment: Segment) -> None:
        until_s = self._fetcher.until_s(segment.duration_s)
        content = self._fetcher.part(self._at, segment.body, until_s)
        if segment.key is not None:
            content = _decrypted(content, segment.key, self._fetcher.key(self._at, segment.key))
        require_stream(content)
        if not self._begun and segment.head is not None:
            self._pieces.append((0.0, self._fetcher.part(self._at, segment.head, until_s)))
        self._head, self._begun, self._failures = segment.head, True, 0
        begin_s = max(self._due_s, time.monotonic())
        lasts_s = segment.duration_s
        if not self._playlist.ended and segment.number < self._playlist.segments[-1].number:
            lasts_s *= _HURRY
        self._due_s = begin_s + lasts_s
        count = max(1, math.ceil(segment.duration_s * _PIECES_PER_S))
        size = max(_SMALLEST_PIECE, math.ceil(len(content) / count))
        for begin in range(0, len(content), size):
            due_s = begin_s + lasts_s * begin / len(content)
            self._pieces.append((due_s, content[begin : begin + size]))

    def _reload(self) -> bool:
        """Ask for what was added; False where the stream began anew."""
        wait_s = max(self._playlist.target_s / 2, _SHORTEST_WAIT_S)
        if self._fetcher.wait(self._loaded_s + wait_s):
            return False
        playlist = self._fetcher.playlist(self._at)
        self._loaded_s = time.monotonic()
        newest = playlist.segments[-1].number
        if newest < self._next - 1:
            return False
        if newest >= self._next or playlist.ended:
            self._changed_s = self._loaded_s
        elif self._loaded_s - self._changed_s > self._fetcher.patience_s(playlist.target_s):
            self._failures = _MOST_FAILURES
            raise SourceUnavailable(
                "The source's playlist names nothing new. Check that its stream is switched on."
            )
        self._playlist, self._failures = playlist, 0
        return True


class Fetcher:
    """Gets playlists, segments and keys: with the source's sign-in from its own server alone."""

    def __init__(self, getter: Getter, place: Place) -> None:
        self._getter = replace(getter, opened=self._opened)
        self._place = place
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._keys: dict[str, bytes] = {}

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._ended.is_set()

    def end(self) -> None:
        """Fetch nothing more, and end what is being fetched."""
        self._ended.set()
        with self._lock:
            if self._wire is not None:
                self._wire.close()

    def wait(self, until_s: float) -> bool:
        """Wait until then; True where it ended before."""
        return self._ended.wait(max(0.0, until_s - time.monotonic()))

    def until_s(self, lasts_s: float = 0.0) -> float:
        """Say until when something has to have come that lasts so long."""
        return time.monotonic() + self._getter.limits.begin_s + lasts_s

    def patience_s(self, target_s: float) -> float:
        """Say how long nothing new may be named."""
        return max(self._getter.limits.silence_s, 3 * target_s)

    def playlist(self, at: Endpoint) -> MediaPlaylist:
        """Get the playlist of segments there.

        Raises:
            SourceUnavailable: its server refuses, does not answer, or may not be connected to.
            InvalidStream: it is none, or names no segment.
        """
        limit = self._getter.limits.playlist_bytes
        playlist = read_playlist(self._whole(self._place.endpoint, at, None, limit, self.until_s()))
        if isinstance(playlist, Variants) or not playlist.segments:
            raise rubbish()
        return playlist

    def part(self, at: Endpoint, part: Part, until_s: float) -> bytes:
        """Get what a playlist that lies there names."""
        limit = self._getter.limits.part_bytes
        return self._whole(at, join(at, part.reference), part.part, limit, until_s)

    def key(self, at: Endpoint, key: Key) -> bytes:
        """Get a key of 16 bytes, once.

        Raises:
            SourceUnavailable: its server refuses, does not answer, or may not be connected to.
            InvalidStream: it is none.
        """
        if key.reference not in self._keys:
            there = join(at, key.reference)
            content = self._whole(at, there, None, _KEY_BYTES, self.until_s())
            if len(content) != _KEY_BYTES:
                raise rubbish()
            self._keys = {key.reference: content}
        return self._keys[key.reference]

    def _whole(
        self,
        by: Endpoint,
        there: Endpoint,
        part: tuple[int, int] | None,
        limit: int,
        until_s: float,
    ) -> bytes:
        """Get what a playlist that lies at `by` names."""
        own = self._place.endpoint
        # Somebody else's playlist does not choose what of the source's server is asked, either.
        if _is_same_server(there, own) and _is_same_server(by, own):
            networks, sign_in = self._place.networks, self._place.sign_in
        elif own.scheme == "https" and there.scheme != "https":
            raise InvalidStream(
                "The source's playlist names what is not encrypted, while it is itself. Use another"
                " stream."
            )
        else:
            # Who writes a playlist does not choose what of ours is asked: elsewhere is public.
            networks, sign_in = (), None
        most = part[1] if part is not None else limit
        if most > limit:
            raise rubbish()
        try:
            body = self._getter.get(there, networks, sign_in, until_s, part=part, most_bytes=limit)
        except OutOfReach as error:
            raise InvalidStream(
                "The source's playlist names an address elsewhere that is not public, which is"
                " never fetched. Use another stream."
            ) from error
        try:
            return body.whole(most, until_s)
        finally:
            body.close()

    def _opened(self, wire: Wire) -> None:
        with self._lock:
            self._wire = wire
            if self.ended:
                wire.close()


def open_hls(content: bytes, getter: Getter, place: Place) -> HlsFeed:
    """Begin with a playlist that came from a source.

    Raises:
        SourceUnavailable: what it names cannot be fetched.
        InvalidStream: it is no playlist, or names nothing that is read.
    """
    fetcher, at = Fetcher(getter, place), place.endpoint
    playlist = read_playlist(content)
    if isinstance(playlist, Variants):
        at = join(at, playlist.best)
        playlist = fetcher.playlist(at)
    if not playlist.segments:
        raise SourceUnavailable(
            "The source's playlist is empty. Check that its stream is switched on."
        )
    return HlsFeed(fetcher, at, playlist)


def _is_same_server(one: Endpoint, other: Endpoint) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _decrypted(content: bytes, key: Key, secret: bytes) -> bytes:
    try:
        decryptor = Cipher(AES128(secret), CBC(key.iv)).decryptor()
        plain = decryptor.update(content) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(plain) + unpadder.finalize()
    except ValueError as error:
        raise rubbish() from error
