"""Answers of members to an invitation; each is judged at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.cycles import service as cycles
from pooling.errors import BadFields, NotFound, WrongState
from pooling.notices.rules import Kind
from pooling.tenders import queries
from pooling.tenders.deciding import place
from pooling.tenders.judging import Range
from pooling.tenders.records import MemberRecord
from pooling.tenders.rules import Answer, Status
from pooling.tenders.standing import rejudge
from pooling.tenders.tables import Tender, TenderMember, TenderMemberLot
from pooling.tenders.telling import Act, notify, told


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
    now: datetime,
    by: UUID,
    expect: Callable[[int], None],
) -> None:
    """Take a member's answer, in place of an earlier one, and judge the tender anew.

    ``expect`` is asked about the version of the answer. Raises NotFound, WrongState where answers are not taken, not
    any more or not yet, and BadFields.
    """
    if participant not in sees:
        raise NotFound(f"no member {participant!r} of a tender {tender}")
    row = queries.row_of(session, tender, lock=True)
    member(session, sees, tender, participant)
    held = session.get_one(TenderMember, (tender, participant), with_for_update=True)
    expect(held.version)
    _open(session, row, now)
    parts = _parts(session, row, participant)
    _volumes(parts, said)
    held.answer, held.version = said.answer, held.version + 1
    held.conditions, held.reason = said.conditions, said.reason
    held.change = None if said.change is None else dict(said.change)
    held.answered_at, held.answered_by = now, by
    session.flush()
    rejudge(session, row)
    act = Act("answered", "answers.write", now, by, said.reason, participant, {"answer": said.answer.value})
    told(session, row, act)
    _notices(session, row, participant, said.answer, now=now)


def _open(session: Session, row: Tender, now: datetime) -> None:
    if row.status != Status.INVITED or row.answers_due is None:
        raise WrongState(f"{place(row)} is {row.status}; answers are taken while it is {Status.INVITED}")
    if now >= cycles.cycle_of(session, row.cycle).day_ends(row.answers_due):
        raise WrongState(f"{place(row)}: answers were due by the end of {row.answers_due}; a planner can ask anew")


def _parts(session: Session, row: Tender, participant: str) -> list[TenderMemberLot]:
    lots = [part.lot for part in member(session, Visible(all=True), row.id, participant).lots]
    return [session.get_one(TenderMemberLot, (lot, participant)) for lot in lots]


def _volumes(parts: Sequence[TenderMemberLot], said: Said) -> None:
    """Write down what is committed to: as said, else by the lines; nothing where the member does not commit."""
    known = {part.lot for part in parts}
    faults = [
        (f"#/volumes/{place}/lot", "not-found", f"{lot}: the member has no line in it; give one of {sorted(known)}")
        for place, lot in enumerate(said.volumes)
        if lot not in known
    ]
    if faults:
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


def _notices(session: Session, row: Tender, participant: str, said: Answer, *, now: datetime) -> None:
    notify(session, row, Kind.TENDER_ANSWERED, now=now, participant=participant, answer=said.value)
    if row.short:
        notify(session, row, Kind.TENDER_AT_RISK, now=now)
