"""What planners do with a tender: review, invite, confirm, hand over, reject, change; each with who, when and why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.database import one_at_a_time
from pooling.errors import BadFields, WrongState
from pooling.notices.rules import Kind
from pooling.reference import service as reference
from pooling.tenders import consequences, freezing, queries
from pooling.tenders.copying import role_of
from pooling.tenders.judging import Standing
from pooling.tenders.records import MemberRecord
from pooling.tenders.rules import OPEN, SETTLED, Answer, Status, Step, checked_depth, move
from pooling.tenders.standing import rejudge, standing
from pooling.tenders.tables import Tender, TenderMember
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
    """Who decides, when, why, and on which version of the tender: ``expect`` refuses where it is another."""

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

    Raises NotFound, WrongState, TenderShort where the tender does not hold as it is, BadFields for a due day that has
    gone by or is too far away.
    """
    one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    move(row.status, Step.INVITE, place=place(row))
    checked_due(session, row, due, decision.now)
    free(session, row)
    _must_hold(row, standing(session, row.id))
    row.answers_due, row.invited_at = due, decision.now
    _step(session, row, Step.INVITE, decision)
    members = codes(session, row.id)
    notify(session, row, Kind.INVITED, now=decision.now, participants=members, due=due)


def checked_due(session: Session, row: Tender, due: date, now: datetime) -> None:
    """Raises BadFields where the day has gone by, or is too far away, where the cycle is."""
    today = cycles.cycle_of(session, row.cycle).day(now)
    if not today <= due <= today + LONGEST_WAIT:
        text = f"{due}: give a day from {today} to {today + LONGEST_WAIT}, where the cycle is"
        raise BadFields([("#/due", "out-of-range", text)])


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
    """Raises WrongState where a line of it is in another tender that stands, or its place is taken."""
    inside = {each.participant for each in queries.members_of(session, row.id) if each.answer is not Answer.DECLINED}
    lots = queries.lots_of(session, row.id)
    own = {line.line for lot in lots for line in lot.lines if line.participant in inside}
    for key, there in queries.standing_lines(session).items():
        if key != row.id and (own & there.lines or there.place == (row.family, row.start)):
            raise WrongState(
                f"{place(row)}: tender {key} stands for the same lines or the same start; reject one of them"
            )


def confirm(session: Session, tender: UUID, decision: Decision) -> None:
    """Decide on a tender: its buyers are named and fixed, with estimate and maximum for each.

    Raises NotFound, WrongState where an answer is missing or a change is still proposed, TenderShort where it does not
    hold with those who committed.
    """
    one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    move(row.status, Step.CONFIRM, place=place(row))
    members = queries.members_of(session, row.id)
    _all_answered(row, members)
    free(session, row)
    found = standing(session, row.id, only_committed=True)
    _must_hold(row, found)
    freezing.freeze(session, row, found)
    row.frozen_at = decision.now
    session.flush()
    blocked = consequences.blocking(session, row.id)
    if blocked:
        raise TenderShort(f"{place(row)} cannot go out as it is: {'; '.join(blocked)}")
    row.confirmed_at = decision.now
    _step(session, row, Step.CONFIRM, decision)
    _told_decided(session, row, decision.now)


def _all_answered(row: Tender, members: list[MemberRecord]) -> None:
    waiting = [each.participant for each in members if each.answer in (Answer.NONE, Answer.CHANGE)]
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
    """End an invited tender with answers overdue, unless everyone answered; whether it was ended. Safe to repeat."""
    row = queries.row_of(session, tender, lock=True)
    if row.status != Status.INVITED or row.answers_due is None:
        return False
    cycle = cycles.cycle_of(session, row.cycle)
    answers = [each.answer for each in queries.members_of(session, tender)]
    if now < cycle.day_ends(row.answers_due) or Answer.NONE not in answers:
        return False
    _end(session, row, Step.EXPIRE, Decision(None, now, lambda _: None))
    return True


def _end(session: Session, row: Tender, step: Step, decision: Decision) -> None:
    asked = row.invited_at is not None
    row.ended_at = decision.now
    _step(session, row, step, decision)
    if asked:
        _told_decided(session, row, decision.now)


def _step(session: Session, row: Tender, step: Step, decision: Decision) -> None:
    made = move(row.status, step, place=place(row))
    row.status = made.after
    act = Act(made.after.value, f"tenders.{step}", decision.now, decision.by, decision.reason)
    told(session, row, act, before=made.before)


def _told_decided(session: Session, row: Tender, now: datetime) -> None:
    members, status = codes(session, row.id), str(row.status)
    notify(session, row, Kind.TENDER_DECIDED, now=now, participants=members, planners=True, status=status)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a planner changes of a tender; None: left as it is. An empty ``note`` takes the note away."""

    lead: str | None = None
    depth: str | None = None
    locked: bool | None = None
    note: str | None = None
    due: date | None = None


def change(session: Session, tender: UUID, decision: Decision, changes: Changes) -> None:
    """Change lead, depth, lock, note or the last day for answers. Raises NotFound, BadFields, WrongState where it is
    too late, or where one that stands for the same is to be locked beside another.

    Another lead or depth are other terms: whoever committed to the old ones is asked again.
    """
    if changes.locked:
        one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    if row.status not in OPEN and (changes.lead, changes.depth, changes.locked) != (None, None, None):
        raise WrongState(f"{place(row)} is {row.status}; only its note can be changed")
    done = {}
    if changes.lead is not None and changes.lead != row.lead:
        done["lead"] = changes.lead
        _lead(session, row, changes.lead)
    if changes.depth is not None and changes.depth != row.depth:
        row.depth = done["depth"] = checked_depth(changes.depth, deepest=row.deepest).value
    if changes.locked is not None and changes.locked != row.locked:
        if changes.locked:
            free(session, row)
        row.locked = changes.locked
        done["locked"] = "yes" if changes.locked else "no"
    if changes.note is not None and (changes.note or None) != row.note:
        row.note = changes.note or None
        done["note"] = "changed"
    if changes.due is not None and changes.due != row.answers_due:
        set_due(session, row, changes.due, decision.now)
        done["due"] = changes.due.isoformat()
    if not done:
        return
    told(session, row, Act("changed", "tenders.update", decision.now, decision.by, decision.reason, details=done))
    if done.keys() & {"lead", "depth"}:
        ask_again(session, row, now=decision.now)
        rejudge(session, row)
    elif "due" in done:
        _ask(session, row, now=decision.now)


def _lead(session: Session, row: Tender, lead: str) -> None:
    members = {each.participant: each for each in queries.members_of(session, row.id)}
    known = reference.participants(session)
    member = members.get(lead)
    if member is None or member.answer is Answer.DECLINED:
        able = sorted(code for code, each in members.items() if each.answer is not Answer.DECLINED)
        raise BadFields([("#/lead", "not-found", f"{lead!r} takes no part; name one of {', '.join(able)}")])
    if not (known[lead].may_lead and known[lead].contracting_authority):
        raise BadFields([("#/lead", "bad-input", f"{lead!r} may not lead; name a contracting authority that may")])
    row.lead, row.signing_body = lead, known[lead].signing_body
    for code in members:
        found = session.get_one(TenderMember, (row.id, code))
        found.role = role_of(code, lead=lead, contracting_authority=known[code].contracting_authority)


def ask_again(session: Session, row: Tender, *, now: datetime, only: frozenset[str] | None = None) -> None:
    """The terms have changed: no answer to the old ones counts any more, of ``only`` or of all; refusals stand.

    Raises WrongState where the day for answers has gone by.
    """
    for code in codes(session, row.id):
        member = session.get_one(TenderMember, (row.id, code))
        member.version += 1
        if member.answer in (Answer.COMMITTED, Answer.CHANGE) and (only is None or code in only):
            member.answer = Answer.NONE
    session.flush()
    _ask(session, row, now=now)


def _ask(session: Session, row: Tender, *, now: datetime) -> None:
    """Ask those of an invited tender that have no answer that counts."""
    waiting = [each.participant for each in queries.members_of(session, row.id) if each.answer is Answer.NONE]
    if row.status != Status.INVITED or row.answers_due is None or not waiting:
        return
    if now >= cycles.cycle_of(session, row.cycle).day_ends(row.answers_due):
        named = ", ".join(waiting)
        raise WrongState(
            f"{place(row)}: {named} would be asked, and answers were due by {row.answers_due}; give due too"
        )
    notify(session, row, Kind.INVITED, now=now, participants=waiting, due=row.answers_due)


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
