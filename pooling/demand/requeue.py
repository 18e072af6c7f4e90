"""Loads rows that waited for a mapping into the submission they came with; safe to repeat."""

from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import update
from sqlmodel import Session, col

from connectors.frames import ROW
from pooling import audit, feed
from pooling.demand import cycle_closing, doubts, flags, store
from pooling.demand.figures import Marks
from pooling.demand.intake import Intake, Portion, header_names
from pooling.demand.loading import reference_data
from pooling.demand.mapping import FileMapping
from pooling.demand.notices import Notices
from pooling.demand.results import Requeued
from pooling.demand.tables import QuarantinedRow, Submission
from pooling.demand.tally import Tally
from pooling.errors import BadInput, NotFound


def requeue(session: Session, submission: UUID, mapping: FileMapping, *, now: datetime) -> Requeued:
    """Check a submission's waiting rows under ``mapping`` and load those that pass; the others go on waiting.

    The cells are as they were read at first: a mapping with other columns needs the file loaded again.
    Raises NotFound, and BadInput where the submission no longer counts.
    """
    cycle_closing.lock(session)
    record = _counting(session, submission)
    stored = store.waiting_rows(session, submission)
    if not stored:
        return Requeued(submission, rows_loaded=0, lines_made=0, rows_skipped=0, rows_waiting=0)
    read = record.report["read"]
    steps = Intake(
        mapping,
        reference_data(session),
        marks=Marks(read["decimal_mark"], read["thousands_mark"]),
        headers=header_names(mapping, read["headers"]),
        received_on=record.received_at.date(),
    )
    frame = _frame(stored, mapping, read["columns"])
    portions = list(steps.portions([frame]))
    if mapping.group is not None and portions[-1].faults.height:
        raise BadInput(f"submission {submission}: {'; '.join(portions[-1].faults['detail'])}; nothing was loaded")
    tally = Tally(steps.checker, Notices(record.received_at.date()))
    version = store.mapping_version(session, name=mapping.name, sha256=mapping.sha256, now=now)
    for portion in portions:
        tally.add(portion)
        if portion.lines.height:
            store.add_lines(session, portion.lines, submission=submission, mapping=version)
    return _finish(session, record, tally, done=_done(frame, portions), portions=portions, now=now)


def _counting(session: Session, submission: UUID) -> Submission:
    record = session.get(Submission, submission)
    if record is None:
        raise NotFound(f"no submission {submission}; `pooling submissions` lists them")
    if record.status != store.ACCEPTED:
        now = store.accepted_in(session, record.series)
        raise BadInput(
            f"submission {submission} was superseded" + (f" by {now.id}; requeue that one" if now is not None else "")
        )
    return record


def _frame(stored: list[QuarantinedRow], mapping: FileMapping, columns: list[str]) -> pl.DataFrame:
    """The waiting rows as they were read; columns that the new mapping does not know are left out."""
    wanted = {*mapping.columns, *(f"extra:{header}" for header in mapping.extra_headers())}
    names = [name for name in columns if name in wanted]
    cells = {name: [row.cells.get(name) for row in stored] for name in names}
    return pl.DataFrame(
        {ROW: [row.row for row in stored], **cells}, schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String)}
    )


def _done(frame: pl.DataFrame, portions: list[Portion]) -> list[int]:
    """The rows that wait no longer: loaded, or out of scope under the new mapping."""
    waiting = {row for portion in portions if portion.waiting.height for row in portion.waiting[ROW]}
    wrong = {row for portion in portions if portion.faults.height for row in portion.faults["row"]}
    return [row for row in frame[ROW] if row not in waiting and row not in wrong]


def _named(tally: Tally) -> set[str]:
    named = {code for code in tally.checker.senders if code is not None}
    return named.union(*(total["participant"].unique() for total in tally.totals))


def _report(record: Submission, tally: Tally) -> dict[str, Any]:
    """What was found at the load, with the participants whose names only this mapping knows."""
    if "senders" not in record.report:
        return record.report
    named = {code for code in tally.checker.senders if code is not None}
    return {**record.report, "senders": sorted(named.union(record.report["senders"]))}


def _finish(
    session: Session, record: Submission, tally: Tally, *, done: list[int], portions: list[Portion], now: datetime
) -> Requeued:
    store.mark_loaded(session, record.id, done, now)
    for portion in portions:
        if portion.waiting.height:
            store.note_waiting(session, record.id, portion.waiting, tally.checker.candidates)
    answer: dict[str, Any] = {}
    if tally.lines_made:
        totals = flags.merged(tally.totals)
        found, _ = doubts.renew_flags(session, totals["category"].unique().sort().to_list(), record.id)
        warnings = (*tally.notices.warnings(), *doubts.sent_twice(session, totals, record.id))
        answer = {"flags": found, "warnings": warnings, "rehomed": tally.notices.rehomed()}
    skipped, still_waiting = tally.skipped.total(), record.rows_quarantined - len(done)
    session.execute(
        update(Submission)
        .where(col(Submission.id) == record.id)
        .values(
            lines_made=record.lines_made + tally.lines_made,
            rows_skipped=record.rows_skipped + skipped,
            rows_quarantined=still_waiting,
            version=record.version + 1,
            report=_report(record, tally),
        )
    )
    store.add_participants(session, record.id, _named(tally))
    participants = store.participants_of(session, record.id)
    feed.changed(session, "submission", record.id, version=record.version + 1, participants=participants)
    details = {"rows": len(done), "lines": tally.lines_made, "waiting": still_waiting}
    resource = ("submission", record.id)
    audit.acted(session, "submissions.requeue", resource=resource, details=details, participants=participants)
    return Requeued(
        record.id,
        rows_loaded=len(done) - skipped,
        lines_made=tally.lines_made,
        rows_skipped=skipped,
        rows_waiting=still_waiting,
        faults=tuple(tally.faults),
        waiting=tally.listed_waiting(),
        **answer,
    )
