"""Requests that come again with the same signature: what is done about them, at every door.

A signature is good for five minutes, so that whoever has seen a request can send it again. Two
equal requests that somebody makes within a second have one signature too: nothing tells them apart.

1. What changes nothing is served again. It is counted, and marked `replayed` in log and ledger.
2. What changes anything is done once: the same request is refused until it is signed anew, unless
   it was refused before and so has done nothing.
3. AWS's clients may make two equal requests within a second, and expect what AWS answers. At their
   door, one that changes something is still served within two seconds of the first, and marked.

Each server remembers what it has served itself, for as long as a signature is good, and of one key
no more than 100,000 requests of each kind.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from likeness.errors import required
from likeness.server.errors import Replayed
from likeness.server.exchange import Exchange, Repeats
from likeness.server.monitoring import Metrics
from likeness.server.refusals import Refusal, Refusals
from likeness.server.signature import SKEW

_REMEMBERED = 100_000  # of one key
_WITHIN = timedelta(seconds=2)


class Replays:
    """Remembers genuine requests, and refuses those that would do something twice."""

    def __init__(self, metrics: Metrics, refusals: Refusals, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._refusals = refusals
        self._clock = clock
        # Of each key, and apart what was changed: nobody who asks a lot makes it forget the others.
        # Whoever asked last is at the end.
        self._served: dict[tuple[Repeats, str], Signatures] = {}

    def check(self, exchange: Exchange) -> None:
        """Remember a genuine request, and mark one that is remembered already.

        Raises:
            Replayed: it would change something again.
        """
        claim = required(exchange.claim, "a request whose sender is proven")
        of_key = exchange.repeats, claim.access_key_id
        served = self._served.pop(of_key, None) or Signatures(self._clock, _REMEMBERED)
        self._forget_who_is_quiet()
        self._served[of_key] = served
        first = served.first(claim.signature)
        if first is not None:
            exchange.replayed = True
            self._metrics.replays.inc()
            within = _WITHIN if exchange.repeats is Repeats.SOON else timedelta()
            if exchange.repeats is not Repeats.ALWAYS and self._clock() - first >= within:
                self._refusals.count(Refusal.REPLAYED)
                raise Replayed(
                    "This request was made before, with the same signature, and is done once. Look"
                    " whether it was done; sign it anew to make it again."
                )
            served.serve_again(claim.signature)
        exchange.let_in = True

    def forget(self, exchange: Exchange) -> None:
        """Let a request come again that has done nothing, unless an equal one may have."""
        claim = exchange.claim
        if claim is None or not exchange.let_in:
            return
        served = self._served.get((exchange.repeats, claim.access_key_id))
        if served is not None:
            served.forget(claim.signature)

    def _forget_who_is_quiet(self) -> None:
        """Let go of what keys have asked of which no signature is good any more."""
        while self._served and next(iter(self._served.values())).are_over:
            del self._served[next(iter(self._served))]


class Signatures:
    """Genuine signatures, and when each came first, for as long as they are good; for one loop."""

    def __init__(self, clock: Callable[[], datetime], at_most: int) -> None:
        self._clock = clock
        self._at_most = at_most
        self._came: dict[bytes, datetime] = {}
        # Of those that were served several times: how many times more than once.
        self._again: Counter[bytes] = Counter()

    @property
    def are_over(self) -> bool:
        """Whether none of them is good any more."""
        newest = next(reversed(self._came.values()), None)
        return newest is None or self._is_over(newest)

    def first(self, signature: str) -> datetime | None:
        """Remember a signature; say when it came first, if it did before."""
        digest = _short(signature)
        while self._came:
            oldest, came = next(iter(self._came.items()))
            if len(self._came) < self._at_most and not self._is_over(came):
                break
            self._drop(oldest)
        if (first := self._came.get(digest)) is not None:
            return first
        self._came[digest] = self._clock()
        return None

    def serve_again(self, signature: str) -> None:
        """Count that a signature is served once more."""
        self._again[_short(signature)] += 1

    def forget(self, signature: str) -> None:
        """Take back one time that a signature came; after the last, it comes as if never before."""
        digest = _short(signature)
        if self._again[digest] > 0:
            self._again[digest] -= 1
        else:
            self._drop(digest)

    def _is_over(self, came: datetime) -> bool:
        return self._clock() - came > 2 * SKEW

    def _drop(self, digest: bytes) -> None:
        self._came.pop(digest, None)
        del self._again[digest]


def _short(signature: str) -> bytes:
    return bytes.fromhex(signature)[:16]
