"""Sends what live searches tell to webhooks: in order, each sighting a message, then the end.

What a receiver did not take is sent again, later and later, and what came behind it waits. A day
later it is given up, so that a receiver that comes back hears of the last day.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from likeness import jobs
from likeness.errors import LikenessError, NotFound, required
from likeness.jobs import Delivery
from likeness.notify import Webhook, WebhookSender
from likeness.service.live.asked import LiveRequest, read_request
from likeness.service.live.manage import LiveJob
from likeness.service.live.sighting import Sighting
from likeness.service.live.sightings import sightings_after
from likeness.service.review.upkeep import Told
from likeness.service.uses import Caller, Home, is_local, present_holder

Word = Callable[[LiveJob, Sighting | None], bytes]
"""Says as JSON, in a door's words, what a search told; None stands for its end."""

_logger = logging.getLogger(__name__)

_GIVEN_UP = timedelta(days=1)
_AT_ONCE = 20
# A server that ends waits for it.
_MOST_S = 10.0


def tell_of_sightings(home: Home, sender: WebhookSender, word: Word) -> Told:
    """Send what is due, search by search, for some time: a slow receiver leaves some for later.

    Any number of threads and servers may do so at once: each takes a search by itself.

    Raises:
        KeyUnusable: a key is gone.
        DatabaseUnavailable: the database cannot be written.
    """
    arrived = put_off = given_up = 0
    ends_s = time.monotonic() + _MOST_S
    while home.database.read(partial(jobs.any_delivery_due, now=home.clock())):
        delivery = home.database.write(partial(jobs.claim_delivery, now=home.clock()))
        if delivery is None:  # another was faster
            break
        told = _Delivering(home, sender, word, delivery).some(ends_s)
        arrived, put_off = arrived + told.arrived, put_off + told.put_off
        given_up += told.given_up
        if time.monotonic() >= ends_s:
            break
    return Told(arrived, put_off, given_up)


class _Delivering:
    """Sends some of what one search told."""

    def __init__(self, home: Home, sender: WebhookSender, word: Word, delivery: Delivery) -> None:
        self._home = home
        self._sender = sender
        self._word = word
        self._delivery = delivery
        self._job_id = delivery.job_id

    def some(self, ends_s: float) -> Told:
        """Send what is due, until it is time or the receiver takes no more."""
        home, job_id = self._home, self._job_id
        try:
            # Before what it told is looked for: behind its end a search tells nothing.
            ended = home.database.read(
                partial(jobs.get_job, keyring=home.keyring, job_id=job_id)
            ).state.ended
            request = read_request(
                home.database.read(partial(jobs.request_of, keyring=home.keyring, job_id=job_id))
            )
        except NotFound:  # swept, or erased with its collection
            return Told(0, 0, 0)
        webhook, asker = request.asked.webhook, self._asker(request)
        if webhook is None or asker is None:
            home.database.write(partial(jobs.end_delivery, job_id=job_id))
            _logger.warning("search %s: its webhook is not told any more", job_id)
            return Told(0, 0, 1)
        try:
            page = sightings_after(home, asker, job_id, self._delivery.arrived, _AT_ONCE)
        except LikenessError as error:
            return self._put_off(f"it may not be told ({type(error).__name__})")
        if page.sightings:
            return self._sightings(webhook, page.of, page.sightings, ends_s)
        if ended:
            return self._end(webhook, page.of)
        self._release()
        return Told(0, 0, 0)

    def _asker(self, request: LiveRequest) -> Caller | None:
        """Give whoever asked, as they are now; None where their key is disabled or gone."""
        caller, home = request.caller("TellSightings"), self._home
        principal_id = caller.principal.id
        if is_local(principal_id):
            return caller
        holder = home.database.read(
            lambda connection: present_holder(connection, home.keyring, principal_id)
        )
        return None if holder is None else replace(caller, principal=holder)

    def _sightings(
        self, webhook: Webhook, of: LiveJob, sightings: Iterable[Sighting], ends_s: float
    ) -> Told:
        arrived = 0
        told = list(sightings)
        for at, sighting in enumerate(told):
            why_not = self._send(webhook, str(sighting.number), self._word(of, sighting))
            if why_not is not None:
                if arrived:
                    self._delivery = replace(self._delivery, attempts=1)
                return self._not_taken(told[at:], arrived, why_not)
            self._arrived(sighting.number)
            arrived += 1
            if time.monotonic() >= ends_s:
                break
        self._release()
        return Told(arrived, 0, 0)

    def _not_taken(self, left: list[Sighting], arrived: int, why_not: str) -> Told:
        """Put off what the receiver did not take, but for what is too old by now."""
        old = [one for one in left if self._is_old(one.at)]
        if old:
            self._arrived(old[-1].number)
            _logger.warning("search %s: %d sightings are given up", self._job_id, len(old))
        self._put_off(why_not)
        return Told(arrived, 1, len(old))

    def _end(self, webhook: Webhook, of: LiveJob) -> Told:
        why_not = self._send(webhook, "end", self._word(of, None))
        if why_not is not None and not self._is_old(
            required(of.job.ended_at, "the end of a job that has ended")
        ):
            return self._put_off(why_not)
        self._home.database.write(partial(jobs.end_delivery, job_id=self._job_id))
        return Told(1, 0, 0) if why_not is None else Told(0, 0, 1)

    def _send(self, webhook: Webhook, what: str, body: bytes) -> str | None:
        return self._sender.send(webhook, f"{self._job_id}-{what}", body)

    def _arrived(self, number: int) -> None:
        self._home.database.write(
            partial(
                jobs.delivery_arrived,
                job_id=self._job_id,
                number=number,
                now=self._home.clock(),
            )
        )

    def _release(self) -> None:
        release = partial(jobs.release_delivery, job_id=self._job_id, now=self._home.clock())
        self._home.database.write(release)

    def _put_off(self, why_not: str) -> Told:
        put_off = partial(jobs.put_delivery_off, of=self._delivery, now=self._home.clock())
        self._home.database.write(put_off)
        _logger.warning("search %s: its webhook was not told: %s", self._job_id, why_not)
        return Told(0, 1, 0)

    def _is_old(self, at: datetime) -> bool:
        return self._home.clock() - at > _GIVEN_UP
