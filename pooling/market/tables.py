"""What suppliers have said they can deliver, with source, date and range of every figure."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

from pooling.database import UtcDateTime


class Offer(SQLModel, table=True):
    """A product level the market can supply in one category from a tipping volume on."""

    id: str = Field(primary_key=True, max_length=120)
    category: str = Field(foreign_key="category.id", index=True, max_length=80)
    name: str = Field(max_length=200)
    criteria: list[str] = Field(sa_column=Column(JSON, nullable=False))
    currency: str = Field(max_length=3, description="of absolute prices; EUR for indices")
    price_basis: str = Field(max_length=8, description="absolute, or index on today's volume-weighted price")
    max_quantity: int | None = Field(sa_type=BigInteger)
    total_max_quantity: int | None = Field(sa_type=BigInteger)
    term_months: int | None = Field(description="contract term that the prices presume; empty: any")
    co2_saved_mg_per_unit: int = Field(sa_type=BigInteger, description="milligrams CO2e per base unit")
    co2_saved_mg_low: int = Field(sa_type=BigInteger)
    co2_saved_mg_high: int = Field(sa_type=BigInteger)
    co2_source: str = Field(max_length=400)
    co2_source_date: date
    valid_from: date | None
    valid_to: date | None = Field(description="the first day on which it no longer holds")
    file_name: str = Field(max_length=255)
    file_sha256: str = Field(max_length=64)
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    withdrawn_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="no plan takes it from then on"
    )


class OfferTier(SQLModel, table=True):
    """A price from a yearly volume on; position 0 is the tipping volume."""

    __tablename__ = "offer_tier"

    offer: str = Field(primary_key=True, foreign_key="offer.id", max_length=120)
    position: int = Field(primary_key=True)
    from_quantity: int = Field(sa_type=BigInteger)
    from_quantity_low: int = Field(sa_type=BigInteger)
    from_quantity_high: int = Field(sa_type=BigInteger)
    quantity_source: str = Field(max_length=400)
    quantity_source_date: date
    price_micro: int = Field(sa_type=BigInteger, description="millionths of currency per base unit, or of the index")
    price_low_micro: int = Field(sa_type=BigInteger)
    price_high_micro: int = Field(sa_type=BigInteger)
    price_source: str = Field(max_length=400)
    price_source_date: date


class Dialogue(SQLModel, table=True):
    """A talk with the market: who took part, when, what was learnt, and what is still to be asked."""

    id: UUID = Field(primary_key=True)
    version: int = 1
    held_on: date
    participants: str = Field(max_length=1000, description="who took part, in words")
    learnt: str = Field(max_length=20_000)
    open_questions: list[str] = Field(sa_column=Column(JSON, nullable=False))
    recorded_by: UUID | None = Field(description="id of the principal who wrote it last")
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class DialogueCategory(SQLModel, table=True):
    """A category that a dialogue was about."""

    __tablename__ = "dialogue_category"

    dialogue: UUID = Field(primary_key=True, foreign_key="dialogue.id")
    category: str = Field(primary_key=True, foreign_key="category.id", max_length=80)


class OfferDialogue(SQLModel, table=True):
    """A dialogue that an offer rests on."""

    __tablename__ = "offer_dialogue"

    offer: str = Field(primary_key=True, foreign_key="offer.id", max_length=120)
    dialogue: UUID = Field(primary_key=True, foreign_key="dialogue.id", index=True)


class RiskArea(SQLModel, table=True):
    """What may be wrong in the supply chain of some categories, as planners set it; others stand as packaged."""

    __tablename__ = "risk_area"

    id: str = Field(primary_key=True, max_length=80)
    version: int
    name: str = Field(max_length=200)
    risk: str = Field(max_length=2000)
    leads: str = Field(max_length=200, description="who leads on it, in words: a procurement region or body")
    families: list[str] = Field(sa_column=Column(JSON, nullable=False))
    categories: list[str] = Field(sa_column=Column(JSON, nullable=False))
    criteria: list[str] = Field(sa_column=Column(JSON, nullable=False), description="those that answer it")
    source: str = Field(max_length=400)
    source_date: date | None
    changed_at: datetime = Field(sa_type=UtcDateTime)
