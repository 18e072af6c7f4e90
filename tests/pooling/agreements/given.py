"""Agreements straight into the tables, made up: what the tests of call-offs and of the effect begin with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import Session

from pooling.cycles.tables import Cycle
from pooling.planning.storing import packed
from pooling.planning.tables import Plan, PlanPool, Snapshot
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMember, TenderMemberLot
from tests.pooling.planning.demand import GLOVES, add_lines, line, submission

FROZEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
START = "2026-11"
CENT = 10_000


@dataclass(frozen=True, slots=True)
class Bought:
    """What one buyer brings: a year's quantity, and the maximum over the term (None: a fifth above the estimate)."""

    quantity: int
    maximum: int | None = None
    price_micro: int = 60_000


@dataclass(frozen=True, slots=True)
class LotGiven:
    """A lot of one category; its maximum is the sum of its buyers' unless one is given."""

    buyers: Mapping[str, Bought]
    category: str = GLOVES
    offer: str = "gloves-green"
    unit: str = "H87"
    price_micro: int = 50_000
    criteria: tuple[str, ...] = ("pvc-free", "uhm-advanced", "uhm-basic")
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An agreement: over 24 months from November 2026, each buyer committed, frozen in May.

    ``pool``: plan and pool that it rests on, ``lines``: one of each buyer; None: made up with it.
    """

    lots: tuple[LotGiven, ...]
    cycle: str = "autumn"
    start: str = START
    term_months: int = 24
    status: str = "handed-over"
    depth: str = "joint"
    frozen_at: datetime = FROZEN
    pool: tuple[UUID, int] | None = None
    lines: tuple[int, ...] | None = None


POLICY: dict[str, Any] = {
    "horizon_start": "2027-01", "horizon_months": 36, "term_months": 36, "min_participants": 2, "confidence": 0.9,
    "forecast_correlation": 0.0, "carbon_price_eur_per_tonne": 100.0, "criterion_value": {}, "green_floor": [],
    "bridging_rate_per_year": 0.02, "pool_cost_eur": 1000.0, "lot_cost_eur": 100.0, "line_cost_eur": 10.0,
    "country_cost_eur": 100.0, "stability_eur": 0.0, "no_one_worse_off": True, "max_pools_per_quarter": 24,
    "max_participants_per_pool": None, "max_countries_per_pool": None,
}  # fmt: skip
"""Made up."""


def agreement(session: Session, given: Given) -> UUID:
    """Store it with all that it rests on; reference data must be there. Returns its id."""
    key = uuid4()
    plan, pool = given.pool or _plan(session, given)
    if session.get(Cycle, given.cycle) is None:
        session.add(cycle(given.cycle, plan))
    lead = min(code for lot in given.lots for code in lot.buyers)
    dates = {"dialogue_from": date(2026, 1, 1), "notice_by": date(2026, 4, 1), "award_by": date(2026, 9, 1)}
    values: dict[str, Any] = {
        "locked": True,
        "policy": POLICY,
        "lines_up_to": 0,
        "proposed_at": given.frozen_at,
        "confirmed_at": given.frozen_at,
        "frozen_at": given.frozen_at,
        "handed_over_at": given.frozen_at,
    }
    same = {name: getattr(given, name) for name in ("cycle", "start", "status", "depth")}
    of_plan = {"plan": plan, "plan_pool": pool, "family": "gloves", "lead": lead, "signing_body": "SE-M"}
    session.add(Tender(id=key, deepest="joint", **of_plan, **same, **dates, **values))
    session.flush()
    for code in sorted({code for lot in given.lots for code in lot.buyers}):
        role = "lead" if code == lead else "member"
        session.add(TenderMember(tender=key, participant=code, role=role, answer="committed"))
    sent = None if given.lines else submission(session, str(key), status="superseded")
    for lot in given.lots:
        _lot(session, key, sent, lot, given)
    session.flush()
    return key


def cycle(code: str, plan: UUID | None = None) -> Cycle:
    """A cycle that was decided, or is closed where there is no plan; its days are those of Copenhagen."""
    days = {"opens_on": date(2020, 1, 1), "closes_on": date(2020, 2, 1), "plan_by": date(2020, 3, 1)}
    fixed: dict[str, Any] = {"name": code, "time_zone": "Europe/Copenhagen", "depth": "joint", "plan": plan}
    steps = ("announced_at", "opened_at", "closed_at", *(("planned_at", "decided_at") if plan else ()))
    done: dict[str, Any] = dict.fromkeys(steps, FROZEN) | {"status": "decided" if plan else "closed"}
    return Cycle(code=code, decide_by=date(2020, 6, 1), **days, **fixed, **done)


def _plan(session: Session, given: Given) -> tuple[UUID, int]:
    plan, blank = uuid4(), packed({})
    of = {
        "id": uuid4().hex * 2,
        "created_at": FROZEN,
        "as_of": FROZEN.date(),
        "policy": {"name": "made up"},
        "context": {},
    }
    snapshot = Snapshot(instance=blank, **of)
    session.add(snapshot)
    session.flush()
    counts = {"seed": 1, "workers": 1, "time_limit_ms": 1, "asked_gap": 0.1, "gap": 0.0, "runtime_s": 0.0}
    fixed: dict[str, Any] = {"status": "optimal", "objective_eur": 0.0, "bound_eur": 0.0, "document": blank}
    session.add(Plan(id=plan, snapshot=snapshot.id, created_at=FROZEN, solver_version="made up", **counts, **fixed))
    session.flush()
    dates = {"dialogue_from": FROZEN.date(), "notice_by": FROZEN.date(), "award_by": FROZEN.date()}
    pool = PlanPool(plan=plan, family="gloves", start=given.start, lead="SE-M", signing_body="SE-M", **dates)
    session.add(pool)
    session.flush()
    assert pool.id is not None
    return plan, pool.id


def _lot(session: Session, tender: UUID, sent: UUID | None, lot: LotGiven, given: Given) -> None:
    years = given.term_months / 12
    buyers = {code: _fixed(each, lot, years) for code, each in lot.buyers.items()}
    maximum = sum(each["maximum_quantity"] for each in buyers.values()) if lot.maximum is None else lot.maximum
    estimate = sum(each["estimate_quantity"] for each in buyers.values())
    quantity = sum(each.quantity for each in lot.buyers.values())
    row = TenderLot(
        tender=tender,
        category=lot.category,
        offer=lot.offer,
        offer_name="Made up",
        unit=lot.unit,
        tier=0,
        tipping_quantity=1,
        tier_quantity=1,
        unit_price_eur_micro=lot.price_micro,
        term_months=given.term_months,
        quantity=quantity,
        sure_quantity=float(quantity),
        co2_saved_mg_per_unit=12_000,
        co2_saved_mg_low=10_000,
        co2_saved_mg_high=15_000,
        criteria=list(lot.criteria),
        offer_terms={"max_quantity": None},
        offer_said={},
        estimate_quantity=estimate,
        maximum_quantity=maximum,
        estimate_value_minor=estimate * lot.price_micro // CENT,
        maximum_value_minor=maximum * lot.price_micro // CENT,
    )
    session.add(row)
    session.flush()
    made = [line(code, each.quantity, lot.category) for code, each in lot.buyers.items()]
    ids = add_lines(session, sent, made) if sent else given.lines or ()
    for number, (code, each) in zip(ids, lot.buyers.items(), strict=True):
        spread = {"quantity_low": each.quantity * 9 // 10, "quantity_high": each.quantity * 11 // 10}
        own: dict[str, Any] = {"lot": row.id, "participant": code, "category": lot.category, "quantity": each.quantity}
        window: dict[str, Any] = {
            "earliest_start": given.start,
            "latest_start": given.start,
            "required": [],
            "refused": [],
        }
        session.add(TenderLine(line=number, unit_price_eur_micro=each.price_micro, **own, **spread, **window))
        session.add(TenderMemberLot(tender=tender, **own, **spread, **buyers[code]))


def _fixed(bought: Bought, lot: LotGiven, years: float) -> dict[str, int]:
    estimate = round(bought.quantity * years)
    maximum = estimate * 12 // 10 if bought.maximum is None else bought.maximum
    amounts = {"estimate_quantity": estimate, "maximum_quantity": maximum}
    values = {"estimate_value_minor": estimate * lot.price_micro, "maximum_value_minor": maximum * lot.price_micro}
    return amounts | {name: value // CENT for name, value in values.items()} | {"committed_quantity": bought.quantity}
