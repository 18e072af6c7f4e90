"""Recurring jobs: each due time makes one job, however many workers look at the clock."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from pooling.jobs.rules import Recurring
from pooling.jobs.service import enqueue
from pooling.jobs.tables import SCHEDULES


def overdue(session: Session, schedule: Iterable[Recurring], *, now: datetime) -> list[Recurring]:
    """Those whose latest due time has no job yet; a reading transaction will do."""
    rows = session.connection().execute(select(SCHEDULES))
    made: dict[str, datetime] = {row.name: row.last_due_at for row in rows}
    return [each for each in schedule if each.kind not in made or made[each.kind] < each.due(now)]


def make_due(session: Session, recurring: Recurring, *, now: datetime) -> bool:
    """Make the job of the latest due time, unless another worker has; whether it was made here."""
    due = recurring.due(now)
    connection = session.connection()
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    moved = insert(SCHEDULES).values(name=recurring.kind, last_due_at=due)
    moved = moved.on_conflict_do_update(
        index_elements=["name"], set_={"last_due_at": due}, where=SCHEDULES.c.last_due_at < due
    )
    if connection.execute(moved.returning(SCHEDULES.c.name)).first() is None:
        return False
    key = f"{recurring.kind}@{due.isoformat()}"
    enqueue(session, recurring.kind, recurring.payload, now=now, actor=None, key=key)
    return True
