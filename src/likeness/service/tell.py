"""Send the notices that are due, outside of any transaction, and keep those that nobody took."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from likeness.notify.webhooks import WebhookSender
from likeness.review import outbox
from likeness.secrets import Keyring
from likeness.storage import Database

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices arrived, will be sent again, and were given up."""

    arrived: int
    put_off: int
    given_up: int


def tell(database: Database, keyring: Keyring, sender: WebhookSender, now: datetime) -> Told:
    """Send what is due, a batch of it.

    Raises:
        KeyUnusable: a key is gone.
        DatabaseUnavailable: the database cannot be written.
    """
    if not database.read(lambda connection: outbox.anything_due(connection, now)):
        return Told(0, 0, 0)
    claimed = database.write(lambda connection: outbox.claim(connection, keyring, now))
    arrived = 0
    for notice in claimed.notices:
        why_not = sender.send(notice.webhook, str(notice.id), notice.body)
        if why_not is None:
            database.write(partial(outbox.arrived, notice_id=notice.id))
            arrived += 1
        else:
            _logger.warning("watch %s was not told: %s", notice.watch_id, why_not)
    if claimed.given_up:
        _logger.warning("%d notices were given up", claimed.given_up)
    return Told(arrived, len(claimed.notices) - arrived, claimed.given_up)
