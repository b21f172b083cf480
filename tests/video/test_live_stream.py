"""A file at its own pace, and what comes over a connection, as they happen."""

import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from likeness.errors import InvalidClip, NotFound
from likeness.video import LiveFrame, LiveStream, PacedFile, StreamState
from tests.video.clips import every, make_clip, number_in

pytestmark = pytest.mark.slow


def frames_of(stream: LiveStream, longest_s: float = 20) -> list[LiveFrame]:
    """Take frames as fast as they come, up to the end."""
    ends_s = time.monotonic() + longest_s
    frames = []
    while time.monotonic() < ends_s:
        frame = stream.next(0.5)
        if frame is not None:
            frames.append(frame)
        elif stream.status.state is StreamState.ENDED:
            return frames
    raise AssertionError("it does not end")


def number_of(frame: LiveFrame) -> int:
    assert frame.frame.image is not None
    return number_in(frame.frame.image.pixels)


def test_file_is_shown_at_its_own_pace(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 10))
    began_s = time.monotonic()

    with LiveStream(PacedFile(path), 0) as stream:
        frames = frames_of(stream)

    assert [number_of(frame) for frame in frames] == list(range(10))
    assert {frame.session for frame in frames} == {1}
    assert 0.9 <= time.monotonic() - began_s < 4
    apart = [b.arrived_s - a.arrived_s for a, b in itertools.pairwise(frames)]
    assert all(0.05 < step < 0.15 for step in apart)
    assert abs((datetime.now(UTC) - frames[-1].at).total_seconds()) < 2
    assert stream.status.frames == 10
    assert stream.status.dropped == 0
    assert stream.status.clip is not None
    assert stream.status.clip.codec == "h264"


def test_whoever_is_slow_gets_the_newest_frame(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.04, 50))

    with LiveStream(PacedFile(path), 0) as stream:
        assert stream.next(10) is not None
        time.sleep(1)
        frame = stream.next(0)

    assert frame is not None
    assert number_of(frame) >= 20
    assert stream.status.dropped >= 15


def test_pixels_are_given_as_often_as_asked(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.05, 20))

    with LiveStream(PacedFile(path), 0.2) as stream:
        frames = frames_of(stream)

    assert [number_of(frame) for frame in frames] == [0, 4, 8, 12, 16]
    assert stream.status.frames == 20


def test_closing_ends_it_at_once(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", times_s=[0, 20])
    with LiveStream(PacedFile(path), 0) as stream:
        assert stream.next(10) is not None
        began_s = time.monotonic()

    assert time.monotonic() - began_s < 1
    assert stream.status.state is StreamState.ENDED
    assert stream.next(5) is None


def test_missing_file_and_no_clip_fail(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("nothing")

    with LiveStream(PacedFile(tmp_path / "none.mp4"), 0) as stream, pytest.raises(NotFound):
        stream.next(10)
    with LiveStream(PacedFile(text), 0) as stream:
        with pytest.raises(InvalidClip, match="Not a clip"):
            stream.next(10)
        assert stream.status.state is StreamState.FAILED
        assert "Not a clip" in (stream.status.reason or "")
