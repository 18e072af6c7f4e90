"""Demand's jobs: look at an uploaded file, store it once confirmed, store long requests, close cycles."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.cycles import telling
from pooling.cycles.service import CycleRecord
from pooling.demand import bulk, coverage, cycle_closing, examining, loading, report_file, sent_for, succession, uploads
from pooling.demand.examining import Examined
from pooling.demand.forecast_views import Bulk, bulk_result
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.pushed import ForecastsRefused
from pooling.demand.reading import mapping_for
from pooling.demand.results import LoadRefused
from pooling.demand.sent_for import SentFor
from pooling.demand.tables import Upload
from pooling.errors import BadInput, NotFound
from pooling.jobs import JobContext, Kind, Recurring

REMINDED = timedelta(days=7)
DRAFTS_KEPT = timedelta(days=30)
"""So long before a cycle's end those who have sent nothing are told."""


def preview(context: JobContext) -> None:
    """Look at an uploaded file."""
    upload = UUID(context.payload["upload"])
    try:
        with context.reading() as session, _on_disk(session, upload) as (record, path):
            found = examining.examine(
                session,
                path,
                _mapping(session, record, path),
                series=record.series,
                sender=uploads.sender_of(record),
                received_at=record.received_at,
                name=record.file_name,
            )
    except (BadInput, BadMapping, NotFound) as refusal:
        with context.written() as call:
            uploads.unreadable(call.session, upload, refusal)
            context.finish({"location": f"/v1/uploads/{upload}"})
        return
    with context.written() as call:
        uploads.looked_at(call.session, upload, _document(found), report_file.document(found.found))
        context.finish({"location": f"/v1/uploads/{upload}"})


def load(context: JobContext) -> None:
    """Store a confirmed file: the same one twice has one effect, as its series knows it by hash."""
    upload = UUID(context.payload["upload"])
    try:
        with context.written() as call, _on_disk(call.session, upload) as (record, path):
            goes_to = _goes_to(call.session, context)
            answer = loading.load(
                call.session,
                path,
                _mapping(call.session, record, path),
                series=(record.preview or {})["series"],
                partial=record.partial,
                received_at=record.received_at,
                sender=uploads.sender_of(record),
                name=record.file_name,
                sent_for=goes_to,
                progress=lambda done, of: context.progress({"rows": done, "of": of}),
            )
            uploads.loaded(call.session, upload, answer.submission, report_file.document(answer))
            context.finish({"location": f"/v1/submissions/{answer.submission}", "lines": answer.lines_made})
    except (BadInput, BadMapping, NotFound) as refusal:
        report = report_file.document(refusal.loaded) if isinstance(refusal, LoadRefused) else None
        with context.written() as call:
            uploads.refused(call.session, upload, refusal, report)
            context.finish({"location": f"/v1/uploads/{upload}"})


def lines(context: JobContext) -> None:
    """Store the lines of a long request."""
    upload = UUID(context.payload["upload"])
    try:
        with context.written() as call:
            record = call.session.get_one(Upload, upload)
            data = msgspec.json.decode(uploads.content(call.session, upload), type=Bulk)
            sender = uploads.sender_of(record)
            goes_to = _goes_to(call.session, context)
            pushed = bulk.push(
                call.session, data, sender=sender, partial=record.partial, now=record.received_at, sent_for=goes_to
            )
            results = msgspec.to_builtins(bulk_result(pushed))
            uploads.loaded(call.session, upload, pushed.submission, {"results": results})
            context.finish({"location": f"/v1/uploads/{upload}", "lines": len(data.lines)})
    except (BadInput, BadMapping, NotFound) as refusal:
        faults = refusal.faults if isinstance(refusal, ForecastsRefused) else ()
        report = {"faults": [fault._asdict() for fault in faults[: report_file.MOST_FAULTS]]}
        with context.written() as call:
            uploads.refused(call.session, upload, refusal, report)
            context.finish({"location": f"/v1/uploads/{upload}"})


def _goes_to(session: Session, context: JobContext) -> SentFor:
    """The cycle that was named, or open, when it was confirmed; known for certain under the lock alone."""
    cycle_closing.lock(session)
    return sent_for.confirmed(session, context.payload.get("cycle"), context.payload.get("correction_reason"))


@contextmanager
def _on_disk(session: Session, upload: UUID) -> Iterator[tuple[Upload, Path]]:
    """The upload, and its bytes as a file for the reading process; gone afterwards."""
    record = session.get_one(Upload, upload)
    with TemporaryDirectory(prefix="pooling-upload-") as folder:
        path = Path(folder) / uploads.safe_name(record.file_name)
        path.write_bytes(uploads.content(session, upload))
        yield record, path


def _mapping(session: Session, record: Upload, path: Path) -> FileMapping:
    return mapping_for(path, uploads.given(session, record), loading.reference_data(session))


def _document(found: Examined) -> Mapping[str, Any]:
    """What a load would do, as plain JSON; the faults are in the report."""
    counts = ("rows_read", "rows_in_lines", "lines_made", "rows_refused", "rows_skipped", "rows_quarantined")
    same = ("mapping_name", "same", "new", "gone", "refusal")
    return {
        **{name: getattr(found.found, name) for name in (*counts, "series", "already_loaded", "faults_found")},
        **{name: getattr(found, name) for name in same},
        "warnings": list(found.found.warnings),
        "taken_over": [asdict(each) for each in found.found.rehomed],
        "columns": dict(found.columns),
        "senders": list(found.senders),
        "replaces": str(found.replaces) if found.replaces else None,
        "replaced_lines": found.found.superseded_lines,
        "first": [dict(line) for line in found.first],
        "read": {name: found.found.read[name] for name in ("format", "encoding", "delimiter", "decimal_mark", "sheet")},
        "problem": None,
    }


def close_cycles(context: JobContext) -> None:
    """Close the cycles whose last day has ended, and freeze their lines."""
    with context.reading() as session:
        if not cycles.due_to_close(session, context.means.clock()):
            return
    with context.written() as opened:
        context.finish({"closed": cycle_closing.lock(opened.session)})


def succeed(context: JobContext) -> None:
    """Let the lines of participants that have ended go to their successors."""
    today = context.means.clock().date()
    with context.reading() as session:
        if not succession.due(session, today):
            return
    with context.written() as opened:
        done = succession.succeed(opened.session, today, opened.now)
        context.finish({"lines": sum(len(each.lines) for each in done)})


def remind(context: JobContext) -> None:
    """Tell those who have sent nothing that the open cycle closes soon; once for a last day."""
    with context.reading() as session:
        record = _closing_soon(session, context.means.clock())
        if record is None or not coverage.not_sent(session, record.code):
            return
    with context.written() as opened:
        waiting = coverage.not_sent(opened.session, record.code)
        context.finish({"told": telling.due_soon(opened.session, record, opened.now, waiting)})


def drop_drafts(context: JobContext) -> None:
    """Drop uploads that nobody has had stored: what others' prices are in is kept no longer than it is of use."""
    before = context.means.clock() - DRAFTS_KEPT
    with context.reading() as session:
        if not uploads.old_drafts(session, before=before):
            return
    with context.written() as opened:
        context.finish({"dropped": uploads.drop_old_drafts(opened.session, before=before)})


def _closing_soon(session: Session, now: datetime) -> CycleRecord | None:
    record = cycles.current(session)
    return record if record is not None and record.takes(now) and now >= record.closes_at - REMINDED else None


HANDLERS = {
    uploads.PREVIEW_JOB: Kind(preview),
    uploads.LOAD_JOB: Kind(load),
    uploads.LINES_JOB: Kind(lines),
    "demand.close-cycles": Kind(close_cycles),
    "demand.remind": Kind(remind),
    "demand.succeed": Kind(succeed),
    "demand.drop-drafts": Kind(drop_drafts),
}
SCHEDULE: tuple[Recurring, ...] = (
    Recurring("demand.close-cycles", every=timedelta(minutes=1)),
    Recurring("demand.succeed", every=timedelta(days=1), offset=timedelta(minutes=1)),
    Recurring("demand.remind", every=timedelta(days=1), offset=timedelta(hours=6)),
    Recurring("demand.drop-drafts", every=timedelta(days=1), offset=timedelta(hours=5)),
)
