"""Joint tenders: pools taken up in a cycle, with all that was decided on copied, so that later changes change nothing.

Quantities are whole base units a year unless said otherwise, unit prices millionths of EUR, values EUR cents.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime


class Tender(SQLModel, table=True):
    """A pool of a plan that was taken up in a cycle. The agreement that it is handed over as has its id."""

    __table_args__ = (Index("ix_tender_cycle_start_id", "cycle", "start", "id"),)

    id: UUID = Field(primary_key=True)
    version: int = 1
    cycle: str = Field(foreign_key="cycle.code", max_length=40)
    plan: UUID = Field(foreign_key="plan.id", index=True)
    plan_pool: int = Field(foreign_key="plan_pool.id", sa_type=BIG_INTEGER)
    family: str = Field(max_length=80)
    start: str = Field(max_length=7, description="YYYY-MM")
    lead: str = Field(foreign_key="participant.code", max_length=40)
    signing_body: str = Field(foreign_key="signing_body.code", max_length=40, description="the lead's")
    depth: str = Field(max_length=10, description="dialogue, criteria, framework or joint")
    deepest: str = Field(max_length=10, description="that cycle and lines let it be")
    status: str = Field(
        max_length=12, description="proposed, under-review, invited, confirmed, handed-over, rejected or expired"
    )
    locked: bool = Field(description="neither a new proposal nor a new run moves it")
    note: str | None = Field(default=None, max_length=4000, description="the planners' own")
    central_government: bool | None = Field(default=None, description="whether a buyer is a central authority")
    environment_weight: float | None = Field(default=None, description="share of the award criteria, 0 to 1")
    environment_reasons: str | None = Field(
        default=None, max_length=2000, description="why requirements are better than a weight"
    )
    agreement_signed: bool | None = Field(default=None, description="of buyers of several states")
    lot_reasons: str | None = Field(default=None, max_length=2000, description="why it is not divided")
    term_reasons: str | None = Field(default=None, max_length=2000, description="why it may last beyond four years")
    option_months: int | None = Field(default=None, description="by which it may be extended; empty: not at all")
    main_cpv: str | None = Field(default=None, max_length=10, description="of one of its categories")
    category_facts: dict[str, dict[str, float]] | None = Field(
        default=None,
        sa_column=Column(JSON(none_as_null=True)),
        description="by category: buying_share, 0 to 1, and suppliers, a whole number",
    )
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="of the plan's instance")
    lines_up_to: int = Field(sa_type=BigInteger, description="newest line that the plan knew")
    dialogue_from: date
    notice_by: date
    award_by: date
    changed_terms: bool = Field(default=False, description="whether lines or offers changed since the invitation")
    short: bool = Field(default=False, description="whether it did not hold when it was last judged")
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    invited_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answers_due: date | None = Field(default=None, description="last day for answers, in the cycle's time zone")
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    frozen_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="from then on nobody joins")
    handed_over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="when rejected or expired")


class TenderLot(SQLModel, table=True):
    """Lines of one category on one offer, as the plan had it. Estimate and maximum are over the term, at the freeze."""

    __tablename__ = "tender_lot"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    tender: UUID = Field(foreign_key="tender.id", index=True)
    category: str = Field(foreign_key="category.id", max_length=80)
    offer: str = Field(max_length=120)
    offer_name: str = Field(max_length=200)
    unit: str = Field(max_length=3, description="base unit, UNECE Rec 20")
    tier: int = Field(description="of the offer, from 0")
    tipping_quantity: int = Field(sa_type=BigInteger)
    tier_quantity: int = Field(sa_type=BigInteger, description="from which the tier's price holds")
    unit_price_eur_micro: int = Field(sa_type=BigInteger)
    term_months: int
    quantity: int = Field(sa_type=BigInteger, description="the sum of its lines' that stand")
    sure_quantity: float
    co2_saved_mg_per_unit: int = Field(sa_type=BigInteger)
    co2_saved_mg_low: int = Field(sa_type=BigInteger)
    co2_saved_mg_high: int = Field(sa_type=BigInteger)
    criteria: list[str] = Field(sa_column=Column(JSON, nullable=False), description="met, implied ones among them")
    offer_terms: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False), description="the offer in the plan's instance"
    )
    offer_said: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False), description="the offer in the snapshot's context, with sources"
    )
    estimate_quantity: int | None = Field(default=None, sa_type=BigInteger, description="over the term")
    maximum_quantity: int | None = Field(default=None, sa_type=BigInteger, description="over the term")
    estimate_value_minor: int | None = Field(default=None, sa_type=BigInteger, description="EUR cents over the term")
    maximum_value_minor: int | None = Field(default=None, sa_type=BigInteger, description="EUR cents over the term")


class TenderLine(SQLModel, table=True):
    """A line in a lot, as the plan had it; the line of demand itself may be superseded since."""

    __tablename__ = "tender_line"

    lot: int = Field(primary_key=True, foreign_key="tender_lot.id", sa_type=BIG_INTEGER)
    line: int = Field(primary_key=True, foreign_key="line.id", index=True, sa_type=BIG_INTEGER)
    participant: str = Field(foreign_key="participant.code", max_length=40, description="who holds it at the start")
    category: str = Field(foreign_key="category.id", max_length=80)
    item_code: str | None = Field(default=None, max_length=80)
    quantity: int = Field(sa_type=BigInteger)
    quantity_low: int = Field(sa_type=BigInteger, description="10th percentile")
    quantity_high: int = Field(sa_type=BigInteger, description="90th percentile")
    unit_price_eur_micro: int = Field(sa_type=BigInteger, description="paid today")
    earliest_start: str = Field(max_length=7)
    latest_start: str = Field(max_length=7)
    required: list[str] = Field(sa_column=Column(JSON, nullable=False))
    refused: list[str] = Field(sa_column=Column(JSON, nullable=False))
    depth: str | None = Field(default=None, max_length=10, description="how deep it may go; empty: as the cycle lets")
    stands: bool = Field(default=True, description="false from the freeze on where its participant had declined")


class TenderMember(SQLModel, table=True):
    """A participant of a tender and its answer. ``version`` counts its answers and the terms they were given to."""

    __tablename__ = "tender_member"

    tender: UUID = Field(primary_key=True, foreign_key="tender.id")
    participant: str = Field(primary_key=True, foreign_key="participant.code", index=True, max_length=40)
    version: int = 1
    role: str = Field(max_length=10, description="lead, member, or associate where it cannot sign")
    answer: str = Field(default="none", max_length=16, description="none, committed, declined or change-proposed")
    conditions: str | None = Field(default=None, max_length=2000)
    reason: str | None = Field(default=None, max_length=2000)
    change: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True)), description="proposed by it"
    )
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: UUID | None = None


class TenderMemberLot(SQLModel, table=True):
    """What a member brings to a lot: by its lines, as it committed, and from the freeze on what it may call off."""

    __tablename__ = "tender_member_lot"

    lot: int = Field(primary_key=True, foreign_key="tender_lot.id", sa_type=BIG_INTEGER)
    participant: str = Field(primary_key=True, foreign_key="participant.code", index=True, max_length=40)
    tender: UUID = Field(foreign_key="tender.id", index=True)
    category: str = Field(foreign_key="category.id", max_length=80)
    quantity: int = Field(sa_type=BigInteger, description="the sum of its lines', as are low and high")
    quantity_low: int = Field(sa_type=BigInteger)
    quantity_high: int = Field(sa_type=BigInteger)
    committed_quantity: int | None = Field(default=None, sa_type=BigInteger)
    committed_low: int | None = Field(default=None, sa_type=BigInteger)
    committed_high: int | None = Field(default=None, sa_type=BigInteger)
    estimate_quantity: int | None = Field(default=None, sa_type=BigInteger, description="over the term")
    maximum_quantity: int | None = Field(default=None, sa_type=BigInteger, description="over the term")
    estimate_value_minor: int | None = Field(default=None, sa_type=BigInteger, description="EUR cents over the term")
    maximum_value_minor: int | None = Field(default=None, sa_type=BigInteger, description="EUR cents over the term")


class TenderEvent(SQLModel, table=True):
    """Something that was done to a tender: who, when, why."""

    __tablename__ = "tender_event"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    tender: UUID = Field(foreign_key="tender.id", index=True)
    what: str = Field(max_length=20)
    from_status: str = Field(max_length=12)
    to_status: str = Field(max_length=12)
    at: datetime = Field(sa_type=UtcDateTime)
    by: UUID | None = Field(description="id of the principal; empty: the service itself")
    participant: str | None = Field(default=None, foreign_key="participant.code", max_length=40)
    reason: str | None = Field(default=None, max_length=2000)
    details: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="words and codes, no figures")


class TenderRepair(SQLModel, table=True):
    """A change that would bring a tender back which fell short; numbered within it."""

    __tablename__ = "tender_repair"

    tender: UUID = Field(primary_key=True, foreign_key="tender.id")
    number: int = Field(primary_key=True)
    tender_version: int = Field(description="that it was found for; it can be applied to no other")
    found_at: datetime = Field(sa_type=UtcDateTime)
    kind: str = Field(max_length=20)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False), description="zlib of the JSON")
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
