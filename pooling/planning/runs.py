"""Runs: plans that were asked for, what has become of them, and how they are ended early."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select
from sqlmodel import Session, SQLModel

from pooling import audit, feed, jobs
from pooling.errors import NotFound
from pooling.paging import Page, Window, page_of
from pooling.planning.holds import Holds, holds_kept
from pooling.planning.policy import Policy, policy_kept
from pooling.planning.solving import Effort, Judged
from pooling.planning.storing import Made, store_plan
from pooling.planning.tables import PlanRun

SOLVE = "planning.solve"
PRIORITY = 10
"""Before what explains plans that are there."""


class Cancel(StrEnum):
    """What becomes of the best plan so far where a run is ended early."""

    KEEP = "keep"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run. ``status`` is that of its job; ``progress`` the solver's last word, ``problem`` why it failed. ``cycle``:
    whose frozen lines it plans, None: all that are live; ``holds``: what it keeps to, None: nothing."""

    id: UUID
    version: int
    asked_at: datetime
    asked_by: UUID
    policy_name: str | None
    policy: Mapping[str, Any]
    time_limit_s: float
    workers: int
    seed: int
    gap: float
    operation: UUID
    status: str
    cancel: str | None
    plan: UUID | None
    again: bool | None
    started_at: datetime | None
    finished_at: datetime | None
    progress: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    cycle: str | None = None
    holds: Mapping[str, Any] | None = None

    @property
    def held(self) -> Holds:
        """What is decided already."""
        return holds_kept(self.holds)

    @property
    def over(self) -> bool:
        return self.status not in ("queued", "running")

    @property
    def effort(self) -> Effort:
        return Effort(self.time_limit_s, self.workers, self.seed, self.gap)

    @property
    def in_force(self) -> Policy:
        return policy_kept(self.policy)


def ask(
    session: Session,
    policy: Policy,
    *,
    effort: Effort,
    now: datetime,
    by: UUID,
    policy_name: str | None = None,
    cycle: str | None = None,
    holds: Holds | None = None,
) -> RunRecord:
    """Ask for a plan; a worker takes it up. The lines, offers and reference data are those it finds then.

    ``cycle``: plan its frozen lines. ``holds``: what is decided already, as it is now.
    """
    run = uuid4()
    job = jobs.enqueue(session, SOLVE, {"run": str(run)}, now=now, actor=by, priority=PRIORITY)
    session.add(
        PlanRun(
            id=run,
            asked_at=now,
            asked_by=by,
            policy_name=policy_name,
            policy=policy.to_document(),
            time_limit_ms=round(effort.time_limit_s * 1000),
            workers=effort.workers,
            seed=effort.seed,
            asked_gap=effort.gap,
            job=job,
            cycle=cycle,
            holds=None if holds is None else holds.to_document(),
        )
    )
    session.flush()
    feed.changed(session, "run", run, version=1, action="created")
    details = {"policy": policy.name} | ({} if cycle is None else {"cycle": cycle})
    audit.acted(session, "runs.create", resource=("run", run), details=details)
    return run_of(session, run)


def run_of(session: Session, run: UUID) -> RunRecord:
    """Raises NotFound."""
    table = SQLModel.metadata.tables["plan_run"].c
    found = session.connection().execute(_select().where(table.id == run)).first()
    if found is None:
        raise NotFound(f"no run {run}; GET /v1/runs lists them")
    return _record(found)


def runs(session: Session, window: Window) -> Page[RunRecord]:
    """Runs, the latest first."""
    table = SQLModel.metadata.tables["plan_run"].c
    query = _select().where(window.clause_descending(table.asked_at, table.id))
    query = query.order_by(table.asked_at.desc(), table.id.desc()).limit(window.fetch)
    rows = [_record(row) for row in session.connection().execute(query)]
    return page_of(rows, window, lambda record: (record.asked_at, record.id))


def end(session: Session, run: UUID, cancel: Cancel, *, now: datetime) -> RunRecord:
    """End a run early: keep the best plan so far with its true bound, or nothing.

    A run that waits has no plan to keep and is cancelled; one that is over stays as it is; one told to keep its plan
    can still be told to discard it, not the other way round. Raises NotFound.
    """
    row = locked(session, run)
    record = run_of(session, run)
    if record.over or record.cancel == Cancel.DISCARD:
        return record
    keep = cancel is Cancel.KEEP and record.status == "running"
    if not keep:
        jobs.cancel(session, record.operation, now=now)
        session.refresh(row)
    row.cancel = Cancel.KEEP if keep else Cancel.DISCARD
    row.version += 1
    session.add(row)
    session.flush()
    feed.changed(session, "run", run, version=row.version)
    audit.acted(session, "runs.cancel", resource=("run", run), details={"plan": row.cancel})
    return run_of(session, run)


def locked(session: Session, run: UUID) -> PlanRun:
    """The row of a run, which nobody else changes until the transaction ends; raises NotFound."""
    row = session.get(PlanRun, run, with_for_update=True)
    if row is None:
        raise NotFound(f"no run {run}; GET /v1/runs lists them")
    return row


def to_be_kept(session: Session, run: UUID) -> bool:
    """Whether the search should end now with the best plan it has."""
    row = session.get(PlanRun, run)
    return row is not None and row.cancel == Cancel.KEEP


def finish(session: Session, record: RunRecord, judged: Judged | None, *, known: UUID | None, now: datetime) -> Made:
    """Store the run's plan, or note the stored one that answers it already (``known``): never both, never two."""
    if judged is not None:
        made = store_plan(session, judged, effort=record.effort, now=now)
    elif known is not None:
        made = Made(known, again=True)
    else:
        raise ValueError(f"run {record.id}: neither a plan nor a known one")
    row = locked(session, record.id)
    row.plan, row.again, row.version = made.plan, made.again, row.version + 1
    session.add(row)
    session.flush()
    feed.changed(session, "run", record.id, version=row.version)
    audit.acted(session, "runs.finish", resource=("run", record.id), details={"plan": str(made.plan)})
    return made


JOB_COLUMNS = ("status", "started_at", "finished_at", "progress", "problem")


def _select() -> Any:
    run, job = (SQLModel.metadata.tables[name] for name in ("plan_run", "job"))
    of_job = [job.c[name].label(f"job_{name}") for name in JOB_COLUMNS]
    return select(run, *of_job).select_from(run.outerjoin(job, run.c.job == job.c.id))


def _record(row: Row[Any]) -> RunRecord:
    run = dict(row._mapping)
    return RunRecord(
        **{name: run[name] for name in ("id", "version", "asked_at", "asked_by", "policy_name", "policy", "workers")},
        **{name: run[name] for name in ("seed", "cancel", "plan", "again", "cycle", "holds")},
        time_limit_s=run["time_limit_ms"] / 1000,
        gap=run["asked_gap"],
        operation=run["job"],
        status=_status(run),
        started_at=run["job_started_at"],
        finished_at=run["job_finished_at"],
        progress=run["job_progress"],
        problem=run["job_problem"] if run["job_status"] == "failed" else None,
    )


def _status(run: Mapping[str, Any]) -> str:
    """The job's, as long as the queue remembers it; what the run itself knows is enough after that."""
    if run["plan"] is not None:
        return "succeeded"
    return str(run["job_status"] or ("cancelled" if run["cancel"] else "failed"))
