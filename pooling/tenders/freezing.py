"""The freeze: from then on a tender's buyers are named and fixed, each with estimate and maximum over the term.

An associate has these too, counted apart: it is named under the lead, which signs for it, and calls off by itself.
The maximum is an upper quantile of what is needed, never the mean: an agreement ends once it is reached (CJEU C-23/20).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from pooling.law.quantities import QUANTILE, maximum_quantity
from pooling.market.rules import MICRO
from pooling.tenders.judged import Range, Standing
from pooling.tenders.queries import lots_of, members_of
from pooling.tenders.records import LotRecord, MemberRecord
from pooling.tenders.standing import range_of
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMemberLot

MICRO_A_CENT = MICRO // 100


def freeze(session: Session, tender: Tender, found: Standing) -> None:
    """Fix buyers, prices and volumes as ``found``, which is the tender with those who committed; it must hold."""
    buyers = [each for each in members_of(session, tender.id) if each.buys]
    standings = {each.lot: each for each in found.lots}
    for lot in lots_of(session, tender.id):
        standing, row = standings.get(lot.id), session.get_one(TenderLot, lot.id)
        inside = set() if standing is None else set(standing.participants)
        for line in lot.lines:
            session.get_one(TenderLine, (lot.id, line.line)).stands = line.participant in inside
        row.quantity = sum(line.quantity for line in lot.lines if line.participant in inside)
        row.sure_quantity = 0.0 if standing is None else standing.sure_quantity
        if standing is not None and standing.tier is not None:
            price(row, standing.tier)
            _volumes(session, row, lot, buyers, tender.policy)
    session.flush()


def price(row: TenderLot, tier: int) -> None:
    """Set the tier that a lot reaches: commitments may reach another than forecasts did."""
    reached = row.offer_terms["tiers"][tier]
    row.tier, row.tier_quantity = tier, reached["from_quantity"]
    row.unit_price_eur_micro = round(reached["unit_price_eur"] * MICRO)


def _volumes(
    session: Session, row: TenderLot, lot: LotRecord, buyers: Sequence[MemberRecord], policy: Mapping[str, Any]
) -> None:
    ranges, price, estimate, value = [], row.unit_price_eur_micro, 0, 0
    for part in (part for buyer in buyers for part in buyer.lots if part.lot == lot.id):
        committed = range_of(part)
        if committed is None or committed.high == 0:
            continue
        ranges.append(committed)
        held = session.get_one(TenderMemberLot, (lot.id, part.participant))
        held.estimate_quantity = over_term(committed.quantity, lot.term_months)
        held.maximum_quantity = most([committed], lot.term_months, policy)
        held.estimate_value_minor = cents(held.estimate_quantity, price)
        held.maximum_value_minor = cents(held.maximum_quantity, price)
        estimate, value = estimate + held.estimate_quantity, value + held.estimate_value_minor
    row.estimate_quantity, row.estimate_value_minor = estimate, value
    row.maximum_quantity = max(estimate, most(ranges, lot.term_months, policy))
    row.maximum_value_minor = max(value, cents(row.maximum_quantity, price))


def over_term(quantity: int, term_months: int) -> int:
    """A yearly quantity over the term, to the nearest unit."""
    return (quantity * term_months + 6) // 12


def a_year(quantity: int, term_months: int) -> int:
    """A quantity over the term, in a year of it, rounded up."""
    return -(-quantity * 12 // term_months)


def beyond_supply(lots: Iterable[LotRecord]) -> list[str]:
    """Of which offers more may be called off in a year than is offered, in words."""
    found = []
    for lot in lots:
        offered = lot.offer_terms["max_quantity"]
        up_to = None if lot.maximum_quantity is None else a_year(lot.maximum_quantity, lot.term_months)
        if offered is not None and up_to is not None and up_to > offered:
            found.append(
                f"up to {up_to:,} a year may be called off of {lot.offer}, and {offered:,} a year are on offer"
            )
    return found


def most(ranges: Iterable[Range], term_months: int, policy: Mapping[str, Any]) -> int:
    """The upper quantile of commitments over the term: years do not even each other out."""
    lines = [(float(each.low), float(each.quantity), float(each.high)) for each in ranges]
    yearly = maximum_quantity(lines, quantile=QUANTILE, correlation=policy["forecast_correlation"])
    return -(-yearly * term_months // 12)


def cents(quantity: int, unit_price_eur_micro: int) -> int:
    """What a quantity costs, to the nearest cent."""
    return (quantity * unit_price_eur_micro + MICRO_A_CENT // 2) // MICRO_A_CENT
