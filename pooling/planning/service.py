"""What can be done with plans. All but `make_plan` work inside the open transaction and never commit."""

import json
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import polars as pl
from sqlalchemy import Engine, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from pooling.database import reading, transaction
from pooling.demand import service as demand
from pooling.errors import NotFound
from pooling.market import service as market
from pooling.market.rules import VolumeRow
from pooling.planning import exports, queries, report
from pooling.planning.assemble import Stored, assemble, plan_milestones
from pooling.planning.instance import Built, Known, LiveLine, build
from pooling.planning.policy import Codes, Policy, policy_of, read_policy
from pooling.planning.snapshot import Frozen, canonical, freeze
from pooling.planning.solving import DEFAULT_EFFORT, Effort, Judged, solve_judged, solver_version
from pooling.planning.tables import Plan, PlanLot, PlanLotLine, PlanPool, PlanUnpooledLine, Snapshot
from pooling.planning.views import PlanView
from pooling.planning.volume import volume_of
from pooling.reference import service as reference
from solver import Progress

__all__ = [
    "Effort",
    "Judged",
    "Made",
    "Policy",
    "export_plan",
    "find_plan",
    "make_plan",
    "plan_named",
    "plan_volume",
    "policy_codes",
    "policy_of",
    "read_policy",
    "solve_judged",
    "store_plan",
    "take_snapshot",
    "view_plan",
    "volume_to_market",
]

FIRST_CHARACTERS = 4  # fewest of an id that name a plan


@dataclass(frozen=True, slots=True)
class Made:
    """A stored plan; ``again`` says that the same question had been answered before and that answer stands."""

    plan: UUID
    again: bool


def policy_codes(session: Session) -> Codes:
    """The criteria and categories that a policy may name, for `read_policy`."""
    return Codes(reference.criteria(session).keys(), reference.categories(session).keys())


def make_plan(
    engine: Engine,
    policy: Policy,
    *,
    now: datetime,
    effort: Effort = DEFAULT_EFFORT,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Made:
    """Freeze, solve, judge and store, the last in one transaction: a plan is there whole, or not at all.

    The same snapshot, seed and solver give the stored plan back, see `find_plan`. Raises PlanRefused where the
    judge finds a rule broken; nothing is stored then.
    """
    with reading(engine) as session:
        frozen = take_snapshot(session, policy)
        known = find_plan(session, frozen, effort)
    if known is not None:
        return Made(known, again=True)
    judged = solve_judged(frozen, effort=effort, executor=executor, on_progress=on_progress)
    with transaction(engine) as session:
        return store_plan(session, judged, effort=effort, now=now)


def take_snapshot(session: Session, policy: Policy) -> Frozen:
    """The live lines, the offers that hold and the reference data as they are, as one frozen question."""
    lines = demand.live_lines(session)
    known, built = _built(session, policy, lines)
    rates = lines.select("currency", "exchange_rate_date", "exchange_rate_micro").unique().iter_rows()
    return freeze(
        built,
        known=known,
        bodies=reference.signing_bodies(session),
        policy=policy,
        submissions=queries.submissions(session, {UUID(line.submission) for line in built.lines}),
        line_rates=[(currency, day.isoformat(), micro) for currency, day, micro in rates],
        doubts=_doubts(session),
    )


def _doubts(session: Session) -> dict[int, list[str]]:
    """What the quality checks said, by line id, in words."""
    found: dict[int, list[str]] = {}
    for line, kind, direction, factor in demand.live_flags(session).iter_rows():
        likely = f", as if by a pack of {factor}" if factor else ""
        found.setdefault(line, []).append(f"{kind} far too {direction} against peers{likely}")
    return found


def _built(session: Session, policy: Policy, lines: pl.DataFrame) -> tuple[Known, Built]:
    known = Known(
        participants=reference.participants(session),
        categories=reference.categories(session),
        criteria=frozenset(reference.criteria(session)),
        implications=reference.implications(session),
    )
    live = [_live(row) for row in lines.select(_LINE_COLUMNS).iter_rows(named=True)]
    return known, build(live, market.all_offers(session), known=known, policy=policy)


_LINE_COLUMNS = LiveLine.__slots__


def _live(row: Mapping[str, Any]) -> LiveLine:
    words = {name: tuple(row[name].split()) for name in ("required", "refused")}
    return LiveLine(**{**row, **words, "submission": str(row["submission"])})


def volume_to_market(session: Session, policy: Policy) -> list[VolumeRow]:
    """Volume to take to market from the live demand under a policy; no offer is needed."""
    known, built = _built(session, policy, demand.live_lines(session))
    return volume_of(built.document, known.implications)


def find_plan(session: Session, frozen: Frozen, effort: Effort) -> UUID | None:
    """The stored plan that answers this question, if there is one that stands.

    It does if it is close enough, if the limits of its work ended it at the same or a closer asked gap, or if the
    clock did and there is neither more time nor other workers now.
    """
    query = select(Plan).where(
        Plan.snapshot == frozen.id, Plan.seed == effort.seed, Plan.solver_version == solver_version()
    )
    for plan in session.exec(query.order_by(col(Plan.created_at), col(Plan.id))):
        stopped = _unpacked(plan.document).get("stopped_by_clock", plan.status != "optimal")
        more = effort.time_limit_s * 1000 > plan.time_limit_ms or effort.workers != plan.workers
        close = plan.status == "optimal" or plan.gap <= effort.gap
        if close or (not more if stopped else plan.asked_gap <= effort.gap):
            return plan.id
    return None


def store_plan(session: Session, judged: Judged, *, effort: Effort, now: datetime) -> Made:
    """Store a plan with its snapshot, pools, lots and lines; where one was stored meanwhile, that one stands."""
    frozen, document = judged.frozen, judged.document
    _store_snapshot(session, frozen, now)
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
        document=_packed(document),
        **{name: document[name] for name in ("status", "objective_eur", "bound_eur", "gap", "runtime_s")},
    )
    session.add(plan)
    session.flush()
    for pool in document["pools"]:
        _store_pool(session, plan.id, pool, frozen)
    _store_unpooled(session, plan.id, document["unpooled"])
    return Made(plan.id, again=False)


def _store_snapshot(session: Session, frozen: Frozen, now: datetime) -> None:
    """Store the snapshot unless it is there, and hold its row: of two that store the same, the second waits."""
    table = SQLModel.metadata.tables["snapshot"]
    kind = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    values = {
        "id": frozen.id,
        "created_at": now,
        "as_of": date.fromisoformat(frozen.policy["as_of"]),
        "policy": dict(frozen.policy),
        "instance": _packed(frozen.instance),
        "context": dict(frozen.context),
    }
    session.connection().execute(kind.insert(table).values(values).on_conflict_do_nothing(index_elements=["id"]))
    session.exec(select(Snapshot.id).where(Snapshot.id == frozen.id).with_for_update()).one()


def _store_pool(session: Session, plan: UUID, pool: Mapping[str, Any], frozen: Frozen) -> None:
    dates = plan_milestones(pool, frozen.policy)
    values = {name: pool[name] for name in ("family", "start", "lead")} | {
        "plan": plan,
        "signing_body": frozen.context["participants"][pool["lead"]]["signing_body"],
        "dialogue_from": dates.dialogue_from,
        "notice_by": dates.notice_by,
        "award_by": dates.award_by,
    }
    number = session.scalars(insert(PlanPool).values(values).returning(col(PlanPool.id))).one()
    for lot in pool["lots"]:
        own = {name: lot[name] for name in ("offer", "tier", "quantity", "sure_quantity", "benefit_eur")}
        key = session.scalars(insert(PlanLot).values(own | {"pool": number}).returning(col(PlanLot.id))).one()
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


def plan_named(session: Session, name: str | UUID | None) -> UUID:
    """The plan whose id is or begins with ``name`` (at least four characters), or the latest for None.

    Raises NotFound where there is none, or more than one.
    """
    plans = session.exec(select(Plan.id, Plan.created_at).order_by(col(Plan.created_at).desc(), col(Plan.id))).all()
    if not plans:
        raise NotFound("no plan is stored; make one with `pooling plan`")
    if name is None:
        return plans[0][0]
    name = str(name).lower()
    found = [key for key, _ in plans if str(key).startswith(name)]
    if len(found) != 1 or len(name) < FIRST_CHARACTERS:
        latest = ", ".join(f"{key} of {made:%Y-%m-%d %H:%M}" for key, made in plans[:5])
        raise NotFound(f"plan {name!r}: {len(found)} plans begin so; give more of the id. The latest: {latest}")
    return found[0]


def _stored(session: Session, name: str | UUID | None) -> Stored:
    plan = session.get_one(Plan, plan_named(session, name))
    snapshot = session.get_one(Snapshot, plan.snapshot)
    frozen = Frozen(snapshot.id, _unpacked(snapshot.instance), snapshot.policy, snapshot.context)
    return Stored(
        id=plan.id,
        frozen=frozen,
        document=_unpacked(plan.document),
        created_at=plan.created_at,
        solver_version=plan.solver_version,
        time_limit_s=plan.time_limit_ms / 1000,
        traces=queries.traces(session, (int(line["id"]) for line in frozen.instance["lines"])),
    )


def view_plan(session: Session, name: str | UUID | None = None) -> PlanView:
    """A stored plan for readers; ``name`` as in `plan_named`."""
    return assemble(_stored(session, name))


def plan_volume(session: Session, name: str | UUID | None = None) -> list[VolumeRow]:
    """Volume to take to market from a stored plan's own snapshot; ``name`` as in `plan_named`."""
    return _volume(_stored(session, name).frozen)


def _volume(frozen: Frozen) -> list[VolumeRow]:
    implications = {code: frozenset(implied) for code, implied in frozen.context["implications"].items()}
    return volume_of(frozen.instance, implications)


def export_plan(session: Session, name: str | UUID | None, folder: Path) -> list[Path]:
    """Write a stored plan's files into ``folder``; returns their paths."""
    stored = _stored(session, name)
    view = assemble(stored)
    names = {key: category["name"] for key, category in stored.frozen.context["categories"].items()}
    volume = _volume(stored.frozen)
    texts = {
        "plan.json": exports.plan_json(stored.document, stored.frozen.id),
        "instance.json": canonical(stored.frozen.instance) + "\n",
        "pools.csv": exports.pools_csv(view),
        "lines.csv": exports.lines_csv(view),
        "volume-to-market.csv": exports.volume_csv(volume, names),
        "report.html": report.render(view, volume_rows=volume, category_names=names),
    }
    return exports.write(folder, texts)


def _packed(document: Any) -> bytes:
    return zlib.compress(canonical(document).encode())


def _unpacked(content: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(zlib.decompress(content))
    return document
