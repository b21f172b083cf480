"""Asks an endpoint once for each call, from several threads, and keeps every answer at once."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from likeness.errors import Fault, InputError
from likeness.service.evaluate.systems.endpoint.answers import NO_FACE, version_of
from likeness.service.evaluate.systems.endpoint.client import (
    EndpointClient,
    Unanswered,
    Unusable,
    printable,
)
from likeness.service.evaluate.systems.endpoint.journal import Entry, Journal, Key
from likeness.service.evaluate.trials import Tell

MOST_FAULTS = 50
"""After as many calls in a row that the endpoint fails to answer it is asked for a sign of life."""
_ALIVE: Key = ("alive",)
_SECONDS_DIGITS = 4
_NO_REASON = "no reason is given"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its key in the journal, what to send, and what to keep of the answer.

    `request` may raise `InputError` where a picture cannot be sent.
    """

    operation: str
    key: Key
    request: Callable[[], Mapping[str, Any]]
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Progress:
    """Tells how many calls of a run are done."""

    def __init__(self, tell: Tell, total: int) -> None:
        self._tell, self._total = tell, total
        self._done = 0

    def skip(self, count: int) -> None:
        """Count calls that an earlier run made."""
        self._done += count
        self._tell(self._done, self._total)

    def over(self, calls: Iterable[T]) -> Iterator[T]:
        """Count each that is begun."""
        for call in calls:
            yield call
            self.skip(1)


class Asker:
    """Answers calls from the journal, else from the endpoint, each once however many want it."""

    def __init__(self, client: EndpointClient, journal: Journal, stop: threading.Event) -> None:
        self.client, self.journal = client, journal
        self._stop = stop
        self._lock = threading.Lock()
        self._on_their_way: dict[Key, Future[Entry]] = {}
        self._unsendable: dict[Key, Entry] = {}
        self._faults = 0
        self._proven: Call | None = None

    @property
    def trailing_faults(self) -> int:
        """How many calls in a row the endpoint failed to answer last."""
        return self._faults

    def answer(self, call: Call) -> Entry:
        """Give what is kept of the answer to a call.

        Of one that failed, `reason_of` gives the reason.

        Raises:
            LikenessError: nothing more can be asked.
        """
        with self._lock:
            known = self.known(call)
            if known is not None:
                return known
            waiting = self._on_their_way.get(call.key)
            mine = waiting or Future[Entry]()
            if waiting is None:
                self._on_their_way[call.key] = mine
        if waiting is not None:
            return waiting.result()
        try:
            mine.set_result(self._asked(call))
        except BaseException as error:
            mine.set_exception(error)
        with self._lock:
            del self._on_their_way[call.key]
        return mine.result()

    def known(self, call: Call) -> Entry | None:
        """Give what is kept of the answer to a call, if it was made."""
        return self.journal.get(call.key) or self._unsendable.get(call.key)

    def each(
        self,
        calls: Iterable[T],
        work: Callable[[T], object],
        workers: int,
        proven: Call | None,
    ) -> None:
        """Work off calls in threads; `calls` is asked for the next only when one is free.

        `proven` is a call that was answered before, if one is known: whether it still is shows
        whether the endpoint is down, or fails on what it is sent.

        Raises:
            LikenessError: nothing more can be asked.
        """
        self._proven = proven or self._proven
        with ThreadPoolExecutor(workers) as pool:
            running: set[Future[object]] = set()
            try:
                for call in calls:
                    if len(running) >= workers:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        for one in done:
                            one.result()
                    running.add(pool.submit(work, call))
                for one in running:
                    one.result()
            except BaseException:
                self._stop.set()
                raise

    def _asked(self, call: Call) -> Entry:
        try:
            request = call.request()
        except InputError as error:
            # Not kept: whoever mends the file may run again.
            entry: dict[str, Any] = {"unusable": printable(str(error))}
            self._unsendable[call.key] = entry
            return entry
        try:
            answered = self.client.call(call.operation, **request)
            entry = {**call.read(answered.body), "s": round(answered.seconds, _SECONDS_DIGITS)}
            if version := version_of(answered.body):
                entry["v"] = version
        except Unusable as error:
            entry = {"unusable": _in_words(error)}
        except Unanswered as error:
            return self._failed(call, str(error))
        with self._lock:
            self._faults = 0
            if "unusable" not in entry:
                self._proven = call
        self.journal.append(call.key, entry)
        return entry

    def _failed(self, call: Call, says: str) -> Entry:
        entry = {"fault": printable(says) or _NO_REASON}
        self.journal.append(call.key, entry)
        with self._lock:
            self._faults += 1
            if self._faults >= MOST_FAULTS:
                self._require_life(says)
                self._faults = 0
        return entry

    def _require_life(self, says: str) -> None:
        try:
            if self._proven is not None:
                answered = self.client.call(self._proven.operation, **self._proven.request())
                self._proven.read(answered.body)
                # It is what it was sent: that is not asked again, see `Journal`.
                self.journal.append(_ALIVE, {})
                return
        except (Unusable, Unanswered, InputError) as error:
            says = str(error)
        raise Fault(
            f"{self.client.name} failed {self._faults} calls in a row ({says}). Run the same"
            " command again when it works; what it failed to answer last is asked again."
        )


def reason_of(entry: Entry | None) -> str | None:
    """Give why a call has no answer; None where it has one, or was not made."""
    if entry is None:
        return None
    reason = entry.get("unusable") or entry.get("fault")
    return None if reason is None else str(reason)


def _in_words(error: Unusable) -> str:
    """Say alike what the operations say in different ways."""
    # AWS's text, see docs/rekognition.md.
    if error.code == "InvalidParameterException" and "There are no faces" in str(error):
        return NO_FACE
    return printable(str(error)) or _NO_REASON
