"""A tender as it is answered now, put together from its rows and judged."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.cycles.rules import shallowest
from pooling.reference import service as reference
from pooling.tenders import proposed
from pooling.tenders.judged import Asked, AskedLot, AskedMember, Range, Standing
from pooling.tenders.judging import judge
from pooling.tenders.proposed import Proposed
from pooling.tenders.queries import lots_of, members_of, tender_of
from pooling.tenders.records import LotRecord, MemberLotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import Answer
from pooling.tenders.tables import Tender


def standing(session: Session, tender: UUID, *, only_committed: bool = False) -> Standing:
    """How it stands with all that have not declined, or with the committed alone; raises NotFound."""
    return judge(asked_of(session, tender), only_committed=only_committed)


def rejudge(session: Session, row: Tender) -> None:
    """Note whether the tender holds as it is answered, and how deep those that have not declined let it go; the row is
    locked."""
    found = asked_of(session, row.id)
    row.short = not judge(found).holds
    inside = {each.participant for each in found.members if each.answer is not Answer.DECLINED}
    limits = [depth for lot in found.lots for code, depth in lot.depths if code in inside]
    row.deepest = shallowest(limits, most=cycles.cycle_of(session, row.cycle).depth)


def asked_of(session: Session, tender: UUID) -> Asked:
    """The question that a tender is, with its members as the reference data has them now; raises NotFound."""
    record, members = tender_of(session, tender), members_of(session, tender)
    return asked(record, members, lots_of(session, tender), _as_now(session, members))


def _as_now(session: Session, members: Sequence[MemberRecord]) -> tuple[AskedMember, ...]:
    known = reference.participants(session)
    return tuple(
        AskedMember(
            participant=each.participant,
            country=known[each.participant].country,
            contracting_authority=known[each.participant].contracting_authority,
            may_lead=known[each.participant].may_lead,
            answer=each.answer,
            start=wanted.start,
            criterion=wanted.criterion,
        )
        for each in members
        for wanted in [proposed_by(each)]
    )


def asked(
    tender: TenderRecord,
    members: Sequence[MemberRecord],
    lots: Sequence[LotRecord],
    as_now: tuple[AskedMember, ...],
) -> Asked:
    """The same from what was read."""
    said: dict[int, dict[str, Range]] = {}
    for member in members:
        for lot, given in said_by(member).items():
            said.setdefault(lot, {})[member.participant] = given
    return Asked(
        start=tender.start,
        lead=tender.lead,
        depth=tender.depth,
        policy=tender.policy,
        lots=tuple(
            AskedLot(
                id=lot.id,
                category=lot.category,
                offer=lot.offer_terms,
                tier=lot.tier,
                term_months=lot.term_months,
                lines=tuple(line.document() for line in lot.lines),
                depths=tuple((line.participant, line.depth) for line in lot.lines if line.depth is not None),
                said=said.get(lot.id, {}),
            )
            for lot in lots
        ),
        members=as_now,
    )


def proposed_by(member: MemberRecord) -> Proposed:
    """What a member proposes instead; nothing where that is not its answer."""
    return proposed.read((member.change or {}) if member.answer is Answer.CHANGE else {})


def proposals_met(members: Sequence[MemberRecord], start: str) -> frozenset[str]:
    """Whose proposals a tender at ``start`` meets, once it holds with the volumes and criteria that they name."""
    proposing = [each for each in members if each.answer is Answer.CHANGE]
    return frozenset(each.participant for each in proposing if proposed_by(each).start in (None, start))


def said_by(member: MemberRecord) -> Mapping[int, Range]:
    """What a member commits to or proposes instead of its lines, by lot."""
    if member.answer is Answer.CHANGE:
        volumes = proposed_by(member).volumes
        return {part.lot: volumes[part.lot] for part in member.lots if part.lot in volumes}
    ranges = {part.lot: range_of(part) for part in member.lots} if member.buys else {}
    return {lot: given for lot, given in ranges.items() if given is not None}


def range_of(part: MemberLotRecord) -> Range | None:
    """What a member committed to in a lot; None: nothing yet."""
    if part.committed_low is None or part.committed_quantity is None or part.committed_high is None:
        return None
    return Range(part.committed_low, part.committed_quantity, part.committed_high)
