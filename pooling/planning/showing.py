"""Stored plans as the API shows them: lists, a plan, a pool, and what became of lines. Read only.

Whoever may not see all participants' figures is given the lines, lots and pools that own lines are in, by query; what
of these is still not to be seen is marked in `pooling.planning.answers` and left out by the projection.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.errors import NotFound
from pooling.looking import Reading
from pooling.paging import Page, Window, page_of
from pooling.planning import answers, findings, pool_answers, queries
from pooling.planning.assemble import one_pool
from pooling.planning.plan_reader import Stored
from pooling.planning.pool_views import LotView, MemberView, PoolView
from pooling.planning.snapshot import Frozen
from pooling.planning.storing import unpacked
from pooling.planning.tables import Plan, Snapshot
from pooling.planning.words import meaning
from pooling.prepared import made_of


def plans(session: Session, window: Window) -> Page[answers.PlanItem]:
    """Plans, the latest first."""
    shown = [
        answers.PlanItem(
            **{name: getattr(row, name) for name in (*queries.PLAN_COLUMNS, "gap", "as_of", "policy_name", "pools")},
            totals=None if row.totals is None else answers.totals_of(row.totals),
        )
        for row in queries.plans(session, window)
    ]
    return page_of(shown, window, lambda plan: (plan.created_at, plan.id))


def chosen_plan(opened: Reading | Session, plan: UUID | None) -> UUID | None:
    """The plan asked for, or the latest; None where none is stored. Raises NotFound."""
    if plan is None:
        return queries.latest_plan(opened)
    findings.known(opened if isinstance(opened, Session) else opened.session, plan)
    return plan


def stored_plan(session: Session, plan: UUID) -> Stored:
    """A stored plan as kept, without traces; raises NotFound."""
    row = session.get(Plan, plan)
    if row is None:
        raise NotFound(f"no plan {plan}; GET /v1/plans lists them")
    snapshot = session.get_one(Snapshot, row.snapshot)
    return Stored(
        id=row.id,
        frozen=Frozen(snapshot.id, unpacked(snapshot.instance), snapshot.policy, snapshot.context),
        document=unpacked(row.document),
        created_at=row.created_at,
        solver_version=row.solver_version,
        time_limit_s=row.time_limit_ms / 1000,
        traces={},
    )


def plan(session: Session, key: UUID) -> answers.Plan:
    """One plan; raises NotFound."""
    stored = stored_plan(session, key)
    document, policy, context = stored.document, stored.frozen.policy, stored.frozen.context
    floor = bool(policy["green_floor"])
    reasons = Counter(entry["reason"] for entry in document["unpooled"]).most_common()
    same = ("seed", "workers", "runtime_s", "status", "objective_eur", "bound_eur", "gap")
    return answers.Plan(
        id=key,
        version=session.get_one(Plan, key).version,
        created_at=stored.created_at,
        **{name: policy[name] for name in ("horizon_start", "horizon_months", "lead_time_months")},
        as_of=date.fromisoformat(policy["as_of"]),
        policy_name=policy["name"],
        snapshot=stored.frozen.id,
        solver_version=stored.solver_version,
        time_limit_s=stored.time_limit_s,
        interrupted=bool(document.get("interrupted", False)),
        **{name: document[name] for name in same},
        participants=[each["id"] for each in stored.frozen.instance["participants"]],
        policy=dict(policy),
        pools=len(document["pools"]),
        totals=answers.totals_of(document["totals"]),
        unpooled=[answers.ReasonCount(reason, meaning(reason, green_floor=floor), count) for reason, count in reasons],
        excluded=[answers.Excluded(**each) for each in context["excluded"]],
        warnings=[*context["warnings"], *document["warnings"]],
        submissions=[dict(each) for each in context["submissions"]],
        offer_files=[dict(each) for each in context["offer_files"]],
        rates=[dict(each) for each in context["rates"]],
        explained=[answers.Explained(kind, made_at) for kind, made_at in findings.kinds_kept(session, key)],
    )


def pools(
    opened: Reading | Session, sees: Visible, window: Window, *, plan: UUID | None, family: str | None
) -> Page[pool_answers.PoolItem]:
    """The pools of a plan (None: the latest) with lines that ``sees`` shows; raises NotFound for an unknown plan."""
    chosen = chosen_plan(opened, plan)
    if chosen is None:
        return Page((), None)
    found = queries.pools(opened, sees, window, plan=chosen, family=family)
    return page_of(made_of(pool_answers.PoolItem, found, LISTS), window, lambda pool: (pool.start, pool.family))


def _words(value: str | None) -> list[str] | None:
    return None if value is None else value.split()


LISTS = {queries.POOL_COLUMNS.index(name): _words for name in ("members", "countries")}
"""Columns that hold words separated by a space."""


def pool(session: Session, sees: Visible, pool_id: int) -> pool_answers.Pool:
    """A pool with its lots and lines, of these what ``sees`` shows; raises NotFound where that is nothing."""
    place = pool_place(session, sees, pool_id)
    stored = stored_plan(session, place.plan)
    known = pool_document(stored, place)
    ids = [int(line) for lot in known["lots"] for line in lot["lines"]]
    view = one_pool(replace(stored, traces=queries.traces(session, ids)), family=place.family, start=place.start)
    return _pool(pool_id, place.plan, view, sees=sees, senders=queries.senders(session, ids))


def pool_place(session: Session, sees: Visible, pool_id: int) -> Row[Any]:
    """Plan, family and start of a pool with a line that ``sees`` shows; raises NotFound."""
    place = queries.pool_place(session, sees, pool_id)
    if place is None:
        raise NotFound(f"no pool {pool_id}; GET /v1/pools lists them")
    return place


def pool_document(stored: Stored, place: Row[Any]) -> Mapping[str, Any]:
    """The pool at a place, as the plan's document has it."""
    found: Mapping[str, Any] = next(
        each for each in stored.document["pools"] if (each["family"], each["start"]) == (place.family, place.start)
    )
    return found


def _pool(key: int, plan: UUID, view: PoolView, *, sees: Visible, senders: Mapping[int, str]) -> pool_answers.Pool:
    body = view.signing_body
    lots = [_lot(lot, sees=sees, senders=senders) for lot in view.lots]
    same = ("number", "family", "start", "dialogue_from", "notice_by", "award_by", "starts_on", "lead")
    sums = ("spend_eur_per_year", "value_over_term_eur", "co2_saved_tonnes_per_year")
    return pool_answers.Pool(
        id=key,
        plan=plan,
        **{name: getattr(view, name) for name in (*same, *sums)},
        lots=[lot for lot in lots if lot.lines],
        signing_body=body.name,
        law=body.law,
        language=body.language,
        complaint_board=body.complaint_board,
        countries=list(view.countries),
        members=[_member(member) for member in view.members],
        gain=answers.summed(view.gain),
        warnings=list(view.warnings),
    )


def _lot(lot: LotView, *, sees: Visible, senders: Mapping[int, str]) -> pool_answers.PoolLot:
    offer = lot.offer
    same = ("category", "category_name", "unit", "term_months", "tier", "quantity", "sure_quantity", "likely_maximum")
    sums = ("spend_eur_per_year", "offered_spend_eur_per_year", "co2_saved_tonnes_per_year")
    ranges = ("tipping_quantity", "unit_price_eur", "co2_saved_low_tonnes", "co2_saved_high_tonnes")
    return pool_answers.PoolLot(
        **{name: getattr(lot, name) for name in (*same, *sums, *ranges)},
        offer=offer.id,
        offer_name=offer.name,
        criteria=list(offer.criteria),
        tiers=[
            pool_answers.PoolTier(**{name: getattr(tier, name) for name in pool_answers.PoolTier.__struct_fields__})
            for tier in offer.tiers
        ],
        co2_source=offer.co2_source,
        co2_source_date=offer.co2_source_date,
        gain=answers.summed(lot.gain),
        lines=[_line(line, senders[line.id]) for line in lot.lines if senders[line.id] in sees],
    )


def _line(line: Any, sender: str) -> pool_answers.PooledLine:
    same = ("id", "quantity_low", "quantity_high", "unit_price_eur", "spend_eur_per_year", "months_bridged")
    return pool_answers.PooledLine(
        **{name: getattr(line, name) for name in same},
        participant=sender,
        held_by=line.participant,
        quantity_per_year=line.quantity,
        earliest_start=line.earliest_start,
        latest_start=line.latest_start,
        required=list(line.required),
        refused=list(line.refused),
        doubts=list(line.doubts),
        gain=answers.gains(line.gain),
    )


def _member(member: MemberView) -> pool_answers.PoolMember:
    return pool_answers.PoolMember(
        **{name: getattr(member, name) for name in ("participant", "name", "country", "contracting_authority")},
        lots=[pool_answers.MemberVolume(lot.category, lot.unit, lot.quantity, lot.share) for lot in member.lots],
        lines=member.lines,
        spend_eur_per_year=member.spend_eur_per_year,
        gain=answers.summed(member.gain),
    )
