"""What other subjects may ask of demand, inside the open transaction they hand over."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import Session, col

from pooling.demand import cycle_lines, store, succession
from pooling.demand.loading import load, reference_data
from pooling.demand.mapping_file import mapping_from_document, read_mapping
from pooling.demand.requeue import requeue
from pooling.demand.results import SubmissionRecord
from pooling.demand.succession import Due
from pooling.demand.tables import Line, LineFlag, Submission
from pooling.errors import NotFound

__all__ = [
    "find_submission",
    "headers_of",
    "lines_of",
    "lines_of_cycle",
    "live_flags",
    "live_lines",
    "load",
    "mapping_from_document",
    "read_mapping",
    "reference_data",
    "requeue",
    "submissions",
    "succession_due",
]

LIVE = {
    "id": pl.Int64,
    "submission": pl.String,
    "mapping": pl.Int64,
    "row": pl.Int64,
    "rows": pl.Int64,
    "participant": pl.String,
    "sent_as": pl.String,
    "category": pl.String,
    "item_code": pl.String,
    "quantity": pl.Int64,
    "quantity_low": pl.Int64,
    "quantity_high": pl.Int64,
    "unit_price_micro": pl.Int64,
    "currency": pl.String,
    "unit_price_eur_micro": pl.Int64,
    "exchange_rate_micro": pl.Int64,
    "exchange_rate_date": pl.Date,
    "earliest_start": pl.String,
    "latest_start": pl.String,
    "window_source": pl.String,
    "required": pl.String,
    "refused": pl.String,
    "delivered": pl.Boolean,
    "original_quantity": pl.String,
    "original_unit": pl.String,
    "original_price": pl.String,
    "depth": pl.String,
    "source": pl.String,
    "external_id": pl.String,
}


def live_lines(session: Session) -> pl.DataFrame:
    """All lines that count, by id: columns ``LIVE``; ``submission`` is the UUID with hyphens."""
    wanted = select(*(col(getattr(Line, name)) for name in LIVE)).join(
        Submission, col(Line.submission) == col(Submission.id)
    )
    counts = (col(Submission.status) == store.ACCEPTED, col(Line.ended_at).is_(None))
    wanted = wanted.where(*counts).order_by(col(Line.id))
    rows = [(row[0], str(row[1]), *row[2:]) for row in session.connection().execute(wanted)]
    return pl.DataFrame(rows, schema=LIVE, orient="row")


def lines_of_cycle(session: Session, code: str) -> list[int]:
    """The ids of the lines that a cycle is planned on, in order; they may have been replaced or ended since.

    Raises NotFound, and WrongState where the cycle is not closed yet.
    """
    return cycle_lines.of(session, code)


def lines_of(session: Session, ids: Sequence[int]) -> pl.DataFrame:
    """These lines as they are on record, whether they count or not, by id: columns ``LIVE``."""
    wanted = select(*(col(getattr(Line, name)) for name in LIVE)).order_by(col(Line.id))
    rows: list[tuple[Any, ...]] = []
    for part in store.parts(sorted(set(ids))):
        found = session.connection().execute(wanted.where(col(Line.id).in_(part)))
        rows += [(row[0], str(row[1]), *row[2:]) for row in found]
    return pl.DataFrame(rows, schema=LIVE, orient="row")


def succession_due(session: Session, today: date) -> list[Due]:
    """The lines that change hands by ``today`` as their holder has ended; a job of demand's sees to it daily."""
    return succession.due(session, today)


def live_flags(session: Session) -> pl.DataFrame:
    """The doubts about lines that count: line, kind, direction, likely_pack_factor."""
    wanted = select(
        col(LineFlag.line), col(LineFlag.kind), col(LineFlag.direction), col(LineFlag.likely_pack_factor)
    ).order_by(col(LineFlag.line), col(LineFlag.kind))
    schema = {"line": pl.Int64, "kind": pl.String, "direction": pl.String, "likely_pack_factor": pl.Int64}
    return pl.DataFrame([tuple(row) for row in session.connection().execute(wanted)], schema=schema, orient="row")


def submissions(session: Session) -> list[SubmissionRecord]:
    """All submissions, the latest first."""
    names = [each.name for each in fields(SubmissionRecord)]
    found = session.execute(select(Submission).order_by(col(Submission.received_at).desc(), col(Submission.id)))
    return [SubmissionRecord(**{name: getattr(row, name) for name in names}) for row in found.scalars()]


def headers_of(session: Session, submission: UUID) -> tuple[list[str], str | None]:
    """The headers of a submission's file, and the sheet they are on."""
    record = session.get(Submission, submission)
    if record is None:
        raise NotFound(f"no submission {submission}; `pooling submissions` lists them")
    return list(record.report["read"]["headers"]), record.report["read"]["sheet"]


def find_submission(session: Session, text: str) -> UUID:
    """The submission whose id starts with ``text``; raises NotFound where none or several do."""
    wanted = text.replace("-", "").lower()
    known = [record.id for record in submissions(session)]
    found = [each for each in known if wanted and each.hex.startswith(wanted)]
    if len(found) != 1:
        raise NotFound(
            f"submission {text!r}: {'several start so' if found else 'not known'}; give one of"
            f" {', '.join(str(each) for each in (found or known)[:20]) or 'those you load first'}"
        )
    return found[0]
