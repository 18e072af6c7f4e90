"""What the law asks of a tender: its facts as they are now, and every rule's answer to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session

from pooling.law.evaluator import evaluate
from pooling.law.facts import Amount, Body, Buyer, Category, Talk, TenderFacts
from pooling.law.results import Applies, Consequence, Severity
from pooling.reference import service as reference
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord
from pooling.tenders import queries
from pooling.tenders.freezing import cents, over_term
from pooling.tenders.records import LotRecord, MemberLotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import Answer

GREEN = frozenset({"environmental-impact", "gpp-criteria"})
"""eForms lists of criteria that are about the environment."""


def consequences(session: Session, tender: UUID) -> tuple[Consequence, ...]:
    """What every rule says by the law of the day of the notice; nothing where all have declined. Raises NotFound."""
    facts = facts_of(session, tender)
    if facts is None or facts.notice_on is None:
        return ()
    return evaluate(facts, facts.notice_on)


def blocking(session: Session, tender: UUID) -> list[str]:
    """Why it cannot go out as it is, in words; empty: nothing stands against it."""
    return [
        f"{each.title}: {each.why}"
        for each in consequences(session, tender)
        if each.applies is Applies.YES and each.severity is Severity.BLOCKING
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    participants: Mapping[str, ParticipantRecord]
    categories: Mapping[str, CategoryRecord]
    criteria: Mapping[str, CriterionRecord]


def facts_of(session: Session, tender: UUID) -> TenderFacts | None:
    """The facts with all that have not declined; None where nobody is left. Raises NotFound."""
    record = queries.tender_of(session, tender)
    members = [each for each in queries.members_of(session, tender) if each.answer is not Answer.DECLINED]
    inside = {each.participant for each in members}
    lots = [lot for lot in queries.lots_of(session, tender) if any(line.participant in inside for line in lot.lines)]
    if record.lead not in inside or not lots:
        return None
    known = _Known(reference.participants(session), reference.categories(session), reference.criteria(session))
    body = reference.signing_bodies(session)[record.signing_body]
    names = ("code", "name", "country", "law", "language", "complaint_board", "source")
    by_id, bought = {lot.id: lot for lot in lots}, sorted({lot.category for lot in lots})
    return TenderFacts(
        buyers=tuple(_buyer(each, by_id, record, known) for each in members),
        lead=record.lead,
        lead_body=Body(**{name: getattr(body, name) for name in names}),
        categories=tuple(_category(category, lots, members, known) for category in bought),
        term_months=record.term_months,
        start=record.starts_on,
        notice_on=record.notice_by,
        depth=record.depth.value,
        lots=len(lots),
        frozen_on=None if record.frozen_at is None else record.frozen_at.date(),
        talks=tuple(Talk(*each) for each in queries.talks_about(session, bought)),
        maximum_value_cents=_maximum(lots),
    )


def _maximum(lots: Sequence[LotRecord]) -> int | None:
    """Of the whole: what call-offs from its lots are held to. None: not all are set."""
    maxima = [lot.maximum_value_minor for lot in lots]
    known = [each for each in maxima if each is not None]
    return sum(known) if len(known) == len(maxima) else None


def _buyer(member: MemberRecord, lots: Mapping[int, LotRecord], tender: TenderRecord, known: _Known) -> Buyer:
    record = known.participants[member.participant]
    brought = [(part, lots[part.lot]) for part in member.lots if part.lot in lots]
    maxima = [part.maximum_value_minor for part, _ in brought]
    known_maxima = [each for each in maxima if each is not None]
    return Buyer(
        participant=record.code,
        country=record.country,
        contracting_authority=record.contracting_authority,
        role=member.role.value,
        signing_body=record.signing_body if record.contracting_authority else None,
        value_per_year_cents=sum(cents(_yearly(part), lot.unit_price_eur_micro) for part, lot in brought),
        value_cents=sum(value(part, lot) for part, lot in brought),
        maximum_value_cents=sum(known_maxima) if len(known_maxima) == len(maxima) else None,
        amounts=_amounts(brought),
        joined_on=member.answered_at.date() if member.buys and member.answered_at is not None else None,
        valid_to=_ends(record, tender),
        successor=record.successor,
    )


def _ends(record: ParticipantRecord, tender: TenderRecord) -> date | None:
    """When the buyer ends within the agreement's life."""
    return record.valid_to if record.valid_to is not None and record.valid_to < tender.ends_before else None


def _yearly(part: MemberLotRecord) -> int:
    return part.quantity if part.committed_quantity is None else part.committed_quantity


def value(part: MemberLotRecord, lot: LotRecord) -> int:
    """EUR cents over the term at the lot's price: as frozen, else as committed, else by the lines."""
    if part.estimate_value_minor is not None:
        return part.estimate_value_minor
    return cents(over_term(_yearly(part), lot.term_months), lot.unit_price_eur_micro)


def _amounts(brought: Sequence[tuple[MemberLotRecord, LotRecord]]) -> tuple[Amount, ...]:
    sums: dict[str, tuple[int, int | None]] = {}
    for part, lot in brought:
        estimate = (
            over_term(_yearly(part), lot.term_months) if part.estimate_quantity is None else part.estimate_quantity
        )
        before, most = sums.get(lot.category, (0, 0))
        known = None if most is None or part.maximum_quantity is None else most + part.maximum_quantity
        sums[lot.category] = before + estimate, known
    return tuple(Amount(category, *found) for category, found in sorted(sums.items()))


def _category(category: str, lots: Sequence[LotRecord], members: Sequence[MemberRecord], known: _Known) -> Category:
    of = {lot.id: lot for lot in lots if lot.category == category}
    parts = [(part, of[part.lot]) for member in members for part in member.lots if part.lot in of]
    most = _maximum(list(of.values()))
    whole = sum(value(part, lot) for part, lot in parts) if most is None else most
    met = {code for lot in of.values() for code in lot.criteria}
    record = known.categories[category]
    return Category(
        id=category,
        family=record.family,
        cpv=record.cpv,
        value_cents=whole,
        green_criteria=tuple(sorted(code for code in met if known.criteria[code].eforms_list in GREEN)),
    )
