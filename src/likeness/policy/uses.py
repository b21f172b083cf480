"""How often did an organisation use Likeness today? Counted only while a rule asks."""

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from likeness.policy.tables import USES


def of_day(connection: Connection, organisation: str, now: datetime) -> int:
    """Say how many uses were counted on this day, which begins at 00:00 UTC."""
    chosen = select(USES.c.uses).where(USES.c.organisation == organisation, USES.c.day == _day(now))
    return connection.execute(chosen).scalar() or 0


def count(connection: Connection, organisation: str, now: datetime) -> None:
    """Count one more; other days' counts are deleted."""
    day = _day(now)
    connection.execute(delete(USES).where(USES.c.day != day))
    chosen = update(USES).where(USES.c.organisation == organisation, USES.c.day == day)
    if not connection.execute(chosen.values(uses=USES.c.uses + 1)).rowcount:
        connection.execute(insert(USES), {"organisation": organisation, "day": day, "uses": 1})


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
