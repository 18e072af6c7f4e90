"""What can be done with jobs, inside the open transaction: make one, look, ask it to stop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, or_, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from pooling.jobs.rules import FINAL, Status
from pooling.jobs.tables import JOBS, Job

MAX_ATTEMPTS = 5


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    actor: UUID | None,
    priority: int = 0,
    key: str | None = None,
    run_at: datetime | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> UUID:
    """Make a job in the caller's transaction: it is there if and only if the caller's change is.

    ``payload``: JSON, small; rows belong in tables. ``priority``: higher first. ``run_at``: not before; default now.
    ``key``: of all jobs with one key only the first is made, and its id is returned again, also once it is done.
    ``actor``: the principal that asked for it, None for the service itself.
    """
    values = {
        "id": uuid4(),
        "kind": kind,
        "status": Status.QUEUED,
        "priority": priority,
        "run_at": run_at or now,
        "key": key,
        "actor": actor,
        "payload": dict(payload),
        "created_at": now,
        "attempts": 0,
        "max_attempts": max_attempts,
    }
    connection = session.connection()
    if key is None:
        connection.execute(plain_insert(Job).values(values))
        return UUID(str(values["id"]))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(JOBS).values(values).on_conflict_do_nothing(index_elements=["key"]))
    return session.exec(select(Job.id).where(Job.key == key)).one()


def find(session: Session, job: UUID) -> Job | None:
    """The job of this id."""
    return session.get(Job, job)


def cancel(session: Session, job: UUID, *, now: datetime) -> Job | None:
    """Ask a job to stop: one that waits is cancelled at once, one that runs is told, one that is done stays.

    Returns the job as it is then; None where there is none.
    """
    table = JOBS.c
    waiting = update(Job).where(table.id == job, table.status == Status.QUEUED)
    connection = session.connection()
    connection.execute(waiting.values(status=Status.CANCELLED, finished_at=now, cancel_requested_at=now))
    running = update(Job).where(table.id == job, table.status.not_in(FINAL), table.cancel_requested_at.is_(None))
    connection.execute(running.values(cancel_requested_at=now))
    session.expire_all()
    return session.get(Job, job)


@dataclass(frozen=True, slots=True)
class Kept:
    """How long jobs are kept after their end: those asked for, those that failed, the service's own that went well."""

    asked: timedelta
    failed: timedelta
    own: timedelta


def drop_finished(session: Session, *, kept: Kept, now: datetime) -> int:
    """Forget jobs that ended long ago; returns how many."""
    done = JOBS.c.status.in_((Status.SUCCEEDED, Status.CANCELLED))
    old = or_(
        and_(done, JOBS.c.finished_at < now - kept.asked),
        and_(done, JOBS.c.actor.is_(None), JOBS.c.finished_at < now - kept.own),
        and_(JOBS.c.status == Status.FAILED, JOBS.c.finished_at < now - kept.failed),
    )
    return session.connection().execute(delete(JOBS).where(old)).rowcount


def try_again(session: Session, job: UUID, *, now: datetime) -> Job | None:
    """Put a dead letter back into the queue, with all its attempts before it; None where there is none to put back."""
    dead = update(Job).where(JOBS.c.id == job, JOBS.c.status == Status.FAILED)
    again = {"status": Status.QUEUED, "attempts": 0, "run_at": now, "finished_at": None, "cancel_requested_at": None}
    if session.connection().execute(dead.values(**again)).rowcount != 1:
        return None
    session.expire_all()
    return session.get(Job, job)
