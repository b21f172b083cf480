"""Answers that go on for as long as somebody listens: events, and who listens to them.

Events are Server-Sent Events, as the HTML Standard has them: an id for each, so that whoever
connects again goes on behind the last, and a comment now and then, so that silence can be told from
a connection that broke.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from likeness.server.errors import TooManyRequests

EVENTS = "text/event-stream"
_MOST, _MOST_OF_ONE = 64, 16


class Listeners:
    """Who listens: so many at most, and so many of one caller's; for one event loop."""

    def __init__(self) -> None:
        self._of_each: Counter[str] = Counter()

    @contextmanager
    def place(self, principal_id: str) -> Iterator[None]:
        """Take a place for as long as somebody listens.

        Raises:
            TooManyRequests: there is none.
        """
        self.require_place(principal_id)
        self._of_each[principal_id] += 1
        try:
            yield
        finally:
            self._of_each[principal_id] -= 1
            self._of_each += Counter()  # keeps who has any

    def require_place(self, principal_id: str) -> None:
        """Say that there is a place for somebody.

        Raises:
            TooManyRequests: there is none.
        """
        if self._of_each[principal_id] >= _MOST_OF_ONE or self._of_each.total() >= _MOST:
            raise TooManyRequests(
                f"{_MOST_OF_ONE} such answers go on with this key already, or {_MOST} with all. Try"
                " again later, or ask page by page."
            )


def event(name: str, data: str, event_id: str | None = None) -> bytes:
    """Write an event; its data may have lines."""
    lines = [] if event_id is None else [f"id: {event_id}"]
    lines += [f"event: {name}", *(f"data: {line}" for line in data.splitlines() or [""])]
    return "\n".join([*lines, "", ""]).encode()


async def wait_within(over: asyncio.Event, seconds: float) -> None:
    """Wait a moment, but not behind the end."""
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
