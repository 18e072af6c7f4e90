"""Reading the queue: which jobs somebody may see, how many there are of each kind, who has waited longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlmodel import Session
from sqlmodel import select as entities

from pooling.jobs.rules import Status
from pooling.jobs.tables import JOBS, Job
from pooling.paging import Window


@dataclass(frozen=True, slots=True)
class Visible:
    """Which jobs somebody may see: ``all``, those asked for by ``actor``, the ``service``'s own."""

    actor: UUID
    all: bool = False
    service: bool = False

    def clause(self) -> ColumnElement[bool]:
        """For the WHERE of a query."""
        if self.all:
            return true()
        return or_(JOBS.c.actor == self.actor, JOBS.c.actor.is_(None) if self.service else false())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of the visible jobs to list; None: any."""

    kind: str | None = None
    status: Status | None = None


def one(session: Session, job: UUID, visible: Visible, *, lock: bool = False) -> Job | None:
    """The job, where it may be seen; ``lock`` keeps others from changing it until the transaction ends."""
    query = entities(Job).where(JOBS.c.id == job, visible.clause())
    return session.exec(query.with_for_update() if lock else query).first()


def listed(session: Session, visible: Visible, window: Window, chosen: Filter) -> Sequence[Job]:
    """Jobs that may be seen, the latest first."""
    query = entities(Job).where(visible.clause(), window.clause_descending(JOBS.c.created_at, JOBS.c.id))
    if chosen.kind is not None:
        query = query.where(JOBS.c.kind == chosen.kind)
    if chosen.status is not None:
        query = query.where(JOBS.c.status == chosen.status)
    return session.exec(query.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(window.fetch)).all()


def figures(session: Session) -> dict[tuple[str, str], int]:
    """How many jobs there are, by kind and status."""
    query = select(JOBS.c.kind, JOBS.c.status, func.count()).group_by(JOBS.c.kind, JOBS.c.status)
    return {(kind, status): count for kind, status, count in session.connection().execute(query)}


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Since when the job has been due that has waited longest; None where none waits."""
    waiting = and_(JOBS.c.status == Status.QUEUED, JOBS.c.run_at <= now)
    found: datetime | None = session.connection().execute(select(func.min(JOBS.c.run_at)).where(waiting)).scalar()
    return found
