"""Gives somebody what a live search tells, as it is told, for as long as they listen.

Whatever is given is given as if it had been asked for: each page is a use of its own, on record, by
whoever holds the caller's key then.
"""

import time
from dataclasses import dataclass, replace
from functools import partial

from likeness import jobs
from likeness.errors import Denied
from likeness.service.live.manage import as_live_job
from likeness.service.live.sightings import SightingsPage, any_sighting_after, sightings_after
from likeness.service.uses import Caller, Home, is_local, present_holder

_AT_ONCE = 100
_ASK_AGAIN_S = 2.0


@dataclass(slots=True, eq=False)
class Listening:
    """Somebody who listens to a live search, behind the sighting of a number."""

    home: Home
    caller: Caller
    job_id: str
    after: int = 0
    _asked_s: float = 0.0

    def first(self) -> SightingsPage:
        """Give what was told already, or nothing yet.

        Raises:
            NotFound: the caller has no such search.
            Denied: it may not be given.
        """
        return self._page()

    def more(self) -> SightingsPage | None:
        """Give what was told since; None while that is nothing.

        A page without sightings is the last: the search has ended, and all of it was given.

        Raises:
            NotFound: the search is gone.
            Denied: it may not be given any more, or the caller's key is disabled.
        """
        home = self.home
        # Before what it told is looked for: behind its end a search tells nothing.
        job = home.database.read(partial(jobs.get_job, keyring=home.keyring, job_id=self.job_id))
        if any_sighting_after(home, self.job_id, self.after):
            self._require_holder()
            page = self._page()
            return page if page.sightings else None  # it was dropped meanwhile
        if job.state.ended:
            return SightingsPage(as_live_job(home, job), ())
        if time.monotonic() > self._asked_s + _ASK_AGAIN_S:
            self._require_holder()
        return None

    def _page(self) -> SightingsPage:
        page = sightings_after(self.home, self.caller, self.job_id, self.after, _AT_ONCE)
        if page.sightings:
            self.after = page.sightings[-1].number
        return page

    def _require_holder(self) -> None:
        """Refuse whose key was disabled since; whoever holds it now asks from now on."""
        home, principal = self.home, self.caller.principal
        self._asked_s = time.monotonic()
        if is_local(principal.id):
            return
        holder = home.database.read(
            lambda connection: present_holder(connection, home.keyring, principal.id)
        )
        if holder is None:
            raise Denied("The access key was disabled or removed. Ask an admin for another.")
        self.caller = replace(self.caller, principal=holder)
