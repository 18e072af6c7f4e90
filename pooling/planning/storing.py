"""Plans and their snapshots put into the tables, once each, inside the open transaction."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from pooling import audit, feed
from pooling.planning import queries
from pooling.planning.assemble import assemble
from pooling.planning.plan_reader import Stored
from pooling.planning.pool_views import PoolView
from pooling.planning.snapshot import Frozen, canonical
from pooling.planning.solving import Effort, Judged, solver_version
from pooling.planning.tables import Plan, PlanLot, PlanLotLine, PlanPool, PlanUnpooledLine, Snapshot


@dataclass(frozen=True, slots=True)
class Made:
    """A stored plan; ``again`` says that the same question had been answered before and that answer stands."""

    plan: UUID
    again: bool


def find_plan(session: Session, frozen: Frozen, effort: Effort) -> UUID | None:
    """The stored plan that answers this question, if there is one that stands.

    It does if it is close enough, if the limits of its work ended it at the same or a closer asked gap, or if the
    clock did and there is neither more time nor other workers now. One that somebody ended early stands only if it is
    close enough.
    """
    query = select(Plan).where(
        Plan.snapshot == frozen.id, Plan.seed == effort.seed, Plan.solver_version == solver_version()
    )
    for plan in session.exec(query.order_by(col(Plan.created_at), col(Plan.id))):
        if plan.status == "optimal" or plan.gap <= effort.gap:
            return plan.id
        document = unpacked(plan.document)
        more = effort.time_limit_s * 1000 > plan.time_limit_ms or effort.workers != plan.workers
        stopped, ended = document.get("stopped_by_clock", True), document.get("interrupted", False)
        if not ended and (not more if stopped else plan.asked_gap <= effort.gap):
            return plan.id
    return None


def store_plan(session: Session, judged: Judged, *, effort: Effort, now: datetime) -> Made:
    """Store a plan with its snapshot, pools, lots and lines; where one was stored meanwhile, that one stands."""
    frozen, document = judged.frozen, judged.document
    store_snapshot(session, frozen, now)
    known = find_plan(session, frozen, effort)
    if known is not None:
        return Made(known, again=True)
    plan = Plan(
        id=uuid4(),
        snapshot=frozen.id,
        created_at=now,
        solver_version=solver_version(),
        seed=effort.seed,
        workers=effort.workers,
        time_limit_ms=round(effort.time_limit_s * 1000),
        asked_gap=effort.gap,
        document=packed(document),
        totals=dict(document["totals"]),
        **{name: document[name] for name in ("status", "objective_eur", "bound_eur", "gap", "runtime_s")},
    )
    session.add(plan)
    session.flush()
    _store_pools(session, _as_stored(session, plan, judged))
    _store_unpooled(session, plan.id, document["unpooled"])
    feed.changed(session, "plan", plan.id, version=plan.version, action="created")
    details = {"snapshot": frozen.id, "solver": plan.solver_version, "pools": len(document["pools"])}
    audit.acted(session, "plans.store", resource=("plan", plan.id), details=details)
    return Made(plan.id, again=False)


def _as_stored(session: Session, plan: Plan, judged: Judged) -> Stored:
    lines = (int(line["id"]) for line in judged.frozen.instance["lines"])
    return Stored(
        id=plan.id,
        frozen=judged.frozen,
        document=judged.document,
        created_at=plan.created_at,
        solver_version=plan.solver_version,
        time_limit_s=plan.time_limit_ms / 1000,
        traces=queries.traces(session, lines),
    )


def store_snapshot(session: Session, frozen: Frozen, now: datetime) -> None:
    """Store the snapshot unless it is there, and hold its row: of two that store the same, the second waits."""
    table = SQLModel.metadata.tables["snapshot"]
    kind = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    values = {
        "id": frozen.id,
        "created_at": now,
        "as_of": date.fromisoformat(frozen.policy["as_of"]),
        "policy": dict(frozen.policy),
        "instance": packed(frozen.instance),
        "context": dict(frozen.context),
    }
    session.connection().execute(kind.insert(table).values(values).on_conflict_do_nothing(index_elements=["id"]))
    session.exec(select(Snapshot.id).where(Snapshot.id == frozen.id).with_for_update()).one()


def _store_pools(session: Session, stored: Stored) -> None:
    views = {(view.family, view.start): view for view in assemble(stored).pools}
    for pool in stored.document["pools"]:
        values = _pool_row(stored.id, views[pool["family"], pool["start"]])
        key = session.scalars(insert(PlanPool).values(values).returning(col(PlanPool.id))).one()
        _store_lots(session, key, pool["lots"])


def _pool_row(plan: UUID, view: PoolView) -> dict[str, Any]:
    """A pool with the figures that lists show, so that they are read and not worked out."""
    return {
        "plan": plan,
        "signing_body": view.signing_body.code,
        "lots": len(view.lots),
        "lines": sum(len(lot.lines) for lot in view.lots),
        "members": " ".join(member.participant for member in view.members),
        "countries": " ".join(view.countries),
        **{name: getattr(view.gain, name) for name in SUMMED},
        **{name: getattr(view, name) for name in SHOWN},
    }


SUMMED = ("savings_eur", "green_value_eur", "bridging_cost_eur", "set_up_cost_eur")
SHOWN = (
    "number",
    "family",
    "start",
    "lead",
    "dialogue_from",
    "notice_by",
    "award_by",
    "spend_eur_per_year",
    "value_over_term_eur",
    "co2_saved_tonnes_per_year",
)


def _store_lots(session: Session, pool: int | None, lots: Sequence[Mapping[str, Any]]) -> None:
    for lot in lots:
        own = {name: lot[name] for name in ("offer", "tier", "quantity", "sure_quantity", "benefit_eur")}
        key = session.scalars(insert(PlanLot).values(own | {"pool": pool}).returning(col(PlanLot.id))).one()
        _insert(session, PlanLotLine, [{"lot": key, "line": int(line)} for line in lot["lines"]])


def _store_unpooled(session: Session, plan: UUID, unpooled: list[Mapping[str, Any]]) -> None:
    rows = [
        {
            "plan": plan,
            "line": int(entry["line"]),
            "reason": entry["reason"],
            "figures": {name: value for name, value in entry.items() if name not in ("line", "reason")},
        }
        for entry in unpooled
    ]
    _insert(session, PlanUnpooledLine, rows)


def _insert(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)


def packed(document: Any) -> bytes:
    """A JSON document, canonical and compressed."""
    return zlib.compress(canonical(document).encode())


def unpacked(content: bytes) -> dict[str, Any]:
    """What `packed` kept."""
    document: dict[str, Any] = msgspec.json.decode(zlib.decompress(content))
    return document
