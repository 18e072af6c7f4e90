"""What a member may know of a tender that it is asked to join: its own lines, gain and risk, and what all may know.

From its gain follows the price its lots would pay, from its risk that of the first tier, from its green value the CO2e
per unit. That is meant: it commits to a price. The offer's other tiers, its ranges and sources stay with planners.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlmodel import Session

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.access.rules import Visible
from pooling.cycles import service as cycles
from pooling.errors import NotFound
from pooling.market.rules import MICRO
from pooling.planning.pool_views import Gain
from pooling.planning.rules import line_gain
from pooling.reference import service as reference
from pooling.tenders import queries, showing, views
from pooling.tenders.disclosure import hidden
from pooling.tenders.earlier import asked_before
from pooling.tenders.records import LineRecord, LotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import Answer


class OwnGain(msgspec.Struct, frozen=True, kw_only=True):
    """EUR over the term: ``savings_eur`` by prices, ``cash_eur`` less bridging and set-up costs, ``green_value_eur``
    what the policy holds green to be worth, ``net_eur`` cash and green value together."""

    savings_eur: Annotated[float, OWN] | UnsetType = UNSET
    cash_eur: Annotated[float, OWN] | UnsetType = UNSET
    green_value_eur: Annotated[float, OWN] | UnsetType = UNSET
    bridging_cost_eur: Annotated[float, OWN] | UnsetType = UNSET
    set_up_cost_eur: Annotated[float, OWN] | UnsetType = UNSET
    net_eur: Annotated[float, OWN] | UnsetType = UNSET


class OwnRisk(msgspec.Struct, frozen=True, kw_only=True):
    """Savings over the term where things go otherwise: own volume at its low or high end, the lots at their first tier.

    ``confidence``: with which the offered prices are reached if everybody commits as planned.
    """

    savings_at_low_eur: Annotated[float, OWN] | UnsetType = UNSET
    savings_at_high_eur: Annotated[float, OWN] | UnsetType = UNSET
    savings_at_first_tier_eur: Annotated[float, OWN] | UnsetType = UNSET
    confidence: Annotated[float, OPEN]


class InvitedLine(msgspec.Struct, frozen=True, kw_only=True):
    """An own line in the tender."""

    line: Annotated[int, OPEN]
    quantity_per_year: Annotated[int, OWN] | UnsetType = UNSET
    quantity_low: Annotated[int, OWN] | UnsetType = UNSET
    quantity_high: Annotated[int, OWN] | UnsetType = UNSET
    unit_price_eur: Annotated[float, OWN] | UnsetType = UNSET
    gain: OwnGain


class InvitedLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot with own lines. ``total_per_year``: of all members as invited, absent where another's figure would follow
    from it; ``withheld`` says which rule keeps it back."""

    lot: Annotated[int, OPEN]
    category: str
    unit: str
    offer_name: str
    criteria: list[str]
    term_months: Annotated[int, OPEN]
    offered_unit_price_eur: Annotated[float, PLANNERS] | UnsetType = UNSET
    lines: list[InvitedLine]
    total_per_year: Annotated[int, OWN] | UnsetType = UNSET
    withheld: str | None


class TenderInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """A tender as one member may know it."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    tender: UUID
    participant: str
    cycle: str
    family: str
    start: str
    starts_on: date
    status: str
    depth: str
    lead: str
    signing_body: str
    law: str
    language: str
    complaint_board: str
    members: Annotated[int, OPEN, Meta(description="that have not declined")]
    answers_due: date | None
    answers_until: datetime | None
    lots: list[InvitedLot]
    gain: OwnGain
    risk: OwnRisk
    answer: views.AnswerView


OF_TENDER = ("cycle", "family", "start", "starts_on", "status", "depth", "lead")


def invitation(session: Session, sees: Visible, tender: UUID, participant: str | None) -> TenderInvitation:
    """The tender as ``participant`` may know it; None: as the one member that the reader acts for.

    Raises NotFound where there is none, it was not invited yet and the reader does not see all, or the reader acts for
    several members and names no one.
    """
    record, members = queries.tender_of(session, tender), queries.members_of(session, tender)
    member = _member(record, members, sees, participant)
    known = {member.participant} if sees.all else set(sees.participants)
    lots = [lot for lot in queries.lots_of(session, tender) if any(_of(lot, member))]
    body = reference.signing_bodies(session)[record.signing_body]
    cycle = cycles.cycle_of(session, record.cycle)
    gains = {line.line: _gain(record, lot, line, _price(lot)) for lot in lots for line in _of(lot, member)}
    due, before = record.answers_due, asked_before(session, record, lots, members)
    wholes = {lot.id: _Whole(_brought(members, lot.id), record.changed_terms or lot.id in before) for lot in lots}
    return TenderInvitation(
        tender=record.id,
        participant=member.participant,
        **{
            name: getattr(record, name) for name in ("cycle", "family", "start", "starts_on", "status", "depth", "lead")
        },
        signing_body=body.name,
        **{name: getattr(body, name) for name in ("law", "language", "complaint_board")},
        members=sum(each.answer is not Answer.DECLINED for each in members),
        answers_due=due,
        answers_until=None if due is None else cycle.day_ends(due),
        lots=[_lot(lot, member, gains, wholes[lot.id], known) for lot in lots],
        gain=_shown(sum(gains.values(), Gain())),
        risk=_risk(record, lots, member),
        answer=showing.answer(member),
    )


def _member(
    record: TenderRecord, members: Iterable[MemberRecord], sees: Visible, participant: str | None
) -> MemberRecord:
    seen = {each.participant: each for each in members if each.participant in sees}
    if not seen or (participant is not None and participant not in seen):
        raise NotFound(f"no invitation to tender {record.id}")
    if record.invited_at is None and not sees.all:
        raise NotFound(f"tender {record.id} is {record.status}; there is no invitation to it yet")
    if participant is None and len(seen) > 1:
        named = ", ".join(sorted(seen))
        raise NotFound(f"tender {record.id} has several invitations for you; name one: ?participant= one of {named}")
    return seen[next(iter(seen)) if participant is None else participant]


def _of(lot: LotRecord, member: MemberRecord) -> list[LineRecord]:
    return [line for line in lot.lines if line.participant == member.participant]


def _brought(members: Iterable[MemberRecord], lot: int) -> dict[str, int]:
    """The volume of each member in a lot by its lines, those that declined too: as invited."""
    return {each.participant: part.quantity for each in members for part in each.lots if part.lot == lot}


def _price(lot: LotRecord) -> float:
    return lot.unit_price_eur_micro / MICRO


def _gain(record: TenderRecord, lot: LotRecord, line: LineRecord, price: float, **instead: Any) -> Gain:
    return line_gain(
        {**line.document(), **instead},
        offer=lot.offer_terms,
        unit_price_eur=price,
        start=record.start,
        term_months=lot.term_months,
        policy=record.policy,
    )


@dataclass(frozen=True, slots=True)
class _Whole:
    """What members bring to a lot, those that declined too, and whether some of it was told in other company before."""

    brought: Mapping[str, int]
    changed: bool


def _lot(lot: LotRecord, member: MemberRecord, gains: Mapping[int, Gain], whole: _Whole, known: set[str]) -> InvitedLot:
    why = hidden(whole.brought, known, changed=whole.changed)
    return InvitedLot(
        lot=lot.id,
        **{name: getattr(lot, name) for name in ("category", "unit", "offer_name", "term_months")},
        criteria=list(lot.criteria),
        offered_unit_price_eur=_price(lot),
        lines=[_line(line, gains[line.line]) for line in _of(lot, member)],
        total_per_year=UNSET if why is not None else sum(whole.brought.values()),
        withheld=why,
    )


def _line(line: LineRecord, gain: Gain) -> InvitedLine:
    return InvitedLine(
        line=line.line,
        quantity_per_year=line.quantity,
        quantity_low=line.quantity_low,
        quantity_high=line.quantity_high,
        unit_price_eur=line.unit_price_eur_micro / MICRO,
        gain=_shown(gain),
    )


def _shown(gain: Gain) -> OwnGain:
    names = ("savings_eur", "cash_eur", "green_value_eur", "bridging_cost_eur", "set_up_cost_eur", "net_eur")
    return OwnGain(**{name: getattr(gain, name) for name in names})


@dataclass(frozen=True, slots=True)
class _Otherwise:
    """Savings over the term of all own lines, some way or other."""

    record: TenderRecord
    lots: list[LotRecord]
    member: MemberRecord

    def at(self, quantity: str) -> float:
        """With another of the lines' quantities."""
        return sum(
            _gain(self.record, lot, line, _price(lot), quantity=getattr(line, quantity)).savings_eur
            for lot in self.lots
            for line in _of(lot, self.member)
        )

    def at_first_tier(self) -> float:
        """Where no lot gets further than its tipping volume."""
        return sum(
            _gain(self.record, lot, line, lot.offer_terms["tiers"][0]["unit_price_eur"]).savings_eur
            for lot in self.lots
            for line in _of(lot, self.member)
        )


def _risk(record: TenderRecord, lots: list[LotRecord], member: MemberRecord) -> OwnRisk:
    otherwise = _Otherwise(record, lots, member)
    return OwnRisk(
        savings_at_low_eur=otherwise.at("quantity_low"),
        savings_at_high_eur=otherwise.at("quantity_high"),
        savings_at_first_tier_eur=otherwise.at_first_tier(),
        confidence=record.policy["confidence"],
    )
