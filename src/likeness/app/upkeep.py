"""What has to be done now and then while a server runs? Notices, ends, retention, the witness.

Each task is done on its own, at its own pace; one that fails is logged, and tried again.
"""

import logging
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from likeness.access import RequestTokens
from likeness.app.home import Home
from likeness.app.review import webhook_sender
from likeness.errors import LikenessError, NotFound
from likeness.ledger.witness import tell_witness
from likeness.service.review_sweep import sweep_review
from likeness.service.sweep import sweep_collections
from likeness.service.tell import tell
from likeness.terms.closing import Closing

_logger = logging.getLogger(__name__)

_TICK_S = 1.0
_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(slots=True)
class Task:
    """Something that is done again and again, `every_s` seconds at the earliest."""

    name: str
    every_s: float
    do: Callable[[], object]
    due_s: float = 0.0


class Upkeep(Closing):
    """A thread that does what is due, until it is closed."""

    def __init__(self, tasks: list[Task], tick_s: float = _TICK_S) -> None:
        self._tasks = tasks
        self._tick_s = tick_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="likeness-upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what is being done, and do nothing more."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._tick_s):
            for task in self._tasks:
                if time.monotonic() >= task.due_s and not self._closed.is_set():
                    self._do(task)

    def _do(self, task: Task) -> None:
        try:
            task.do()
        except LikenessError as error:
            _logger.warning("%s has to be done again: %s", task.name, type(error).__name__)
        except Exception as error:
            _logger.error("%s failed: %s", task.name, type(error).__name__)
        task.due_s = time.monotonic() + task.every_s


def tasks_of(home: Home) -> list[Task]:
    """Name what a home needs to have done.

    Raises:
        InvalidRequest: a setting of webhooks is not as it must be.
    """
    settings, database, keyring = home.installation.settings, home.database, home.keyring
    sender, somebody = webhook_sender(settings), home.somebody
    tokens = RequestTokens(keyring, _now)
    tasks = [
        Task("telling watchers", 2 * _TICK_S, lambda: tell(database, keyring, sender, _now())),
        Task(
            "ending cases and watches",
            _MINUTE_S,
            lambda: sweep_review(database, home.desk, somebody, _now()),
        ),
        Task(
            "retention",
            _HOUR_S,
            lambda: sweep_collections(database, home.gallery, home.desk, somebody, _now()),
        ),
        Task("erasures of other servers", 10 * _TICK_S, home.gallery.erasing.let_go),
        Task("request tokens", _HOUR_S, lambda: database.write(tokens.sweep)),
    ]
    if witness := shlex.split(settings.ledger_witness):
        tasks.append(Task("the witness", _MINUTE_S, _Witnessing(home, witness)))
    return tasks


class _Witnessing:
    """Gives a witness each new checkpoint."""

    def __init__(self, home: Home, argv: list[str]) -> None:
        self._home = home
        self._argv = argv
        self._told = ""

    def __call__(self) -> None:
        try:
            checkpoint = self._home.ledger.checkpoint()
        except NotFound:  # nothing is recorded yet
            return
        if checkpoint != self._told:
            tell_witness(self._argv, checkpoint)
            self._told = checkpoint


def _now() -> datetime:
    return datetime.now(UTC)
