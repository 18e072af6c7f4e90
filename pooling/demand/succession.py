"""What happens to lines when their holder ends: from that day on they are the successor's.

Lines are re-homed by their window when they come in. Those whose window reaches beyond the holder's last day are held
by it until then; on the day it is gone they go to its successor, and on the day that one is gone to the next. What was
sent stays in ``sent_as``, and each change of hands is on record. A line whose window is over by then stays where it
was. The day is that of UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlmodel import Session, SQLModel, col

from pooling import audit
from pooling.cycles.service import Status
from pooling.demand import cycle_closing, doubts, forecast_store, store
from pooling.demand.tables import CycleLine, Line, LineSuccession, Submission
from pooling.notices import service as notices
from pooling.reference import service as reference
from pooling.reference.rules import ParticipantRecord, is_succeeded


@dataclass(frozen=True, slots=True)
class Due:
    """Lines to change hands, by id; ``on``: the first day on which the one that held them no longer exists."""

    ended: str
    successor: str
    on: date
    lines: tuple[int, ...]


def due(session: Session, today: date) -> list[Due]:
    """The lines that are to change hands by ``today``; a reading transaction will do.

    Of an ended participant that nobody has succeeded yet, or whose successor does not exist then, nothing is due.
    """
    known = reference.participants(session)
    found = []
    for record in known.values():
        if record.valid_to is not None and record.valid_to <= today and record.successor is not None:
            found += _of(session, record, known)
    return found


def _of(session: Session, record: ParticipantRecord, known: Mapping[str, ParticipantRecord]) -> list[Due]:
    if record.valid_to is None or record.successor is None or not is_succeeded(record, known):
        return []
    last = col(Line.latest_start)
    month = f"{record.valid_to:%Y-%m}"
    reaches_beyond = last >= month if record.valid_to.day == 1 else last > month
    wanted = select(col(Line.id)).join(Submission, col(Line.submission) == col(Submission.id))
    wanted = wanted.where(col(Line.participant) == record.code, reaches_beyond, _counts()).order_by(col(Line.id))
    lines = tuple(line for line in session.connection().execute(wanted).scalars() if line is not None)
    return [Due(record.code, record.successor, record.valid_to, lines)] if lines else []


def _counts() -> ColumnElement[bool]:
    """In force, or frozen for a cycle that is not decided yet."""
    cycle = SQLModel.metadata.tables["cycle"].c
    undecided = cycle.status.in_([Status.CLOSED, Status.PLANNED])
    frozen = exists().where(col(CycleLine.line) == col(Line.id), col(CycleLine.cycle) == cycle.code, undecided)
    in_force = and_(col(Submission.status) == store.ACCEPTED, col(Line.ended_at).is_(None))
    return or_(in_force, frozen)


def succeed(session: Session, today: date, now: datetime) -> list[Due]:
    """Let all that is due by ``today`` change hands, and tell both sides and the planners; safe to repeat."""
    cycle_closing.lock(session)
    done: list[Due] = []
    while found := due(session, today):  # whoever takes over may have ended since: the next step of a chain
        for each in found:
            _hand_over(session, each, now)
        done += found
    return done


def _hand_over(session: Session, each: Due, now: datetime) -> None:
    connection = session.connection()
    table = store.table(Line)
    touched: set[UUID] = set()
    categories: set[str] = set()
    for part in store.parts(each.lines):
        moved = update(Line).where(col(Line.id).in_(part)).values(participant=each.successor)
        for submission, category in connection.execute(moved.returning(table.c.submission, table.c.category)):
            touched.add(submission)
            categories.add(category)
    rows = [LineSuccession(line=line, ended=each.ended, successor=each.successor, at=now) for line in each.lines]
    session.add_all(rows)
    forecast_store.renew(session, each.lines, now=now)
    for submission in sorted(touched):
        store.add_participants(session, submission, [each.successor])
        store.renew(session, submission)
    doubts.renew_flags(session, sorted(categories), min(touched))
    session.expire_all()
    details = {"successor": each.successor, "lines": len(each.lines)}
    both = [each.ended, each.successor]
    audit.acted(session, "lines.succeed", resource=("participant", each.ended), details=details, participants=both)
    notices.tell_succession(session, ended=each.ended, successor=each.successor, on=each.on, now=now)
