"""Who is told of a cycle's steps: all participants that exist on its last day, or whoever is in their place by now, and
planners where they act next."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlmodel import Session

from pooling.cycles.rules import CycleRecord
from pooling.errors import BadInput
from pooling.notices import service as notices
from pooling.notices.service import Kind
from pooling.reference import service as reference
from pooling.reference.rules import rehome


def expected(session: Session, record: CycleRecord) -> list[str]:
    """The participants whose demand the cycle is for: those that exist on its last day, by code."""
    known = reference.participants(session)
    return [code for code, participant in known.items() if participant.is_valid_on(record.closes_on)]


def _still_there(session: Session, record: CycleRecord, now: datetime) -> list[str]:
    """Those expected as they exist today, where the cycle is: successors in the place of those that have ended."""
    known, today = reference.participants(session), record.day(now)
    found = set()
    for code in expected(session, record):
        with suppress(BadInput):  # it ended, and nobody has taken over
            found.add(rehome(code, today, known))
    return sorted(found)


def opened(session: Session, record: CycleRecord, now: datetime) -> None:
    """It takes demand; said again where it is reopened, as the day is another then."""
    notices.tell(
        session,
        kind=Kind.CYCLE_OPENS,
        subject=("cycle", record.code),
        key=f"cycle-opens:{record.code}:{record.version}",
        now=now,
        participants=expected(session, record),
        due=record.closes_on,
        facts={"cycle": record.code, "closes_on": record.closes_on},
    )


def due_soon(session: Session, record: CycleRecord, now: datetime, participants: Collection[str]) -> int:
    """It closes soon and these have sent nothing; said once for a last day. Returns to how many it was news."""
    return notices.tell(
        session,
        kind=Kind.CYCLE_DUE_SOON,
        subject=("cycle", record.code),
        key=f"cycle-due-soon:{record.code}:{record.closes_on}",
        now=now,
        participants=participants,
        due=record.closes_on,
        facts={"cycle": record.code, "closes_on": record.closes_on},
    )


def closed(session: Session, record: CycleRecord, now: datetime) -> None:
    """It takes demand no longer; planners have until ``plan_by``."""
    _step(session, record, Kind.CYCLE_CLOSED, now, planners=True)


def decided(session: Session, record: CycleRecord, now: datetime) -> None:
    """All its tenders are settled."""
    _step(session, record, Kind.CYCLE_DECIDED, now, planners=False)


def _step(session: Session, record: CycleRecord, kind: Kind, now: datetime, *, planners: bool) -> None:
    notices.tell(
        session,
        kind=kind,
        subject=("cycle", record.code),
        key=f"{kind.value}:{record.code}:{record.version}",
        now=now,
        participants=_still_there(session, record, now),
        planners=planners,
        facts={"cycle": record.code},
    )
