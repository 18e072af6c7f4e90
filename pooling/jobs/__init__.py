"""Work done later: made in the caller's transaction, done once by one of any number of workers."""

from pooling.jobs.context import Handler, JobContext, Kind
from pooling.jobs.fence import JobStopped
from pooling.jobs.queries import figures, oldest_due
from pooling.jobs.rules import Recurring, Status
from pooling.jobs.service import cancel, enqueue, find

__all__ = [
    "Handler",
    "JobContext",
    "JobStopped",
    "Kind",
    "Recurring",
    "Status",
    "cancel",
    "enqueue",
    "figures",
    "find",
    "oldest_due",
]
