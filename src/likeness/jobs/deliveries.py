"""Deliveries of what a job finds, while it runs and behind its end: in order, until it has arrived.

Whoever delivers takes a delivery first, which puts its next attempt off: a crash or a second server
repeats nothing at once. What arrives twice has the same number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from likeness.jobs.tables import DELIVERIES, JOBS, RESULTS

# The last for as long as it takes: what is a day old is given up by whoever delivers.
_WAITS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 300, 900))
# Longer than one attempt takes.
_HELD = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What of a job is to be delivered: results of a part behind the number that `arrived` last.

    `attempts` were made since anything arrived, this one among them.
    """

    job_id: str
    part: str
    arrived: int
    attempts: int


def begin_delivery(connection: Connection, job_id: str, part: str, now: datetime) -> None:
    """Have the results of a part of a job delivered, as they come."""
    number = select(JOBS.c.number).where(JOBS.c.id == job_id).scalar_subquery()
    values = {"job_number": number, "part": part, "arrived": 0, "attempts": 0, "due_at": now}
    connection.execute(insert(DELIVERIES).values(**values))


def any_delivery_due(connection: Connection, now: datetime) -> bool:
    """Say whether there is anything to deliver now, without writing."""
    return connection.execute(select(1).where(exists(_due(now)))).first() is not None


def claim_delivery(connection: Connection, now: datetime) -> Delivery | None:
    """Take what is due, whatever waits longest first; None where nothing is."""
    row = connection.execute(_due(now).order_by(DELIVERIES.c.due_at).limit(1)).first()
    if row is None:
        return None
    attempts = row.attempts + 1
    _change(connection, row.id, attempts=attempts, due_at=now + _HELD)
    return Delivery(row.id, row.part, row.arrived, attempts)


def delivery_arrived(connection: Connection, job_id: str, number: int, now: datetime) -> None:
    """Say that the result of a number has arrived, or is given up; whoever sent it goes on."""
    _change(connection, job_id, arrived=number, attempts=0, due_at=now + _HELD)


def release_delivery(connection: Connection, job_id: str, now: datetime) -> None:
    """Let a delivery be taken again as soon as there is anything to deliver."""
    _change(connection, job_id, attempts=0, due_at=now)


def put_delivery_off(connection: Connection, of: Delivery, now: datetime) -> None:
    """Try again later, and later each time that nothing arrives."""
    wait = _WAITS[min(of.attempts, len(_WAITS)) - 1]
    _change(connection, of.job_id, attempts=of.attempts, due_at=now + wait)


def end_delivery(connection: Connection, job_id: str) -> None:
    """Deliver nothing more of a job."""
    connection.execute(delete(DELIVERIES).where(_of(job_id)))


def _due(now: datetime) -> Select[Any]:
    left = exists().where(
        RESULTS.c.job_number == DELIVERIES.c.job_number,
        RESULTS.c.part == DELIVERIES.c.part,
        RESULTS.c.number > DELIVERIES.c.arrived,
    )
    columns = JOBS.c.id, DELIVERIES.c.part, DELIVERIES.c.arrived, DELIVERIES.c.attempts
    chosen = select(*columns).join_from(DELIVERIES, JOBS)
    return chosen.where(DELIVERIES.c.due_at <= now, or_(JOBS.c.ended_at.is_not(None), left))


def _of(job_id: str) -> ColumnElement[bool]:
    number = select(JOBS.c.number).where(JOBS.c.id == job_id).scalar_subquery()
    return DELIVERIES.c.job_number == number


def _change(connection: Connection, job_id: str, **values: object) -> None:
    connection.execute(update(DELIVERIES).where(_of(job_id)).values(**values))
