"""Request and response models of lines, submissions and forecasts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN
from pooling.demand.figures import MAX_HIGH, MAX_QUANTITY
from pooling.demand.queries import LINE_COLUMNS, Doubted
from pooling.demand.sent_for import MOST_REASON
from pooling.demand.tables import Submission
from pooling.prepared import Convert, made_of

MICRO = 1_000_000
KNOWN_PRICES = 4096
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


@lru_cache(KNOWN_PRICES)
def money(micro: int) -> str:
    """Millionths as an exact decimal with six places."""
    return f"{micro // MICRO}.{micro % MICRO:06d}"


def _shown(column: str) -> Convert | None:
    """How a column of a line is shown where that is not as it is stored."""
    if column.endswith("_micro"):
        return money
    if column in ("required", "refused"):
        return str.split
    return bool if column == "live" else None


SHOWN = {place: by for place, name in enumerate(LINE_COLUMNS) if (by := _shown(name))}


def line_views(columns: Sequence[Iterable[Any]]) -> list[LineView]:
    """Lines of a list, of which there may be hundreds, from the columns of `queries.lines`."""
    return made_of(LineView, columns, SHOWN)


def doubted(line: LineView, doubts: Sequence[Doubted]) -> LineView:
    """The same with its doubts."""
    return msgspec.structs.replace(line, doubts=[Doubt(*each) for each in doubts])


def _line_fields(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "submission": row.submission,
        "participant": row.participant,
        "sent_as": row.sent_as,
        "category": row.category,
        "item_code": row.item_code,
        "quantity": row.quantity,
        "quantity_low": row.quantity_low,
        "quantity_high": row.quantity_high,
        "unit_price": money(row.unit_price_micro),
        "currency": row.currency,
        "unit_price_eur": money(row.unit_price_eur_micro),
        "earliest_start": row.earliest_start,
        "latest_start": row.latest_start,
        "required": row.required.split(),
        "refused": row.refused.split(),
        "delivered": row.delivered,
        "depth": row.depth,
        "source": row.source,
        "external_id": row.external_id,
        "live": bool(row.live),
    }


def line_detail(row: Any, doubts: Sequence[Doubted], successions: Sequence[Any]) -> LineDetail:
    """A line with all that is known of it."""
    same = ("file_name", "file_sha256", "received_at", "row", "rows", "mapping_name", "mapping_sha256")
    more = ("original_quantity", "original_unit", "original_price", "exchange_rate_date", "window_source", "ended_at")
    told = {name: getattr(row, name) for name in (*same, *more)}
    return LineDetail(
        **_line_fields(row),
        provenance=Provenance(
            **told,
            exchange_rate=money(row.exchange_rate_micro),
            successions=[Succession(ended=each.ended, successor=each.successor, at=each.at) for each in successions],
        ),
        doubts=[Doubt(*each) for each in doubts],
    )


def submission_view(row: Any, participants: list[str]) -> SubmissionView:
    """A submission: a row of `queries.submissions`, or the submission itself."""
    told = ("rows_waiting", "participants")
    names = [each.name for each in msgspec.structs.fields(SubmissionView) if each.name not in told]
    values = {name: getattr(row, name) for name in names}
    return SubmissionView(**values, participants=participants, rows_waiting=row.rows_quarantined)


def submission_report(
    record: Submission, participants: list[str], waiting: Sequence[Any], upload: UUID | None
) -> SubmissionReport:
    """What is kept of how a submission was read."""
    report = record.report
    return SubmissionReport(
        id=record.id,
        participants=participants,
        headers=list(report["read"]["headers"]),
        unused_headers=list(report["read"].get("unused_headers", ())),
        refused=counts(report.get("refused", {})),
        skipped=counts(report.get("skipped", {})),
        warnings=list(report.get("warnings", ())),
        taken_over=[TakenOver(**each) for each in report.get("rehomed", ())],
        doubts=report.get("flags", 0),
        waiting=[
            WaitingRow(
                row=row.row,
                reason=row.reason,
                value=row.value,
                candidates=[CandidateView(**each) for each in row.candidates],
            )
            for row in waiting
        ],
        upload=upload,
    )


def counts(by_name: Mapping[str, int]) -> list[CountOf]:
    """Counts by name as a list."""
    return [CountOf(name, rows) for name, rows in by_name.items()]
