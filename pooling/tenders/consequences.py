"""What the law asks of a tender: its facts as they are now, and every rule's answer to them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.errors import WrongState
from pooling.law.evaluator import evaluate
from pooling.law.facts import Amount, Body, Buyer, Category, Supply, Talk, TenderFacts
from pooling.law.results import Applies, Consequence, Severity
from pooling.reference import service as reference
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord
from pooling.tenders import queries
from pooling.tenders.facts import WHOLE, of_category
from pooling.tenders.freezing import a_year, cents, most, over_term
from pooling.tenders.judged import Range
from pooling.tenders.records import LotRecord, MemberLotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import Answer
from pooling.tenders.standing import range_of, said_by

GREEN = frozenset({"environmental-impact", "gpp-criteria"})
"""eForms lists of criteria that are about the environment."""


class BlockedByLaw(WrongState):
    """A rule of law stands against the tender as it is: the message says which and why."""

    code = "blocked-by-law"


class NoLead(WrongState):
    """The lead has declined: whose law, language and complaint board it would be is open."""

    code = "no-lead"


def consequences(session: Session, tender: UUID) -> tuple[Consequence, ...]:
    """What every rule says by the law of the day of the notice. Raises NotFound, and NoLead where that is open."""
    facts = _facts_led(session, tender)
    return evaluate(facts, facts.notice_on or facts.start)


def _facts_led(session: Session, tender: UUID) -> TenderFacts:
    facts = facts_of(session, tender)
    if facts is None:
        raise NoLead(f"the lead of tender {tender} has declined: name another in PATCH /v1/tenders/{tender}")
    return facts


def value_with_options(session: Session, tender: UUID) -> int:
    """EUR cents: the most that may be bought over the term with options, which thresholds are held against.

    Raises NotFound, and NoLead where nobody leads.
    """
    return _facts_led(session, tender).value_cents or 0


def blocking(session: Session, tender: UUID) -> list[str]:
    """Why it cannot go out as it is, in words; empty: nothing stands against it."""
    try:
        found = consequences(session, tender)
    except NoLead as missing:
        return [str(missing)]
    return [
        f"{each.title}: {each.why}"
        for each in found
        if each.applies is Applies.YES and each.severity is Severity.BLOCKING
    ]


def must_be_lawful(session: Session, tender: UUID, place: str) -> None:
    """Raises BlockedByLaw where a rule stands against the tender at ``place`` as it is."""
    if against := blocking(session, tender):
        raise BlockedByLaw(f"{place} cannot go out as it is: {'; '.join(against)}")


@dataclass(frozen=True, slots=True)
class _Known:
    """``day``: which one it is where the cycle is run, at an instant."""

    participants: Mapping[str, ParticipantRecord]
    categories: Mapping[str, CategoryRecord]
    criteria: Mapping[str, CriterionRecord]
    offers: Counter[str]
    day: Callable[[datetime], date]


def facts_of(session: Session, tender: UUID) -> TenderFacts | None:
    """The facts with all that have not declined; None where nobody is left. Raises NotFound."""
    record = queries.tender_of(session, tender)
    members = [_as_said(each) for each in queries.members_of(session, tender) if each.answer is not Answer.DECLINED]
    inside = {each.participant for each in members}
    lots = [lot for lot in queries.lots_of(session, tender) if any(line.participant in inside for line in lot.lines)]
    if record.lead not in inside or not lots:
        return None
    supplies = tuple(_supplies(lots, members, record))
    if record.option_months:
        terms = {lot.id: lot.term_months for lot in queries.lots_of(session, tender)}
        lots = [_lot_extended(lot, record.option_months) for lot in lots]
        members = [_member_extended(each, terms, record.option_months) for each in members]
    known = _Known(
        reference.participants(session),
        reference.categories(session),
        reference.criteria(session),
        queries.offers_of(session, {lot.category for lot in lots}, record.notice_by),
        cycles.cycle_of(session, record.cycle).day,
    )
    body = reference.signing_bodies(session)[record.signing_body]
    names = ("code", "name", "country", "law", "language", "complaint_board", "source")
    by_id, bought = {lot.id: lot for lot in lots}, sorted({lot.category for lot in lots})
    return TenderFacts(
        buyers=tuple(_buyer(each, by_id, known) for each in members),
        lead=record.lead,
        lead_body=Body(**{name: getattr(body, name) for name in names}),
        categories=tuple(_category(category, record, lots, members, known) for category in bought),
        term_months=record.term_months,
        start=record.starts_on,
        notice_on=record.notice_by,
        depth=record.depth.value,
        lots=len(lots),
        **{name: getattr(record, name) for name in WHOLE} | _corrected(record, bought, known),
        frozen_on=None if record.frozen_at is None else known.day(record.frozen_at),
        talks=tuple(Talk(*each) for each in queries.talks_about(session, bought)),
        supplies=supplies,
        maximum_value_cents=_maximum(lots, members, record),
    )


def _corrected(record: TenderRecord, bought: Collection[str], known: _Known) -> dict[str, int | str | None]:
    """Facts that are not taken as they were entered: a main CPV that no category left in it has is none."""
    there = {(known.categories[category].cpv or "")[:8] for category in bought}
    main = record.main_cpv
    return {
        "option_months": record.option_months or 0,
        "main_cpv": main if main is not None and main[:8] in there else None,
    }


def _as_said(member: MemberRecord) -> MemberRecord:
    """The member with what it commits to or proposes now, not with what it said before it was asked again."""
    said = said_by(member)
    return replace(member, lots=tuple(_part_as_said(part, said.get(part.lot)) for part in member.lots))


def _part_as_said(part: MemberLotRecord, given: Range | None) -> MemberLotRecord:
    low, quantity, high = (None, None, None) if given is None else (given.low, given.quantity, given.high)
    return replace(part, committed_low=low, committed_quantity=quantity, committed_high=high)


def _lot_extended(lot: LotRecord, months: int) -> LotRecord:
    """The lot with the option to extend it taken up."""
    most = _extended(lot.maximum_value_minor, lot.term_months, months)
    return replace(lot, term_months=lot.term_months + months, maximum_value_minor=most)


def _member_extended(member: MemberRecord, terms: Mapping[int, int], months: int) -> MemberRecord:
    return replace(member, lots=tuple(_part_extended(each, terms[each.lot], months) for each in member.lots))


def _part_extended(part: MemberLotRecord, term_months: int, months: int) -> MemberLotRecord:
    return replace(
        part,
        estimate_quantity=_extended(part.estimate_quantity, term_months, months),
        maximum_quantity=_extended(part.maximum_quantity, term_months, months),
        estimate_value_minor=_extended(part.estimate_value_minor, term_months, months),
        maximum_value_minor=_extended(part.maximum_value_minor, term_months, months),
    )


def _extended(amount: int | None, term_months: int, months: int) -> int | None:
    """An amount over the term, over the term with its extension, rounded up."""
    return None if amount is None else -(-amount * (term_months + months) // term_months)


def _maximum(lots: Iterable[LotRecord], members: Sequence[MemberRecord], tender: TenderRecord) -> int:
    """EUR cents: what call-offs from these lots are held to; before the freeze what that would be as it stands."""
    return sum(_most(lot, members, tender) for lot in lots)


def _most(lot: LotRecord, members: Sequence[MemberRecord], tender: TenderRecord) -> int:
    parts = [part for member in members for part in member.lots if part.lot == lot.id]
    if lot.maximum_value_minor is None:
        quantity = most([_range(part) for part in parts], lot.term_months, tender.policy)
        together = cents(quantity, lot.unit_price_eur_micro)
    else:
        together = lot.maximum_value_minor
    return max(together, sum(value(part, lot) for part in parts))  # estimates are rounded one by one


def _range(part: MemberLotRecord) -> Range:
    """What it commits to, else what its lines need."""
    return range_of(part) or Range(part.quantity_low, part.quantity, part.quantity_high)


def _supplies(lots: Iterable[LotRecord], members: Sequence[MemberRecord], tender: TenderRecord) -> Iterator[Supply]:
    """Of each offer that ends somewhere the most that may be called off in a year; before the freeze as it stands."""
    for lot in lots:
        quantity = lot.maximum_quantity
        if quantity is None:
            parts = [part for member in members for part in member.lots if part.lot == lot.id]
            quantity = most([_range(part) for part in parts], lot.term_months, tender.policy)
        if lot.offer_terms["max_quantity"] is not None:
            yield Supply(lot.offer, a_year(quantity, lot.term_months), lot.offer_terms["max_quantity"])


def _buyer(member: MemberRecord, lots: Mapping[int, LotRecord], known: _Known) -> Buyer:
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
        joined_on=known.day(member.answered_at) if member.buys and member.answered_at is not None else None,
        valid_to=record.valid_to,
        successor=record.successor,
    )


def _yearly(part: MemberLotRecord) -> int:
    return part.quantity if part.committed_quantity is None else part.committed_quantity


def value(part: MemberLotRecord, lot: LotRecord) -> int:
    """EUR cents over the term at the lot's price: as frozen, else as committed, else by the lines."""
    if part.estimate_value_minor is not None:
        return part.estimate_value_minor
    return cents(over_term(_yearly(part), lot.term_months), lot.unit_price_eur_micro)


def _amounts(brought: Sequence[tuple[MemberLotRecord, LotRecord]]) -> tuple[Amount, ...]:
    sums: dict[str, tuple[int, int | None, bool]] = {}
    for part, lot in brought:
        estimate = (
            over_term(_yearly(part), lot.term_months) if part.estimate_quantity is None else part.estimate_quantity
        )
        before, most, exact = sums.get(lot.category, (0, 0, True))
        known = None if most is None or part.maximum_quantity is None else most + part.maximum_quantity
        need = _range(part)
        sums[lot.category] = before + estimate, known, exact and need.quantity == need.high
    return tuple(Amount(category, *found) for category, found in sorted(sums.items()))


def _category(
    category: str, tender: TenderRecord, lots: Sequence[LotRecord], members: Sequence[MemberRecord], known: _Known
) -> Category:
    of = {lot.id: lot for lot in lots if lot.category == category}
    inside = {member.participant for member in members}
    record, entered = known.categories[category], of_category(tender, category)
    return Category(
        id=category,
        family=record.family,
        cpv=record.cpv,
        value_cents=_maximum(of.values(), members, tender),
        offers=known.offers[category],
        suppliers=entered.suppliers,
        buying_share=entered.buying_share,
        green_criteria=tuple(sorted(_green(of.values(), inside, known))),
    )


def _green(lots: Iterable[LotRecord], inside: Collection[str], known: _Known) -> set[str]:
    """Environmental criteria in the specification of every lot: what a line in it requires, its product must meet."""
    required = [{code for line in lot.lines if line.participant in inside for code in line.required} for lot in lots]
    everywhere = set[str]().union(*required).intersection(*required)
    return {code for code in everywhere if known.criteria[code].eforms_list in GREEN}
