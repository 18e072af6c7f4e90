"""The queue's rows: a job is made in its caller's transaction and done by whichever worker holds its lease."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from pooling.database import UtcDateTime


class Job(SQLModel, table=True):
    """Work to be done once. ``(owner, attempts)`` is its fence: only the holder of both may write its effect."""

    __table_args__ = (
        Index("ix_job_claim", "status", "priority", "run_at"),
        Index("ix_job_actor_created_at", "actor", "created_at", "id"),
        Index("ix_job_created_at", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=60)
    status: str = Field(max_length=10, description="queued, running, succeeded, failed or cancelled")
    priority: int = Field(description="higher first")
    run_at: datetime = Field(sa_type=UtcDateTime, description="not before")
    key: str | None = Field(unique=True, max_length=200, description="of two jobs with one key only the first is made")
    actor: UUID | None = Field(description="principal that asked for it; empty: the service itself")
    payload: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(sa_type=UtcDateTime, description="of the latest attempt")
    finished_at: datetime | None = Field(sa_type=UtcDateTime)
    attempts: int = Field(description="begun so far; an attempt given back at a stop does not count")
    max_attempts: int
    owner: str | None = Field(max_length=120, description="worker that holds it")
    lease_until: datetime | None = Field(sa_type=UtcDateTime, description="from then on any worker may take it over")
    cancel_requested_at: datetime | None = Field(sa_type=UtcDateTime)
    progress: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    result: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    problem: dict[str, Any] | None = Field(
        sa_column=Column(JSON(none_as_null=True)), description="code and detail of the latest failure"
    )


JOBS = SQLModel.metadata.tables["job"]


class JobSchedule(SQLModel, table=True):
    """When a recurring job was last made: of all workers that see a due time, one moves it on."""

    __tablename__ = "job_schedule"

    name: str = Field(primary_key=True, max_length=60)
    last_due_at: datetime = Field(sa_type=UtcDateTime)


SCHEDULES = SQLModel.metadata.tables["job_schedule"]
