"""What a live stream's bytes come from; `streams` has those that come over a network."""

from collections.abc import Callable
from typing import Protocol


class Feed(Protocol):
    """One connection to a source, until it ends.

    `sdp` describes RTP packets (RFC 8866): then `read` gives one packet at a time. Where it is
    empty, `read` gives the bytes of a container as they come; what comes in bursts is shown at its
    own pace.
    """

    @property
    def sdp(self) -> bytes:
        """What the packets hold; empty where there are none."""

    def read(self) -> bytes:
        """Wait for more, and give it; empty at the end.

        Raises:
            SourceUnavailable: it is silent for too long, or broke off.
            InvalidStream: what comes is no stream.
        """

    def close(self) -> None:
        """Let go of the source; a `read` in another thread ends soon."""


Connect = Callable[[], Feed]
"""Connects to a source anew.

Raises:
    SourceUnavailable: it does not answer, or refuses; where that is `definite`, another try is no
        use until somebody changes something.
    InvalidStream: what it sends is no stream.
"""
