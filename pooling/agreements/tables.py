"""What buyers order under agreements: tenders that were handed over. An agreement's id is its tender's."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime


class CallOff(SQLModel, table=True):
    """An order of one buyer under one lot. It counts against estimate and maximum unless it was cancelled."""

    __tablename__ = "call_off"
    __table_args__ = (
        Index("ix_call_off_tender_made_on_id", "tender", "made_on", "id"),
        Index("ix_call_off_lot_participant", "lot", "participant"),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    tender: UUID = Field(foreign_key="tender.id")
    lot: int = Field(foreign_key="tender_lot.id", sa_type=BIG_INTEGER)
    participant: str = Field(foreign_key="participant.code", index=True, max_length=40)
    placed_as: str = Field(
        foreign_key="participant.code", max_length=40, description="who made it; the participant may have taken it over"
    )
    quantity: int = Field(sa_type=BigInteger, description="base units")
    value_eur_micro: int = Field(sa_type=BigInteger, description="millionths of EUR, ex VAT")
    made_on: date = Field(description="in the time zone of the agreement's cycle")
    reference: str = Field(max_length=120, description="the buyer's own, such as an order number")
    placed_at: datetime = Field(sa_type=UtcDateTime)
    placed_by: UUID
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancelled_by: UUID | None = None
    cancel_reason: str | None = Field(default=None, max_length=2000)


class CallOffHold(SQLModel, table=True):
    """A buyer that calls off of a lot no further until a planner has entered a call-off for it."""

    __tablename__ = "call_off_hold"

    lot: int = Field(primary_key=True, foreign_key="tender_lot.id", sa_type=BIG_INTEGER)
    participant: str = Field(primary_key=True, foreign_key="participant.code", index=True, max_length=40)
    since: datetime = Field(sa_type=UtcDateTime)
