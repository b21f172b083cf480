"""Acts that take longer than anybody waits for a page: they go on, and their answers stay a while.

Each is somebody's, and they alone see its answer: ids, which pages read anew. One runs at a time,
and of those that wait one person has as many as there are places left for others.
Nothing outlives the server: whoever asks again after that begins it again.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from likeness.errors import LikenessError, TooBusy
from likeness.terms import Closing

_logger = logging.getLogger(__name__)

_MOST_KEPT, _MOST_WAITING = 200, 20
_CLOSES_WITHIN_S = 10.0

Tell = Callable[[int, int], None]


@dataclass(slots=True, eq=False)
class Work:
    """An act that was begun: how far it is, and what came of it."""

    done: int = 0
    total: int = 0
    answer: Any = None
    error: Exception | None = None
    by: str | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def has_ended(self) -> bool:
        """Whether there is an answer or an error."""
        return self._ended.is_set()

    def wait(self, within_s: float) -> None:
        """Wait for its end, but not for long."""
        self._ended.wait(within_s)


class Background(Closing):
    """Runs acts one after another, and keeps what came of them; safe to share between threads."""

    def __init__(self) -> None:
        self._of: OrderedDict[Hashable, Work] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._threads = set[threading.Thread]()

    def begin(self, whose: Hashable, act: Callable[[Tell], Any], by: str | None = None) -> Work:
        """Begin an act, unless the last of the same key still runs; forget what came of that.

        `by` is who begins it.

        Raises:
            TooBusy: too many wait, of all or of theirs.
        """
        with self._lock:
            known = self._of.get(whose)
            if known is not None and not known.has_ended:
                return known
            places = _MOST_WAITING - len(self._threads)
            own = sum(one.by == by and not one.has_ended for one in self._of.values())
            if places <= 0 or self._closed.is_set() or (by is not None and own >= places):
                raise TooBusy("Too many such acts are waiting. Try again later.")
            work = self._of[whose] = Work(by=by)
            self._of.move_to_end(whose)
            self._forget_some()
            thread = threading.Thread(
                target=self._run, args=(work, act), name="likeness: console", daemon=True
            )
            self._threads.add(thread)
        thread.start()
        return work

    def find(self, whose: Hashable) -> Work | None:
        """Find the last act of a key; None where there is none."""
        with self._lock:
            return self._of.get(whose)

    def close(self) -> None:
        """Stop what runs when it next tells how far it is, and begin nothing more.

        What does not tell for long is left behind, so that a server stops in time.
        """
        self._closed.set()
        until_s = time.monotonic() + _CLOSES_WITHIN_S
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _run(self, work: Work, act: Callable[[Tell], Any]) -> None:
        def tell(done: int, total: int) -> None:
            if self._closed.is_set():
                raise TooBusy("The server closes. Begin again when it is back.")
            work.done, work.total = done, total

        try:
            with self._turn:
                tell(0, 0)
                work.answer = act(tell)
        except Exception as error:
            if not isinstance(error, LikenessError):
                _logger.error("an act of a page failed: %s", type(error).__name__)
            work.error = error.with_traceback(None)  # which would hold all that it worked with
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
            work._ended.set()

    def _forget_some(self) -> None:
        ended = [key for key, work in self._of.items() if work.has_ended]
        for key in ended[: max(0, len(self._of) - _MOST_KEPT)]:
            del self._of[key]
