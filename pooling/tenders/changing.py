"""What planners change of a tender beside its transitions; other terms ask its members again."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.database import one_at_a_time
from pooling.errors import BadFields, WrongState
from pooling.notices.rules import Kind
from pooling.reference import service as reference
from pooling.tenders import consequences, facts, queries
from pooling.tenders.copying import role_of
from pooling.tenders.deciding import (
    ONE_STANDS,
    Decision,
    due_before_notice,
    free,
    free_if_it_stands,
    locked,
    place,
    set_due,
)
from pooling.tenders.facts import NOTHING, FactChanges
from pooling.tenders.prices import reprice
from pooling.tenders.repair_asking import fit_on, look_where_open
from pooling.tenders.rules import OPEN, UNSETTLED, Answer, Status, checked_depth
from pooling.tenders.standing import rejudge
from pooling.tenders.tables import Tender, TenderMember
from pooling.tenders.telling import Act, codes, notify, told


@dataclass(frozen=True, slots=True)
class Changes:
    """What a planner changes of a tender; None: left as it is. An empty ``note`` takes the note away."""

    lead: str | None = None
    depth: str | None = None
    locked: bool | None = None
    note: str | None = None
    due: date | None = None
    facts: FactChanges = NOTHING


def change(session: Session, tender: UUID, decision: Decision, changes: Changes) -> None:
    """Change lead, depth, lock, note, facts or the last day for answers.

    Raises NotFound, BadFields, WrongState where it is too late, or where one that stands for the same is to be locked
    beside another, and BlockedByLaw where it is confirmed and could not have gone out with the facts.

    Another lead or depth are other terms: whoever committed to the old ones is asked again.
    """
    if changes.locked or changes.depth is not None:
        one_at_a_time(session, ONE_STANDS)
    row = locked(session, tender, decision.expect)
    if row.status not in OPEN and (changes.lead, changes.depth, changes.locked) != (None, None, None):
        raise WrongState(f"{place(row)} is {row.status}; lead, depth and lock are fixed by then")
    before, done = row.version, _done(session, row, decision, changes)
    if not done:
        return
    told(session, row, Act("changed", "tenders.update", decision.now, decision.by, decision.reason, details=done))
    if done.keys() & {"lead", "depth"}:
        ask_again(session, row, now=decision.now)
        rejudge(session, row)
        look_where_open(session, row, now=decision.now)
        return
    fit_on(session, row, before)
    if "due" in done:
        _ask(session, row, now=decision.now)


def _done(session: Session, row: Tender, decision: Decision, changes: Changes) -> dict[str, str]:
    """Make the changes, and tell those that are any, in words."""
    done = {}
    if changes.lead is not None and changes.lead != row.lead:
        done["lead"] = changes.lead
        _lead(session, row, changes.lead)
    if changes.depth is not None and changes.depth != row.depth:
        row.depth = done["depth"] = checked_depth(changes.depth, deepest=row.deepest).value
        free_if_it_stands(session, row)
    if changes.locked is not None and changes.locked != row.locked:
        if changes.locked:
            free(session, row)
        row.locked = changes.locked
        done["locked"] = "yes" if changes.locked else "no"
    if changes.note is not None and (changes.note or None) != row.note:
        row.note = changes.note or None
        done["note"] = "changed"
    entered = _facts(session, row, changes.facts)
    if entered:
        done["facts"] = ", ".join(entered)
    if changes.due is not None and changes.due != row.answers_due:
        set_due(session, row, changes.due, decision.now)
        due_before_notice(row)
        done["due"] = changes.due.isoformat()
    return done


def _facts(session: Session, row: Tender, given: FactChanges) -> list[str]:
    """Enter facts, and name those that are others now."""
    if not given:
        return []
    if row.status not in OPEN | {Status.CONFIRMED}:
        raise WrongState(f"{place(row)} is {row.status}; facts are entered until the hand-over")
    known = reference.categories(session)
    bought = {each.category for each in queries.lots_of(session, row.id)}
    entered = facts.enter(row, given, {each: known[each].cpv for each in bought})
    session.flush()
    if row.status == Status.CONFIRMED and entered:
        consequences.must_be_lawful(session, row.id, place(row))
    return entered


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

    Lots state the price that they come to by now; whoever committed to a cheaper one is asked too.
    Raises WrongState where the day for answers has gone by.
    """
    only = reprice(session, row, only)
    for code in codes(session, row.id):
        member = session.get_one(TenderMember, (row.id, code))
        member.version += 1
        if member.answer in (Answer.COMMITTED, Answer.CHANGE) and (only is None or code in only):
            member.answer = Answer.NONE
    session.flush()
    _ask(session, row, now=now)


def _ask(session: Session, row: Tender, *, now: datetime) -> None:
    """Ask those of an invited tender that have no answer that counts."""
    waiting = [each.participant for each in queries.members_of(session, row.id) if each.answer in UNSETTLED]
    if row.status != Status.INVITED or row.answers_due is None or not waiting:
        return
    if now >= cycles.cycle_of(session, row.cycle).day_ends(row.answers_due):
        named = ", ".join(waiting)
        raise WrongState(
            f"{place(row)}: {named} would be asked, and answers were due by {row.answers_due}; give due too"
        )
    notify(session, row, Kind.INVITED, now=now, participants=waiting, due=row.answers_due)
