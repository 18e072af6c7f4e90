"""Answers of members to an invitation; each is judged at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.cycles import service as cycles
from pooling.cycles.rules import shallowest
from pooling.errors import BadFields, NotAllowed, NotFound, WrongState
from pooling.market.rules import MICRO
from pooling.notices.rules import Kind
from pooling.planning import service as planning
from pooling.reference import service as reference
from pooling.tenders import prices, proposed, queries
from pooling.tenders.deciding import Decision, due_before_notice, place, set_due
from pooling.tenders.judged import Range
from pooling.tenders.records import MemberRecord
from pooling.tenders.repair_asking import look_where_open
from pooling.tenders.rules import MEMBER, MOST_SPEND_MICRO, PLANNER, UNSETTLED, Answer, Status
from pooling.tenders.standing import rejudge
from pooling.tenders.starts import plannable
from pooling.tenders.tables import Tender, TenderLot, TenderMember, TenderMemberLot
from pooling.tenders.telling import Act, notify, told


class MembersOwn(NotAllowed):
    """Only a member can commit itself or propose a change; who sees all may at most decline in its place."""

    code = "members-own"


@dataclass(frozen=True, slots=True)
class Said:
    """What a member says. ``volumes``: its range by lot, where it commits to another than its lines have."""

    answer: Answer
    volumes: Mapping[int, Range]
    conditions: str | None = None
    reason: str | None = None
    change: Mapping[str, Any] | None = None


def member(session: Session, sees: Visible, tender: UUID, participant: str) -> MemberRecord:
    """A member of a tender that ``sees`` shows; raises NotFound."""
    found = [each for each in queries.members_of(session, tender) if each.participant == participant]
    if participant not in sees or not found:
        raise NotFound(f"no member {participant!r} of a tender {tender}")
    return found[0]


def answer(
    session: Session,
    tender: UUID,
    participant: str,
    said: Said,
    *,
    sees: Visible,
    own: Collection[str],
    now: datetime,
    by: UUID,
    expect: Callable[[int], None],
) -> None:
    """Take a member's answer, in place of an earlier one, and judge the tender anew; one that is short, or that a
    change is proposed to, is looked at for repairs.

    ``expect`` is asked about the version of the answer. Raises NotFound, WrongState where answers are not taken, not
    any more or not yet, BadFields, and MembersOwn where ``participant`` is none of ``own``, for which who answers acts,
    and it is more than a refusal.
    """
    if participant not in sees:
        raise NotFound(f"no member {participant!r} of a tender {tender}")
    row = queries.row_of(session, tender, lock=True)
    member(session, sees, tender, participant)
    given_by = _giver(said.answer, participant, own)
    held = session.get_one(TenderMember, (tender, participant), with_for_update=True)
    expect(held.version)
    _open(session, row, now)
    if said.answer is not Answer.DECLINED:
        _deep_enough(session, row, participant)
    parts = _parts(session, row, participant)
    if said.change is not None:
        _can_be(session, row, [part.lot for part in parts], said.change, now)
    _volumes(session, parts, said)
    held.answer, held.version = said.answer, held.version + 1
    held.conditions, held.reason = said.conditions, said.reason
    held.change = None if said.change is None else dict(said.change)
    held.answered_at, held.answered_by = now, by
    session.flush()
    rejudge(session, row)
    details = {"answer": said.answer.value, "given_by": given_by}
    act = Act("answered", "answers.write", now, by, said.reason, participant, details)
    told(session, row, act)
    if given_by == PLANNER:
        notify(session, row, Kind.ANSWERED_FOR, now=now, participants=[participant], participant=participant)
    _notices(session, row, participant, said.answer, now=now)
    prices.tell_dearer(session, row, now=now, without=participant)
    look_where_open(session, row, now=now)


def _giver(answer: Answer, participant: str, own: Collection[str]) -> str:
    if participant in own:
        return MEMBER
    if answer is Answer.DECLINED:
        return PLANNER
    raise MembersOwn(
        f"what {participant} commits to or proposes is for itself to say: its coordinators and systems answer; a"
        " planner may decline in its place, with the reason, and PATCH the tender's due to give it more time"
    )


def ask_again(session: Session, tender: UUID, participant: str, decision: Decision, *, due: date | None) -> None:
    """Ask a member again that has committed or proposes a change: its answer counts no more.

    ``decision.expect`` is asked about the version of the answer. ``due``: another last day, for all; whoever has not
    settled on the tender is told of it. Raises NotFound, BadFields, WrongState where there is nothing to ask again, or
    no time is left to answer.
    """
    row = queries.row_of(session, tender, lock=True)
    member(session, Visible(all=True), tender, participant)
    held = session.get_one(TenderMember, (tender, participant), with_for_update=True)
    decision.expect(held.version)
    if due is not None:
        set_due(session, row, due, decision.now)
        due_before_notice(row)
    _open(session, row, decision.now)
    before = Answer(held.answer)
    if before not in (Answer.COMMITTED, Answer.CHANGE):
        raise WrongState(f"{place(row)}: {participant} said {before}; one that committed or proposes a change is asked")
    too = prices.ask_too(session, row, participant)
    held.answer, held.version = Answer.NONE, held.version + 1
    session.flush()
    rejudge(session, row)
    details = {"answer": before.value, **({} if due is None else {"due": due.isoformat()})}
    details |= {"too": ", ".join(too)} if too else {}
    told(
        session,
        row,
        Act("asked-again", "answers.ask-again", decision.now, decision.by, decision.reason, participant, details),
    )
    waiting = [each.participant for each in queries.members_of(session, tender) if each.answer in UNSETTLED]
    others = [] if due is None else [each for each in waiting if each not in (participant, *too)]
    notify(session, row, Kind.ASKED_AGAIN, now=decision.now, participants=[participant, *too], due=row.answers_due)
    if others:
        notify(session, row, Kind.INVITED, now=decision.now, participants=others, due=row.answers_due)
    look_where_open(session, row, now=decision.now)


def _open(session: Session, row: Tender, now: datetime) -> None:
    if row.status != Status.INVITED or row.answers_due is None:
        raise WrongState(f"{place(row)} is {row.status}; answers are taken while it is {Status.INVITED}")
    if now >= cycles.cycle_of(session, row.cycle).day_ends(row.answers_due):
        raise WrongState(f"{place(row)}: answers were due by the end of {row.answers_due}; a planner can move that")


def _deep_enough(session: Session, row: Tender, participant: str) -> None:
    """Raises WrongState where the tender has gone deeper than a line of the member may, since it declined."""
    lines = [line for lot in queries.lots_of(session, row.id) for line in lot.lines if line.participant == participant]
    most = shallowest((line.depth for line in lines), most=row.depth)
    if most != row.depth:
        raise WrongState(
            f"{place(row)} goes as deep as {row.depth} by now, and a line of {participant} no deeper than {most}; a"
            f" planner can choose {most}, or plan its lines in another tender"
        )


def _can_be(session: Session, row: Tender, lots: Sequence[int], change: Mapping[str, Any], now: datetime) -> None:
    """Raises BadFields where what a member proposes cannot be planned."""
    starts: list[str] = []
    if change.get("start") is not None:
        today = cycles.cycle_of(session, row.cycle).day(now)
        starts = plannable(planning.stored_plan(session, row.plan).frozen.policy, today=today)
    found = proposed.faults(change, lots=lots, criteria=reference.criteria(session).keys(), starts=starts)
    if found:
        raise BadFields(found)


def _parts(session: Session, row: Tender, participant: str) -> list[TenderMemberLot]:
    lots = [part.lot for part in member(session, Visible(all=True), row.id, participant).lots]
    return [session.get_one(TenderMemberLot, (lot, participant)) for lot in lots]


def _volumes(session: Session, parts: Sequence[TenderMemberLot], said: Said) -> None:
    """Write down what is committed to: as said, else by the lines; nothing where the member does not commit."""
    known = {part.lot for part in parts}
    faults = [
        (f"#/volumes/{place}/lot", "not-found", f"{lot}: the member has no line in it; give one of {sorted(known)}")
        for place, lot in enumerate(said.volumes)
        if lot not in known
    ]
    if faults := faults or _too_much(session, said):
        raise BadFields(faults)
    commits = said.answer is Answer.COMMITTED
    chosen = {
        part.lot: said.volumes.get(part.lot, Range(part.quantity_low, part.quantity, part.quantity_high))
        for part in parts
    }
    if commits and not any(each.quantity for each in chosen.values()):
        raise BadFields([("#/volumes", "out-of-range", "0 in every lot is no commitment; decline instead")])
    for part in parts:
        given = chosen[part.lot] if commits else None
        part.committed_low = None if given is None else given.low
        part.committed_quantity = None if given is None else given.quantity
        part.committed_high = None if given is None else given.high


def _too_much(session: Session, said: Said) -> list[tuple[str, str, str]]:
    prices = {lot: session.get_one(TenderLot, lot).unit_price_eur_micro for lot in said.volumes}
    most = MOST_SPEND_MICRO // MICRO
    return [
        (f"#/volumes/{place}", "out-of-range", f"up to {each.high:,} a year are more than EUR {most:,}; give less")
        for place, (lot, each) in enumerate(said.volumes.items())
        if each.high * prices[lot] > MOST_SPEND_MICRO
    ]


def _notices(session: Session, row: Tender, participant: str, said: Answer, *, now: datetime) -> None:
    notify(session, row, Kind.TENDER_ANSWERED, now=now, participant=participant, answer=said.value)
    if row.short:
        notify(session, row, Kind.TENDER_AT_RISK, now=now)
