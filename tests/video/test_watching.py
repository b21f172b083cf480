"""How a source is watched: what is told of it, when it is connected to again, and given up.

What decodes is a stand-in here, which starts no program.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import Fault, InvalidStream, NotFound, SourceUnavailable
from likeness.video import Feed, LiveFrame, LiveStream, StreamLimits, StreamState
from likeness.video import live_stream as watching
from likeness.video import stream_reader as readers
from likeness.video.process import DecodingBroken, Heard
from tests.video.feeds import FakeFeed

_COUNTS = {"decoded": 1, "damaged": 0, "dropped": 0}
_OPENED = {
    "container": "rtp",
    "codec": "h264",
    "width": 64,
    "height": 36,
    "quarters": 0,
    "mirrored": False,
    "duration_s": None,
    "frame_rate": None,
    "stretched": False,
    "hdr": False,
    "interlaced": False,
    "full_range": False,
    "bits": 8,
}


def opened(**other: object) -> Heard:
    return Heard("opened", {**_OPENED, **other})


def frame(time_s: float, decoded: int = 1) -> Heard:
    values = {**_COUNTS, "decoded": decoded, "time_s": time_s, "slot": 0, "arrived_s": None}
    return Heard("frame", values, bytes(64 * 36 * 3))


def ended(decoded: int = 1) -> Heard:
    return Heard("ended", {**_COUNTS, "decoded": decoded})


def failed(reason: str, **values: object) -> Heard:
    return Heard("failed", {"reason": reason, **values})


class StandIn:
    """Says what it is told to, once something has come."""

    id = os.getpid()

    def __init__(self, said: Iterator[Heard | Exception], go_on: Callable[[], object]) -> None:
        self._said = said
        self._go_on = go_on
        self._shape = (0, 0)

    def hear(self) -> Heard:
        time.sleep(0.02)
        self._go_on()
        said = next(self._said)
        if isinstance(said, Exception):
            raise said
        if said.values.get("arrived_s", 0) is None:
            said.values["arrived_s"] = time.monotonic()
        return said

    def share(self, width: int, height: int) -> None:
        self._shape = width, height

    def picture(self, slot: int) -> NDArray[np.uint8]:
        width, height = self._shape
        return np.zeros((height, width, 3), np.uint8)

    def give_back(self, slot: int) -> None:
        assert slot == 0

    def close(self) -> None:
        pass


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have one stand-in after the other say something, `ready` first."""
    monkeypatch.setattr(watching, "_FIRST_WAIT_S", 0.05)

    def say(*connections: list[Heard | Exception]) -> None:
        rest = iter(connections)

        def start(_asked: Any, _kept: Any, *, go_on: Callable[[], object], **_: Any) -> StandIn:
            return StandIn(iter([Heard("ready", {}), *next(rest)]), go_on)

        monkeypatch.setattr(readers, "HeardProcess", start)

    return say


def feed() -> Feed:
    return FakeFeed([(0, b"some")])


def outcome(stream: LiveStream, count: int = 100, longest_s: float = 10) -> list[LiveFrame]:
    ends_s = time.monotonic() + longest_s
    frames: list[LiveFrame] = []
    while len(frames) < count and time.monotonic() < ends_s:
        one = stream.next(0.02)
        if one is not None:
            frames.append(one)
    return frames


def test_frames_are_given_with_their_sessions(says: Callable[..., None]) -> None:
    says(
        [
            opened(),
            frame(0.0),
            Heard("passed", _COUNTS),
            frame(0.1, 4),
            opened(quarters=1),
            ended(4),
        ],
        [opened(), frame(0.0), opened(quarters=1), frame(0.0, 2), ended(2)],
        [SourceUnavailable("Enough.")],
    )
    with LiveStream(feed, 0, StreamLimits(give_up_s=1.0)) as stream:
        frames = outcome(stream, 4)
        status = stream.status

    assert [one.session for one in frames] == [1, 1, 2, 3]
    assert [one.frame.number for one in frames] == [0, 3, 4, 5]
    times_s = [one.frame.time_s for one in frames]
    assert times_s == sorted(set(times_s))
    assert times_s[0] == 0
    assert status.connects >= 2
    assert status.clip is not None
    assert status.clip.codec == "h264"


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (failed("unreadable"), InvalidStream, "nothing that is read as video"),
        (failed("no_video"), InvalidStream, "no moving pictures"),
        (failed("no_decoder"), InvalidStream, "not read. Choose H.264"),
        (failed("no_frames"), InvalidStream, "Not one frame"),
        (failed("too_large", width=9000, height=9000), InvalidStream, "9000x9000 pixels"),
        (failed("memory"), InvalidStream, "2 GiB of memory"),
        (failed("unforeseen", what="KeyError"), InvalidStream, "KeyError"),
        (failed("because"), SourceUnavailable, "went astray"),
        (frame(0.0), SourceUnavailable, "went astray"),
        (Heard("hello", _COUNTS), SourceUnavailable, "went astray"),
        (DecodingBroken("got stuck"), SourceUnavailable, "Decoding the stream got stuck"),
    ],
)
def test_what_is_not_decoded_is_said_in_one_line(
    says: Callable[..., None], said: Heard | Exception, error: type[Exception], message: str
) -> None:
    says([said])
    with (
        LiveStream(feed, 0, StreamLimits(patience_s=0.01)) as stream,
        pytest.raises(error, match=message),
    ):
        outcome(stream)


def test_why_the_source_stopped_goes_before_what_was_decoded(says: Callable[..., None]) -> None:
    def silent() -> Feed:
        return FakeFeed([(0, b"some")], end=SourceUnavailable("It is silent."))

    for said in (failed("unreadable"), ended(), DecodingBroken("got stuck")):
        says([Heard("passed", _COUNTS), said])
        with (
            LiveStream(silent, 0, StreamLimits(patience_s=0.01)) as stream,
            pytest.raises(SourceUnavailable, match="It is silent"),
        ):
            outcome(stream)


@pytest.mark.parametrize(
    "error",
    [
        SourceUnavailable("The source refuses the password.", definite=True),
        InvalidStream("The source sends a web page."),
        NotFound("No such source."),
    ],
)
def test_definite_answers_are_not_asked_for_again(error: Exception) -> None:
    def connect() -> Feed:
        raise error

    with LiveStream(connect, 0) as stream:
        with pytest.raises(type(error), match=str(error)):
            outcome(stream)
        assert stream.status.state is StreamState.FAILED
        assert stream.status.reason == str(error)


def test_a_source_that_gave_frames_and_refuses_is_given_up_before_it_locks_the_account(
    says: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_FIRST_WAIT_S", 0.01)
    says([opened(), frame(0.0), ended(1)])
    connects = []

    def connect() -> Feed:
        connects.append(1)
        if len(connects) > 1:
            raise SourceUnavailable("The source refuses the password.", definite=True)
        return feed()

    with (
        LiveStream(connect, 0) as stream,
        pytest.raises(SourceUnavailable, match="refuses the password"),
    ):
        outcome(stream)

    assert len(connects) == 5


def test_others_are_asked_for_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_FIRST_WAIT_S", 0.02)
    tries = []

    def connect() -> Feed:
        tries.append(time.monotonic())
        raise SourceUnavailable("The source does not answer.")

    with (
        LiveStream(connect, 0, StreamLimits(patience_s=0.3)) as stream,
        pytest.raises(SourceUnavailable, match="does not answer"),
    ):
        outcome(stream)
    assert 2 <= len(tries) <= 5


def test_mistakes_of_ours_are_said_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def connect() -> Feed:
        raise TypeError("a mistake")

    with LiveStream(connect, 0) as stream, pytest.raises(Fault, match=r"unforeseen way \(Type"):
        outcome(stream)
    assert "unforeseen" in caplog.text


def test_closing_while_it_waits_ends_it_at_once() -> None:
    def connect() -> Feed:
        raise SourceUnavailable("The source does not answer.")

    with LiveStream(connect, 0) as stream:
        while stream.status.state is not StreamState.WAITING:
            time.sleep(0.01)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 0.5
    assert stream.status.state is StreamState.ENDED
