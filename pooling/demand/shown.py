"""Rows of lines and submissions as the API shows them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from pooling.demand.queries import LINE_COLUMNS, Doubted
from pooling.demand.tables import Submission
from pooling.demand.views import (
    CandidateView,
    CountOf,
    Doubt,
    LineDetail,
    LineView,
    Provenance,
    SubmissionReport,
    SubmissionView,
    Succession,
    TakenOver,
    WaitingRow,
)
from pooling.prepared import Convert, made_of

MICRO = 1_000_000
KNOWN_PRICES = 4096


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
