"""Cycles: planning rounds with their dates, policy and depth."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, text
from sqlmodel import Field, SQLModel

from pooling.database import UtcDateTime


class Cycle(SQLModel, table=True):
    """A planning round: demand is gathered while it is open, frozen when it closes, planned, and decided on."""

    code: str = Field(primary_key=True, max_length=40)
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    name: str = Field(max_length=200)
    time_zone: str = Field(max_length=64, description="IANA name; the days below begin and end there")
    opens_on: date
    closes_on: date = Field(description="the last day on which demand is taken")
    plan_by: date
    decide_by: date
    depth: str = Field(max_length=10, description="the most that its pools may come to: dialogue to joint")
    policy_name: str | None = Field(default=None, max_length=80, description="kept policy; empty: the packaged default")
    policy: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(JSON(none_as_null=True)),
        description="as in force when it was planned; empty: not yet",
    )
    status: str = Field(index=True, max_length=10, description="announced, open, closed, planned or decided")
    plan: UUID | None = Field(default=None, description="its proposal, once there is one")
    announced_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="first, or last reopened")
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="demand sent later is not in it")
    planned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reopened_because: str | None = Field(
        default=None, max_length=1000, description="the planner's reason, the last one"
    )
