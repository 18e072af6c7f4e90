"""Offers in EUR, as they hold on the day of a plan. Pure: exact millionths, no rounding before the last step."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pooling.market.rules import INDEX, MICRO, OfferRecord, TierRecord
from pooling.planning.live import Excluded, Known, LiveLine
from pooling.planning.policy import Policy
from pooling.reference.rates import rate_on
from pooling.reference.rules import closure


@dataclass(frozen=True, slots=True)
class PricedOffer:
    """An offer with prices in EUR: value, low and high of each tier in millionths. ``index_base_micro`` is today's
    volume-weighted price where the price is an index; ``per_eur`` and ``rate_day`` are the rate of an absolute one."""

    record: OfferRecord
    criteria: tuple[str, ...]
    tiers_micro: tuple[tuple[int, int, int], ...]
    index_base_micro: int | None
    per_eur: str | None
    rate_day: str | None


def priced_offers(
    offers: Sequence[OfferRecord],
    *,
    lines: Sequence[LiveLine],
    categories: frozenset[str],
    known: Known,
    policy: Policy,
) -> tuple[list[PricedOffer], list[Excluded]]:
    """The offers that take part in an instance with demand in ``categories``, and those that cannot, both by id.

    ``lines``: whose prices an index refers to, those of tenders that stand among them.
    """
    today = weighted_prices(lines)
    priced, excluded = [], []
    for record in sorted(offers, key=lambda offer: offer.id):
        term = policy.category_term_months.get(record.category, policy.term_months)
        if not record.holds(policy.as_of):
            days = f"it holds from {record.valid_from or 'ever'} to before {record.valid_to or 'ever'}"
            excluded.append(Excluded("offer", record.id, "not_valid", f"{days}, not on {policy.as_of}"))
        elif record.category not in categories:
            excluded.append(Excluded("offer", record.id, "no_demand", f"nobody has demand in {record.category}"))
        elif record.term_months not in (None, term):
            words = f"its prices presume {record.term_months} months, the term is {term}"
            excluded.append(Excluded("offer", record.id, "other_term", words))
        else:
            priced.append(_price(record, today[record.category], known))
    return priced, excluded


def weighted_prices(lines: Sequence[LiveLine]) -> dict[str, Fraction]:
    """Today's price of each category: sum of spend over sum of quantity of all its live lines, millionths of EUR."""
    spend: dict[str, int] = {}
    quantity: dict[str, int] = {}
    for line in lines:
        spend[line.category] = spend.get(line.category, 0) + line.quantity * line.unit_price_eur_micro
        quantity[line.category] = quantity.get(line.category, 0) + line.quantity
    return {category: Fraction(spend[category], quantity[category]) for category in spend if quantity[category]}


def _price(record: OfferRecord, today: Fraction, known: Known) -> PricedOffer:
    rate = None if record.price_basis == INDEX else rate_on(record.currency, record.priced_on)
    factor = today / MICRO if rate is None else 1 / Fraction(rate.per_eur)

    def in_eur(tier: TierRecord) -> tuple[int, int, int]:
        value, low, high = (round(amount * factor) for amount in (tier.price.value, tier.price.low, tier.price.high))
        return value, low, high

    return PricedOffer(
        record=record,
        criteria=tuple(sorted(closure(record.criteria, known.implications))),
        tiers_micro=tuple(in_eur(tier) for tier in record.tiers),
        index_base_micro=round(today) if rate is None else None,
        per_eur=str(rate.per_eur) if rate else None,
        rate_day=rate.day.isoformat() if rate else None,
    )
