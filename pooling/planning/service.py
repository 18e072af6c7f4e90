"""What can be done with plans. All but `make_plan` work inside the open transaction and never commit."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from pooling.database import reading
from pooling.demand import service as demand
from pooling.errors import NotFound
from pooling.market import service as market
from pooling.market.rules import VolumeRow
from pooling.planning import exports, queries, report
from pooling.planning.assemble import assemble
from pooling.planning.holds import NOTHING, Holds
from pooling.planning.instance import Built, build
from pooling.planning.live import Known, LiveLine
from pooling.planning.plan_reader import Stored
from pooling.planning.policies import policy_codes
from pooling.planning.policy import Policy, policy_of, read_policy
from pooling.planning.snapshot import Frozen, canonical, freeze
from pooling.planning.solving import DEFAULT_EFFORT, Effort, Judged, solve_judged
from pooling.planning.storing import Made, find_plan, store_plan, unpacked
from pooling.planning.tables import Plan, Snapshot
from pooling.planning.views import PlanView
from pooling.planning.volume import volume_of
from pooling.reference import service as reference
from pooling.transactions import written
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
    with written(engine, actor=None, operation="plans.make", now=now) as opened:
        return store_plan(opened.session, judged, effort=effort, now=now)


def take_snapshot(session: Session, policy: Policy, *, cycle: str | None = None, holds: Holds = NOTHING) -> Frozen:
    """The live lines, the offers that hold and the reference data as they are, as one frozen question.

    ``cycle``: its frozen lines instead of the live ones. ``holds``: what is decided already; the lines of its tenders
    are in it whatever became of them since. Raises NotFound, WrongState where the cycle's lines are not frozen.
    """
    lines = _lines(session, cycle, holds)
    known, built = _built(session, policy, lines, holds)
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


def _lines(session: Session, cycle: str | None, holds: Holds) -> pl.DataFrame:
    if cycle is None and not holds.fixed:
        return demand.live_lines(session)
    ids = demand.live_lines(session)["id"].to_list() if cycle is None else demand.lines_of_cycle(session, cycle)
    return demand.lines_of(session, sorted({*ids, *holds.lines}))


def _doubts(session: Session) -> dict[int, list[str]]:
    """What the quality checks said, by line id, in words."""
    found: dict[int, list[str]] = {}
    for line, kind, direction, factor in demand.live_flags(session).iter_rows():
        likely = f", as if by a pack of {factor}" if factor else ""
        found.setdefault(line, []).append(f"{kind} far too {direction} against peers{likely}")
    return found


def _built(session: Session, policy: Policy, lines: pl.DataFrame, holds: Holds = NOTHING) -> tuple[Known, Built]:
    known = Known(
        participants=reference.participants(session),
        categories=reference.categories(session),
        criteria=frozenset(reference.criteria(session)),
        implications=reference.implications(session),
    )
    live = [_live(row) for row in lines.select(_LINE_COLUMNS).iter_rows(named=True)]
    return known, build(live, market.all_offers(session), known=known, policy=policy, holds=holds)


_LINE_COLUMNS = LiveLine.__slots__


def _live(row: Mapping[str, Any]) -> LiveLine:
    words = {name: tuple(row[name].split()) for name in ("required", "refused")}
    return LiveLine(**{**row, **words, "submission": str(row["submission"])})


def volume_to_market(session: Session, policy: Policy) -> list[VolumeRow]:
    """Volume to take to market from the live demand under a policy; no offer is needed."""
    known, built = _built(session, policy, demand.live_lines(session))
    return volume_of(built.document, known.implications)


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
    return stored_plan(session, plan_named(session, name))


def stored_plan(session: Session, key: UUID) -> Stored:
    """A stored plan with all it rested on, and where each of its lines came from."""
    plan = session.get_one(Plan, key)
    snapshot = session.get_one(Snapshot, plan.snapshot)
    frozen = Frozen(snapshot.id, unpacked(snapshot.instance), snapshot.policy, snapshot.context)
    return Stored(
        id=plan.id,
        frozen=frozen,
        document=unpacked(plan.document),
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
