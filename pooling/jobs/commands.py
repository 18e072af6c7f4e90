"""Commands on the queue: what is in it, and dead letters put back."""

from datetime import UTC, datetime
from uuid import UUID

import click
from rich.table import Table
from sqlalchemy import Engine

from pooling import audit
from pooling.commandline import pass_engine, screen
from pooling.database import reading
from pooling.errors import NotFound
from pooling.jobs import queries, service
from pooling.jobs.queries import Filter, Visible
from pooling.jobs.rules import Status
from pooling.paging import Window
from pooling.transactions import written

SHOWN = 50
NOBODY = UUID(int=0)


@click.group()
def jobs() -> None:
    """The queue of jobs."""


@jobs.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Those that stand so.")
@click.option("--kind", help="Those of this kind.")
@pass_engine
def list_jobs(engine: Engine, status: str | None, kind: str | None) -> None:
    """The latest jobs, and how many of each kind there are."""
    chosen = Filter(kind, Status(status) if status else None)
    with reading(engine) as session:
        found = queries.listed(session, Visible(NOBODY, all=True), Window(SHOWN), chosen)[:SHOWN]
        table = Table("id", "kind", "status", "attempts", "created", "problem")
        for job in found:
            problem = f"{job.problem['code']}: {job.problem['detail']}" if job.problem else ""
            made = f"{job.created_at:%Y-%m-%d %H:%M:%S}"
            table.add_row(str(job.id), job.kind, job.status, f"{job.attempts}/{job.max_attempts}", made, problem)
        figures = queries.figures(session)
    screen().print(table)
    for (name, state), count in sorted(figures.items()):
        click.echo(f"{name} {state}: {count:,}")


@jobs.command("retry")
@click.argument("job", type=click.UUID)
@pass_engine
def retry(engine: Engine, job: UUID) -> None:
    """Put a failed job back into the queue, once the cause is mended."""
    with written(engine, actor=None, operation="jobs.retry", now=datetime.now(UTC)) as opened:
        if service.try_again(opened.session, job, now=opened.now) is None:
            raise NotFound(f"job {job}: none that failed; `pooling jobs list --status failed` shows those")
        audit.acted(opened.session, "jobs.retry", resource=("operation", job))
    click.echo(f"job {job} is in the queue again")
