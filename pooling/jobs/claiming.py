"""How workers share the queue: claim, show life, look who was told to stop.

On PostgreSQL a claim skips rows that others hold (SKIP LOCKED); on SQLite one writer at a time makes it (BEGIN
IMMEDIATE). Leases are measured by the database's clock, so that machines need not agree on the time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import Session

from pooling.jobs.fence import Held, still_held
from pooling.jobs.rules import LEASE, Status
from pooling.jobs.tables import JOBS, Job

LOST = {
    "code": "worker-lost",
    "detail": "every worker that took the job ended during it; look at the workers' logs and memory, then ask again",
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job as a worker got it; ``max_attempts`` says whether a failure is the last."""

    held: Held
    kind: str
    payload: Mapping[str, Any]
    actor: UUID | None
    max_attempts: int


def _claimable(kinds: Collection[str], now: datetime) -> ColumnElement[bool]:
    waiting = and_(JOBS.c.status == Status.QUEUED, JOBS.c.run_at <= now)
    orphaned = and_(JOBS.c.status == Status.RUNNING, JOBS.c.lease_until <= now)
    return and_(JOBS.c.kind.in_(sorted(kinds)), or_(waiting, orphaned))


def any_due(session: Session, kinds: Collection[str], *, now: datetime) -> bool:
    """Whether there is something to claim; a reading transaction will do."""
    return session.connection().execute(select(JOBS.c.id).where(_claimable(kinds, now)).limit(1)).first() is not None


def claim(
    session: Session, kinds: Collection[str], *, owner: str, now: datetime, lease: timedelta = LEASE
) -> Claimed | None:
    """The most urgent job of these kinds, now held by ``owner``; None where nothing is due.

    One whose worker was lost is taken over. If that was its last attempt it fails; if it was to be cancelled, it is.
    """
    order = (JOBS.c.priority.desc(), JOBS.c.run_at, JOBS.c.id)
    query = select(Job).where(_claimable(kinds, now)).order_by(*order).limit(1).with_for_update(skip_locked=True)
    while (job := session.scalars(query).first()) is not None:
        if job.cancel_requested_at is not None:
            job.status, job.finished_at, job.owner, job.lease_until = Status.CANCELLED, now, None, None
        elif job.attempts >= job.max_attempts:
            job.status, job.finished_at, job.owner, job.lease_until = Status.FAILED, now, None, None
            job.problem = dict(LOST)
        else:
            job.status, job.owner, job.lease_until, job.started_at = Status.RUNNING, owner, now + lease, now
            job.attempts += 1
            job.progress = None
            session.flush()
            held = Held(job.id, owner, job.attempts)
            return Claimed(held, job.kind, job.payload, job.actor, job.max_attempts)
        session.flush()
    return None


def told_to_stop(session: Session, held: Sequence[Held]) -> set[Held]:
    """Of these claims, those that are lost or whose job is to be cancelled; a reading transaction will do."""
    if not held:
        return set()
    of_each = select(JOBS.c.id, JOBS.c.owner, JOBS.c.attempts, JOBS.c.status, JOBS.c.cancel_requested_at)
    rows = session.connection().execute(of_each.where(JOBS.c.id.in_([each.job for each in held])))
    good = {
        Held(job, owner, attempts)
        for job, owner, attempts, status, cancel_at in rows
        if status == Status.RUNNING and cancel_at is None
    }
    return set(held) - good


def show_life(session: Session, held: Held, *, progress: Mapping[str, Any] | None, until: datetime) -> bool:
    """Renew the lease ``until`` then and store progress, if there is any; whether the claim still held."""
    values: dict[str, Any] = {"lease_until": until}
    if progress is not None:
        values["progress"] = dict(progress)
    return session.connection().execute(still_held(held).values(**values)).rowcount == 1
