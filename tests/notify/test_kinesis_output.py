"""What waits for a Kinesis stream: its order, its bounds, what is lost, and its end."""

import logging
import threading
import time
from collections.abc import Sequence

import pytest

from likeness.errors import NotifierUnavailable
from likeness.notify import KinesisOutput
from likeness.notify import kinesis as kinesis_module
from likeness.notify.kinesis import Put


class Stream:
    """A stream that does with records what a test says."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.takes_of_each = 1 << 30
        self.refuses_from: int | None = None
        self.had: list[bytes] = []
        self.largest = 0
        self.asked = threading.Event()

    def put(self, records: Sequence[bytes]) -> Put:
        self.asked.set()
        self.open.wait(10)
        self.largest = max(self.largest, len(records))
        if self.refuses_from is not None and len(self.had) >= self.refuses_from:
            raise NotifierUnavailable("The stream is not there. Make it.")
        taken, left = records[: self.takes_of_each], records[self.takes_of_each :]
        self.had.extend(taken)
        return Put(left, "'SlowDown'" if left else None)


@pytest.fixture
def stream() -> Stream:
    return Stream()


def output(stream: Stream) -> KinesisOutput[int]:
    return KinesisOutput(stream.put, lambda n: b"%d" % n, "job 7")


def numbers(stream: Stream) -> list[int]:
    return [int(one) for one in stream.had]


def test_what_is_told_arrives_in_its_order_and_worded(stream: Stream) -> None:
    with output(stream) as told:
        for n in range(900):
            told.tell(n)
            if n % 300 == 0:
                time.sleep(0.01)
    assert numbers(stream) == list(range(900))
    assert told.dropped == 0
    assert stream.largest <= 500


def test_nobody_waits_for_a_slow_stream_and_the_oldest_is_dropped_and_counted(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kinesis_module, "_MOST_WAITING", 10)
    stream.open.clear()
    with caplog.at_level(logging.WARNING):
        with output(stream) as told:
            told.tell(0)
            assert stream.asked.wait(5)
            began = time.monotonic()
            for n in range(1, 101):
                told.tell(n)
            assert time.monotonic() - began < 5
            assert told.dropped == 90
            stream.open.set()
        assert numbers(stream) == [0, *range(91, 101)]
    assert "job 7: a Kinesis stream was not told of 90 records" in caplog.text


def test_what_waits_is_bounded_in_bytes_too(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinesis_module, "_MOST_WAITING_BYTES", 6)
    stream.open.clear()
    with output(stream) as told:
        told.tell(10)
        assert stream.asked.wait(5)
        for n in range(11, 16):
            told.tell(n)
        assert told.dropped == 2
        stream.open.set()
    assert numbers(stream) == [10, 13, 14, 15]


def test_a_request_has_no_more_bytes_than_may_be(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinesis_module, "_MOST_BYTES", 7)
    stream.open.clear()
    with output(stream) as told:
        for n in range(100, 110):
            told.tell(n)
        stream.open.set()
    assert numbers(stream) == list(range(100, 110))
    assert stream.largest == 2


def test_a_record_that_no_stream_takes_is_dropped_alone(stream: Stream) -> None:
    with KinesisOutput(stream.put, lambda n: b"0" * n, "job 7") as told:
        for length in (1, 1 << 20, 2):
            told.tell(length)
    assert stream.had == [b"0", b"00"]
    assert told.dropped == 1


def test_what_a_stream_did_not_take_is_told_again_in_its_order(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinesis_module, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(kinesis_module, "_LONGEST_PAUSE_S", 0.002)
    stream.takes_of_each = 2
    with output(stream) as told:
        for n in range(9):
            told.tell(n)
    assert numbers(stream) == list(range(9))


def test_a_stream_that_refuses_is_told_once_and_whoever_tells_learns_of_it(stream: Stream) -> None:
    stream.refuses_from = 0
    with output(stream) as told:
        told.tell(1)
        ends_s = time.monotonic() + 5
        with pytest.raises(NotifierUnavailable, match="not there"):
            while time.monotonic() < ends_s:
                told.tell(2)
                time.sleep(0.001)
    assert stream.had == []


def test_the_end_waits_for_a_stream_a_little_and_says_what_was_lost(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kinesis_module, "_LINGER_S", 0.2)
    stream.open.clear()
    told = output(stream)
    told.tell(1)
    assert stream.asked.wait(5)
    told.tell(2)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        told.close()
    assert time.monotonic() - began < 5
    assert "was not told of 2 records" in caplog.text
    stream.open.set()


def test_what_waits_for_too_long_is_dropped_and_counted(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is erased meanwhile is named in it: no slow stream may keep that for long."""
    stream.open.clear()
    with output(stream) as told:
        told.tell(0)
        assert stream.asked.wait(5)
        told.tell(1)
        told.tell(2)
        now_s = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now_s + kinesis_module._LONGEST_WAIT_S + 1)
        told.tell(3)
        stream.open.set()
    assert numbers(stream) == [0, 3]
    assert told.dropped == 2
