"""Who may come in: principals, their names, participants and keys, and the attempts that failed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel

from pooling.access.rules import Kind
from pooling.database import UtcDateTime


class PrincipalRow(SQLModel, table=True):
    """A person or a partner system. The id is all that the audit knows of either."""

    __tablename__ = "principal"

    id: UUID = Field(primary_key=True)
    kind: Kind = Field(sa_column=Column(String(8), nullable=False))
    roles: str = Field(max_length=80, description="sorted, separated by a space")
    employer: str | None = Field(
        foreign_key="participant.code", max_length=40, description="whom a planner is employed by; gives no rights"
    )
    label: str | None = Field(max_length=120, description="what a system is called; a person's name is kept apart")
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    version: int


class PrincipalParticipant(SQLModel, table=True):
    """A participant that a coordinator acts for, or that a system with keys belongs to."""

    __tablename__ = "principal_participant"

    principal: UUID = Field(primary_key=True, foreign_key="principal.id")
    participant: str = Field(primary_key=True, foreign_key="participant.code", max_length=40)


class Person(SQLModel, table=True):
    """The one place with a person's name and e-mail address, so that they can be erased; ``erased_at``: they were."""

    principal: UUID = Field(primary_key=True, foreign_key="principal.id")
    name: str | None = Field(max_length=200)
    email: str | None = Field(default=None, max_length=254, description="for notices; none: by the API alone")
    erased_at: datetime | None = Field(sa_type=UtcDateTime)


class Identity(SQLModel, table=True):
    """Under what an issuer knows a principal: a person's subject, or a system with whom it comes for and through."""

    issuer: str = Field(primary_key=True, max_length=400)
    subject: str = Field(primary_key=True, max_length=400)
    organisation_id: str = Field(primary_key=True, max_length=80, description="ISO 6523; empty: a person")
    delegate: str = Field(primary_key=True, max_length=80, description="ISO 6523 of the supplier; empty: none")
    principal: UUID = Field(foreign_key="principal.id", index=True)


class ApiKey(SQLModel, table=True):
    """A key or one-time secret: its SHA-256, never itself."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    principal: UUID = Field(foreign_key="principal.id", index=True)
    sha256: str = Field(unique=True, max_length=64)
    prefix: str = Field(index=True, max_length=16, description="the first characters, shown to tell keys apart")
    label: str = Field(max_length=120)
    scopes: str = Field(max_length=200, description="sorted, separated by a space")
    once: bool = Field(description="a one-time secret: good for making a lasting key, and spent by it")
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    made_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="its end as made, where a rotation has brought it forward"
    )
    last_used_at: datetime | None = Field(sa_type=UtcDateTime, description="to five minutes")
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    version: int


class FailedAttempt(SQLModel, table=True):
    """How often an address or a key prefix failed within one window; shared by all processes."""

    __tablename__ = "failed_attempt"

    source: str = Field(primary_key=True, max_length=80, description="address:… or prefix:…")
    window: int = Field(primary_key=True, sa_type=BigInteger, description="number of the window since 1970")
    count: int
