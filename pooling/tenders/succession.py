"""A participant has ended: its successor takes over memberships, answers and commitments, in history and audit."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from pooling.cycles import service as cycles
from pooling.cycles.rules import shallowest
from pooling.notices import service as notices
from pooling.notices.rules import Kind
from pooling.reference import service as reference
from pooling.reference.rules import is_succeeded
from pooling.tenders.copying import role_of
from pooling.tenders.repair_asking import look_where_open
from pooling.tenders.rules import DECIDED, OPEN, UNSETTLED, Answer, Status
from pooling.tenders.standing import rejudge
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMember, TenderMemberLot
from pooling.tenders.telling import Act, notify, told

ADDED = (
    "quantity",
    "quantity_low",
    "quantity_high",
    "committed_quantity",
    "committed_low",
    "committed_high",
    "estimate_quantity",
    "maximum_quantity",
    "estimate_value_minor",
    "maximum_value_minor",
)


ANOTHER = timedelta(days=14)
"""So long has whoever is asked again after the day for answers."""


def due(session: Session, *, today: date) -> list[tuple[str, str]]:
    """Participants that have ended and are members of a live tender still, each with its successor, by code."""
    known = reference.participants(session)
    live = select(Tender.id).where(col(Tender.status).in_(sorted(DECIDED | OPEN)))
    found = session.exec(select(TenderMember.participant).where(col(TenderMember.tender).in_(live)).distinct())
    records = [known[code] for code in sorted(found)]
    return [
        (each.code, each.successor)
        for each in records
        if each.successor is not None
        and each.valid_to is not None
        and each.valid_to <= today
        and is_succeeded(each, known)
    ]


def succeed(session: Session, old: str, new: str, *, now: datetime, by: UUID | None = None) -> list[UUID]:
    """Let ``new`` take over what ``old`` has in tenders that live; returns those. Safe to repeat."""
    held = select(TenderMember.tender).where(TenderMember.participant == old)
    wanted = select(Tender).where(col(Tender.id).in_(held), col(Tender.status).in_(sorted(DECIDED | OPEN)))
    rows = session.exec(wanted.order_by(col(Tender.id)).with_for_update()).all()
    done = [row.id for row in rows if _take_over(session, row, old, new, now=now, by=by)]
    if done:
        ended = reference.participants(session)[old].valid_to or now.date()
        notices.tell_succession(session, ended=old, successor=new, on=ended, now=now)
    return done


def _take_over(session: Session, row: Tender, old: str, new: str, *, now: datetime, by: UUID | None) -> bool:
    leaving = session.get(TenderMember, (row.id, old))
    if leaving is None:
        return False
    staying = session.get(TenderMember, (row.id, new))
    answers = _answers(session, row)
    known = reference.participants(session)[new]
    if row.lead == old:
        row.lead, row.signing_body = new, known.signing_body
    role = role_of(new, lead=row.lead, contracting_authority=known.contracting_authority)
    if staying is None:
        same = ("answer", "conditions", "reason", "change", "answered_at", "answered_by")
        values = {name: getattr(leaving, name) for name in same}
        session.add(TenderMember(tender=row.id, participant=new, role=role, version=leaving.version + 1, **values))
    else:
        frozen = row.frozen_at is not None
        staying.answer = _merged(Answer(leaving.answer), Answer(staying.answer), frozen=frozen)
        staying.role, staying.version = role, max(staying.version, leaving.version) + 1
    session.flush()
    _move_lots(session, row, old, new)
    session.delete(leaving)
    session.flush()
    if row.status in OPEN:
        rejudge(session, row)
        _no_deeper(session, row)
    void = [
        code
        for code, answer in _answers(session, row).items()
        if answer == Answer.NONE and {answers.get(code), answers[old] if code == new else None} - {Answer.NONE, None}
    ]
    asked = row.status == Status.INVITED and bool(void)
    if asked:
        _give_time(session, row, now)
    details = {"from": old, "to": new}
    told(session, row, Act("succeeded", "tenders.succeed", now, by, participant=new, details=details))
    if asked:
        notify(session, row, Kind.ASKED_AGAIN, now=now, participants=sorted(void), due=row.answers_due)
    elif row.status == Status.INVITED and staying is None and Answer(answers[old]) in UNSETTLED:
        notify(session, row, Kind.INVITED, now=now, participants=[new], due=row.answers_due)
    look_where_open(session, row, now=now)
    return True


def _answers(session: Session, row: Tender) -> dict[str, str]:
    members = select(TenderMember.participant, TenderMember.answer).where(TenderMember.tender == row.id)
    return dict(session.exec(members).all())


def _give_time(session: Session, row: Tender, now: datetime) -> None:
    """Where the day for answers has gone by, whoever is asked again has another, no later than the notice: else what
    others committed to would be lost by the clock."""
    cycle = cycles.cycle_of(session, row.cycle)
    if row.answers_due is not None and cycle.day_ends(row.answers_due) <= now:
        row.answers_due = max(row.answers_due, min(row.notice_by, cycle.day(now) + ANOTHER))


def _no_deeper(session: Session, row: Tender) -> None:
    """Lines that were declined may be in again, and go less deep: these are other terms, which nobody has answered."""
    if shallowest([row.depth], most=row.deepest) == row.depth:
        return
    row.depth = row.deepest
    for member in session.exec(select(TenderMember).where(TenderMember.tender == row.id)).all():
        member.version += 1
        if member.answer != Answer.DECLINED:
            member.answer = Answer.NONE
    session.flush()
    rejudge(session, row)


def _merged(one: Answer, other: Answer, *, frozen: bool) -> Answer:
    """What two that become one have answered: the same, if no change; or, before the freeze, nothing that counts."""
    if one is other and one is not Answer.CHANGE:
        return one
    if frozen:
        return Answer.COMMITTED if Answer.COMMITTED in (one, other) else Answer.DECLINED
    return Answer.NONE


def _move_lots(session: Session, row: Tender, old: str, new: str) -> None:
    lots = session.exec(select(TenderLot.id).where(TenderLot.tender == row.id)).all()
    lines = select(TenderLine).where(col(TenderLine.lot).in_(lots), TenderLine.participant == old)
    for line in session.exec(lines):
        line.participant = new
    parts = select(TenderMemberLot).where(TenderMemberLot.tender == row.id, TenderMemberLot.participant == old)
    for part in session.exec(parts).all():
        there = session.get(TenderMemberLot, (part.lot, new))
        values = {name: getattr(part, name) for name in ADDED}
        if there is None:
            lot = TenderMemberLot(lot=part.lot, participant=new, tender=row.id, category=part.category, **values)
            session.add(lot)
        else:
            for name, value in values.items():
                setattr(there, name, _sum(getattr(there, name), value))
        session.delete(part)
    session.flush()


def _sum(one: int | None, other: int | None) -> int | None:
    """None: neither has any."""
    return None if one is None and other is None else (one or 0) + (other or 0)
