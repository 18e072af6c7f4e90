"""What the next run of a cycle keeps to: tenders that stand, what was declined, where lines stood in the last plan."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.planning.holds import HeldLot, HeldTender, Holds, Refused, Stood
from pooling.tenders import queries
from pooling.tenders.records import MemberRecord, TenderRecord
from pooling.tenders.rules import BUYING, DECIDED, OPEN, Answer, Role, Status


def holds(session: Session, cycle: str, *, today: date) -> Holds:
    """What a run of the cycle is handed. Raises NotFound.

    Fixed: tenders that are confirmed or handed over and not at their end, invited or locked: a proposal leaves all of
    these as they are. Of other cycles those alone that buy: what was only talked about is free again. Forbidden: for
    each line whose participant declined in this cycle or an earlier one, the offer it declined, for later lines of the
    same too. Previous: the places of lines in the cycle's proposal, else in that of the cycle before.
    """
    there = [each for each in queries.of_statuses(session, DECIDED | OPEN) if _keeps(each, cycle)]
    standing = [each for each in there if _stands(each, today=today)]
    fixed = [held for each in standing if (held := _held(session, each)) is not None]
    refused = [
        Refused(line.line, offer, (line.participant, line.category, line.item_code), last)
        for line, offer, last in queries.declined_lines(session, cycles.up_to(session, cycle))
    ]
    return Holds(fixed, refused, _previous(session, cycle))


def _keeps(tender: TenderRecord, cycle: str) -> bool:
    """In its own cycle a tender keeps its lines; elsewhere where it buys."""
    return tender.cycle == cycle or tender.depth in BUYING


def _stands(tender: TenderRecord, *, today: date) -> bool:
    if tender.status in DECIDED:
        return tender.ends_before > today
    return tender.status is Status.INVITED or tender.locked


def _held(session: Session, tender: TenderRecord) -> HeldTender | None:
    """A tender with those who have not declined; None where nobody is left."""
    members = {each.participant: each for each in queries.members_of(session, tender.id)}
    inside = {code for code, each in members.items() if each.answer is not Answer.DECLINED}
    lots = []
    for lot in queries.lots_of(session, tender.id):
        lines = [line for line in lot.lines if line.participant in inside]
        if lines:
            documents, codes = [line.document() for line in lines], [line.item_code for line in lines]
            lots.append(HeldLot(lot.offer, dict(lot.offer_terms), dict(lot.offer_said), documents, codes))
    there = {str(line["participant"]) for lot in lots for line in lot.lines}
    if not there:
        return None
    lead = _lead(tender, [members[code] for code in sorted(there)])
    return HeldTender(str(tender.id), tender.family, tender.start, lead, tender.lines_up_to, lots)


def _lead(tender: TenderRecord, there: Sequence[MemberRecord]) -> str:
    """The lead; where it has declined, somebody in its place until planners name one."""
    codes = [each.participant for each in there]
    if tender.lead in codes:
        return tender.lead
    able = [each.participant for each in there if each.role is not Role.ASSOCIATE]
    return (able or codes)[0]


def _previous(session: Session, cycle: str) -> list[Stood]:
    plan = _last_plan(session, cycle)
    return [] if plan is None else queries.places_in(session, plan)


def _last_plan(session: Session, cycle: str) -> UUID | None:
    record = cycles.cycle_of(session, cycle)
    if record.plan is not None:
        return record.plan
    before = cycles.earlier(session, cycle)
    return None if before is None else before.plan
