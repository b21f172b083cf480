"""What an enrolment sets off: a case for every watch that a new reference resembles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.review import cases, outbox, watches
from likeness.review.case import Case, Found, Owed, Search
from likeness.review.watches import Probe, Watch
from likeness.secrets import Keyring
from likeness.terms import Calibration, Template


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A reference that was just enrolled."""

    reference_id: UUID
    subject_id: UUID | None
    template: Template


def open_watch_cases(
    connection: Connection,
    keyring: Keyring,
    collection_id: UUID,
    arrivals: Sequence[Arrival],
    calibration: Calibration,
    *,
    at_least: float,
    as_evened_out: Callable[[Sequence[Probe]], Sequence[Probe]] = lambda probes: probes,
    is_named: Callable[[Template, Arrival], bool] = lambda watched, arrival: True,
    owed_of: Callable[[Watch, float], Owed | None],
    use_id: UUID,
    now: datetime,
    expires_at: datetime,
) -> list[Case]:
    """Open a case for each watch and each new reference that resembles it; tell who wants to know.

    Args:
        connection: of the act that enrols, so that no match is lost.
        keyring: the installation's keys.
        collection_id: what they were enrolled into.
        arrivals: who was enrolled.
        calibration: what the collection's scores mean.
        at_least: from which similarity on, 0 to 100.
        as_evened_out: gives watched faces as the collection's cohort sees them.
        is_named: whether the strangers of the collection, too, let an arrival be called somebody
            watched for; else the case is opened and nobody is told, since too many are as alike.
        owed_of: what a match of a watch owes, of a similarity; None where it may not match.
        use_id: of the enrolment.
        now: the time.
        expires_at: when the cases end.

    Raises:
        KeyUnusable: a key is gone.
    """
    watched = as_evened_out(watches.probes(connection, keyring, collection_id, now))
    template_of = {one.watch.id: one.template for one in watched}
    opened = []
    for arrival in arrivals:
        alike = watches.resembling(watched, arrival.template, calibration, at_least)
        for watch, similarity in alike:
            owed = owed_of(watch, similarity)
            if owed is None:
                continue
            case = cases.open_case(
                connection,
                keyring,
                Search(
                    watch.principal_id,
                    collection_id,
                    "Watch",
                    watch.purpose,
                    (("reference", str(arrival.reference_id)),),
                    watch.id.bytes,
                ),
                owed,
                [Found(arrival.reference_id, arrival.subject_id, similarity)],
                use_id=use_id,
                crop_jpeg=watches.crop_of(connection, keyring, watch),
                now=now,
                expires_at=expires_at,
                watch_id=watch.id,
            )
            if watch.tells and is_named(template_of[watch.id], arrival):
                outbox.post(connection, case, now)
            opened.append(case)
    return opened
