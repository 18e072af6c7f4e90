"""What a plan rested on and what it says; pools, lots and lines are rows so that every quantity can be traced.

Beside them what was asked for: named policies, runs, what-ifs, scenarios; and what was found out about a plan since.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime


def _version() -> Any:
    """Counts the changes of a row, from 1."""
    return Field(default=1, sa_column_kwargs={"server_default": text("1")})


def _document(description: str, *, nullable: bool = False) -> Any:
    """JSON, compressed by zlib."""
    return Field(default=None, sa_column=Column(LargeBinary, nullable=nullable), description=description)


class PlanningPolicy(SQLModel, table=True):
    """A policy that planners keep under a name; what was left out is the packaged default's when it is used."""

    __tablename__ = "planning_policy"

    name: str = Field(primary_key=True, max_length=80)
    version: int = _version()
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Snapshot(SQLModel, table=True):
    """Lines, offers and policy frozen together; the id is the SHA-256 of the canonical content."""

    id: str = Field(primary_key=True, max_length=64)
    created_at: datetime = Field(sa_type=UtcDateTime)
    as_of: date
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    instance: bytes = Field(sa_column=Column(LargeBinary, nullable=False), description="zlib of the instance's JSON")
    context: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False), description="submissions, offer files, rates"
    )


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
    totals: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON), description="of the document; empty: stored before it was kept apart"
    )
    version: int = _version()

    __table_args__ = (Index("ix_plan_created_at_id", "created_at", "id"),)


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
    number: int | None = Field(default=None, description="in the plan from 1; with what follows empty in old plans")
    lots: int | None = None
    lines: int | None = None
    members: str | None = Field(
        default=None, sa_column=Column(Text), description="participants, sorted, separated by a space"
    )
    countries: str | None = Field(default=None, max_length=80, description="ISO 3166, sorted, separated by a space")
    spend_eur_per_year: float | None = None
    value_over_term_eur: float | None = None
    co2_saved_tonnes_per_year: float | None = None
    savings_eur: float | None = None
    green_value_eur: float | None = None
    bridging_cost_eur: float | None = None
    set_up_cost_eur: float | None = None


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
    figures: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class PlanRun(SQLModel, table=True):
    """A plan that was asked for. How far it has come is its job's to say; ``plan`` is there once it is stored."""

    __tablename__ = "plan_run"
    __table_args__ = (Index("ix_plan_run_asked_at_id", "asked_at", "id"),)

    id: UUID = Field(primary_key=True)
    version: int = _version()
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: UUID
    policy_name: str | None = Field(max_length=80, description="of the named policy; empty: sent with the run")
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="as in force when asked")
    time_limit_ms: int
    workers: int
    seed: int
    asked_gap: float
    job: UUID = Field(index=True)
    cancel: str | None = Field(default=None, max_length=8, description="keep or discard, once somebody ended it")
    plan: UUID | None = Field(default=None, foreign_key="plan.id")
    again: bool | None = Field(default=None, description="whether the plan had been there before")
    cycle: str | None = Field(default=None, max_length=40, description="whose frozen lines it plans; empty: all live")
    holds: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(JSON(none_as_null=True)),
        description="what is decided already, see pooling.planning.holds",
    )


class PlanFinding(SQLModel, table=True):
    """What was found out about a stored plan, kept because it is costly: one document a kind and subject."""

    __tablename__ = "plan_finding"

    plan: UUID = Field(primary_key=True, foreign_key="plan.id")
    kind: str = Field(primary_key=True, max_length=16)
    subject: str = Field(primary_key=True, max_length=40, description="pool or line it is about; blank: the plan")
    made_at: datetime = Field(sa_type=UtcDateTime)
    solver_version: str = Field(max_length=40)
    document: bytes = _document("zlib of the JSON")


class WhatIf(SQLModel, table=True):
    """A what-if asked for as a job."""

    __tablename__ = "what_if"

    id: UUID = Field(primary_key=True)
    version: int = _version()
    plan: UUID = Field(foreign_key="plan.id", index=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: UUID
    changes: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    time_limit_ms: int
    job: UUID
    document: bytes | None = _document("zlib of pooling.what-if/1; empty until it is done", nullable=True)


class ScenarioSet(SQLModel, table=True):
    """A grid over policy on one snapshot, and what its plans came to."""

    __tablename__ = "scenario_set"
    __table_args__ = (Index("ix_scenario_set_asked_at_id", "asked_at", "id"),)

    id: UUID = Field(primary_key=True)
    version: int = _version()
    name: str = Field(max_length=120)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: UUID
    policy_name: str | None = Field(max_length=80)
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    grid: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    time_limit_ms: int
    workers: int
    seed: int
    job: UUID
    snapshot: str | None = Field(default=None, foreign_key="snapshot.id", max_length=64)
    document: bytes | None = _document("zlib of pooling.scenarios/1; empty until it is done", nullable=True)
    cycle: str | None = Field(default=None, max_length=40, description="whose frozen lines it plans; empty: all live")
    holds: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON), description="what is decided already, see pooling.planning.holds"
    )


class ScenarioPlan(SQLModel, table=True):
    """The judged plan of a grid's point, kept so that one of them can be stored as a plan."""

    __tablename__ = "scenario_plan"

    scenarios: UUID = Field(primary_key=True, foreign_key="scenario_set.id")
    number: int = Field(primary_key=True, description="of the point, from 0; -1: the policy that the grid began with")
    document: bytes = _document("zlib of pooling.plan/1 under the point's policy")
