"""Which lines would lift a lot to a volume: the sums behind near misses, for all months of an offer at once.

Arrays are (lines of a category, months); a gap is closed by candidates, largest sure quantity first, until the volume
and enough authorities are there. Who does not fit a ceiling is passed over, and where that leaves the gap open, every
choice of few candidates is looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Line, Offer
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90, Market
from solver.months import offset
from solver.near_misses.choosing import FEW, choices, in_order
from solver.terms import Terms, term_months, worth_per_unit

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
    of these choices is best. Else also those in falling order of quantity, and of few lines every choice.
    """
    certain = stock.deviation <= 0
    per_variance = np.where(certain, np.inf, stock.quantity / np.where(certain, 1.0, stock.deviation) ** 2)
    inside = _up_to_some_point(stock, could, np.argsort(-per_variance, kind="stable"), ceiling)
    doubtful = (stock.quantity @ could > ceiling) | (stock.market.terms.correlation > 0)
    if doubtful.any():
        other = _up_to_some_point(stock, could, np.argsort(-stock.quantity, kind="stable"), ceiling)
        inside = np.where(_sure_of(stock, other) > _sure_of(stock, inside), other, inside)
    known: dict[bytes, Flags] = {}
    for month in np.flatnonzero(doubtful).tolist():
        column = could[:, month]
        if 1 < column.sum() <= FEW:
            key = column.tobytes()
            known[key] = known[key] if key in known else _largest_choice(stock, np.flatnonzero(column), ceiling)
            inside[:, month] = known[key]
    return based(stock, inside)


def _up_to_some_point(stock: Stock, could: Flags, order: Ints, ceiling: float) -> Flags:
    """The lines that fit the ceiling in the order, up to where their sure quantity is largest."""
    months = could.shape[1]
    ranked = np.repeat(order[:, None], months, axis=1)
    taken = in_order(ranked, could, stock.quantity, np.full(months, ceiling))
    sums = [np.cumsum(taken[order] * part[order, None], axis=0) for part in _parts(stock)]
    reached = sure(stock.market.terms, *sums)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    inside: Flags = taken & (rank[:, None] <= reached.argmax(axis=0)) & (reached.max(axis=0) > 0)
    return inside


def _sure_of(stock: Stock, inside: Flags) -> Floats:
    return sure(stock.market.terms, *(part @ inside for part in _parts(stock)))


def _largest_choice(stock: Stock, few: Ints, ceiling: float) -> Flags:
    """(lines,) the choice of ``few`` lines with the largest sure quantity within the ceiling."""
    rows = choices(len(few))
    sums = [rows @ part[few] for part in _parts(stock)]
    reached = np.where(sums[0] <= ceiling, sure(stock.market.terms, *sums), -np.inf)
    inside = np.zeros(len(stock.lines), dtype=bool)
    inside[few[rows[reached.argmax()]]] = True
    return inside


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
    them), until the volume ``needed`` and ``min_participants`` authorities are there; where those who fit the ceiling
    in that order do not close it, the smallest choice of the first `FEW` that does.
    """
    terms, months = stock.market.terms, could.shape[1]
    spread = np.sqrt(np.maximum(base.variance, 1e-12))
    added = stock.quantity[:, None] - terms.deviates * np.minimum(
        stock.deviation[:, None], (stock.deviation**2)[:, None] / (2 * spread)
    )
    score = np.where(could, np.maximum(added, 0.0) * ease + 1e-9, -1.0)
    order = np.argsort(-score, axis=0, kind="stable")
    room = ceiling - base.quantity
    taken = in_order(order, could, stock.quantity, room)
    there = np.take_along_axis(taken, order, axis=0).astype(float)
    sums = [
        start + np.cumsum(there * part[order], axis=0)
        for start, part in zip((base.quantity, base.variance, base.deviation), _parts(stock), strict=True)
    ]
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.repeat(np.arange(len(order))[:, None], months, axis=1), axis=0)
    known = np.array([len(people) for people in base.people])
    fresh = np.take_along_axis(_newcomers(stock, base, taken, rank), order, axis=0)
    enough = known + np.cumsum(fresh, axis=0) >= terms.min_participants
    volume = sure(terms, *sums) >= needed * (1 - SURE_TOLERANCE)
    done = volume & enough & (sums[0] <= ceiling)
    last = np.where(done.any(axis=0), done.argmax(axis=0), -1)
    chosen, closed = taken & (rank <= last), last >= 0
    for month in np.flatnonzero(~closed & (stock.quantity @ could > room)).tolist():
        fits = could[order[:, month], month] & (stock.quantity[order[:, month]] <= room[month])
        few = order[fits, month][:FEW]
        choice = _closing_choice(stock, base, month, few, needed=needed, ceiling=ceiling)
        if choice is not None:
            chosen[choice, month] = closed[month] = True
    return chosen, closed


def _closing_choice(stock: Stock, base: Base, month: int, few: Ints, *, needed: float, ceiling: float) -> Ints | None:
    """The smallest choice of ``few`` lines that closes the gap of a month; None where no choice does."""
    terms, rows = stock.market.terms, choices(len(few))
    there = (part[month] for part in (base.quantity, base.variance, base.deviation))
    sums = [start + rows @ part[few] for start, part in zip(there, _parts(stock), strict=True)]
    new = sorted(set(stock.participant[few[stock.authority[few]]].tolist()) - base.people[month])
    of = stock.participant[few][:, None] == np.array(new, dtype=np.int64)
    enough = len(base.people[month]) + (rows.astype(float) @ of > 0).sum(axis=1) >= terms.min_participants
    done = enough & (sure(terms, *sums) >= needed * (1 - SURE_TOLERANCE)) & (sums[0] <= ceiling)
    return few[rows[done.argmax()]] if done.any() else None


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
