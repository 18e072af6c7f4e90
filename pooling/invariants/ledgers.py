"""The ledgers hold: the audit's chain is whole, the feed has no gap, jobs are in a state that can be."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from pooling import audit_chain, feed
from pooling.invariants.violation import Violation, shown_id
from pooling.jobs.rules import FINAL, Status

JOBS = (
    "SELECT id, kind, status, attempts, max_attempts, owner, lease_until, finished_at FROM job ORDER BY created_at, id"
)


def audit(session: Session) -> Iterator[Violation]:
    """Nothing in the audit was changed, taken out or put in."""
    for fault in audit_chain.verify(session).faults:
        yield Violation("audit", fault.removeprefix("audit: "))


def changes(session: Session) -> Iterator[Violation]:
    """Positions of the feed are dense up to its head."""
    for fault in feed.gaps(session):
        yield Violation("feed", fault.removeprefix("feed: "))


def jobs(session: Session) -> Iterator[Violation]:
    """A job that runs has an owner and a lease, one that is done has an end, and none has begun too often."""
    for job in session.connection().execute(text(JOBS)):
        for message in _faults_of(job):
            yield Violation(f"job {shown_id(job.id)} ({job.kind})", message)


def _faults_of(job: Row[Any]) -> Iterator[str]:
    if job.status not in tuple(Status):
        yield f"status {job.status!r} is none; one of {', '.join(Status)}"
        return
    owned, leased, ended = job.owner is not None, job.lease_until is not None, job.finished_at is not None
    if owned != (job.status == Status.RUNNING) or leased != owned:
        yield f"{job.status}, {_with(owned)} owner and {_with(leased)} lease"
    if ended != (job.status in FINAL):
        yield f"{job.status}, {_with(ended)} end"
    if not 0 <= job.attempts <= job.max_attempts:
        yield f"{job.attempts} attempts of at most {job.max_attempts}"


def _with(there: bool) -> str:
    return "with" if there else "without"
