"""Who buys, what is bought, and which demands can be made: kept with source and dates."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Field, SQLModel


def _packaged() -> Any:
    """Whether the row stands as shipped: ``install`` brings it up to date until an administrator gives it anew."""
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def _version() -> Any:
    """How often the row has been set; what a writer over HTTP must have seen."""
    return Field(default=1, sa_column_kwargs={"server_default": "1"})


class SigningBody(SQLModel, table=True):
    """The body that signs for participants; a pool led by one of them is led, in law, by this body."""

    __tablename__ = "signing_body"

    code: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    law: str = Field(max_length=200)
    language: str = Field(max_length=100)
    complaint_board: str = Field(max_length=200)
    source: str = Field(max_length=400)
    packaged: bool = _packaged()
    version: int = _version()


class Participant(SQLModel, table=True):
    """A body with demand of its own, between its dates (``valid_to`` is the first day it no longer exists)."""

    code: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    currency: str = Field(max_length=3)
    contracting_authority: bool
    may_lead: bool
    max_leads: int | None
    max_pools_per_quarter: int | None
    signing_body: str = Field(foreign_key="signing_body.code", max_length=40)
    valid_from: date | None
    valid_to: date | None
    successor: str | None = Field(foreign_key="participant.code", max_length=40)
    population: int | None
    population_year: int | None
    population_overlaps: bool = Field(description="inhabitants counted with another body's: never summed")
    population_within: str | None = Field(
        default=None, foreign_key="participant.code", max_length=40, description="whose inhabitants include these"
    )
    organisation_id: str | None = Field(unique=True, max_length=80, description="ISO 6523, e.g. 0192:923609016")
    source: str = Field(max_length=400)
    packaged: bool = _packaged()
    version: int = _version()


class Category(SQLModel, table=True):
    """What can be bought together: stable id, codes, and the unit in which volumes are pooled."""

    id: str = Field(primary_key=True, max_length=80)
    family: str = Field(index=True, max_length=80)
    cpv: str | None = Field(max_length=8)
    cpv_name: str | None = Field(max_length=200)
    emdn: str | None = Field(max_length=12)
    name: str = Field(max_length=200)
    unit: str = Field(max_length=3, description="UNECE Rec 20 code buyers use")
    base_unit: str = Field(max_length=3, description="UNECE Rec 20 code volumes are pooled in")
    source: str = Field(max_length=400)
    packaged: bool = _packaged()
    version: int = _version()


class Criterion(SQLModel, table=True):
    """A green or social demand that offers meet and lines require."""

    code: str = Field(primary_key=True, max_length=60)
    name: str = Field(max_length=200)
    framework: str = Field(max_length=100)
    level: str | None = Field(max_length=40)
    eforms_list: str = Field(max_length=40)
    eforms_code: str = Field(max_length=40)
    proof: str = Field(max_length=400)
    source: str = Field(max_length=400)
    packaged: bool = _packaged()
    version: int = _version()


class CriterionImplication(SQLModel, table=True):
    """Whoever meets ``code`` meets ``implies`` too."""

    __tablename__ = "criterion_implication"

    code: str = Field(primary_key=True, foreign_key="criterion.code", max_length=60)
    implies: str = Field(primary_key=True, foreign_key="criterion.code", max_length=60)
    source: str = Field(default="", max_length=400, sa_column_kwargs={"server_default": ""})
