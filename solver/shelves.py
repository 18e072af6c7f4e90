"""A category's lines and offers as arrays: who could take which offer from which month, and would gain by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Line, Offer
from solver.limits import ceiling
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90, Market
from solver.terms import suits, term_months, window, worth_per_unit

ENUMERATED_LINES, ENUMERATED_KEPT = 12, 16
"""Choices among so many other lines are looked at one by one; kept for so many crowds."""


@dataclass(frozen=True)
class Crowd:
    """Lines that would not be worse off on a tier from a month, best first for a sure volume, with running sums
    (from 0, so one longer than ``lines``)."""

    lines: Ints
    """Positions on the shelf, in falling order of quantity per variance."""
    rank: Ints
    """A position's place in ``lines``; -1 where it is not among them."""
    quantity: Floats
    variance: Floats
    deviation: Floats
    counted: Ints
    """Different authorities among the first lines, as the running sums."""
    authorities: frozenset[int]
    most: float
    """No choice of the lines has a larger sure quantity."""


@dataclass(frozen=True)
class Choices:
    """Lots that a line could be in, as arrays: what each comes to."""

    sure: Floats
    quantity: Floats
    authorities: Ints

    def first_best(self, authorities: int, most: float) -> tuple[float, int]:
        """As ``best``, and the position of the first choice that has it."""
        lawful = np.where((self.authorities >= authorities) & (self.quantity <= most), self.sure, -np.inf)
        position = int(np.argmax(lawful))
        return float(lawful[position]), position

    def best(self, authorities: int, most: float) -> float:
        """The largest sure quantity with so many authorities within the size; minus infinity where there is none."""
        lawful = self.sure[(self.authorities >= authorities) & (self.quantity <= most)]
        return float(np.max(lawful, initial=-np.inf))


class Shelf:
    """One category. Lines are numbered as given, offers by their position in ``offers``, months from the horizon's
    start."""

    def __init__(self, market: Market, category: str, lines: Sequence[Line]) -> None:
        instance, self.market = market.instance, market
        policy = instance.policy
        self.lines = tuple(lines)
        self.offers: list[Offer] = [instance.offers[k] for k in market.offers_of.get(category, ())]
        self.index = {line.id: k for k, line in enumerate(self.lines)}
        self.quantity = np.array([line.quantity for line in lines], dtype=float)
        self.deviation = np.array([(line.quantity_high - line.quantity_low) / (2 * Z90) for line in lines])
        self.spend = np.array([line.quantity * line.unit_price_eur for line in lines])
        self.participant = np.array([market.participant[line.participant] for line in lines], dtype=np.int64)
        self.authority = np.array(
            [instance.participants[p].contracting_authority for p in self.participant], dtype=bool
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            certain = self.deviation <= 0
            per_variance = np.where(certain, np.inf, self.quantity / np.where(certain, 1.0, self.deviation) ** 2)
        self.order = np.argsort(-per_variance, kind="stable")
        rates = [line.bridging_rate_per_year for line in lines]
        rate = np.array([policy.bridging_rate_per_year if r is None else r for r in rates])
        first = np.array([window(line, instance)[0] for line in lines])
        months = np.arange(policy.horizon_months)
        self.waiting = (self.spend * rate)[:, None] * np.maximum(0, months[None, :] - first[:, None]) / 12
        years = term_months(market.category[category], instance) / 12
        self.fits = [self._fitting(offer) for offer in self.offers]
        self.gains = [self._gains(offer, years) for offer in self.offers]
        self.crowd = cache(self._crowd)
        self.lawful = cache(self._lawful)
        self.subsets = lru_cache(ENUMERATED_KEPT)(self._subsets)
        self.partners = cache(self._partners)

    def _fitting(self, offer: Offer) -> Flags:
        """(lines, months): criteria, size and window allow it and nothing forbids it."""
        instance = self.market.instance
        fits = np.zeros((len(self.lines), instance.policy.horizon_months), dtype=bool)
        for k, line in enumerate(self.lines):
            within = offer.max_quantity is None or line.quantity <= offer.max_quantity
            if within and suits(line, offer, instance.policy.green_floor):
                fits[k, self.market.prohibitions.months(line.id, offer.id, *window(line, instance))] = True
        return fits

    def _gains(self, offer: Offer, years: float) -> list[Floats]:
        """Per tier, each line's benefit without waiting."""
        carbon, share = worth_per_unit(offer, self.market.instance)
        green = years * (carbon * self.quantity + share * self.spend) - self.market.instance.policy.line_cost_eur
        return [years * (self.spend - self.quantity * tier.unit_price_eur) + green for tier in offer.tiers]

    def benefit(self, line: int, offer: int, tier: int, month: int) -> float:
        """The line's benefit there, in EUR over the term."""
        return float(self.gains[offer][tier][line] - self.waiting[line, month])

    def _partners(self, offer: int, month: int) -> frozenset[int]:
        """Authorities among all lines that fit there."""
        return frozenset(self.participant[self.fits[offer][:, month] & self.authority].tolist())

    def _crowd(self, offer: int, tier: int, month: int) -> Crowd:
        willing = self.fits[offer][:, month]
        if self.market.instance.policy.no_one_worse_off:
            least = -WORSE_OFF_TOLERANCE * np.maximum(1.0, self.spend)
            willing = willing & (self.gains[offer][tier] - self.waiting[:, month] >= least)
        return self._gathered(self.order[willing[self.order]])

    def _counted(self, lines: Ints) -> Ints:
        """Different authorities among the first 0, 1, ... of the lines."""
        fresh = np.zeros(len(lines) + 1, dtype=np.int64)
        named = np.flatnonzero(self.authority[lines])
        fresh[named[np.unique(self.participant[lines[named]], return_index=True)[1]] + 1] = 1
        counted: Ints = np.cumsum(fresh)
        return counted

    def authorities_with(self, line: int, crowd: Crowd) -> int:
        """Different authorities in the crowd and the line."""
        alone = self.authority[line] and int(self.participant[line]) not in crowd.authorities
        return len(crowd.authorities) + int(alone)

    def _lawful(self, offer: int, tier: int, month: int) -> tuple[float, int]:
        """Of the first lines of the crowd the best lawful choice: its sure quantity, and how many lines it is."""
        crowd = self.crowd(offer, tier, month)
        choices = Choices(self._sure(crowd.quantity, crowd.variance, crowd.deviation), crowd.quantity, crowd.counted)
        return choices.first_best(self.market.terms.min_participants, ceiling(self.offers[offer].max_quantity))

    def reaches(self, line: int, offer: int, tier: int, month: int) -> bool | None:
        """Whether a choice of the crowd with the line in it brings the tier's volume within the offer's size and with
        enough authorities; None where none was found but none is ruled out either."""
        sold, crowd = self.offers[offer], self.crowd(offer, tier, month)
        needed, people = sold.tiers[tier].from_quantity * (1 - SURE_TOLERANCE), self.market.terms.min_participants
        if self.at_most(line, crowd, sold) < needed or self.authorities_with(line, crowd) < people:
            return False
        best, size = self.lawful(offer, tier, month)
        if best >= needed and 0 <= crowd.rank[line] < size:
            return True
        if self.most_sure(line, crowd, sold) < needed:
            return False
        if self._first(line, crowd.lines, crowd).best(people, ceiling(sold.max_quantity)) >= needed:
            return True
        best, proven = self.largest_sure(line, crowd, sold, people)
        return True if best >= needed else False if proven else None

    def at_most(self, line: int, crowd: Crowd, offer: Offer) -> float:
        """As `most_sure`, at once: the line adds no more than its quantity."""
        more = 0.0 if crowd.rank[line] >= 0 else float(self.quantity[line])
        return min(crowd.most + more, ceiling(offer.max_quantity))

    def most_sure(self, line: int, crowd: Crowd, offer: Offer) -> float:
        """No choice of the crowd with the line in it has a larger sure quantity.

        Without correlation Q - z*sqrt(V) is convex in (Q, V), so a best choice is the line and the first of the others
        in falling order of quantity per variance. Correlation only takes away more.
        """
        quantity, variance, _ = self._sums(line, crowd)
        most = float((quantity - self.market.terms.deviates * np.sqrt(variance)).max())
        return min(most, ceiling(offer.max_quantity))

    def largest_sure(self, line: int, crowd: Crowd, offer: Offer, authorities: int) -> tuple[float, bool]:
        """The largest sure quantity found of a choice of the crowd with the line in it, within the offer's size and
        with so many authorities; minus infinity where there is none. And whether it is proven to be the largest.

        Few others are looked at one choice after another; of many, the first in falling order of quantity per variance
        and per deviation, and the same after the best line of each authority that is still needed.
        """
        most = ceiling(offer.max_quantity)
        others = crowd.lines[crowd.lines != line]
        if len(others) <= ENUMERATED_LINES:
            return self._all(line, others).best(authorities, most), True
        best = -np.inf
        with np.errstate(divide="ignore"):
            steady = others[np.argsort(-self.quantity[others] / self.deviation[others], kind="stable")]
        for order in (others, steady):
            for lines in (order, self._authorities_first(line, order, authorities)):
                kept = lines[np.cumsum(self.quantity[lines]) + self.quantity[line] <= most]
                for some in (lines, self._within(line, lines, most)) if len(kept) < len(lines) else (lines,):
                    best = max(best, self._first(line, some).best(authorities, most))
        bound = self.most_sure(line, crowd, offer)
        return best, best >= bound - SURE_TOLERANCE * max(1.0, abs(bound))

    def _first(self, line: int, lines: Ints, crowd: Crowd | None = None) -> Choices:
        """The line with the first 0, 1, ... of the lines."""
        crowd = crowd or self._gathered(lines)
        quantity, variance, deviation = self._sums(line, crowd)
        counted = crowd.counted
        if self.authority[line]:
            own = np.flatnonzero(self.participant[crowd.lines] == self.participant[line])
            own = own[self.authority[crowd.lines[own]]]
            counted = counted + (np.arange(len(counted)) <= (own[0] if len(own) else len(counted)))
        return Choices(self._sure(quantity, variance, deviation), quantity, counted)

    def _sums(self, line: int, crowd: Crowd) -> tuple[Floats, Floats, Floats]:
        """Quantity, variance and deviation of the line with the first of the crowd."""
        rank, size = crowd.rank[line], len(crowd.lines) + 1
        missing = np.arange(size) <= rank if rank >= 0 else np.ones(size, dtype=bool)
        deviation = self.deviation[line]
        return (
            crowd.quantity + self.quantity[line] * missing,
            crowd.variance + deviation**2 * missing,
            crowd.deviation + deviation * missing,
        )

    def _sure(self, quantity: Floats, variance: Floats, deviation: Floats) -> Floats:
        rho = self.market.terms.correlation
        sure: Floats = quantity - self.market.terms.deviates * np.sqrt((1 - rho) * variance + rho * deviation**2)
        return sure

    def _authorities_first(self, line: int, order: Ints, authorities: int) -> Ints:
        """The order, begun with the first line of each of as many other authorities as are needed."""
        own = {int(self.participant[line])} if self.authority[line] else set[int]()
        first: list[int] = []
        for k in order.tolist():
            person = int(self.participant[k])
            if len(own) >= authorities:
                break
            if self.authority[k] and person not in own:
                own.add(person)
                first.append(k)
        head = np.array(first, dtype=np.int64)
        return np.concatenate([head, order[~np.isin(order, head)]])

    def _within(self, line: int, lines: Ints, most: float) -> Ints:
        """Those of the lines that fit beside the line one after another, the others passed over."""
        held, kept = self.quantity[line], []
        for k in lines.tolist():
            if held + self.quantity[k] <= most:
                held += self.quantity[k]
                kept.append(k)
        return np.array(kept, dtype=np.int64)

    def _all(self, line: int, others: Ints) -> Choices:
        """Every choice of the others, with the line."""
        quantity, variance, deviation, people, present = self.subsets(tuple(others.tolist()))
        own = self.deviation[line]
        counted = present.sum(axis=1)
        if self.authority[line]:
            counted = counted + ~present[:, people == self.participant[line]].any(axis=1)
        sure = self._sure(quantity + self.quantity[line], variance + own**2, deviation + own)
        return Choices(sure, quantity + self.quantity[line], counted)

    def _subsets(self, others: tuple[int, ...]) -> tuple[Floats, Floats, Floats, Ints, Flags]:
        """Of every choice of the lines: sums, and which of the authorities (given before) are in it."""
        lines = np.array(others, dtype=np.int64)
        chosen = (np.arange(2 ** len(lines))[:, None] >> np.arange(len(lines))) & 1
        people = np.unique(self.participant[lines[self.authority[lines]]])
        of = (self.participant[lines][:, None] == people) & self.authority[lines][:, None]
        deviation = self.deviation[lines]
        present: Flags = chosen @ of.astype(np.int64) > 0
        return chosen @ self.quantity[lines], chosen @ deviation**2, chosen @ deviation, people, present

    def _gathered(self, lines: Ints) -> Crowd:
        rank = np.full(len(self.lines), -1)
        rank[lines] = np.arange(len(lines))
        deviations = self.deviation[lines]
        quantity, variance, deviation = (running(part) for part in (self.quantity[lines], deviations**2, deviations))
        return Crowd(
            lines,
            rank,
            quantity,
            variance,
            deviation,
            self._counted(lines),
            frozenset(self.participant[lines[self.authority[lines]]].tolist()),
            float((quantity - self.market.terms.deviates * np.sqrt(variance)).max()),
        )


def running(values: Floats) -> Floats:
    """Sums of the first 0, 1, ... of the values."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums
