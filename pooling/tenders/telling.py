"""What every change of a tender leaves: its version, history, audit, feed, and notices to whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.notices import service as notices
from pooling.notices.rules import Kind
from pooling.tenders.tables import Tender, TenderEvent, TenderMember


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to a tender: ``what`` in its history, ``operation`` in the audit. ``by`` None: the service itself.

    ``details``: words and codes, never a figure.
    """

    what: str
    operation: str
    now: datetime
    by: UUID | None
    reason: str | None = None
    participant: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def told(session: Session, tender: Tender, act: Act, *, before: str | None = None, new: bool = False) -> None:
    """Count the change, and enter it wherever it is looked for. ``before``: its status, where that has changed."""
    if not new:
        tender.version += 1
    session.add(tender)
    session.flush()
    session.add(
        TenderEvent(
            tender=tender.id,
            what=act.what,
            from_status=tender.status if before is None else before,
            to_status=tender.status,
            at=act.now,
            by=act.by,
            participant=act.participant,
            reason=act.reason,
            details=dict(act.details),
        )
    )
    members = codes(session, tender.id)
    action = "created" if new else "updated"
    feed.changed(session, "tender", tender.id, version=tender.version, action=action, participants=members)
    details = {
        "status": str(tender.status),
        "what": act.what,
        **act.details,
    }  # reasons may name people: history has them
    concerned = members if act.participant is None else [act.participant]
    audit.acted(session, act.operation, resource=("tender", tender.id), details=details, participants=concerned)


def codes(session: Session, tender: UUID) -> list[str]:
    """The participants of a tender, those that declined too."""
    wanted = select(TenderMember.participant).where(TenderMember.tender == tender)
    return list(session.exec(wanted.order_by(col(TenderMember.participant))))


def notify(
    session: Session,
    tender: Tender,
    kind: Kind,
    *,
    now: datetime,
    participants: list[str] | None = None,
    planners: bool = False,
    due: date | None = None,
    **facts: str,
) -> None:
    """Tell participants, and planners where ``planners`` says so or no participants are given; once for each version of
    the tender."""
    notices.tell(
        session,
        kind=kind,
        subject=("tender", tender.id),
        key=f"{kind}:{tender.id}:{tender.version}",
        now=now,
        participants=participants or (),
        planners=planners or participants is None,
        due=due,
        facts={"family": tender.family, "cycle": tender.cycle, **facts},
    )
