"""Demand as received: submissions, their lines with provenance, rows that wait for a mapping, quality flags.

What is on its way there: uploads and stored mappings. What a system keeps up to date line by line: forecasts.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime


class MappingVersion(SQLModel, table=True):
    """One wording of a mapping; lines point to the one that made them."""

    __tablename__ = "mapping_version"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    name: str = Field(max_length=120)
    sha256: str = Field(unique=True, max_length=64, description="of the mapping file and the lists it names")
    first_used_at: datetime = Field(sa_type=UtcDateTime)


class Submission(SQLModel, table=True):
    """A set of lines sent together. A later submission of the same series replaces the earlier as a whole."""

    id: UUID = Field(primary_key=True)
    series: str = Field(index=True, max_length=120)
    status: str = Field(max_length=12, description="accepted, superseded or withdrawn")
    supersedes: UUID | None = Field(foreign_key="submission.id")
    file_name: str = Field(max_length=255)
    file_sha256: str = Field(max_length=64)
    file_bytes: int = Field(sa_type=BigInteger)
    mapping_name: str = Field(max_length=120)
    mapping_sha256: str = Field(max_length=64)
    received_at: datetime = Field(sa_type=UtcDateTime)
    rows_read: int = Field(description="all that follow, and the rows of the lines, add up to it")
    lines_made: int
    rows_refused: int
    rows_skipped: int = Field(description="out of scope by the mapping's rules")
    rows_quarantined: int = Field(description="still waiting for a mapping")
    report: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    source: str | None = Field(default=None, max_length=60, description="the system whose forecasts these are")
    sent_by: UUID | None = Field(default=None, description="id of the principal; empty: by the command line")
    cycle: str | None = Field(
        default=None, index=True, max_length=40, description="code of the cycle that it was sent for"
    )
    number: int = Field(default=1, sa_column_kwargs={"server_default": text("1")}, description="in its series, from 1")
    correction_reason: str | None = Field(
        default=None, max_length=1000, description="why a planner changed the demand of a cycle after it closed"
    )
    senders_known: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": text("false")},
        description="whether submission_participant names all that its rows do",
    )


class SubmissionParticipant(SQLModel, table=True):
    """A participant that rows of a submission name, or that holds their demand when it starts."""

    __tablename__ = "submission_participant"

    submission: UUID = Field(primary_key=True, foreign_key="submission.id")
    participant: str = Field(primary_key=True, foreign_key="participant.code", max_length=40)


class Line(SQLModel, table=True):
    """One participant's yearly demand in one category, in base units, ex VAT, with where each figure came from."""

    __table_args__ = (
        Index("ix_line_category_participant", "category", "participant"),
        Index("ix_line_participant_id", "participant", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    submission: UUID = Field(foreign_key="submission.id", index=True)
    mapping: int = Field(foreign_key="mapping_version.id", sa_type=BIG_INTEGER)
    row: int = Field(description="1-based row in the file, header included; the first of them for grouped rows")
    rows: int = Field(description="how many rows of the file are in this line")
    participant: str = Field(foreign_key="participant.code", max_length=40)
    sent_as: str = Field(max_length=40, description="participant named in the file, before succession")
    category: str = Field(foreign_key="category.id", max_length=80)
    item_code: str | None = Field(max_length=80)
    quantity: int = Field(sa_type=BigInteger, description="base units a year")
    quantity_low: int = Field(sa_type=BigInteger, description="10th percentile")
    quantity_high: int = Field(sa_type=BigInteger, description="90th percentile")
    unit_price_micro: int = Field(sa_type=BigInteger, description="millionths of currency per base unit, ex VAT")
    currency: str = Field(max_length=3)
    unit_price_eur_micro: int = Field(sa_type=BigInteger)
    exchange_rate_micro: int = Field(sa_type=BigInteger, description="millionths of currency per EUR")
    exchange_rate_date: date
    earliest_start: str = Field(max_length=7, description="YYYY-MM")
    latest_start: str = Field(max_length=7, description="YYYY-MM")
    window_source: str = Field(max_length=200)
    required: str = Field(max_length=400, description="criteria codes, sorted, separated by a space")
    refused: str = Field(max_length=400, description="criteria codes, sorted, separated by a space")
    delivered: bool | None = Field(description="whether today's price includes delivery; empty: not said")
    original_quantity: str = Field(max_length=40)
    original_unit: str = Field(max_length=40)
    original_price: str = Field(max_length=40)
    depth: str | None = Field(
        default=None, max_length=10, description="the most that it joins in; empty: as deep as its cycle goes"
    )
    source: str | None = Field(default=None, max_length=60, description="of a forecast: the system that keeps it")
    external_id: str | None = Field(default=None, max_length=120, description="of a forecast: its id there")
    ended_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="when a later forecast of its key took its place"
    )


class CycleLine(SQLModel, table=True):
    """A line that a cycle is planned on: frozen when the cycle closed, whatever became of the line since."""

    __tablename__ = "cycle_line"

    cycle: str = Field(primary_key=True, foreign_key="cycle.code", max_length=40)
    line: int = Field(primary_key=True, foreign_key="line.id", index=True, sa_type=BIG_INTEGER)


class CycleConfirmation(SQLModel, table=True):
    """A participant's forecasts in a system were sent for a cycle as they stood already: no line is made anew."""

    __tablename__ = "cycle_confirmation"

    cycle: str = Field(primary_key=True, foreign_key="cycle.code", max_length=40)
    participant: str = Field(primary_key=True, foreign_key="participant.code", max_length=40)
    source: str = Field(primary_key=True, max_length=60, description="the system whose forecasts these are")
    at: datetime = Field(sa_type=UtcDateTime, description="the last time")


class LineSuccession(SQLModel, table=True):
    """A line whose holder ended: from then on it is the successor's. The line itself names who holds it now."""

    __tablename__ = "line_succession"

    line: int = Field(primary_key=True, foreign_key="line.id", sa_type=BIG_INTEGER)
    ended: str = Field(primary_key=True, foreign_key="participant.code", max_length=40)
    successor: str = Field(foreign_key="participant.code", max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)


class QuarantinedRow(SQLModel, table=True):
    """A row whose category or unit is unknown; loaded once a mapping knows it."""

    __tablename__ = "quarantined_row"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    submission: UUID = Field(foreign_key="submission.id", index=True)
    row: int
    reason: str = Field(max_length=40, description="unknown-category, unknown-unit, unknown-pack or unit-mismatch")
    value: str = Field(max_length=255)
    candidates: list[str] = Field(sa_column=Column(JSON, nullable=False))
    cells: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    loaded_at: datetime | None = Field(sa_type=UtcDateTime)


class LineFlag(SQLModel, table=True):
    """A doubt about a line's volume or price. It names a likely pack factor, never a figure of the peers'."""

    __tablename__ = "line_flag"

    line: int = Field(primary_key=True, foreign_key="line.id", sa_type=BIG_INTEGER)
    kind: str = Field(primary_key=True, max_length=8, description="volume or price")
    direction: str = Field(max_length=4, description="high or low")
    likely_pack_factor: int | None


class Forecast(SQLModel, table=True):
    """What a sender's system says now under a key of its own; each change makes a new line and ends the last."""

    source: str = Field(primary_key=True, max_length=60)
    external_id: str = Field(primary_key=True, max_length=120)
    version: int
    line: int = Field(foreign_key="line.id", index=True, sa_type=BIG_INTEGER, description="the last one")
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="as it was sent")
    changed_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StoredMapping(SQLModel, table=True):
    """A mapping that uploads can name: its TOML as written, and the word lists it names, by file name."""

    __tablename__ = "stored_mapping"

    name: str = Field(primary_key=True, max_length=120)
    version: int
    document: str = Field(sa_column=Column(Text, nullable=False))
    lists: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Upload(SQLModel, table=True):
    """A file, or the lines of a long request, on their way to a submission: looked at first, stored when confirmed."""

    id: UUID = Field(primary_key=True)
    version: int = 1
    kind: str = Field(max_length=10, description="file or forecasts")
    status: str = Field(max_length=12, description="received, ready, unreadable, confirmed, loaded or refused")
    file_name: str = Field(max_length=255)
    file_sha256: str = Field(max_length=64)
    file_bytes: int = Field(sa_type=BigInteger)
    mapping: str | None = Field(max_length=120, description="name of the stored mapping asked for")
    mapping_document: str | None = Field(sa_column=Column(Text), description="TOML that came with the file")
    series: str | None = Field(max_length=120)
    partial: bool
    sent_by: UUID
    may_send_for: list[str] | None = Field(sa_column=Column(JSON))
    received_at: datetime = Field(index=True, sa_type=UtcDateTime)
    job: UUID | None
    submission: UUID | None = Field(foreign_key="submission.id", index=True)
    cycle: str | None = Field(
        default=None, max_length=40, description="code of the cycle named with it, or open when it was confirmed"
    )
    correction_reason: str | None = Field(default=None, max_length=1000)
    preview: dict[str, Any] | None = Field(sa_column=Column(JSON))
    report: dict[str, Any] | None = Field(sa_column=Column(JSON))


class UploadContent(SQLModel, table=True):
    """The bytes of an upload."""

    __tablename__ = "upload_content"

    upload: UUID = Field(primary_key=True, foreign_key="upload.id")
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
