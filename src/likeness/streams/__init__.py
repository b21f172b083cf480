"""Bytes of cameras and streams, fetched over a network from addresses that were checked."""

from likeness.streams.connect import Feed, connect
from likeness.streams.limits import FeedLimits
from likeness.streams.location import Location, read_location, require_reachable

__all__ = [
    "Feed",
    "FeedLimits",
    "Location",
    "connect",
    "read_location",
    "require_reachable",
]
