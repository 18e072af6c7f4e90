"""Whether what a lot brings together was in the lot of another invitation before, with others or with other figures.

Whoever was told both wholes would know their difference, which may be the figure of one member.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from pooling.reference import service as reference
from pooling.reference.rules import ParticipantRecord
from pooling.tenders.records import LotRecord, MemberRecord, TenderRecord
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMemberLot

Need = tuple[str, str | None]
"""Whose, and which article of the lot's category: the same need sent again is another line."""


@dataclass(frozen=True, slots=True)
class _Lot:
    """What was, or is, asked of members in one lot: their volumes, lines and needs, by whoever they are today."""

    plan: UUID
    volumes: Mapping[str, int]
    lines: frozenset[int]
    needs: frozenset[Need]

    def shares(self, other: "_Lot") -> bool:
        """Whether some demand is in both. Lines of one plan are different needs, whatever they are of."""
        return bool(self.lines & other.lines) or (self.plan != other.plan and bool(self.needs & other.needs))


def asked_before(
    session: Session, tender: TenderRecord, lots: Sequence[LotRecord], members: Iterable[MemberRecord]
) -> frozenset[int]:
    """Those of the tender's lots of which some demand was in a lot of a tender, of any cycle, that was invited before:
    with other members, with other volumes, or on terms that have changed since."""
    invited = _invited(session, tender, {lot.category for lot in lots})
    known, brought = reference.participants(session), list(members)
    before = [(row.changed_terms, category, _stored(session, row.plan, key, known)) for key, category, row in invited]
    found = set()
    for lot in lots:
        parts = [(each.participant, part.quantity) for each in brought for part in each.lots if part.lot == lot.id]
        mine = _lot(tender.plan, parts, [(line.line, line.participant, line.item_code) for line in lot.lines], known)
        others = [(changed, each) for changed, category, each in before if category == lot.category]
        if any((changed or each.volumes != mine.volumes) and mine.shares(each) for changed, each in others):
            found.add(lot.id)
    return frozenset(found)


def _invited(session: Session, tender: TenderRecord, categories: set[str]) -> list[tuple[int, str, Tender]]:
    """Lots of these categories in other tenders that were invited no later, whatever became of them."""
    wanted = select(TenderLot.id, TenderLot.category, Tender).join(Tender, col(TenderLot.tender) == col(Tender.id))
    wanted = wanted.where(col(TenderLot.category).in_(sorted(categories)), col(Tender.id) != tender.id)
    wanted = wanted.where(col(Tender.invited_at).is_not(None))
    if tender.invited_at is not None:
        wanted = wanted.where(col(Tender.invited_at) <= tender.invited_at)
    return [(key, category, row) for key, category, row in session.exec(wanted) if key is not None]


def _stored(session: Session, plan: UUID, lot: int, known: Mapping[str, ParticipantRecord]) -> _Lot:
    parts = select(TenderMemberLot.participant, TenderMemberLot.quantity).where(TenderMemberLot.lot == lot)
    lines = select(TenderLine.line, TenderLine.participant, TenderLine.item_code).where(TenderLine.lot == lot)
    return _lot(plan, session.exec(parts).all(), session.exec(lines).all(), known)


def _lot(
    plan: UUID,
    parts: Iterable[tuple[str, int]],
    lines: Iterable[tuple[int, str, str | None]],
    known: Mapping[str, ParticipantRecord],
) -> _Lot:
    volumes: Counter[str] = Counter()
    for participant, quantity in parts:
        volumes[_heir(participant, known)] += quantity
    asked = list(lines)
    return _Lot(
        plan,
        dict(volumes),
        frozenset(line for line, _, _ in asked),
        frozenset((_heir(participant, known), item) for _, participant, item in asked),
    )


def _heir(participant: str, known: Mapping[str, ParticipantRecord]) -> str:
    """The last of those that follow on each other: demand of one before is demand of one after."""
    while (successor := known[participant].successor) is not None:
        participant = successor
    return participant
