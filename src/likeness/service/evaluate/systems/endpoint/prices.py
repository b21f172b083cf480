"""What calls of an endpoint cost, said before they are made.

Which operations AWS counts alike is on its page https://aws.amazon.com/rekognition/pricing/: those
on faces (group 1), and DetectFaces (group 2). 0.0010 US dollars a picture, for the first million a
month in us-east-1, is the list price as it was last known to us in 2026, from a copy of that page
and not from AWS itself; so whoever is asked is told to check it. More a month cost less, some
regions more, and taxes come on top. Collections are free to make; a face in one is 0.00001 US
dollars a month, which is left out, as collections are deleted at the end of a run.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from likeness.errors import InvalidRequest

AWS_PRICES: Mapping[str, float] = MappingProxyType(
    {
        "CompareFaces": 0.001,
        "IndexFaces": 0.001,
        "SearchFacesByImage": 0.001,
        "DetectFaces": 0.001,
    }
)
"""US dollars for one call of each operation."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
AWS_PRICES_AS_OF = "2026"


@dataclass(frozen=True, slots=True)
class Cost:
    """What is still to be asked, and what that costs at most.

    `calls` are by operation; `done` were answered in an earlier run. `most_more` is how many calls
    of DetectFaces may come on top, to find out which of two pictures an endpoint could not use.
    `dollars` and `most_dollars` are None where no price is known. `seconds` is how long it takes
    at least.
    """

    endpoint: str
    calls: Mapping[str, int]
    done: int
    most_more: int
    dollars: float | None
    most_dollars: float | None
    seconds: float
    basis: str

    @property
    def question(self) -> str:
        """Say it in one line that asks for consent."""
        parts = [f"{count:,} calls of {name}" for name, count in self.calls.items() if count]
        before = f" ({self.done:,} were answered before)" if self.done else ""
        more = f", and up to {self.most_more:,} of DetectFaces" if self.most_more else ""
        sent = "are sent there"
        if self.endpoint.startswith("http:") and urlsplit(self.endpoint).hostname not in _LOOPBACK:
            sent += ", and by http anybody on the way can see them"
        if self.calls.get("IndexFaces"):
            sent += ", and their faces stay in a collection until the run is done"
        return (
            f"Ask {self.endpoint} for {' and '.join(parts)}{more}{before}? {self._price()} It takes"
            f" {_duration(self.seconds)} or more. Pictures of people {sent}."
        )

    def _price(self) -> str:
        if self.dollars is None or self.most_dollars is None:
            return "What that costs is not known here."
        if self.most_dollars > self.dollars:
            price = f"{_in_dollars(self.dollars)} to {_in_dollars(self.most_dollars)}"
        else:
            price = _in_dollars(self.dollars)
        return f"It costs {price} ({self.basis})."


def prices_of(
    url: str | None, given: Mapping[str, float] | None
) -> tuple[Mapping[str, float], str]:
    """Give the prices of an endpoint, and what they are based on: those given, or AWS's own.

    Raises:
        InvalidRequest: one that is given is no price.
    """
    if given is not None:
        if not all(0 <= price < math.inf for price in given.values()):
            raise InvalidRequest("A price is no amount of dollars. Give 0 or more.")
        return given, "by the prices that you gave"
    if is_aws(url):
        basis = f"by AWS's list price for us-east-1 as known in {AWS_PRICES_AS_OF}, before tax"
        return AWS_PRICES, f"{basis}; check its page"
    return {}, ""


def is_aws(url: str | None) -> bool:
    """Say whether an endpoint is AWS's own: the default one, or one at its domains."""
    if url is None:
        return True
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def cost_of(
    endpoint: str,
    calls: Mapping[str, int],
    *,
    done: int,
    most_more: int,
    prices: tuple[Mapping[str, float], str],
    calls_per_second: float,
) -> Cost:
    """Add up what calls cost."""
    table, basis = prices
    known = all(name in table for name in calls) and (not most_more or "DetectFaces" in table)
    dollars = sum(count * table[name] for name, count in calls.items()) if known else None
    more = most_more * table["DetectFaces"] if known and most_more else 0.0
    return Cost(
        endpoint=endpoint,
        calls=calls,
        done=done,
        most_more=most_more,
        dollars=dollars,
        most_dollars=None if dollars is None else dollars + more,
        seconds=sum(calls.values()) / calls_per_second,
        basis=basis,
    )


def _in_dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else "less than $0.01"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:,.1f} hours"
