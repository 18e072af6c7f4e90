"""What a plan rested on and what it says; pools, lots and lines are rows so that every quantity can be traced."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime


class Snapshot(SQLModel, table=True):
    """Lines, offers and policy frozen together; the id is the SHA-256 of the canonical content."""

    id: str = Field(primary_key=True, max_length=64)
    created_at: datetime = Field(sa_type=UtcDateTime)
    as_of: date
    policy: dict = Field(sa_column=Column(JSON, nullable=False))  # type: ignore[type-arg]
    instance: bytes = Field(sa_column=Column(LargeBinary, nullable=False), description="zlib of the instance's JSON")
    context: dict = Field(sa_column=Column(JSON, nullable=False), description="submissions, offer files, rates")  # type: ignore[type-arg]


class Plan(SQLModel, table=True):
    """The judged answer to one snapshot."""

    id: UUID = Field(primary_key=True)
    snapshot: str = Field(foreign_key="snapshot.id", index=True, max_length=64)
    created_at: datetime = Field(sa_type=UtcDateTime)
    solver_version: str = Field(max_length=40)
    seed: int
    workers: int
    time_limit_ms: int
    asked_gap: float
    status: str = Field(max_length=10)
    objective_eur: float
    bound_eur: float
    gap: float
    runtime_s: float
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False), description="zlib of the plan's JSON")


class PlanPool(SQLModel, table=True):
    """A proposed joint tender."""

    __tablename__ = "plan_pool"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    plan: UUID = Field(foreign_key="plan.id", index=True)
    family: str = Field(max_length=80)
    start: str = Field(max_length=7)
    lead: str = Field(foreign_key="participant.code", max_length=40)
    signing_body: str = Field(foreign_key="signing_body.code", max_length=40)
    dialogue_from: date
    notice_by: date
    award_by: date


class PlanLot(SQLModel, table=True):
    """Lines of one category that take one offer together."""

    __tablename__ = "plan_lot"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    pool: int = Field(foreign_key="plan_pool.id", index=True, sa_type=BIG_INTEGER)
    offer: str = Field(max_length=120)
    tier: int
    quantity: int = Field(sa_type=BigInteger)
    sure_quantity: float
    benefit_eur: float


class PlanLotLine(SQLModel, table=True):
    """A line in a lot."""

    __tablename__ = "plan_lot_line"

    lot: int = Field(primary_key=True, foreign_key="plan_lot.id", sa_type=BIG_INTEGER)
    line: int = Field(primary_key=True, foreign_key="line.id", index=True, sa_type=BIG_INTEGER)


class PlanUnpooledLine(SQLModel, table=True):
    """A line that stays out, with the one reason for it."""

    __tablename__ = "plan_unpooled_line"

    plan: UUID = Field(primary_key=True, foreign_key="plan.id")
    line: int = Field(primary_key=True, foreign_key="line.id", index=True, sa_type=BIG_INTEGER)
    reason: str = Field(max_length=24)
    figures: dict = Field(sa_column=Column(JSON, nullable=False))  # type: ignore[type-arg]
