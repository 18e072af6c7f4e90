"""One attempt at a job, and what becomes of the job after it."""

import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlmodel import Session

from pooling.database import transaction
from pooling.errors import PoolingError
from pooling.jobs import fence
from pooling.jobs.context import JobContext, Kind
from pooling.jobs.fence import JobStopped
from pooling.jobs.rules import wait_before
from pooling.jobs.tables import Job

LOG = logging.getLogger("pooling.jobs")
FAILED = {
    "code": "job-failed",
    "detail": "the work failed; whoever runs the service finds the reason in the log under this operation's id",
}


def attempt(context: JobContext, kind: Kind, *, last: bool, stopping: Callable[[], bool]) -> None:
    """Run the handler; a refusal ends the job, any other failure is tried again unless this was the last attempt."""
    LOG.info("job %s %s: attempt %d", context.kind, context.held.job, context.held.attempt)
    try:
        result = kind.handler(context)
        if not context.finished:
            _end(context, lambda session: fence.finish(session, context.held, result=result or {}, now=_now(context)))
    except JobStopped as stopped:
        LOG.info("job %s %s: %s", context.kind, context.held.job, stopped)
        _stopped(context, last=last, stopping=stopping())
    except PoolingError as refusal:
        LOG.info("job %s %s refused: %s", context.kind, context.held.job, refusal.code)
        problem = {"code": refusal.code, "detail": str(refusal)}
        _end(context, lambda session: fence.fail(session, context.held, problem=problem, now=_now(context)))
    except Exception:  # whatever it is, the job must not stay as if it ran: it is logged and tried again
        LOG.exception("job %s %s failed", context.kind, context.held.job)
        _again(context, last=last, problem=FAILED)


def give_back(context: JobContext) -> None:
    """Back into the queue, where another worker finds it; what the handler still writes is refused."""
    _end(context, lambda session: fence.give_back(session, context.held))


def _now(context: JobContext) -> datetime:
    return context.means.clock()


def _stopped(context: JobContext, *, last: bool, stopping: bool) -> None:
    with transaction(context.means.engine) as session:
        asked = session.get_one(Job, context.held.job).cancel_requested_at is not None
    if asked:
        _end(context, lambda session: fence.end_cancelled(session, context.held, now=_now(context)))
    elif stopping:
        give_back(context)
    else:
        _again(context, last=last, problem=FAILED)


def _again(context: JobContext, *, last: bool, problem: Mapping[str, str]) -> None:
    def end(session: Session) -> None:
        if last:
            fence.fail(session, context.held, problem=problem, now=_now(context))
            return
        wait = wait_before(context.held.attempt, random.random())  # noqa: S311 spreads the load, no secret
        fence.retry(session, context.held, problem=problem, run_at=context.means.lease_clock(session) + wait)

    _end(context, end)


def _end(context: JobContext, ending: Callable[[Session], None]) -> None:
    """Store what became of the job; where it is somebody else's by now, that stands."""
    try:
        with transaction(context.means.engine) as session:
            ending(session)
    except JobStopped as lost:
        LOG.warning("job %s: %s", context.kind, lost)
