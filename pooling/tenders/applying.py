"""A repair put into the rows of its tender: lines join, lots change, the start moves; others are asked again."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from pooling.cycles import service as cycles
from pooling.cycles.rules import shallowest
from pooling.demand import service as demand
from pooling.planning import service as planning
from pooling.planning.rules import Timetable, milestones
from pooling.reference import service as reference
from pooling.tenders import queries
from pooling.tenders.changing import ask_again
from pooling.tenders.copying import Source, add_lines, add_lot, role_of
from pooling.tenders.deciding import Decision, free
from pooling.tenders.holders import held_now
from pooling.tenders.judging import deviations, sure_quantity
from pooling.tenders.prices import lower
from pooling.tenders.records import LotRecord
from pooling.tenders.repair_asking import look_where_open
from pooling.tenders.rules import Answer
from pooling.tenders.standing import proposals_met, rejudge
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMember, TenderMemberLot
from pooling.tenders.telling import Act, told

Option = Mapping[str, Any]
Lines = Mapping[str, Mapping[str, Any]]
"""By id, as objects of ``pooling.instance/1``."""


def rebuild(session: Session, row: Tender, option: Option, decision: Decision, *, number: int) -> None:
    """Make the tender what the option says.

    Where start, lead, offers and lines stay that are in it, answers stand: those are asked whose lines join, members of
    before among them, since they committed to less, and those whose proposal is met. Else everybody is asked again.
    """
    source, lots = _source(session, row, option), queries.lots_of(session, row.id)
    lines = _held(session, source, lots, decision)
    members = queries.members_of(session, row.id)
    gone = {each.participant for each in members if each.answer is Answer.DECLINED}
    met = proposals_met(members, option["start"])
    there = {lot.offer: lot for lot in lots if any(line.participant not in gone for line in lot.lines)}
    stays = (
        option["start"] == row.start
        and not option["leaves"]
        and there.keys() == {lot["offer"] for lot in option["lots"]}
    )
    if stays:
        committed = {each.participant for each in members if each.answer is Answer.COMMITTED}
        for lot in option["lots"]:
            _join(session, row, lot, there[lot["offer"]], source, lines, committed)
    else:
        _start(row, option["start"], source)
        _clear(session, lots, gone)
        for lot in option["lots"]:
            add_lot(session, row, source, lot, [lines[key] for key in lot["lines"]])
    same_lead = option["lead"] == row.lead
    _members(session, row, option, lines, gone)
    rejudge(session, row)
    row.depth = shallowest([row.depth], most=row.deepest)
    free(session, row)
    row.changed_terms = row.invited_at is not None
    details = {"repair": number, "kind": option["kind"]}
    act = Act("repaired", "tender-repairs.apply", decision.now, decision.by, decision.reason, details=details)
    told(session, row, act)
    joining = frozenset(lines[key]["participant"] for key in option["joins"])
    ask_again(session, row, now=decision.now, only=joining | met if stays and same_lead else None)
    rejudge(session, row)
    look_where_open(session, row, now=decision.now)


def _source(session: Session, row: Tender, option: Option) -> Source:
    ids = sorted(int(line) for lot in option["lots"] for line in lot["lines"])
    rows = demand.lines_of(session, ids).iter_rows(named=True)
    own = {each["id"]: (each["depth"], each["item_code"]) for each in rows}
    return Source(cycles.cycle_of(session, row.cycle), planning.stored_plan(session, row.plan), own, {})


def _held(session: Session, source: Source, lots: list[LotRecord], decision: Decision) -> Lines:
    """The plan's lines by id, each in the hand that it is in now: those of the tender as it has them."""
    own = {str(line.line): line.participant for lot in lots for line in lot.lines}
    there = held_now(session, source.stored.frozen.instance["lines"], now=decision.now)
    return {each["id"]: {**each, "participant": own.get(each["id"], each["participant"])} for each in there}


def _join(
    session: Session,
    row: Tender,
    option: Option,
    lot: LotRecord,
    source: Source,
    lines: Lines,
    committed: AbstractSet[str],
) -> None:
    """Lines join a lot, which may reach another tier by them; it is told where nobody has committed to the one before:
    whoever joins may decline."""
    inside = {str(line.line) for line in lot.lines}
    new = [lines[key] for key in option["lines"] if key not in inside]
    if not new:
        return
    held = session.get_one(TenderLot, lot.id)
    held.quantity += sum(line["quantity"] for line in new)
    spreads = deviations([*(line.document() for line in lot.lines), *new])
    held.sure_quantity = sure_quantity(held.quantity, spreads, row.policy)
    if committed.isdisjoint(line.participant for line in lot.lines):
        lower(held, option["tier"])
    add_lines(session, row, lot.id, new, source.own)


def _clear(session: Session, lots: list[LotRecord], gone: set[str]) -> None:
    """Take the lots out; what was declined stays on record."""
    for lot in lots:
        declined = [line.line for line in lot.lines if line.participant in gone]
        lines = (col(TenderLine.lot) == lot.id, col(TenderLine.line).not_in(declined))
        session.execute(delete(TenderLine).where(*lines))
        parts = (col(TenderMemberLot.lot) == lot.id, col(TenderMemberLot.participant).not_in(sorted(gone)))
        session.execute(delete(TenderMemberLot).where(*parts))
        session.expire_all()
        held = session.get_one(TenderLot, lot.id)
        if declined:
            held.quantity, held.sure_quantity = 0, 0.0
            for line in declined:
                session.get_one(TenderLine, (lot.id, line)).stands = False
        else:
            session.delete(held)
    session.flush()


def _start(row: Tender, start: str, source: Source) -> None:
    policy = source.stored.frozen.policy
    dates = milestones(start, lead_time_months=policy["lead_time_months"], timetable=Timetable(**policy["timetable"]))
    row.start = start
    row.dialogue_from, row.notice_by, row.award_by = dates.dialogue_from, dates.notice_by, dates.award_by


def _members(session: Session, row: Tender, option: Option, lines: Lines, gone: set[str]) -> None:
    known = reference.participants(session)
    inside = {lines[key]["participant"] for lot in option["lots"] for key in lot["lines"]}
    row.lead, row.signing_body = option["lead"], known[option["lead"]].signing_body
    for code in sorted(inside | gone):
        role = role_of(code, lead=row.lead, contracting_authority=known[code].contracting_authority)
        member = session.get(TenderMember, (row.id, code))
        if member is None:
            session.add(TenderMember(tender=row.id, participant=code, role=role))
        else:
            member.role = role
    left = (col(TenderMember.tender) == row.id, col(TenderMember.participant).not_in(sorted(inside | gone)))
    session.execute(delete(TenderMember).where(*left))
    session.flush()
    session.expire_all()
