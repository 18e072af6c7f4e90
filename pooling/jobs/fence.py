"""The fence of a job: whoever no longer holds it cannot write, in the very transaction of what it would write.

Each function is one UPDATE that names owner and attempt; the row stays locked to the end of the transaction, so that
nobody takes the job over between the check and the commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, update
from sqlmodel import Session, col

from pooling.errors import PoolingError
from pooling.jobs.rules import Status
from pooling.jobs.tables import Job


class JobStopped(PoolingError):
    """The job must not go on here: it was cancelled or taken over, or its worker is stopping. Nothing was stored."""

    code = "job-stopped"


@dataclass(frozen=True, slots=True)
class Held:
    """A claim on a job, good as long as nobody else has made a later one."""

    job: UUID
    owner: str
    attempt: int


def hold(session: Session, held: Held, *, until: datetime) -> None:
    """Check the claim, renew its lease ``until`` then, keep others off to the transaction's end. Raises JobStopped."""
    _write(session, held, {"lease_until": until})


def finish(session: Session, held: Held, *, result: Mapping[str, Any], now: datetime) -> None:
    """The job is done, with this result; to be called in the transaction of its effect. Raises JobStopped."""
    _end(session, held, Status.SUCCEEDED, {"result": dict(result), "problem": None}, now)


def fail(session: Session, held: Held, *, problem: Mapping[str, str], now: datetime) -> None:
    """The job is a dead letter: no further attempt is made. Raises JobStopped."""
    _end(session, held, Status.FAILED, {"problem": dict(problem)}, now)


def end_cancelled(session: Session, held: Held, *, now: datetime) -> None:
    """The job stopped as it was asked to. Raises JobStopped."""
    _end(session, held, Status.CANCELLED, {}, now)


def retry(session: Session, held: Held, *, problem: Mapping[str, str], run_at: datetime) -> None:
    """Back into the queue, to be tried again from ``run_at`` on. Raises JobStopped."""
    _write(session, held, {**_FREE, "status": Status.QUEUED, "run_at": run_at, "problem": dict(problem)})


def give_back(session: Session, held: Held) -> None:
    """Back into the queue at once, as if the attempt had not begun: its worker stops. Raises JobStopped."""
    _write(session, held, {**_FREE, "status": Status.QUEUED, "attempts": held.attempt - 1})


_FREE: Mapping[str, Any] = {"owner": None, "lease_until": None}


def _end(session: Session, held: Held, status: Status, values: Mapping[str, Any], now: datetime) -> None:
    _write(session, held, {**_FREE, "status": status, "finished_at": now, **values})


def _write(session: Session, held: Held, values: Mapping[str, Any]) -> None:
    if session.connection().execute(still_held(held).values(**values)).rowcount != 1:
        raise JobStopped(f"job {held.job}: attempt {held.attempt} of {held.owner} no longer holds it")


def still_held(held: Held) -> Update:
    """An update of the job that finds nothing where the claim is lost."""
    return update(Job).where(
        col(Job.id) == held.job,
        col(Job.status) == Status.RUNNING,
        col(Job.owner) == held.owner,
        col(Job.attempts) == held.attempt,
    )
