"""What programs hold of the rows in memory, such as rules and keys, never older than a moment.

A change that another program commits counts within half a second: when the last look is that old,
everything that is held is looked after again, all of it in one read.
"""

import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection

from likeness.storage.database import Database

LOOK_EVERY_S = 0.5


class Freshness:
    """Looks after what is held of a database's rows; safe to use from many threads."""

    def __init__(
        self, database: Database, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._looked_at_s: float | None = None
        self._looks: list[Callable[[Connection], None]] = []

    def follow(self, look: Callable[[Connection], None]) -> None:
        """Look after something more: `look` reads what changed since it was called before."""
        with self._lock:
            self._looks.append(look)
            self._looked_at_s = None

    def ensure(self, at_most_s: float | None = None) -> None:
        """See that nothing that is held is older than half a second, or than `at_most_s`.

        Raises:
            Conflict, DatabaseUnavailable: the rows cannot be read.
        """
        with self._lock:
            now_s, oldest_s = self._monotonic_s(), LOOK_EVERY_S if at_most_s is None else at_most_s
            if self._looked_at_s is None or now_s - self._looked_at_s >= oldest_s:
                self._database.read(self._look)
                self._looked_at_s = now_s

    def _look(self, connection: Connection) -> None:
        for look in self._looks:
            look(connection)
