"""What comes too late, and who is reminded before: whoever has neither committed nor declined."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.notices import service as notices
from pooling.notices.rules import Kind
from pooling.tenders import queries
from pooling.tenders.records import TenderRecord
from pooling.tenders.rules import UNSETTLED, Status

BEFORE = timedelta(days=3)
"""So long before the end of the last day for answers."""


def overdue(session: Session, *, now: datetime) -> list[UUID]:
    """Invited tenders whose last day for answers has ended and that somebody has not settled on, and those that nobody
    was invited to by the day of their notice."""
    waiting = queries.of_statuses(session, [Status.PROPOSED, Status.REVIEWED])
    gone = [each.id for each in waiting if cycles.cycle_of(session, each.cycle).day_ends(each.notice_by) <= now]
    return [*(each.id for each in _unsettled(session) if _ends(session, each) <= now), *gone]


def due_soon(session: Session, *, now: datetime) -> list[UUID]:
    """Invited tenders whose last day for answers ends within days, and that somebody has not settled on."""
    return [each.id for each in _unsettled(session) if now < _ends(session, each) <= now + BEFORE]


def remind(session: Session, tender: UUID, *, now: datetime) -> int:
    """Remind those that have not settled on it, once for each due day; returns how many were told."""
    record = queries.tender_of(session, tender)
    if record.status is not Status.INVITED or record.answers_due is None:
        return 0
    waiting = [each.participant for each in queries.members_of(session, tender) if each.answer in UNSETTLED]
    return notices.tell(
        session,
        kind=Kind.ANSWER_DUE_SOON,
        subject=("tender", tender),
        key=f"{Kind.ANSWER_DUE_SOON}:{tender}:{record.answers_due}",
        now=now,
        participants=waiting,
        due=record.answers_due,
        facts={"family": record.family, "cycle": record.cycle},
    )


def _unsettled(session: Session) -> list[TenderRecord]:
    invited = queries.of_statuses(session, [Status.INVITED])
    return [each for each in invited if any(one.answer in UNSETTLED for one in queries.members_of(session, each.id))]


def _ends(session: Session, tender: TenderRecord) -> datetime:
    if tender.answers_due is None:
        raise ValueError(f"tender {tender.id} is invited without a due day")
    return cycles.cycle_of(session, tender.cycle).day_ends(tender.answers_due)
