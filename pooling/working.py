"""Every kind of job there is, who does them (a worker inside the service, or processes of their own), the commands."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import Engine

from pooling import housekeeping
from pooling.agreements import jobs as agreements
from pooling.commandline import pass_engine
from pooling.cycles import jobs as cycles
from pooling.database import connect
from pooling.demand import jobs as demand
from pooling.jobs import Kind, Recurring
from pooling.jobs.commands import jobs
from pooling.jobs.context import Means
from pooling.jobs.worker import Worker
from pooling.notices import jobs as notices
from pooling.planning import jobs as planning
from pooling.tenders import jobs as tenders

HANDLERS: Mapping[str, Kind] = {
    **notices.HANDLERS,
    **cycles.HANDLERS,
    **demand.HANDLERS,
    **planning.HANDLERS,
    **tenders.HANDLERS,
    **agreements.HANDLERS,
    **housekeeping.HANDLERS,
}
SCHEDULE: tuple[Recurring, ...] = (
    *notices.SCHEDULE,
    *cycles.SCHEDULE,
    *demand.SCHEDULE,
    *tenders.SCHEDULE,
    *agreements.SCHEDULE,
    *housekeeping.SCHEDULE,
)
GRACE_S = 15.0
"""A worker that is told to stop lets its jobs finish for so long; then it gives them back to the queue."""


@contextmanager
def embedded(url: str) -> Iterator[Worker]:
    """A worker in threads of this process while the block runs, with connections of its own."""
    engine = connect(url)
    worker = Worker(Means(engine), HANDLERS, SCHEDULE)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(GRACE_S)
        engine.dispose()


@click.command()
@click.option("--light", default=2, show_default=True, type=click.IntRange(1, 64), help="Short jobs at a time.")
@click.option("--heavy", default=1, show_default=True, type=click.IntRange(0, 64), help="Long calculations at a time.")
@click.option("--grace", default=GRACE_S, show_default=True, type=click.FloatRange(0, 3600), help="Seconds to finish.")
@click.option(
    "--alive",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File touched with every sign of life: for a health check by its age.",
)
@pass_engine
def worker(engine: Engine, light: int, heavy: int, grace: float, alive: Path | None) -> None:
    """Do jobs until stopped (Ctrl-C, SIGTERM); several may run, on several machines with PostgreSQL."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    working = Worker(Means(engine), HANDLERS, SCHEDULE, light=light, heavy=heavy)
    working.start()
    click.echo(f"worker {working.owner} is at work")
    seen = 0.0
    while not told.wait(0.5):
        if alive is not None and working.beaten_at != seen:
            seen = working.beaten_at
            alive.touch()
    click.echo("stopping: jobs finish, or go back into the queue")
    working.stop(grace)


COMMANDS = (worker, jobs)
