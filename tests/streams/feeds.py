"""Connects to what tests serve."""

import io
import re
import threading
import time
from contextlib import closing, suppress

import av
import pytest

from likeness.errors import InvalidStream, LikenessError, SourceUnavailable
from likeness.reachable import read_networks
from likeness.streams import Feed, FeedLimits, connect, read_location
from tests.video.clips import number_in

LOOPBACK = read_networks("127.0.0.0/8")
# As patient as a machine with other work may be slow.
LIMITS = FeedLimits(begin_s=20.0, silence_s=20.0)
_SECRETS = ("127.0.0", "viewer", "s/cret", "Streaming", "track", "<html", "token")


def read_all(feed: Feed) -> list[bytes]:
    """Read to the end."""
    return list(iter(feed.read, b""))


def end_of_read_when_let_go_of(feed: Feed) -> bytes:
    """Give what a read in another thread gives when the feed is let go of meanwhile."""
    last: list[bytes] = []
    thread = threading.Thread(target=lambda: last.append(feed.read()))
    thread.start()
    time.sleep(0.1)
    feed.close()
    thread.join(5)
    assert not thread.is_alive()
    return last[0]


def refused(url: str, limits: FeedLimits = LIMITS) -> LikenessError:
    """Give the error of an address, which is one line that gives nothing away."""
    with (
        pytest.raises((SourceUnavailable, InvalidStream)) as raised,
        closing(connect(read_location(url), LOOPBACK, limits)) as feed,
    ):
        read_all(feed)
    message = str(raised.value)
    assert message.isprintable()
    assert not [secret for secret in _SECRETS if secret in message]
    assert re.search(r"\. [A-Z].*\.$", message)  # the problem, then the remedy
    return raised.value


def is_definite(error: LikenessError) -> bool:
    """Whether another try is no use."""
    return isinstance(error, InvalidStream) or getattr(error, "definite", False)


def numbers_in(content: bytes) -> list[int]:
    """Read which frames a container has."""
    numbers = []
    # After the last picture of a multipart stream there is none, which FFmpeg takes for damage.
    with av.open(io.BytesIO(content)) as read, suppress(av.InvalidDataError):
        for frame in read.decode(video=0):
            numbers.append(number_in(frame.to_ndarray(format="rgb24")))
    return numbers
