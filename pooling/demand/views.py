"""Request and response models of lines, submissions and forecasts."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN
from pooling.demand.figures import MAX_HIGH, MAX_QUANTITY
from pooling.demand.sent_for import MOST_REASON

MOST_LINES = 10_000
SOURCE = r"^[a-z0-9][a-z0-9-]{0,59}$"
EXTERNAL_ID = r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,119}$"
MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
PRICE = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"

SourceName = Annotated[str, Meta(pattern=SOURCE, max_length=60, description="the system that keeps the forecasts")]
ExternalId = Annotated[str, Meta(pattern=EXTERNAL_ID, max_length=120, description="the forecast's id in that system")]
MappingName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,119}$", max_length=120)]
Month = Annotated[str, Meta(pattern=MONTH, max_length=7, description="YYYY-MM")]
Codes = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=50)]
CycleCode = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$", max_length=40, description="code of a cycle")]
CorrectionReason = Annotated[
    str, Meta(min_length=1, max_length=MOST_REASON, description="by planners alone: why a closed cycle is corrected")
]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Quantity = Annotated[int, Meta(ge=0, le=MAX_QUANTITY)]
HighQuantity = Annotated[int, Meta(ge=0, le=MAX_HIGH)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Doubt(msgspec.Struct, frozen=True):
    """Why a figure looks out of place; the pack size that would explain it."""

    kind: str
    direction: str
    likely_pack_factor: Annotated[int | None, OPEN]


class LineView(msgspec.Struct, frozen=True):
    """Yearly demand in base units ex VAT. ``live``: it counts, as nothing has taken its place. ``doubts``: of a line
    that is read by itself or listed as doubtful."""

    owner: ClassVar[tuple[str, ...]] = ("participant", "sent_as")
    whole: ClassVar[Meta] = OWN
    id: Annotated[int, OPEN]
    submission: UUID
    participant: str
    sent_as: str
    category: str
    item_code: str | None
    quantity: Annotated[int, OWN]
    quantity_low: Annotated[int, OWN]
    quantity_high: Annotated[int, OWN]
    unit_price: Annotated[str, OWN]
    currency: str
    unit_price_eur: Annotated[str, OWN]
    earliest_start: str
    latest_start: str
    required: list[str]
    refused: list[str]
    delivered: bool | None
    depth: Annotated[str | None, Meta(description="the most that it joins in; null: as deep as its cycle goes")]
    source: str | None
    external_id: str | None
    live: bool
    doubts: list[Doubt] | UnsetType = UNSET


class Succession(msgspec.Struct, frozen=True, kw_only=True):
    """The line changed hands because who held it ended."""

    ended: str
    successor: str
    at: datetime


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line's figures came from: file and row by hash, mapping, the words as they were written."""

    whole: ClassVar[Meta] = OWN
    file_name: str
    file_sha256: str
    received_at: datetime
    row: Annotated[int, Meta(description="1 for the first of the file, or of the request"), OPEN]
    rows: Annotated[int, OPEN]
    mapping_name: str
    mapping_sha256: str
    original_quantity: Annotated[str, OWN]
    original_unit: str
    original_price: Annotated[str, OWN]
    exchange_rate: Annotated[str, Meta(description="units of the currency per EUR"), OPEN]
    exchange_rate_date: date
    window_source: str
    ended_at: datetime | None
    successions: list[Succession]


class LineDetail(LineView, frozen=True, kw_only=True):
    """A line with where it came from and what is doubtful about it."""

    provenance: Provenance


class LinePage(msgspec.Struct, frozen=True):
    """Lines by id."""

    items: list[LineView]
    next_cursor: str | None


class SubmissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A set of lines sent together. Rows read = rows in lines + refused + skipped + waiting."""

    owner: ClassVar[str] = "participants"
    id: UUID
    version: Annotated[int, OPEN]
    status: str
    series: str
    source: str | None
    supersedes: UUID | None
    number: Annotated[int, Meta(description="in its series, from 1"), OPEN]
    cycle: Annotated[str | None, Meta(description="that it was sent for; null: it stands for the next")]
    correction_reason: Annotated[str | None, Meta(description="why a planner corrected the cycle after it closed")]
    participants: list[str]
    file_name: str
    file_sha256: str
    file_bytes: Annotated[int, OPEN]
    mapping_name: str
    mapping_sha256: str
    received_at: datetime
    rows_read: Annotated[int, OPEN]
    lines_made: Annotated[int, OPEN]
    rows_refused: Annotated[int, OPEN]
    rows_skipped: Annotated[int, OPEN]
    rows_waiting: Annotated[int, OPEN]


class SubmissionPage(msgspec.Struct, frozen=True):
    """Submissions, the latest first."""

    items: list[SubmissionView]
    next_cursor: str | None


class CountOf(msgspec.Struct, frozen=True):
    """How many rows, by code or reason."""

    name: str
    rows: Annotated[int, OPEN]


class CandidateView(msgspec.Struct, frozen=True):
    """What an unknown word may mean."""

    id: str
    name: str


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that waits because a word of it is not known."""

    whole: ClassVar[Meta] = OWN
    row: Annotated[int, OPEN]
    reason: str
    value: Annotated[str, OWN]
    candidates: list[CandidateView]


class TakenOver(msgspec.Struct, frozen=True):
    """Lines sent for a body that will have ended when they start."""

    sent_as: str
    participant: str
    lines: Annotated[int, OPEN]


class SubmissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission's file was found to hold; rows that still wait, the first 1,000 of them."""

    owner: ClassVar[str] = "participants"
    id: UUID
    participants: list[str]
    headers: list[str]
    unused_headers: list[str]
    refused: list[CountOf]
    skipped: list[CountOf]
    warnings: list[str]
    taken_over: list[TakenOver]
    doubts: Annotated[int, OPEN]
    waiting: list[WaitingRow]
    upload: UUID | None
