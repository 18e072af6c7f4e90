"""Notices, who has read them, and the mails that carry them to people with an address."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from pooling.database import UtcDateTime


class Notice(SQLModel, table=True):
    """Something happened that somebody should know: all who act for a participant, all planners, or one principal.

    The same ``key`` is told to an audience once. ``facts`` fill the words of the kind; no quantity or price is in them.
    """

    id: UUID = Field(primary_key=True)
    audience: str = Field(max_length=60, description="participant:CODE, planners, or principal:ID")
    participant: str | None = Field(foreign_key="participant.code", max_length=40)
    principal: UUID | None = Field(foreign_key="principal.id")
    kind: str = Field(max_length=40)
    subject_type: str = Field(max_length=40, description="resource that it is about, as in the feed")
    subject_id: str = Field(max_length=200)
    due: date | None = Field(description="day by whose end something is to be done")
    created_at: datetime = Field(sa_type=UtcDateTime)
    key: str = Field(max_length=200)
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))

    __table_args__ = (
        UniqueConstraint("audience", "key"),
        Index("ix_notice_audience_created_at_id", "audience", "created_at", "id"),
    )


class NoticeReading(SQLModel, table=True):
    """A principal has read a notice."""

    __tablename__ = "notice_reading"

    notice: UUID = Field(primary_key=True, foreign_key="notice.id")
    principal: UUID = Field(primary_key=True, foreign_key="principal.id", index=True)
    read_at: datetime = Field(sa_type=UtcDateTime)


class Mail(SQLModel, table=True):
    """A notice on its way to a person by e-mail; the address stands with the person and is looked up when it is due."""

    __tablename__ = "outbox"

    notice: UUID = Field(primary_key=True, foreign_key="notice.id")
    principal: UUID = Field(primary_key=True, foreign_key="principal.id")
    state: str = Field(max_length=8, description="queued, sending, sent, failed (tried again later) or dead")
    attempts: int
    next_try: datetime = Field(sa_type=UtcDateTime, description="not before; of a mail being sent: when that began")
    queued_at: datetime = Field(sa_type=UtcDateTime)
    fault: str | None = Field(max_length=200, description="why the last attempt failed, without an address")

    __table_args__ = (Index("ix_outbox_state_next_try", "state", "next_try"),)
