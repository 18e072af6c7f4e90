"""Jobs that keep the house: what is older than promised goes, reads are sealed into the audit.

Each looks first whether there is anything to do: a write leaves an entry in the audit, and nothing done needs none.
"""

from datetime import timedelta

from sqlmodel import col, select

from pooling import audit_chain, idempotency
from pooling.audit import ReadEntry
from pooling.jobs import JobContext, Kind, Recurring
from pooling.jobs import service as queue
from pooling.settings import from_environment

KEPT = queue.Kept(asked=timedelta(days=30), failed=timedelta(days=90), own=timedelta(days=1))
"""What was asked for can be looked up for a month, and somebody should have seen a failure within three."""


def drop_old_jobs(context: JobContext) -> None:
    """Forget jobs that were done long ago."""
    with context.written() as opened:
        context.finish({"dropped": queue.drop_finished(opened.session, kept=KEPT, now=opened.now)})


def expire_responses(context: JobContext) -> None:
    """Forget answers kept for repeated requests once they are older than promised."""
    with context.written() as opened:
        context.finish({"dropped": idempotency.purge(opened.session, now=opened.now)})


def seal_reads(context: JobContext) -> None:
    """Seal what was read of others' figures into the audit's chain."""
    with context.reading() as session:
        if session.exec(select(ReadEntry.id).where(col(ReadEntry.sealed).is_(None)).limit(1)).first() is None:
            return
    with context.written() as opened:
        context.finish({"sealed": audit_chain.seal(opened.session, now=opened.now)})


def end_retention(context: JobContext) -> None:
    """Cut the audit's oldest part off, where the setting ends its retention."""
    days = from_environment().audit_days
    if days == 0:
        return
    with context.written() as opened:
        before = opened.now - timedelta(days=days)
        context.finish({"dropped": audit_chain.cut(opened.session, before=before, now=opened.now)})


HANDLERS = {
    "jobs.drop-old": Kind(drop_old_jobs),
    "responses.expire": Kind(expire_responses),
    "audit.seal-reads": Kind(seal_reads),
    "audit.end-retention": Kind(end_retention),
}
SCHEDULE = (
    Recurring("jobs.drop-old", every=timedelta(days=1), offset=timedelta(hours=2)),
    Recurring("responses.expire", every=timedelta(hours=6), offset=timedelta(minutes=7)),
    Recurring("audit.seal-reads", every=timedelta(minutes=1)),
    Recurring("audit.end-retention", every=timedelta(days=1), offset=timedelta(hours=3)),
)
