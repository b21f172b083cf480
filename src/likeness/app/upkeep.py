"""What has to be done now and then while a server runs: notices, ends, retention, the witness.

Each task has a thread of its own, so that a slow one (a witness, a large sweep) holds up no other;
one that fails is logged, and tried again.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from likeness.access import RequestTokens
from likeness.app.home import now
from likeness.errors import LikenessError, NotFound
from likeness.ledger import Ledger, tell_witness
from likeness.notify import SnsTopics, WebhookSender
from likeness.rekognition.operations.video import said_to_a_topic
from likeness.service.erase.erase import sweep_collections
from likeness.service.govern.sign_in import sweep_sign_ins
from likeness.service.live.deliver import tell_of_sightings
from likeness.service.live.manage import sweep_live
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.service.review.upkeep import sweep_review, tell
from likeness.service.uses import Home
from likeness.service.video.manage import sweep_jobs
from likeness.service.video.notices import tell_of_jobs
from likeness.service.video.uploads import Uploads, sweep_uploads
from likeness.terms import Closing
from likeness.v1.live_answers import said_to_a_webhook

_logger = logging.getLogger(__name__)

_TICK_S = 1.0
_MINUTE_S, _HOUR_S = 60.0, 3600.0
_TELLERS = 4


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


def tasks_of(
    home: Home, uploads: Uploads, witness: list[str], topics: SnsTopics | None
) -> list[Task]:
    """Name what a home needs to have done.

    `uploads` are clips that were sent, which go once no job needs them.
    `witness` is the command of its witness, or empty; `topics` are told of jobs that have ended.
    """
    sender = WebhookSender(home.webhook_networks)
    strangers = StrangerUpkeep(home.database, home.gallery, home.calibration_of)
    tokens = RequestTokens(home.keyring, now)
    tasks = [
        Task("telling watchers", 2 * _TICK_S, partial(tell, home, sender)),
        Task("ending cases and watches", _MINUTE_S, partial(sweep_review, home)),
        Task("searches without consent", _MINUTE_S, partial(sweep_live, home)),
        Task("results of jobs", _HOUR_S, partial(sweep_jobs, home)),
        Task("clips that were sent", 10 * _MINUTE_S, partial(sweep_uploads, home, uploads)),
        Task("retention", _HOUR_S, partial(sweep_collections, home)),
        Task("strangers of collections", 10 * _TICK_S, strangers.bring_every_up_to_date),
        Task("erasures of other servers", 10 * _TICK_S, home.gallery.erasing.let_go),
        Task("request tokens", _HOUR_S, partial(home.database.write, tokens.sweep)),
        Task("sessions and guesses", _HOUR_S, partial(sweep_sign_ins, home)),
    ]
    tasks += sightings_tasks(home)
    if topics is not None:
        tell_topics = partial(tell_of_jobs, home, topics, said_to_a_topic)
        tasks.append(Task("telling topics", 2 * _TICK_S, tell_topics))
    if witness:
        tasks.append(Task("the witness", _MINUTE_S, _Witnessing(home.ledger, witness)))
    return tasks


def sightings_tasks(home: Home) -> list[Task]:
    """Name what tells webhooks of sightings: several, since one receiver may be slow."""
    tell_webhooks = partial(
        tell_of_sightings, home, WebhookSender(home.webhook_networks), said_to_a_webhook
    )
    return [
        Task(f"telling of sightings {number}", _TICK_S, tell_webhooks)
        for number in range(1, _TELLERS + 1)
    ]


@contextmanager
def told_by_webhook(home: Home) -> Iterator[None]:
    """Tell webhooks of sightings for a while, and at its end what is left, as far as they take it.

    For a program that serves nobody.
    """
    tasks = sightings_tasks(home)
    try:
        with Upkeep(tasks):
            yield
    finally:
        _do(tasks[0])


class _Witnessing:
    """Gives a witness the newest checkpoint, where it has not had it."""

    def __init__(self, ledger: Ledger, argv: list[str]) -> None:
        self._ledger = ledger
        self._argv = argv
        self._told = ""

    def __call__(self) -> None:
        try:
            checkpoint = self._ledger.checkpoint()
        except NotFound:  # nothing is recorded yet
            return
        if checkpoint != self._told:
            tell_witness(self._argv, checkpoint)
            self._told = checkpoint
