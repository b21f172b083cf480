"""A search that goes on until it is ended, of which each sighting is a use.

    ongoing = Ongoing(began_at=now, begins=True)
    with home.record_use(caller, use, ongoing) as record:        # begins
        case_id = record.write(lambda connection: record.ask_authority(connection), ...)
    ongoing = Ongoing(began_at, case_id)                         # kept with its job
    with home.record_use(caller, use, ongoing) as record:        # each sighting; and the whole
        record.require_still_admitted(collection)                # now and then

1. Rules are asked about each use in it with the time since the search began.
2. Where an authority's consent is owed when it begins, one case is opened, of the whole search.
   Once consent is recorded there, it holds for every use in it. Until then nobody is named.
3. Where consent did not come in its hours, the next use in it is refused, and the search ends.
4. Of a day's uses it is one, counted when it begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import NotFound
from likeness.policy import Circumstances
from likeness.review import get_case

_BEGAN, _CONSENT = "search_began_at", "authority"
# Of two machines that run a search in turn, clocks may differ by so much.
_APART = timedelta(minutes=1)


class Consent(StrEnum):
    """Whether an authority consents to a search as a whole."""

    NOT_ASKED = "not-asked"
    """Rules owed none when it began."""
    AWAITED = "awaited"
    GIVEN = "given"
    LAPSED = "lapsed"
    """It did not come in time, or does not hold any more: what was found has to go."""


@dataclass(frozen=True, slots=True)
class Ongoing:
    """The search that a use begins or is a part of, since when, and the case of it as a whole.

    `case_id` is None where no authority was asked for its consent.
    """

    began_at: datetime
    case_id: UUID | None = None
    begins: bool = False

    def consent(self, connection: Connection, now: datetime) -> Consent:
        """Say whether an authority consents."""
        if self.case_id is None:
            return Consent.NOT_ASKED
        try:
            case = get_case(connection, self.case_id, now)
        except NotFound:
            return Consent.LAPSED
        return Consent.AWAITED if case.authorised_at is None else Consent.GIVEN

    def circumstances(
        self, before: Circumstances, consent: Consent, now: datetime
    ) -> Circumstances:
        """Say how long it has gone on, and whether an authority consents, for the rules."""
        since = now - self.began_at
        if -_APART < since < timedelta(0):
            since = timedelta(0)
        return replace(before, authorised=consent is Consent.GIVEN, since_use=since)

    def details(self, consent: Consent) -> Mapping[str, str]:
        """Say for the entry of a use which search it is a part of; none of that which begins it."""
        if self.begins:
            return {}
        began_at = self.began_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return {_BEGAN: began_at.replace("+00:00", "Z"), _CONSENT: consent.value}

    @classmethod
    def of_entry(cls, details: Mapping[str, str]) -> "tuple[Ongoing, Consent] | None":
        """Read from an entry which search its use is a part of; None where it is of none."""
        if _BEGAN not in details or _CONSENT not in details:
            return None
        return cls(datetime.fromisoformat(details[_BEGAN])), Consent(details[_CONSENT])

    def may_be_consented_to(self, consent: Consent) -> bool:
        """Say whether an authority's consent can come still, where it is owed."""
        return self.begins or consent is Consent.AWAITED
