"""Send the notices that are due, outside of any transaction, and keep those that nobody took."""

import logging
import time
from dataclasses import dataclass
from functools import partial

from likeness.notify import WebhookSender
from likeness.review import outbox
from likeness.service.uses.home import Rows

_logger = logging.getLogger(__name__)

# A server that ends waits for it, and so does whatever else has to be done now and then.
_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices arrived, will be sent again, and were given up."""

    arrived: int
    put_off: int
    given_up: int


def tell(rows: Rows, sender: WebhookSender) -> Told:
    """Send what is due, one after the other, for some time: slow receivers leave some for later.

    Raises:
        KeyUnusable: a key is gone.
        DatabaseUnavailable: the database cannot be written.
    """
    database, keyring, now = rows.database, rows.keyring, rows.clock()
    arrived = put_off = given_up = 0
    ends_s = time.monotonic() + _MOST_S
    while database.read(partial(outbox.anything_due, now=now)):
        claimed = database.write(lambda connection: outbox.claim(connection, keyring, now, limit=1))
        given_up += claimed.given_up
        for notice in claimed.notices:
            why_not = sender.send(notice.webhook, str(notice.id), notice.body)
            if why_not is None:
                database.write(partial(outbox.arrived, notice_id=notice.id))
                arrived += 1
            else:
                put_off += 1
                _logger.warning("watch %s was not told: %s", notice.watch_id, why_not)
        if time.monotonic() >= ends_s:
            break
    if given_up:
        _logger.warning("%d notices were given up", given_up)
    return Told(arrived, put_off, given_up)
