"""Scenarios: a grid over policy on the demand as it is, planned by a job; what came of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select
from sqlmodel import Session, SQLModel

from pooling import audit, feed, jobs
from pooling.errors import NotFound
from pooling.paging import Page, Window, page_of
from pooling.planning.holds import Holds, holds_kept
from pooling.planning.policy import Policy, policy_kept
from pooling.planning.snapshot import Frozen
from pooling.planning.solving import Effort
from pooling.planning.storing import packed, store_snapshot, unpacked
from pooling.planning.tables import ScenarioPlan, ScenarioSet

SOLVE = "planning.scenarios"
Grid = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """A grid over policy; ``document`` (``pooling.scenarios/1``) is None until it is done, and in lists. ``cycle`` and
    ``holds`` as of a run."""

    id: UUID
    version: int
    name: str
    asked_at: datetime
    asked_by: UUID
    policy_name: str | None
    policy: Mapping[str, Any]
    grid: Grid
    time_limit_s: float
    workers: int
    seed: int
    operation: UUID
    status: str
    snapshot: str | None
    cycle: str | None = None
    holds: Mapping[str, Any] | None = None
    document: Mapping[str, Any] | None = None

    @property
    def effort(self) -> Effort:
        return Effort(self.time_limit_s, self.workers, self.seed)

    @property
    def held(self) -> Holds:
        """What is decided already."""
        return holds_kept(self.holds)

    @property
    def in_force(self) -> Policy:
        return policy_kept(self.policy)


def ask(
    session: Session,
    policy: Policy,
    grid: Grid,
    *,
    name: str,
    effort: Effort,
    now: datetime,
    by: UUID,
    policy_name: str | None,
    cycle: str | None = None,
    holds: Holds | None = None,
) -> ScenarioRecord:
    """Ask for the plans of a grid; a worker takes it up. Faults of the grid show there, with every place.

    ``cycle``: plan its frozen lines. ``holds``: what is decided already, as it is now.
    """
    key = uuid4()
    job = jobs.enqueue(session, SOLVE, {"scenarios": str(key)}, now=now, actor=by)
    session.add(
        ScenarioSet(
            id=key,
            name=name,
            asked_at=now,
            asked_by=by,
            policy_name=policy_name,
            policy=policy.to_document(),
            grid={field: list(values) for field, values in grid.items()},
            time_limit_ms=round(effort.time_limit_s * 1000),
            workers=effort.workers,
            seed=effort.seed,
            job=job,
            cycle=cycle,
            holds=None if holds is None else holds.to_document(),
        )
    )
    session.flush()
    feed.changed(session, "scenarios", key, version=1, action="created")
    audit.acted(session, "scenarios.create", resource=("scenarios", key))
    return scenarios_of(session, key)


def scenarios_of(session: Session, key: UUID) -> ScenarioRecord:
    """Raises NotFound."""
    table = SQLModel.metadata.tables["scenario_set"]
    found = session.connection().execute(_select(table.c.document).where(table.c.id == key)).first()
    if found is None:
        raise NotFound(f"no scenarios {key}; GET /v1/scenarios lists them")
    return _record(found, document=found.document)


def scenario_sets(session: Session, window: Window) -> Page[ScenarioRecord]:
    """All that were asked for, the latest first, without what came of them."""
    table = SQLModel.metadata.tables["scenario_set"].c
    query = _select((table.document.is_not(None)).label("done"))
    query = query.where(window.clause_descending(table.asked_at, table.id))
    query = query.order_by(table.asked_at.desc(), table.id.desc()).limit(window.fetch)
    rows = [_record(row, done=row.done) for row in session.connection().execute(query)]
    return page_of(rows, window, lambda record: (record.asked_at, record.id))


def finish(session: Session, key: UUID, frozen: Frozen, document: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what came of it, with the snapshot it rests on; its points' whole plans apart, equal ones once."""
    store_snapshot(session, frozen, now)
    bare = {**document, "base": bare_point(document["base"]), "points": [bare_point(one) for one in document["points"]]}
    row = session.get_one(ScenarioSet, key)
    row.snapshot, row.document, row.version = frozen.id, packed(bare), row.version + 1
    session.add(row)
    session.add_all(
        ScenarioPlan(scenarios=key, number=point["number"], document=packed(point["plan"]))
        for point in (document["base"], *document["points"])
        if "plan" in point and point["same_as"] is None
    )
    session.flush()
    feed.changed(session, "scenarios", key, version=row.version)
    audit.acted(session, "scenarios.finish", resource=("scenarios", key), details={"snapshot": frozen.id})


def bare_point(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point without its whole plan."""
    return {name: value for name, value in point.items() if name != "plan"}


PLAIN = (
    "id",
    "version",
    "name",
    "asked_at",
    "asked_by",
    "policy_name",
    "policy",
    "grid",
    "workers",
    "seed",
    "snapshot",
    "cycle",
    "holds",
)


def _select(*more: Any) -> Any:
    asked, job = (SQLModel.metadata.tables[name] for name in ("scenario_set", "job"))
    plain = [asked.c[name] for name in (*PLAIN, "time_limit_ms", "job")]
    query = select(*plain, job.c.status.label("job_status"), *more)
    return query.select_from(asked.outerjoin(job, asked.c.job == job.c.id))


def _record(row: Row[Any], *, document: bytes | None = None, done: bool = False) -> ScenarioRecord:
    asked = row._mapping
    return ScenarioRecord(
        **{name: asked[name] for name in PLAIN},
        time_limit_s=asked["time_limit_ms"] / 1000,
        operation=asked["job"],
        status="succeeded" if document is not None or done else str(asked["job_status"] or "failed"),
        document=None if document is None else unpacked(document),
    )
