"""Connects to a source, whatever it speaks."""

from typing import Protocol

from likeness.errors import SourceUnavailable
from likeness.reachable import Network, Resolve
from likeness.streams.limits import FeedLimits
from likeness.streams.location import Location
from likeness.streams.rtsp import connect_rtsp


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
    raise SourceUnavailable("This kind of source is not read yet. Use another.", definite=True)
