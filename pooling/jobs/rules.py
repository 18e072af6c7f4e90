"""The rules of the queue: states, how long to wait before trying again, when a recurring job is due. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

LEASE = timedelta(seconds=20)
"""So long a worker holds a job without a sign of life; polled for every second, it is taken over well within 30 s."""
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Status(StrEnum):
    """Where a job stands; the last three are final. A failed job is the dead letter: it stays until retention."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


def wait_before(attempt: int, chance: float) -> timedelta:
    """How long to wait after failed attempt number ``attempt`` (1-based): doubles each time, at most an hour.

    ``chance`` in [0, 1) spreads it over its second half, so that what failed together does not come back together.
    """
    full = min(FIRST_WAIT * (1 << min(attempt - 1, 20)), LONGEST_WAIT)
    return full * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job made once for each due time: every ``every`` from a fixed instant on, plus ``offset``.

    Due times that passed while no worker ran are made up for by one job, not one each.
    """

    kind: str
    every: timedelta
    offset: timedelta = timedelta(0)
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.every < timedelta(seconds=1):
            raise ValueError(f"recurring {self.kind}: every {self.every}: give a second or more")

    def due(self, now: datetime) -> datetime:
        """The latest due time that is not after ``now``."""
        since = now - EPOCH - self.offset
        return EPOCH + self.offset + (since // self.every) * self.every
