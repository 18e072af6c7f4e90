"""What was found out about stored plans: asked for as jobs, kept as documents, read quickly.

Kinds of the plan as a whole: ``near-misses``, ``risk``, ``volume``, ``baselines``. Of one pool: ``pool-risk``,
``shares``. Of one line: ``unlock``. A document holds for ever, as its plan does; a newer solver may be asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from pooling import audit, feed, jobs
from pooling.errors import NotFound
from pooling.planning.solving import solver_version
from pooling.planning.storing import packed, unpacked
from pooling.planning.tables import Plan, PlanFinding, PlanPool, Snapshot
from pooling.planning.work import FIND, RISK, SHARES, VOLUME, Question

EXPLAIN, BASELINES, UNLOCK = "planning.explain", "planning.baselines", "planning.unlock"
EVERY_START = "every-start"
"""Subject under which all rows of a volume are kept; under none are those of the best starts."""
POOL_RISK, OF_BASELINES, OF_LINE = "pool-risk", "baselines", "unlock"


@dataclass(frozen=True, slots=True)
class Finding:
    """A kept document; ``solver_version`` names the code that found it."""

    made_at: datetime
    solver_version: str
    document: Mapping[str, Any]


def explain_later(session: Session, plan: UUID, *, now: datetime, by: UUID | None) -> UUID:
    """Have found out what is not kept of a plan yet; raises NotFound."""
    known(session, plan)
    job = jobs.enqueue(session, EXPLAIN, {"plan": str(plan)}, now=now, actor=by)
    audit.acted(session, "explanations.create", resource=("plan", plan))
    return job


def baselines_later(session: Session, plan: UUID, *, time_limit_s: float, now: datetime, by: UUID) -> UUID:
    """Have a plan put beside its baselines; raises NotFound."""
    known(session, plan)
    payload = {"plan": str(plan), "time_limit_s": time_limit_s}
    job = jobs.enqueue(session, BASELINES, payload, now=now, actor=by)
    audit.acted(session, "baselines.create", resource=("plan", plan))
    return job


def unlock_later(session: Session, plan: UUID, line: int, *, time_limit_s: float, now: datetime, by: UUID) -> UUID:
    """Have looked for what would let a line in that the plan leaves out; raises NotFound for any other."""
    known(session, plan)
    unpooled = SQLModel.metadata.tables["plan_unpooled_line"].c
    query = select(unpooled.line).where(unpooled.plan == plan, unpooled.line == line)
    if session.connection().execute(query).first() is None:
        raise NotFound(f"line {line}: the plan leaves out no such line; GET /v1/plans/{plan}/lines?pooled=false")
    payload = {"plan": str(plan), "line": line, "time_limit_s": time_limit_s}
    job = jobs.enqueue(session, UNLOCK, payload, now=now, actor=by)
    audit.acted(session, "unlocks.create", resource=("plan", plan), details={"line": line})
    return job


def known(session: Session, plan: UUID) -> None:
    """Raises NotFound where there is no such plan."""
    if session.exec(select(Plan.id).where(Plan.id == plan)).first() is None:
        raise NotFound(f"no plan {plan}; GET /v1/plans lists them")


def question(session: Session, plan: UUID) -> Question:
    """A stored plan as the solver wants it; raises NotFound."""
    found = session.get(Plan, plan)
    if found is None:
        raise NotFound(f"no plan {plan}; GET /v1/plans lists them")
    snapshot = session.get_one(Snapshot, found.snapshot)
    implications = snapshot.context["implications"]
    return Question(unpacked(snapshot.instance), unpacked(found.document), found.seed, implications)


def missing(session: Session, plan: UUID) -> list[str]:
    """What is to be found out about every plan and is not kept yet, in the order of the work."""
    kept = set(session.exec(select(PlanFinding.kind).where(PlanFinding.plan == plan, PlanFinding.subject == "")))
    return [kind for kind in FIND if kind not in kept]


def keep(session: Session, plan: UUID, kind: str, document: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what was found; of pools one document each, so that a pool's is read alone."""
    parts = {"": document}
    if kind == VOLUME:
        best = [row for row in document["rows"] if row["best"]]
        parts = {"": {"rows": best}, EVERY_START: document}
    if kind in (SHARES, RISK):
        of_pools = SHARES if kind == SHARES else POOL_RISK
        numbers = _pool_ids(session, plan)
        whole = {name: value for name, value in document.items() if name != "pools"}
        rest = {name: whole[name] for name in ("seed", "sampled_orders", "draws", "correlations") if name in whole}
        own = {numbers[pool["family"], pool["start"]]: {**rest, **pool} for pool in document["pools"]}
        parts = {"": whole}
        _put(session, plan, of_pools, {str(key): value for key, value in own.items()}, now=now)
    _put(session, plan, kind, parts, now=now)
    _announce(session, plan, kind)


def keep_unlock(session: Session, plan: UUID, line: int, document: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what would let a line in."""
    _put(session, plan, OF_LINE, {str(line): document}, now=now)
    _announce(session, plan, OF_LINE)


def _pool_ids(session: Session, plan: UUID) -> dict[tuple[str, str], int]:
    rows = session.exec(select(PlanPool.family, PlanPool.start, PlanPool.id).where(PlanPool.plan == plan))
    return {(family, start): key for family, start, key in rows if key is not None}


def _put(session: Session, plan: UUID, kind: str, parts: Mapping[str, Mapping[str, Any]], *, now: datetime) -> None:
    table = SQLModel.metadata.tables["plan_finding"]
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    said = {"plan": plan, "kind": kind, "made_at": now, "solver_version": solver_version()}
    rows = [{**said, "subject": subject, "document": packed(part)} for subject, part in sorted(parts.items())]
    put = dialect.insert(table)
    renewed = {name: put.excluded[name] for name in ("made_at", "solver_version", "document")}
    put = put.on_conflict_do_update(index_elements=["plan", "kind", "subject"], set_=renewed)
    if rows:
        session.connection().execute(put, rows)


def _announce(session: Session, plan: UUID, kind: str) -> None:
    row = session.get(Plan, plan, with_for_update=True)
    if row is None:
        raise NotFound(f"no plan {plan}")
    row.version += 1
    session.add(row)
    session.flush()
    feed.changed(session, "plan", plan, version=row.version)
    audit.acted(session, "plans.explain", resource=("plan", plan), details={"kind": kind})


def finding(session: Session, plan: UUID, kind: str, subject: object = "") -> Finding:
    """What was found; raises NotFound, saying what to do, where it is not there (yet)."""
    kept = session.get(PlanFinding, (plan, kind, str(subject)))
    if kept is None:
        raise NotFound(f"plan {plan}: {kind} is not found out yet; {_remedy(kind)}")
    return Finding(kept.made_at, kept.solver_version, unpacked(kept.document))


def _remedy(kind: str) -> str:
    asked = {OF_BASELINES: "baselines", OF_LINE: "lines/{line}/unlock"}.get(kind)
    return f"ask for it with POST /v1/plans/{{plan}}/{asked or 'explanations'}"


def kinds_kept(session: Session, plan: UUID) -> list[tuple[str, datetime]]:
    """The kinds that are there for the plan as a whole, and when each was found."""
    query = select(PlanFinding.kind, PlanFinding.made_at).where(PlanFinding.plan == plan, PlanFinding.subject == "")
    return [(kind, made_at) for kind, made_at in session.exec(query.order_by(col(PlanFinding.kind)))]
