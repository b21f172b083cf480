"""What a process opened stays its own: threads, locks and connections do not survive a fork."""

import os

from likeness.errors import Conflict


class OpenedHere:
    """Knows which process opened something that a forked one cannot use."""

    def __init__(self) -> None:
        self._process_id = os.getpid()

    def is_here(self) -> bool:
        """Say whether this is the process that opened it."""
        return os.getpid() == self._process_id

    def require_here(self) -> None:
        """See that it is used by the process that opened it.

        Raises:
            Conflict: it is another, which was forked since and would wait for ever.
        """
        if not self.is_here():
            raise Conflict(
                "Likeness was opened before this process was forked, and cannot be used here. Open"
                " it in each process, or start processes with multiprocessing's 'spawn' or"
                " 'forkserver'."
            )
