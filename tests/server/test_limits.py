"""Rates, lanes and replays, by clocks of our own."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from likeness.server import Gate, Metrics, Refusals
from likeness.server import replays as replays_module
from likeness.server.door import Rates
from likeness.server.errors import Replayed, TooManyRequests
from likeness.server.exchange import Exchange, Repeats
from likeness.server.replays import Replays, Signatures
from likeness.server.signature import Claim
from tests.rekognition.test_application import Keys


def refusals() -> Refusals:
    return Refusals(Metrics(CollectorRegistry()))


def test_a_bucket_fills_up_again_and_not_beyond_its_size() -> None:
    now_s = 0.0
    rates = Rates(2, refusals(), lambda: now_s)
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
    rates = Rates(0, refusals(), lambda: 0.0)
    for _ in range(100):
        rates.take("key:1")


def test_who_guesses_passwords_from_many_addresses_leaves_others_a_place() -> None:
    ends = threading.Event()

    async def guess(gate: Gate) -> list[bool]:
        guesses = [
            asyncio.create_task(gate.sign_ins.run(partial(ends.wait, 30), f"10.0.0.{number}"))
            for number in range(200)
        ]
        await asyncio.sleep(0)  # in which each takes a place, or finds none
        ends.set()
        return await asyncio.gather(*guesses)

    with Gate(Keys(), Metrics(CollectorRegistry())) as gate:
        assert all(asyncio.run(guess(gate)))


def test_a_signature_is_remembered_as_long_as_it_is_good() -> None:
    now = began = datetime(2026, 1, 1, tzinfo=UTC)
    signatures = Signatures(lambda: now, at_most=10)
    signature, other = "ab" * 32, "cd" * 32
    assert signatures.first(signature) is None
    assert signatures.first(signature) == began
    now += timedelta(minutes=9)
    assert signatures.first(other) is None
    assert signatures.first(signature) == began
    now += timedelta(minutes=2)
    assert signatures.first(signature) is None
    assert signatures.first(other) == began + timedelta(minutes=9)


def test_of_many_signatures_the_newest_are_remembered() -> None:
    signatures = Signatures(lambda: datetime(2026, 1, 1, tzinfo=UTC), at_most=2)
    for signature in ("aa" * 32, "bb" * 32, "cc" * 32):
        assert signatures.first(signature) is None
    assert signatures.first("cc" * 32) is not None
    assert signatures.first("aa" * 32) is None


def exchange(repeats: Repeats) -> Exchange:
    return asked_by("LKIA", "ab" * 32, repeats)


def asked_by(key_id: str, signature: str, repeats: Repeats) -> Exchange:
    claim = Claim(key_id, "", "", "", (), signature)
    return Exchange({}, None, None, None, claim=claim, repeats=repeats)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("repeats", "at_once", "later"),
    [
        (Repeats.ALWAYS, True, True),
        (Repeats.SOON, True, False),
        (Repeats.NEVER, False, False),
    ],
)
def test_a_request_comes_again_as_its_door_says(
    repeats: Repeats, at_once: bool, later: bool
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics = Metrics(CollectorRegistry())
    replays = Replays(metrics, Refusals(metrics), lambda: now)
    first = exchange(repeats)
    replays.check(first)
    assert not first.replayed
    for seconds, served in ((1, at_once), (5, later)):
        now += timedelta(seconds=seconds)
        again = exchange(repeats)
        if served:
            replays.check(again)
        else:
            with pytest.raises(Replayed, match="sign it anew"):
                replays.check(again)
        assert again.replayed
        replays.forget(again)  # of what was done, nothing is forgotten
    replays.forget(first)
    anew = exchange(repeats)
    replays.check(anew)
    assert not anew.replayed


def test_nobody_who_asks_a_lot_makes_others_requests_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replays_module, "_REMEMBERED", 2)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics = Metrics(CollectorRegistry())
    replays = Replays(metrics, Refusals(metrics), lambda: now)
    replays.check(asked_by("LKIAVICTIM", "ab" * 32, Repeats.NEVER))
    for number in range(5):
        replays.check(asked_by("LKIAGREEDY", f"{number:02x}" * 32, Repeats.NEVER))
    with pytest.raises(Replayed):
        replays.check(asked_by("LKIAVICTIM", "ab" * 32, Repeats.NEVER))


def test_of_equal_requests_that_were_let_in_none_is_done_again_unless_all_were_refused() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics = Metrics(CollectorRegistry())
    replays = Replays(metrics, Refusals(metrics), lambda: now)
    first, second = exchange(Repeats.SOON), exchange(Repeats.SOON)
    replays.check(first)
    replays.check(second)
    replays.forget(first)  # it was refused, and the second may have been done
    now += timedelta(seconds=5)
    again = exchange(Repeats.SOON)
    with pytest.raises(Replayed):
        replays.check(again)
    replays.forget(again)
    replays.forget(second)
    anew = exchange(Repeats.SOON)
    replays.check(anew)
    assert not anew.replayed


def test_requests_of_keys_that_ask_no_more_are_let_go() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics = Metrics(CollectorRegistry())
    replays = Replays(metrics, Refusals(metrics), lambda: now)
    for number in range(5):
        replays.check(asked_by(f"LKIA{number}", "ab" * 32, Repeats.NEVER))
        now += timedelta(minutes=3)
    assert [key for _, key in replays._served] == [f"LKIA{number}" for number in (1, 2, 3, 4)]
    replays.check(asked_by("LKIA1", "cd" * 32, Repeats.NEVER))
    assert [key for _, key in replays._served] == [f"LKIA{number}" for number in (2, 3, 4, 1)]
