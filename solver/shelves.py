"""A category's lines and offers as arrays: who could take which offer from which month, and would gain by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Line, Offer
from solver.lots import Z90, Market, suits, term_months, window, worth_per_unit


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
    authorities: frozenset[int]


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
            willing = willing & (self.gains[offer][tier] - self.waiting[:, month] >= 0)
        lines = self.order[willing[self.order]]
        rank = np.full(len(self.lines), -1)
        rank[lines] = np.arange(len(lines))
        return Crowd(
            lines,
            rank,
            np.cumsum([0.0, *self.quantity[lines]]),
            np.cumsum([0.0, *self.deviation[lines] ** 2]),
            np.cumsum([0.0, *self.deviation[lines]]),
            frozenset(self.participant[lines[self.authority[lines]]].tolist()),
        )

    def authorities_with(self, line: int, crowd: Crowd) -> int:
        """Different authorities in the crowd and the line."""
        alone = self.authority[line] and int(self.participant[line]) not in crowd.authorities
        return len(crowd.authorities) + int(alone)

    def largest_sure(self, line: int, crowd: Crowd) -> float:
        """The largest sure quantity of a choice of the crowd with the line in it.

        Choices tried are prefixes in falling order of quantity per variance; without correlation one of them is best.
        """
        terms, rank = self.market.terms, crowd.rank[line]
        own = self.quantity[line], self.deviation[line] ** 2, self.deviation[line]
        sums = crowd.quantity, crowd.variance, crowd.deviation
        missing = np.arange(len(crowd.lines) + 1) <= rank if rank >= 0 else np.ones(len(crowd.lines) + 1, dtype=bool)
        quantity, variance, deviation = (part + value * missing for part, value in zip(sums, own, strict=True))
        rho = terms.correlation
        root = np.sqrt((1 - rho) * variance + rho * deviation**2)
        return float(np.max(quantity - terms.deviates * root))
