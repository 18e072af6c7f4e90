"""Loads a file: checks it, stores its lines as one submission, replaces the series' last, looks for doubts."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlmodel import Session

from pooling.deeds import deed_of
from pooling.demand import cycle_closing, cycle_lines, intake, store
from pooling.demand.intake import Intake
from pooling.demand.mapping import FileMapping
from pooling.demand.naming import Reference
from pooling.demand.notices import Notices
from pooling.demand.results import Loaded, LoadRefused, SeriesTaken
from pooling.demand.sender import ANYONE, Sender
from pooling.demand.sent_for import SentFor, current
from pooling.demand.submitting import begin, finish, store_portion
from pooling.demand.tables import Submission
from pooling.demand.tally import Tally
from pooling.errors import counted
from pooling.reference import service as reference_service

Progress = Callable[[int, int], None]


def reference_data(session: Session) -> Reference:
    """The reference data that rows are checked against."""
    return Reference(
        participants=reference_service.participants(session),
        categories=reference_service.categories(session),
        criteria=reference_service.criteria(session),
        implications=reference_service.implications(session),
    )


def load(
    session: Session,
    path: Path,
    mapping: FileMapping,
    *,
    series: str | None,
    partial: bool,
    received_at: datetime,
    sender: Sender = ANYONE,
    name: str | None = None,
    sent_for: SentFor | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Check a file and store its lines as one submission of ``series`` (default: the mapping's), which replaces the
    series' last one as a whole. ``name``: what the file was called by whoever sent it, where ``path`` is not that.
    ``sent_for``: the cycle it goes to, None: the one that is open.

    The same file and mapping again for the same cycle is answered as already loaded, and nothing is written; where
    rows were left out the first time they are checked anew, and the file is loaded again if more than before can be
    made of it. Where rows have faults, all of the file is refused unless ``partial`` keeps the good ones. ``progress``
    gets rows done and rows in the file.
    Raises FileRefused, BadMapping, SeriesTaken, and LoadRefused with all that was found.
    """
    cycle_closing.lock(session)
    now = deed_of(session).now
    goes_to = sent_for or current(session, now)
    reference = reference_data(session)
    sender = sender.on(now.date(), reference.participants)
    chosen = series or mapping.series or mapping.name
    named = name or path.name
    with intake.opened(path, mapping) as file:
        report = file.report
        before = replaceable(session, chosen, sender)
        same = before is not None and _is_same(before, report.sha256, mapping.sha256, goes_to)
        if before is not None and same and _is_settled(session, before):
            return _already(before, named)
        steps = Intake(
            mapping,
            reference,
            marks=intake.marks_of(report),
            headers=intake.header_names(mapping, report.headers),
            received_on=received_at.date(),
            may_send_for=sender.may_send_for,
        )
        tally = Tally(steps.checker, Notices(received_at.date()))
        aside = goes_to.late and before is not None and cycle_lines.newer(session, str(goes_to.cycle), before)
        if aside:
            before = None
        read = asdict(report)
        submission = begin(
            session,
            named,
            mapping,
            series=chosen,
            sender=sender,
            received_at=received_at,
            read=read,
            sent_for=goes_to,
        )
        version = store.mapping_version(session, name=mapping.name, sha256=mapping.sha256, now=received_at)
        with closing(intake.ahead(steps.portions(file.batches()))) as portions:
            for portion in portions:
                tally.add(portion)
                if partial or not tally.rows_refused:
                    store_portion(session, portion, submission=submission, version=version, checker=steps.checker)
                if progress is not None:
                    progress(tally.rows_read, report.rows)
    known = {"series": chosen, "file_name": named, "read": read}
    why = why_refused(tally, chosen, before=before, partial=partial)
    if why is not None:
        raise LoadRefused(f"{named}: {why}", tally.answer(submission=None, **known))
    if before is not None and same and _is_unchanged(session, tally, submission=submission, before=before):
        store.withdraw(session, submission)
        return _already(before, named)
    return finish(
        session,
        tally,
        submission=submission,
        before=before,
        sender=sender,
        known=known,
        sent_for=goes_to,
        aside=aside,
    )


def replaceable(session: Session, series: str, sender: Sender) -> Submission | None:
    """The submission that a file of the series takes the place of; raises SeriesTaken where the sender may not.

    ``sender``: as it is on the day (`Sender.on`), as everywhere from here on.
    """
    before = store.accepted_in(session, series)
    if before is not None:
        theirs = store.senders_of(session, before)
        if not sender.may_replace(theirs, known=before.senders_known):
            raise SeriesTaken(f"series {series!r} is not yours; give the file a series of its own")
    return before


def why_refused(tally: Tally, series: str, *, before: Submission | None, partial: bool) -> str | None:
    """Why nothing of a file is stored, and what to do; None where it is."""
    rows = counted(tally.rows_read, "row")
    if tally.rows_refused and not partial:
        have = "has" if tally.rows_refused == 1 else "have"
        return (
            f"{tally.rows_refused} of {rows} {have} faults and nothing was stored;"
            " correct them, or keep the good rows with --partial"
        )
    if not tally.lines_made and not tally.rows_waiting:
        return (
            f"of {rows} none became a line, so nothing was stored; look at the rules that skip rows, and at the faults"
        )
    if before is not None and before.lines_made and not tally.lines_made:
        return (
            f"none of its rows became a line, and it would take the place of {counted(before.lines_made, 'line')} of"
            f" series {series!r}; nothing was stored: explain the waiting words in a mapping first,"
            " or give the file a --series of its own"
        )
    return None


def _is_same(before: Submission, sha256: str, mapping: str, sent_for: SentFor) -> bool:
    """Whether a file says again what its series' last one does. What is sent for another cycle is a word of its own."""
    again = (before.file_sha256, before.mapping_sha256) == (sha256, mapping)
    return again and not sent_for.late and sent_for.cycle in (None, before.cycle)


def _is_settled(session: Session, before: Submission) -> bool:
    """Whether its file and mapping again can add nothing: no row was left out, or it would lose what was requeued."""
    return not (before.rows_refused or before.rows_quarantined) or store.is_requeued(session, before)


def _is_unchanged(session: Session, tally: Tally, *, submission: UUID, before: Submission) -> bool:
    """Whether a file loaded again made the same lines as before and left out the same rows."""
    now = (tally.lines_made, tally.rows_refused, tally.skipped.total(), tally.rows_waiting)
    then = (before.lines_made, before.rows_refused, before.rows_skipped, before.rows_quarantined)
    return now == then and store.is_same(session, submission, before.id)


def _already(before: Submission, name: str) -> Loaded:
    return Loaded(
        submission=before.id,
        series=before.series,
        file_name=name,
        already_loaded=True,
        rows_read=before.rows_read,
        rows_in_lines=before.rows_read - before.rows_refused - before.rows_skipped - before.rows_quarantined,
        lines_made=before.lines_made,
        rows_refused=before.rows_refused,
        rows_skipped=before.rows_skipped,
        rows_quarantined=before.rows_quarantined,
    )
