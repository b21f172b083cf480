"""Rates, lanes and replays, by clocks of our own."""

from datetime import UTC, datetime, timedelta

import pytest

from likeness.server.door import Rates, Replays
from likeness.server.errors import TooManyRequests


def test_a_bucket_fills_up_again_and_not_beyond_its_size() -> None:
    now_s = 0.0
    rates = Rates(2, lambda: now_s)
    for _ in range(2):
        rates.take("key:1")
    with pytest.raises(TooManyRequests, match="More than 2 requests a second"):
        rates.take("key:1")
    rates.take("key:2")
    now_s = 0.5
    rates.take("key:1")
    now_s = 60.0
    for _ in range(2):
        rates.take("key:1")
    with pytest.raises(TooManyRequests):
        rates.take("key:1")


def test_no_rate_is_no_limit() -> None:
    rates = Rates(0, lambda: 0.0)
    for _ in range(100):
        rates.take("key:1")


def test_a_signature_is_remembered_as_long_as_it_is_good() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    replays = Replays(lambda: now)
    signature, other = "ab" * 32, "cd" * 32
    assert not replays.seen(signature)
    assert replays.seen(signature)
    now += timedelta(minutes=9)
    assert not replays.seen(other)
    assert replays.seen(signature)
    now += timedelta(minutes=2)
    assert not replays.seen(signature)
    assert replays.seen(other)
