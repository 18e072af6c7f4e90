"""Jobs done here and now, in the test's own thread; and what a worker needs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from sqlmodel import Session

from pooling import jobs
from pooling.database import reading, transaction
from pooling.jobs.context import Kind, Means
from pooling.jobs.tables import Job
from pooling.jobs.worker import Worker

MOST = 1000


def worker_of(engine: Engine, handlers: Mapping[str, Kind], *, now: datetime | None = None) -> Worker:
    """A worker that has not been started; at ``now``, where it is given, all clocks stand there."""
    if now is None:
        return Worker(Means(engine), handlers)
    return Worker(Means(engine, clock=lambda: now, lease_clock=lambda _: now), handlers)


def work_all(engine: Engine, handlers: Mapping[str, Kind], *, now: datetime | None = None) -> int:
    """Do all that is due, and what that makes; how many attempts it took."""
    worker = worker_of(engine, handlers, now=now)
    for done in range(MOST):
        if not worker.work_once(set(handlers)):
            return done
    raise AssertionError(f"after {MOST} attempts there is still something due")


def enqueued(engine: Engine, kind: str, *, now: datetime, **options: Any) -> UUID:
    """A job in a transaction of its own."""
    payload = options.pop("payload", {})
    with transaction(engine) as session:
        return jobs.enqueue(session, kind, payload, now=now, actor=None, **options)


def job_of(engine: Engine, job: UUID) -> Job:
    """The job as it is."""
    with reading(engine) as session:
        found = session.get_one(Job, job)
        session.expunge(found)
        return found


def write(session: Session, word: str) -> None:
    """An effect that can be seen, and counted where it is there twice: a row of some table."""
    session.connection().execute(
        text("INSERT INTO mapping_version (name, sha256, first_used_at) VALUES (:name, :sha256, :at)"),
        {"name": word, "sha256": uuid4().hex, "at": datetime.now(UTC).isoformat()},
    )


def words(engine: Engine) -> list[str]:
    """Every effect, sorted."""
    with reading(engine) as session:
        return list(session.connection().execute(text("SELECT name FROM mapping_version ORDER BY name")).scalars())
