"""What has to be done now and then while a server runs? Notices, ends, retention, the witness.

Each task has a thread of its own, so that a slow one (a witness, a large sweep) holds up no other;
one that fails is logged, and tried again.
"""

import logging
import shlex
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from likeness.access import RequestTokens
from likeness.app.home import Home
from likeness.errors import LikenessError, NotFound
from likeness.ledger import tell_witness
from likeness.notify import WebhookSender
from likeness.service.erase.erase import sweep_collections
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.service.review.upkeep import sweep_review, tell
from likeness.service.uses import home as acts
from likeness.terms import Closing

_logger = logging.getLogger(__name__)

_TICK_S = 1.0
_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is done again and again, `every_s` seconds after it was done last."""

    name: str
    every_s: float
    do: Callable[[], object]


class Upkeep(Closing):
    """Does tasks, the first time after `tick_s` seconds, until it is closed."""

    def __init__(self, tasks: list[Task], tick_s: float = _TICK_S) -> None:
        self._tick_s = tick_s
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._repeat, args=(task,), name=f"likeness: {task.name}", daemon=True
            )
            for task in tasks
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what is being done, and do nothing more."""
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, task: Task) -> None:
        wait_s = self._tick_s
        while not self._closed.wait(wait_s):
            _do(task)
            wait_s = max(self._tick_s, task.every_s)


def _do(task: Task) -> None:
    try:
        task.do()
    except LikenessError as error:
        _logger.warning("%s has to be done again: %s", task.name, type(error).__name__)
    except Exception as error:
        _logger.error("%s failed: %s", task.name, type(error).__name__)


def tasks_of(home: Home, acting: acts.Home) -> list[Task]:
    """Name what a home needs to have done, `acting` on it among others.

    Raises:
        InvalidRequest: a setting of webhooks is not as it must be.
    """
    settings, database, keyring = home.installation.settings, home.database, home.keyring
    sender = WebhookSender(acting.webhook_networks)
    strangers = StrangerUpkeep(database, home.gallery, acting.calibration_of)
    tokens = RequestTokens(keyring, _now)
    tasks = [
        Task("telling watchers", 2 * _TICK_S, partial(tell, acting, sender)),
        Task("ending cases and watches", _MINUTE_S, partial(sweep_review, acting)),
        Task("retention", _HOUR_S, partial(sweep_collections, acting)),
        Task("strangers of collections", 10 * _TICK_S, strangers.bring_every_up_to_date),
        Task("erasures of other servers", 10 * _TICK_S, home.gallery.erasing.let_go),
        Task("request tokens", _HOUR_S, lambda: database.write(tokens.sweep)),
    ]
    if witness := shlex.split(settings.ledger_witness):
        tasks.append(Task("the witness", _MINUTE_S, _Witnessing(home, witness)))
    return tasks


class _Witnessing:
    """Gives a witness the newest checkpoint, where it has not had it."""

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
