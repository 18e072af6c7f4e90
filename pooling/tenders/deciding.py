"""What planners do with a tender: review, invite, confirm, hand over, reject; each with who, when and why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.database import one_at_a_time
from pooling.errors import BadFields, WrongState
from pooling.notices.rules import Kind
from pooling.tenders import consequences, freezing, prices, queries
from pooling.tenders.judged import Standing
from pooling.tenders.records import MemberRecord
from pooling.tenders.rules import BUYING, OPEN, SETTLED, UNSETTLED, Answer, Status, Step, move
from pooling.tenders.standing import standing
from pooling.tenders.tables import Tender
from pooling.tenders.telling import Act, codes, notify, told

LONGEST_WAIT = timedelta(days=400)
"""For answers."""

ONE_STANDS = "pooling.tenders.confirm"
"""Whoever makes a tender stand waits for whoever does the same: no line is in two that stand."""

Expect = Callable[[int], None]


class TenderShort(WrongState):
    """The tender does not hold as it is answered: the message says why."""

    code = "tender-short"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, when, why, and on which version of the tender: ``expect`` refuses where it is another.

    Every transition has a reason; other changes may go without.
    """

    by: UUID | None
    now: datetime
    expect: Expect
    reason: str | None = None


def locked(session: Session, tender: UUID, expect: Expect) -> Tender:
    """The row of a tender that is about to change. Raises NotFound, and what ``expect`` does."""
    row = queries.row_of(session, tender, lock=True)
    expect(row.version)
    return row


def review(session: Session, tender: UUID, decision: Decision) -> None:
    """Take a proposed tender up for review. Raises NotFound, WrongState."""
    row = locked(session, tender, decision.expect)
    _step(session, row, Step.REVIEW, decision)


def invite(session: Session, tender: UUID, decision: Decision, *, due: date) -> None:
    """Ask the members for their answers until the end of ``due``, where the cycle is.

    Raises NotFound, WrongState, TenderShort where the tender does not hold as it is, BlockedByLaw, BadFields for a
    due day that has gone by or is too far away.
    """
    one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    move(row.status, Step.INVITE, place=place(row))
    checked_due(session, row, due, decision.now)
    row.answers_due, row.invited_at = due, decision.now
    due_before_notice(row)
    free(session, row)
    _must_hold(row, standing(session, row.id))
    consequences.must_be_lawful(session, row.id, place(row))
    _step(session, row, Step.INVITE, decision)
    members = codes(session, row.id)
    notify(session, row, Kind.INVITED, now=decision.now, participants=members, due=due)


def checked_due(session: Session, row: Tender, due: date, now: datetime) -> None:
    """Raises BadFields where the day has gone by, or is too far away, where the cycle is."""
    today = cycles.cycle_of(session, row.cycle).day(now)
    if not today <= due <= today + LONGEST_WAIT:
        text = f"{due}: give a day from {today} to {today + LONGEST_WAIT}, where the cycle is"
        raise BadFields([("#/due", "out-of-range", text)])


def due_before_notice(row: Tender) -> None:
    """Raises BadFields where members answer later than the notice goes out, which names them."""
    if row.answers_due is not None and row.answers_due > row.notice_by:
        told = f"{row.answers_due}: the notice, which names the buyers, goes out by {row.notice_by}"
        way = "give that day or an earlier one; where none is left, reject the tender and plan a later start"
        raise BadFields([("#/due", "out-of-range", f"{told}; {way}")])


def set_due(session: Session, row: Tender, due: date, now: datetime) -> None:
    """Give members until the end of another day. Raises BadFields where that is none, or they were not asked yet."""
    if row.status != Status.INVITED:
        raise BadFields([("#/due", "invalid", f"the tender is {row.status}: members answer while it is invited")])
    checked_due(session, row, due, now)
    row.answers_due = due


def _must_hold(row: Tender, found: Standing) -> None:
    if not found.holds:
        said = "; ".join(fault.words for fault in found.faults)
        raise TenderShort(f"{place(row)} does not hold: {said}; POST /v1/tenders/{row.id}/repairs looks for a way")


def free(session: Session, row: Tender) -> None:
    """Raises WrongState where a line of it is in another tender that stands, or its place is taken.

    Of another cycle only one counts that buys, and only against one that buys.
    """
    inside = {each.participant for each in queries.members_of(session, row.id) if each.answer is not Answer.DECLINED}
    lots = queries.lots_of(session, row.id)
    own = {line.line for lot in lots for line in lot.lines if line.participant in inside}
    buys = row.depth in BUYING
    for key, there in queries.standing_lines(session, row.cycle).items():
        clashes = own & there.lines or there.place == (row.family, row.start)
        if key != row.id and clashes and (buys or there.cycle == row.cycle):
            raise WrongState(
                f"{place(row)}: tender {key} stands for the same lines or the same start; reject one of them"
            )


def free_if_it_stands(session: Session, row: Tender) -> None:
    """The same, of one that stands itself: invited or locked. Raises WrongState."""
    if row.locked or row.status == Status.INVITED:
        free(session, row)


def confirm(session: Session, tender: UUID, decision: Decision) -> None:
    """Decide on a tender: its buyers are named and fixed, with estimate and maximum for each.

    Raises NotFound, WrongState where an answer is missing or a change is still proposed, TenderShort where it does not
    hold with those who committed, TermsChanged where they committed to a lower price, BlockedByLaw.
    """
    one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    move(row.status, Step.CONFIRM, place=place(row))
    members = queries.members_of(session, row.id)
    _all_answered(row, members)
    free(session, row)
    found = standing(session, row.id, only_committed=True)
    _must_hold(row, found)
    prices.must_be_as_told(session, row, found, place(row))
    freezing.freeze(session, row, found)
    row.frozen_at = decision.now
    session.flush()
    consequences.must_be_lawful(session, row.id, place(row))
    row.confirmed_at = decision.now
    _step(session, row, Step.CONFIRM, decision)
    _told_decided(session, row, decision.now)


def _all_answered(row: Tender, members: list[MemberRecord]) -> None:
    waiting = [each.participant for each in members if each.answer in UNSETTLED]
    if waiting:
        named = ", ".join(waiting)
        raise WrongState(f"{place(row)}: {named} has neither committed nor declined; wait for that, or ask again")


def hand_over(session: Session, tender: UUID, decision: Decision) -> None:
    """Hand a confirmed tender over: it is the agreement from here on. Raises NotFound, WrongState."""
    row = locked(session, tender, decision.expect)
    row.handed_over_at = decision.now
    _step(session, row, Step.HAND_OVER, decision)
    _told_decided(session, row, decision.now)


def reject(session: Session, tender: UUID, decision: Decision) -> None:
    """Give a tender up; its lines are free for the next run. Raises NotFound, WrongState."""
    row = locked(session, tender, decision.expect)
    _end(session, row, Step.REJECT, decision)


def expire(session: Session, tender: UUID, *, now: datetime) -> bool:
    """End a tender that has come too late; whether it was. Safe to repeat.

    Of those invited one with answers overdue, unless all have settled on it; of others one whose notice should have
    gone out: nobody can be invited to it any more.
    """
    row = queries.row_of(session, tender, lock=True)
    if row.status not in OPEN:
        return False
    last = _last_day(session, row)
    if last is None or now < cycles.cycle_of(session, row.cycle).day_ends(last):
        return False
    why = (
        f"answers were due by the end of {last}, and not everybody had answered"
        if row.status == Status.INVITED
        else f"the notice was to go out by {last}, and nobody had been invited"
    )
    _end(session, row, Step.EXPIRE, Decision(None, now, lambda _: None, why))
    return True


def _last_day(session: Session, row: Tender) -> date | None:
    """On which an open tender can be moved on by itself; None: nothing ends it but a decision."""
    if row.status != Status.INVITED:
        return row.notice_by
    settled = UNSETTLED.isdisjoint(each.answer for each in queries.members_of(session, row.id))
    return None if settled else row.answers_due


def _end(session: Session, row: Tender, step: Step, decision: Decision) -> None:
    """Members are told where they were asked; planners also of what the clock ended."""
    row.ended_at = decision.now
    _step(session, row, step, decision)
    if row.invited_at is not None:
        _told_decided(session, row, decision.now)
    elif step is Step.EXPIRE:
        notify(session, row, Kind.TENDER_DECIDED, now=decision.now, status=str(row.status))


def _step(session: Session, row: Tender, step: Step, decision: Decision) -> None:
    made = move(row.status, step, place=place(row))
    row.status = made.after
    act = Act(made.after.value, f"tenders.{step}", decision.now, decision.by, decision.reason)
    told(session, row, act, before=made.before)


def _told_decided(session: Session, row: Tender, now: datetime) -> None:
    members, status = codes(session, row.id), str(row.status)
    notify(session, row, Kind.TENDER_DECIDED, now=now, participants=members, planners=True, status=status)


def decide_cycle(session: Session, code: str, *, now: datetime, expect: Expect) -> cycles.CycleRecord:
    """End a cycle whose tenders are all settled. Raises NotFound, WrongState."""
    cycles.lock(session)
    open_ = [each for each in queries.of_cycle(session, code) if each.status not in SETTLED]
    record = cycles.cycle_of(session, code)
    expect(record.version)
    if open_:
        named = ", ".join(f"{each.id} ({each.status})" for each in open_[:5])
        raise WrongState(f"cycle {code!r}: {len(open_)} of its tenders are not settled: {named}; decide on them first")
    return cycles.decide(session, code, now=now)


def place(row: Tender) -> str:
    """How messages call it."""
    return f"tender {row.id} ({row.family}, {row.start})"
