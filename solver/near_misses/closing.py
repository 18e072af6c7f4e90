"""Which lines would lift a lot to a volume: the sums behind near misses, for all months of an offer at once.

Arrays are (lines of a category, months); a gap is closed by candidates, largest sure quantity first, until the volume
and enough authorities are there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Line, Offer
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90, Market, Terms, term_months, worth_per_unit
from solver.months import offset

MOST_MONTHS = 12
"""A window is moved by a year at most."""


class Stock:
    """Lines of one category as arrays, at the given ``months`` (from the start of the horizon; all by default)."""

    def __init__(
        self, market: Market, category: str, lines: Sequence[Line], months: Sequence[int] | None = None
    ) -> None:
        self.market, self.category, self.lines = market, market.category[category], tuple(lines)
        policy = market.instance.policy
        people = market.instance.participants
        self.quantity = np.array([line.quantity for line in lines], dtype=float)
        self.deviation = np.array([(line.quantity_high - line.quantity_low) / (2 * Z90) for line in lines])
        self.spend = np.array([line.quantity * line.unit_price_eur for line in lines])
        self.participant = np.array([market.participant[line.participant] for line in lines], dtype=np.int64)
        self.authority = np.array([people[p].contracting_authority for p in self.participant], dtype=bool)
        origin = policy.horizon_start
        self.earliest = np.array([offset(line.earliest_start, origin) for line in lines], dtype=np.int64)
        self.latest = np.array([offset(line.latest_start, origin) for line in lines], dtype=np.int64)
        self.months = np.arange(policy.horizon_months) if months is None else np.array(months, dtype=np.int64)
        early = np.maximum(0, self.earliest[:, None] - self.months)
        late = np.maximum(0, self.months - self.latest[:, None])
        self.moved = late - early
        """(lines, months) by how much the window would have to move: below 0 earlier, 0 where the month is in it."""
        rate = [line.bridging_rate_per_year for line in lines]
        yearly = np.array([policy.bridging_rate_per_year if own is None else own for own in rate]) * self.spend
        waited = np.maximum(0, self.months - np.maximum(0, self.earliest)[:, None])
        self.waiting = yearly[:, None] * waited / 12
        self.twins = _twins(self.participant)

    def benefit(self, offer: Offer, tier: int) -> Floats:
        """(lines, months) EUR over the term, the window moved where it must be."""
        years = term_months(self.category, self.market.instance) / 12
        carbon, share = worth_per_unit(offer, self.market.instance)
        price = offer.tiers[tier].unit_price_eur
        gain = years * (self.spend * (1 + share) + (carbon - price) * self.quantity)
        benefit: Floats = gain[:, None] - self.market.instance.policy.line_cost_eur - self.waiting
        return benefit

    def willing(self, benefit: Floats) -> Flags:
        """Who would not be worse off; everyone where the policy does not ask."""
        if not self.market.instance.policy.no_one_worse_off:
            return np.ones(benefit.shape, dtype=bool)
        willing: Flags = benefit >= -WORSE_OFF_TOLERANCE * np.maximum(1.0, self.spend)[:, None]
        return willing

    def in_the_way(self, offer: Offer) -> list[tuple[str, ...]]:
        """Per line, the criteria it would have to drop for the offer."""
        meets = set(offer.criteria)
        return [
            (*(c for c in line.required if c not in meets), *(c for c in line.refused if c in meets))
            for line in self.lines
        ]

    def allowed(self, offer: Offer, largest: float) -> Flags:
        """(lines, months) not forbidden and not too large."""
        allowed = np.repeat((self.quantity <= largest)[:, None], len(self.months), axis=1)
        if self.market.instance.forbidden:
            last = self.market.instance.policy.horizon_months - 1
            for k, line in enumerate(self.lines):
                allowed[k] &= np.isin(self.months, self.market.prohibitions.months(line.id, offer.id, 0, last))
        return allowed


@dataclass(frozen=True)
class Base:
    """What is there already, a column a month: sums over lines, and the authorities among them."""

    inside: Flags
    quantity: Floats
    variance: Floats
    deviation: Floats
    people: tuple[frozenset[int], ...]
    """Participants that are contracting authorities."""

    def sure(self, terms: Terms) -> Floats:
        return sure(terms, self.quantity, self.variance, self.deviation)


def sure(terms: Terms, quantity: Floats, variance: Floats, deviation: Floats) -> Floats:
    """Rule 3 on arrays."""
    rho = terms.correlation
    return quantity - terms.deviates * np.sqrt((1 - rho) * variance + rho * deviation**2)


def largest(stock: Stock, could: Flags, ceiling: float) -> Base:
    """The choice of lines with the largest sure quantity, month by month, within the ceiling on quantity.

    Tried are the lines in falling order of quantity per variance up to some point; without correlation and ceiling one
    of these choices is best.
    """
    certain = stock.deviation <= 0
    per_variance = np.where(certain, np.inf, stock.quantity / np.where(certain, 1.0, stock.deviation) ** 2)
    order = np.argsort(-per_variance, kind="stable")
    there = could[order].astype(float)
    sums = [np.cumsum(there * part[order, None], axis=0) for part in _parts(stock)]
    reached = np.where(sums[0] <= ceiling, sure(stock.market.terms, *sums), -np.inf)
    best = reached.argmax(axis=0)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    inside = could & (rank[:, None] <= best) & (reached.max(axis=0) > 0)
    return based(stock, inside)


def based(stock: Stock, inside: Flags) -> Base:
    """The sums of chosen lines."""
    quantity, variance, deviation = (part @ inside for part in _parts(stock))
    authorities = inside & stock.authority[:, None]
    people = tuple(frozenset(stock.participant[column].tolist()) for column in authorities.T)
    return Base(inside, quantity, variance, deviation, people)


def _parts(stock: Stock) -> tuple[Floats, Floats, Floats]:
    return stock.quantity, stock.deviation**2, stock.deviation


def _twins(participant: Ints) -> list[tuple[int, int]]:
    """Pairs of lines of one participant."""
    of: dict[int, list[int]] = defaultdict(list)
    for k, person in enumerate(participant.tolist()):
        of[person].append(k)
    return [pair for lines in of.values() for pair in combinations(lines, 2)]


def close(
    stock: Stock, base: Base, could: Flags, ease: Floats, *, needed: float, ceiling: float
) -> tuple[Flags, Flags]:
    """Who of the candidates ``could`` closes the gap, and (months,) whether the gap is closed.

    Candidates come in falling order of the sure quantity they add, times ``ease`` (1 or less where more is asked of
    them), until the volume ``needed`` and ``min_participants`` authorities are there.
    """
    terms, months = stock.market.terms, could.shape[1]
    spread = np.sqrt(np.maximum(base.variance, 1e-12))
    added = stock.quantity[:, None] - terms.deviates * np.minimum(
        stock.deviation[:, None], (stock.deviation**2)[:, None] / (2 * spread)
    )
    score = np.where(could, np.maximum(added, 0.0) * ease + 1e-9, -1.0)
    order = np.argsort(-score, axis=0, kind="stable")
    there = np.take_along_axis(could, order, axis=0).astype(float)
    sums = [
        start + np.cumsum(there * part[order], axis=0)
        for start, part in zip((base.quantity, base.variance, base.deviation), _parts(stock), strict=True)
    ]
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.repeat(np.arange(len(order))[:, None], months, axis=1), axis=0)
    known = np.array([len(people) for people in base.people])
    fresh = np.take_along_axis(_newcomers(stock, base, could, rank), order, axis=0)
    enough = known + np.cumsum(fresh, axis=0) >= terms.min_participants
    volume = sure(terms, *sums) >= needed * (1 - SURE_TOLERANCE)
    done = volume & enough & (sums[0] <= ceiling)
    last = np.where(done.any(axis=0), done.argmax(axis=0), -1)
    return could & (rank <= last), last >= 0


def _newcomers(stock: Stock, base: Base, could: Flags, rank: Ints) -> Flags:
    """(lines, months) whether the candidate is the first line of an authority that is not in the base."""
    fresh: Flags = could & stock.authority[:, None]
    for k, people in enumerate(base.people):
        if people:
            fresh[np.isin(stock.participant, list(people)), k] = False
    for one, other in stock.twins:
        both = could[one] & could[other]
        later = rank[one] > rank[other]
        fresh[one] &= ~(both & later)
        fresh[other] &= ~(both & ~later)
    return fresh
