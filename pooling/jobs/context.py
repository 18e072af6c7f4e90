"""What a job's handler is handed: its payload, the fenced transaction of its effect, progress, cancel."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from pooling import database
from pooling.jobs import fence
from pooling.jobs.apart import run_apart
from pooling.jobs.fence import Held, JobStopped
from pooling.jobs.rules import LEASE
from pooling.transactions import Opened, written

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)


def database_now(session: Session) -> datetime:
    """Now by the database's clock: where it is a server, of its machine and not of ours."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return wall_clock()
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker lends to every job it runs."""

    engine: Engine
    clock: Clock = wall_clock
    lease: timedelta = LEASE
    lease_clock: Callable[[Session], datetime] = database_now
    """By it jobs are due and leases run out; the database's own, so that machines need not agree on the time."""


@dataclass(slots=True, eq=False)
class JobContext:
    """One attempt at one job."""

    means: Means
    held: Held
    kind: str
    payload: Mapping[str, Any]
    actor: UUID | None
    told: Event = field(default_factory=Event)
    """Set once the job must not go on: cancel asked for, lease lost, or worker stopping."""
    latest: Mapping[str, Any] | None = None
    """Progress not stored yet."""
    finished: bool = False
    _open: Opened | None = None

    @contextmanager
    def written(self) -> Iterator[Opened]:
        """The transaction of the job's effect; kept only while this attempt still holds the job.

        Raises JobStopped, and keeps nothing, where it was cancelled or taken over meanwhile.
        """
        self.check()
        deed = {"operation": self.kind, "request": str(self.held.job)}
        try:
            with written(self.means.engine, actor=self.actor, now=self.means.clock(), **deed) as opened:
                self._open = opened
                yield opened
                if not self.finished:
                    until = self.means.lease_clock(opened.session) + self.means.lease
                    fence.hold(opened.session, self.held, until=until)
        except BaseException:
            self.finished = False
            raise
        finally:
            self._open = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction for reading: one consistent view, which holds no writer back."""
        with database.reading(self.means.engine) as session:
            yield session

    def finish(self, result: Mapping[str, Any]) -> None:
        """End the job in the transaction that is open, so that effect and end are kept together or not at all.

        To be called last inside `written`. A result's ``location`` is the address of what was made.
        """
        if self._open is None:
            raise RuntimeError("finish is called inside `with context.written()`")
        fence.finish(self._open.session, self.held, result=result, now=self.means.clock())
        self.finished = True

    def progress(self, figures: Mapping[str, Any]) -> None:
        """Tell how far the work is (JSON; small). Cheap: the worker stores the latest about once a second."""
        self.latest = dict(figures)

    def cancelled(self) -> bool:
        """Whether to stop: cancel was asked for, another worker has the job, or this one is stopping. Cheap."""
        return self.told.is_set()

    def check(self) -> None:
        """Raises JobStopped where the job should stop; to be called between steps of long work."""
        if self.cancelled():
            raise JobStopped(f"job {self.held.job}: told to stop")

    def apart(self, function: Callable[..., Any], *arguments: Any, stop: Callable[[], bool] = lambda: False) -> Any:
        """Run long calculation in a child process of low priority, see `run_apart`; progress goes to the job's."""
        return run_apart(function, arguments, on_progress=self.progress, cancelled=self.cancelled, stop=stop)


Handler = Callable[[JobContext], Mapping[str, Any] | None]
"""Does the work of a kind of job. What it returns is the result, unless it has called ``context.finish``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of one kind are done. ``heavy`` ones calculate for long: a worker does one at a time, beside others."""

    handler: Handler
    heavy: bool = False
