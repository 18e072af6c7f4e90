"""The lines of a cycle: those in force when it closed, whatever becomes of them afterwards."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from pooling import feed
from pooling.cycles import service as cycles
from pooling.demand import store
from pooling.demand.tables import CycleConfirmation, CycleLine, Line, Submission
from pooling.errors import WrongState


def freeze(session: Session, code: str) -> int:
    """Write down the lines in force as those of the cycle, forecasts included; returns how many. Safe to repeat."""
    in_force = select(literal(code), col(Line.id)).join(Submission, col(Line.submission) == col(Submission.id))
    in_force = in_force.where(col(Submission.status) == store.ACCEPTED, col(Line.ended_at).is_(None))
    clear(session, code)
    session.connection().execute(insert(CycleLine).from_select(["cycle", "line"], in_force))
    return _count(session, col(CycleLine.cycle) == code)


def clear(session: Session, code: str) -> None:
    """Let the lines of a cycle go that takes demand again."""
    session.connection().execute(delete(CycleLine).where(col(CycleLine.cycle) == code))


def of(session: Session, code: str) -> list[int]:
    """The lines of a cycle, by id. Raises NotFound, and WrongState where they are not frozen yet."""
    record = cycles.cycle_of(session, code)
    if not record.frozen:
        raise WrongState(f"cycle {code!r} is {record.status}; its lines are known once it is closed")
    wanted = select(col(CycleLine.line)).where(col(CycleLine.cycle) == code).order_by(col(CycleLine.line))
    return list(session.connection().execute(wanted).scalars())


def replace(session: Session, code: str, submission: UUID) -> tuple[int, int]:
    """A change that reaches a cycle after its lines were frozen: those of ``submission`` take the place of others.

    Of a file these are the series' lines, whichever of its versions they are from; of forecasts the lines of the same
    ids. Returns how many lines went and how many came.
    """
    connection = session.connection()
    record = session.get_one(Submission, submission)
    old, new = aliased(Line), aliased(Line)
    if record.source is None:
        series = select(col(Submission.id)).where(
            col(Submission.series) == record.series, col(Submission.source).is_(None)
        )
        wanted = select(col(old.id)).where(col(old.submission).in_(series))
    else:
        same_key = (col(old.source) == col(new.source)) & (col(old.external_id) == col(new.external_id))
        wanted = select(col(old.id)).join(new, same_key).where(col(new.submission) == submission)
    going = delete(CycleLine).where(col(CycleLine.cycle) == code, col(CycleLine.line).in_(wanted))
    gone = connection.execute(going).rowcount
    lines = select(literal(code), col(Line.id)).where(col(Line.submission) == submission)
    connection.execute(insert(CycleLine).from_select(["cycle", "line"], lines))
    feed.changed(session, "cycle", code, version=cycles.cycle_of(session, code).version)
    come = select(col(Line.id)).where(col(Line.submission) == submission)
    return int(gone), _count(session, col(CycleLine.cycle) == code, col(CycleLine.line).in_(come))


def newer(session: Session, code: str, submission: Submission) -> bool:
    """Whether a submission that counts was sent after the cycle's lines were frozen, and for none or another one."""
    if submission.cycle == code:
        return False
    wanted = select(col(CycleLine.line)).join(Line, col(Line.id) == col(CycleLine.line))
    wanted = wanted.where(col(CycleLine.cycle) == code, col(Line.submission) == submission.id)
    return session.connection().execute(wanted.limit(1)).first() is None


def newer_lines(session: Session, code: str, lines: Sequence[int]) -> set[int]:
    """Those of ``lines`` that were sent after the cycle's lines were frozen, and for none or another one."""
    found: set[int] = set()
    frozen = exists().where(col(CycleLine.cycle) == code, col(CycleLine.line) == col(Line.id))
    other = or_(col(Submission.cycle).is_(None), col(Submission.cycle) != code)
    wanted = select(col(Line.id)).join(Submission, col(Line.submission) == col(Submission.id)).where(other, ~frozen)
    for part in store.parts(sorted(lines)):
        found.update(session.execute(wanted.where(col(Line.id).in_(part))).scalars().all())
    return found


def confirm(session: Session, code: str, source: str, participants: Collection[str], *, now: datetime) -> None:
    """What the participants have in a system was sent for the cycle as it stands. Under the lock of demand."""
    for participant in sorted(participants):
        session.merge(CycleConfirmation(cycle=code, participant=participant, source=source, at=now))
    version = cycles.cycle_of(session, code).version
    feed.changed(session, "cycle", code, version=version, participants=participants)


def _count(session: Session, *chosen: ColumnElement[bool]) -> int:
    return int(session.connection().execute(select(func.count()).select_from(CycleLine).where(*chosen)).scalar_one())
