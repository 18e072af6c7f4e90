"""A submission and its lines, written down: begun with counts of nothing, filled, finished in place of the last one."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import Session, col

from pooling import audit, feed
from pooling.demand import correcting, doubts, flags, store
from pooling.demand.checks import Checker
from pooling.demand.intake import Portion
from pooling.demand.mapping import FileMapping
from pooling.demand.results import Flag, Loaded
from pooling.demand.sender import Sender
from pooling.demand.sent_for import SentFor
from pooling.demand.tables import Submission
from pooling.demand.tally import Tally


def begin(
    session: Session,
    name: str,
    mapping: FileMapping,
    *,
    series: str,
    sender: Sender,
    received_at: datetime,
    read: Mapping[str, Any],
    sent_for: SentFor,
    source: str | None = None,
) -> UUID:
    """The submission's row, with counts of nothing yet; it is seen by nobody before the transaction ends."""
    submission = Submission(
        id=uuid4(),
        series=series,
        status=store.ACCEPTED,
        supersedes=None,
        file_name=name[-255:],
        file_sha256=read["sha256"],
        file_bytes=read["bytes"],
        mapping_name=mapping.name,
        mapping_sha256=mapping.sha256,
        received_at=received_at,
        rows_read=0,
        lines_made=0,
        rows_refused=0,
        rows_skipped=0,
        rows_quarantined=0,
        report={"read": dict(read)},
        source=source,
        sent_by=sender.id,
        cycle=sent_for.cycle,
        correction_reason=sent_for.reason,
        number=store.next_number(session, series, source),
    )
    session.add(submission)
    session.flush()
    return submission.id


def store_portion(session: Session, portion: Portion, *, submission: UUID, version: int, checker: Checker) -> None:
    """Its lines, and its rows that wait with the words closest to what is not known in them."""
    if portion.lines.height:
        store.add_lines(session, portion.lines, submission=submission, mapping=version)
    if portion.waiting.height:
        words = portion.waiting.select("reason", "value").iter_rows()
        near = (checker.candidates(reason, value) for reason, value in words)
        store.add_waiting(session, portion.waiting, submission=submission, candidates=near)


def finish(
    session: Session,
    tally: Tally,
    *,
    submission: UUID,
    before: Submission | None,
    sender: Sender,
    known: Mapping[str, Any],
    sent_for: SentFor,
    ended: Collection[str] = (),
    source: str | None = None,
    aside: bool = False,
) -> Loaded:
    """Replace the series' last submission, renew flags, and write down what was found.

    ``ended``: categories of lines that have just ended; ``source``: the system whose forecasts these are. Where the
    cycle's lines are frozen, these take the place of theirs. ``aside``: in the cycle alone, as something newer stands.
    """
    totals = flags.merged(tally.totals)
    touched = {*totals["category"], *ended}
    if before is not None:
        touched |= store.categories_of(session, before.id)
        store.supersede(session, before.id)
    found, count, twice = tuple[Flag, ...](), 0, tuple[str, ...]()
    if not aside:
        found, count = doubts.renew_flags(session, sorted(touched), submission, added=totals)
        twice = doubts.sent_twice(session, totals, submission, sender=sender, source=source)
    answer = tally.answer(
        submission=submission,
        supersedes=before.id if before is not None else None,
        superseded_lines=before.lines_made if before is not None else 0,
        flags=found,
        flags_found=count,
        warnings=(*tally.notices.warnings(), *twice),
        **known,
    )
    participants = _note_participants(session, tally, submission)
    session.execute(
        update(Submission)
        .where(col(Submission.id) == submission)
        .values(
            status=store.SUPERSEDED if aside else store.ACCEPTED,
            supersedes=answer.supersedes,
            rows_read=answer.rows_read,
            lines_made=answer.lines_made,
            rows_refused=answer.rows_refused,
            rows_skipped=answer.rows_skipped,
            rows_quarantined=answer.rows_quarantined,
            senders_known=None not in tally.checker.senders,
            report={
                "read": dict(answer.read),
                "refused": dict(answer.refused),
                "skipped": dict(answer.skipped),
                "warnings": list(answer.warnings),
                "rehomed": [asdict(each) for each in answer.rehomed],
                "flags": answer.flags_found,
                "senders": sorted(code for code in tally.checker.senders if code is not None),
            },
        )
    )
    feed.changed(session, "submission", submission, version=1, action="created", participants=participants)
    details = {"rows": answer.rows_read, "lines": answer.lines_made, "refused": answer.rows_refused}
    resource = ("submission", submission)
    audit.acted(session, "submissions.load", resource=resource, details=details, participants=participants)
    if sent_for.late:
        correcting.correct(session, submission, sent_for, participants)
    return answer


def _note_participants(session: Session, tally: Tally, submission: UUID) -> list[str]:
    """Whose submission it is: all that its rows name, and those who hold their demand when it starts."""
    named = {code for code in tally.checker.senders if code is not None}
    named.update(*(total["participant"].unique() for total in tally.totals))
    store.add_participants(session, submission, named)
    return sorted(named)
