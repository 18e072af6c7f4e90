"""Tenders as others read them: frozen copies of the rows.

Quantities are whole base units a year unless said otherwise; estimate and maximum are over the whole term.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pooling.cycles.rules import Depth
from pooling.market.rules import MICRO
from pooling.planning.rules import first_day, shifted
from pooling.tenders.rules import Answer, Role, Status


@dataclass(frozen=True, slots=True)
class TenderRecord:
    """A tender; ``term_months`` is that of its longest lot. See `pooling.tenders.tables.Tender`."""

    id: UUID
    version: int
    cycle: str
    plan: UUID
    plan_pool: int
    family: str
    start: str
    lead: str
    signing_body: str
    depth: Depth
    deepest: Depth
    status: Status
    locked: bool
    note: str | None
    central_government: bool | None
    environment_weight: float | None
    environment_reasons: str | None
    agreement_signed: bool | None
    lot_reasons: str | None
    term_reasons: str | None
    option_months: int | None
    main_cpv: str | None
    category_facts: Mapping[str, Mapping[str, float]] | None
    policy: Mapping[str, Any]
    lines_up_to: int
    dialogue_from: date
    notice_by: date
    award_by: date
    changed_terms: bool
    short: bool
    proposed_at: datetime
    invited_at: datetime | None
    answers_due: date | None
    confirmed_at: datetime | None
    frozen_at: datetime | None
    handed_over_at: datetime | None
    ended_at: datetime | None
    term_months: int

    @property
    def starts_on(self) -> date:
        """The first day of the agreement."""
        return first_day(self.start)

    @property
    def ends_before(self) -> date:
        """The first day after the agreement's longest lot, not extended."""
        return first_day(shifted(self.start, self.term_months))


@dataclass(frozen=True, slots=True)
class MemberLotRecord:
    """What a member brings to a lot; ``committed`` (low, quantity, high) None: not committed. ``estimate`` and
    ``maximum`` are what it may call off over the term, None before the freeze; values in EUR cents."""

    lot: int
    participant: str
    category: str
    quantity: int
    quantity_low: int
    quantity_high: int
    committed_quantity: int | None
    committed_low: int | None
    committed_high: int | None
    estimate_quantity: int | None
    maximum_quantity: int | None
    estimate_value_minor: int | None
    maximum_value_minor: int | None


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A participant of a tender, its answer, and what it brings to each lot it has a line in. ``given_by``: member, or
    planner where one declined in its place; None: not answered."""

    tender: UUID
    participant: str
    version: int
    role: Role
    answer: Answer
    conditions: str | None
    reason: str | None
    change: Mapping[str, Any] | None
    answered_at: datetime | None
    answered_by: UUID | None
    given_by: str | None
    lots: tuple[MemberLotRecord, ...]

    @property
    def buys(self) -> bool:
        """Whether it stands by the tender: it committed, and has not left since."""
        return self.answer is Answer.COMMITTED


@dataclass(frozen=True, slots=True)
class LineRecord:
    """A line in a lot as the plan had it; ``unit_price_eur_micro`` is what is paid today."""

    line: int
    participant: str
    category: str
    item_code: str | None
    quantity: int
    quantity_low: int
    quantity_high: int
    unit_price_eur_micro: int
    earliest_start: str
    latest_start: str
    required: tuple[str, ...]
    refused: tuple[str, ...]
    depth: str | None

    def document(self) -> dict[str, Any]:
        """As a line of ``pooling.instance/1``."""
        same = ("participant", "category", "quantity", "quantity_low", "quantity_high", "earliest_start")
        return {
            "id": str(self.line),
            **{name: getattr(self, name) for name in (*same, "latest_start")},
            "unit_price_eur": self.unit_price_eur_micro / MICRO,
            "required": sorted(self.required),
            "refused": sorted(self.refused),
            "bridging_rate_per_year": None,
        }


@dataclass(frozen=True, slots=True)
class LotRecord:
    """Lines of one category on one offer. See `pooling.tenders.tables.TenderLot`."""

    id: int
    tender: UUID
    category: str
    offer: str
    offer_name: str
    unit: str
    tier: int
    tipping_quantity: int
    tier_quantity: int
    unit_price_eur_micro: int
    term_months: int
    quantity: int
    sure_quantity: float
    co2_saved_mg_per_unit: int
    co2_saved_mg_low: int
    co2_saved_mg_high: int
    criteria: tuple[str, ...]
    offer_terms: Mapping[str, Any]
    offer_said: Mapping[str, Any]
    estimate_quantity: int | None
    maximum_quantity: int | None
    estimate_value_minor: int | None
    maximum_value_minor: int | None
    lines: tuple[LineRecord, ...]
