"""Who may hold how many connections, and which are closed to make room for others.

A server holds so many connections, and one address at most a share of them, so that whatever one
caller opens there is room for others. Where there is none, a connection on which nothing is owed is
closed for the newcomer: one of the address that holds most, and of its connections

1. the one that has been open longest without ever making a request,
2. else the one whose last request is longest ago,
3. else the one whose request has not come further for longest, and not for a while.

Whatever is being worked on is never closed: where there is nothing else, the newcomer is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from likeness.server.refusals import Refusal, Refusals

_STUCK_S = 5.0  # without a byte of a body, before its connection may be closed


class Stage(Enum):
    """What a connection is at, in the order in which such connections are closed."""

    NEW = auto()
    KEPT = auto()
    SENDING = auto()
    WORKING = auto()


@dataclass(slots=True, eq=False)
class Connection:
    """A connection as shares go: whose it is, what it is at since when, and how to close it."""

    connections: "Connections"
    address: str
    close: Callable[[], None]
    stage: Stage = Stage.NEW
    since_s: float = 0.0

    def turn(self, stage: Stage) -> None:
        """Be at something else, or anew at the same."""
        self.connections.turn(self, stage)

    def leave(self) -> None:
        """Make room for others; once is enough."""
        self.connections.leave(self)


@dataclass(slots=True)
class _Held:
    """The connections of an address by what they are at, and there by how long, longest first."""

    count: int = 0
    stages: dict[Stage, dict[Connection, None]] = field(
        default_factory=lambda: {stage: {} for stage in Stage}
    )

    def closable(self, now_s: float) -> Connection | None:
        """Give the connection that may best be closed, if any may."""
        for stage in (Stage.NEW, Stage.KEPT, Stage.SENDING):
            for oldest in self.stages[stage]:
                if stage is Stage.SENDING and now_s - oldest.since_s < _STUCK_S:
                    break
                return oldest
        return None


class Connections:
    """All connections of a server: `most` at a time, and `per_address` of one; for one loop."""

    def __init__(
        self,
        most: int,
        per_address: int,
        refusals: Refusals,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self.per_address = per_address
        self.count = 0
        self._refusals = refusals
        self._clock_s = clock_s
        self._held: dict[str, _Held] = {}

    def admit(self, address: str, close: Callable[[], None]) -> Connection | None:
        """Hold another connection, if need be in place of another; gives none where it must go."""
        held = self._held.get(address)
        if held is not None and held.count >= self.per_address:
            if not self._close_one_of(held):
                self._refusals.count(Refusal.ADDRESS_CONNECTIONS)
                return None
        elif self.count >= self.most and not self.close_one():
            self._refusals.count(Refusal.CONNECTIONS)
            return None
        connection = Connection(self, address, close, since_s=self._clock_s())
        held = self._held.setdefault(address, _Held())
        held.count += 1
        held.stages[Stage.NEW][connection] = None
        self.count += 1
        return connection

    def close_one(self) -> bool:
        """Close a connection of the address that holds most, of those that have one to close."""
        for held in sorted(self._held.values(), key=lambda held: held.count, reverse=True):
            if self._close_one_of(held):
                return True
        return False

    def turn(self, connection: Connection, stage: Stage) -> None:
        """Note what a connection is at from now on."""
        held = self._held.get(connection.address)
        if held is None or connection not in held.stages[connection.stage]:
            return  # it has left
        del held.stages[connection.stage][connection]
        connection.stage, connection.since_s = stage, self._clock_s()
        held.stages[stage][connection] = None

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        held = self._held.get(connection.address)
        if held is None or connection not in held.stages[connection.stage]:
            return
        del held.stages[connection.stage][connection]
        held.count -= 1
        self.count -= 1
        if not held.count:
            del self._held[connection.address]

    def _close_one_of(self, held: _Held) -> bool:
        connection = held.closable(self._clock_s())
        if connection is None:
            return False
        self._refusals.count(Refusal.IDLE_CONNECTIONS)
        self.leave(connection)
        connection.close()
        return True
