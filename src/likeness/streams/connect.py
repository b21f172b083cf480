"""Connects to a source, whatever it speaks."""

import time
from typing import Protocol

from likeness.reachable import Network, Resolve
from likeness.streams.hls import Place, open_hls
from likeness.streams.http import Getter, HttpFeed, begin_of
from likeness.streams.limits import FeedLimits
from likeness.streams.location import Location
from likeness.streams.playlist import FIRST_LINE
from likeness.streams.rtsp import connect_rtsp
from likeness.streams.sign_in import SignIn


class Feed(Protocol):
    """One connection to a source; `likeness.video.Feed` says what its parts promise."""

    @property
    def sdp(self) -> bytes:
        """What the packets hold; empty where bytes of a container come."""

    def read(self) -> bytes:
        """Give what comes next; empty at the end."""

    def close(self) -> None:
        """Let go of the source."""


def connect(
    location: Location,
    networks: tuple[Network, ...],
    limits: FeedLimits = FeedLimits(),
    resolve: Resolve | None = None,
) -> Feed:
    """Connect to a source whose address is public or in one of `networks`.

    No message holds an address, a user or a password.

    Raises:
        SourceUnavailable: it does not answer, or refuses; or it may not be connected to.
        InvalidStream: what it sends is no stream.
    """
    if location.endpoint.scheme in ("rtsp", "rtsps"):
        return connect_rtsp(location, networks, limits, resolve)
    return _connect_http(location, networks, limits, resolve)


def _connect_http(
    location: Location, networks: tuple[Network, ...], limits: FeedLimits, resolve: Resolve | None
) -> Feed:
    until_s = time.monotonic() + limits.begin_s
    getter, sign_in = Getter(limits, resolve), SignIn(location)
    body = getter.get(location.endpoint, networks, sign_in, until_s)
    try:
        begin = begin_of(body, until_s)
        if not begin.startswith(FIRST_LINE):
            return HttpFeed(body, begin, limits)
        playlist = body.whole(limits.playlist_bytes, until_s, begin)
    except BaseException:
        body.close()
        raise
    body.close()
    return open_hls(playlist, getter, Place(body.at, networks, sign_in))
