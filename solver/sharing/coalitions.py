"""What parts of a pool's members would gain on their own: the game behind sharing a pool's gain.

A coalition is a row of flags over the members. Its value is what the pool's lots are worth cut down to its lines: each
lot again on the highest tier its sure quantity reaches, lots that break a rule (tipping volume, authorities, worse off)
dropped, the costs of pool, lots and further countries paid, never below 0. Without a member that may lead there is no
pool. The pool of all members is worth what it is worth as it stands, also where that is below 0 or a decided pool no
longer keeps the rules. What keeping a place is worth is no member's gain and left out. EUR over the term throughout.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90
from solver.plan import PlanLot, PlanPool
from solver.terms import Terms
from solver.worth import Worth

BATCH = 1 << 14
"""Coalitions valued at once: enough for numpy, few enough for the processor's cache."""


@dataclass(frozen=True)
class Shares:
    """A lot by the members' parts in it; arrays over members, or (tiers, members)."""

    offer: str
    tier: int
    volume_from: Floats
    quantity: Floats
    variance: Floats
    deviation: Floats
    spend: Floats
    present: Flags
    authority: Flags
    worse_off: Flags
    benefit: Floats
    green: Floats

    @property
    def rows(self) -> Floats:
        """What a coalition's figures are summed from, one row a figure."""
        single = (self.quantity, self.variance, self.deviation, self.authority, self.green)
        return np.vstack([*single, self.benefit, self.worse_off])


@dataclass(frozen=True)
class Values:
    """Values of coalitions: ``valued`` with green value, ``cash`` without."""

    valued: Floats
    cash: Floats

    def of(self, cash: bool) -> Floats:
        return self.cash if cash else self.valued


class Game:
    """One pool's members and what their coalitions are worth."""

    def __init__(self, worth: Worth, terms: Terms, pool: PlanPool) -> None:
        self.worth, self.terms, self.pool = worth, terms, pool
        people = {person.id: person for person in worth.instance.participants}
        inside = {worth.lines[line].participant for lot in pool.lots for line in lot.lines}
        self.members = tuple(person.id for person in worth.instance.participants if person.id in inside)
        self.number = {member: k for k, member in enumerate(self.members)}
        named = sorted({people[member].country for member in self.members})
        self.country = np.array([[people[m].country == name for m in self.members] for name in named], dtype=float)
        self.authority = np.array([people[member].contracting_authority for member in self.members])
        self.leader = self.authority & np.array([people[member].may_lead for member in self.members])
        self.lots = tuple(self._shares(lot) for lot in pool.lots)
        self.figures = np.vstack([lot.rows for lot in self.lots])
        self._presence = np.vstack([np.vstack([self.country, self.leader]) * lot.present for lot in self.lots])
        self._whole = self._standing()

    @property
    def size(self) -> int:
        return len(self.members)

    @property
    def greenless(self) -> bool:
        """Whether cash is all there is: no lot's green is worth anything."""
        return not any(lot.green.any() for lot in self.lots)

    def whole(self, cash: bool) -> float:
        """What the pool of all members is worth as it stands."""
        return self._whole[int(cash)]

    def benefit(self, lot: int, tier: int, cash: bool) -> Floats:
        """What the members have of a lot at a tier."""
        parts = self.lots[lot]
        valued: Floats = parts.benefit[tier]
        return valued - parts.green if cash else valued

    def _shares(self, lot: PlanLot) -> Shares:
        offer, size = self.worth.offers[lot.offer], len(self.members)
        quantity, variance, deviation, spend, green = np.zeros((5, size))
        benefit, worse = np.zeros((len(offer.tiers), size)), np.zeros((len(offer.tiers), size), dtype=bool)
        for name in lot.lines:
            line = self.worth.lines[name]
            member = self.number[line.participant]
            sd = (line.quantity_high - line.quantity_low) / (2 * Z90)
            yearly = line.quantity * line.unit_price_eur
            quantity[member] += line.quantity
            variance[member] += sd * sd
            deviation[member] += sd
            spend[member] += yearly
            for tier in range(len(offer.tiers)):
                worth = self.worth.line(line, offer, tier, self.pool.start)
                benefit[tier, member] += worth.benefit_eur
                worse[tier, member] |= worth.benefit_eur < -WORSE_OFF_TOLERANCE * max(1.0, yearly)
            green[member] += worth.green_value_eur
        if not self.worth.instance.policy.no_one_worse_off:
            worse[:] = False
        present = quantity > 0
        figures = self.worth.lot(lot.offer, lot.lines, self.pool.start)
        volumes = np.array([float(tier.from_quantity) for tier in offer.tiers])
        return Shares(
            offer=lot.offer,
            tier=figures.tier,
            volume_from=volumes,
            quantity=quantity,
            variance=variance,
            deviation=deviation,
            spend=spend,
            present=present,
            authority=present & self.authority,
            worse_off=worse,
            benefit=benefit,
            green=green,
        )

    def _standing(self) -> tuple[float, float]:
        """What the whole pool is worth as it stands, with green value and without."""
        terms = self.terms
        cost = terms.pool_cost + terms.country_cost * (len(self.country) - 1) + terms.lot_cost * len(self.lots)
        valued = sum(float(lot.benefit[lot.tier].sum()) for lot in self.lots) - cost
        return valued, valued - sum(float(lot.green.sum()) for lot in self.lots)

    def values(self, coalitions: Flags) -> Values:
        """The values of coalitions, (number, members) flags."""
        parts = [self._valued(coalitions[k : k + BATCH]) for k in range(0, len(coalitions), BATCH)]
        if not parts:
            return Values(np.empty(0), np.empty(0))
        valued, cash = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Values(valued, cash)

    def _valued(self, coalitions: Flags) -> tuple[Floats, Floats]:
        transposed = np.ascontiguousarray(coalitions.T, dtype=float)
        sums, presence = self.figures @ transposed, self._presence @ transposed > 0.5
        count = len(coalitions)
        inside = np.zeros((len(self.country) + 1, count), dtype=bool)
        benefit, green, lots = np.zeros((3, count))
        for figures, there, lot in zip(self._by_lot(sums), self._split(presence), self.lots, strict=True):
            stands, gained = self._judged(figures, lot)
            benefit += gained
            green += np.where(stands, figures[4], 0.0)
            lots += stands
            inside |= there & stands
        terms = self.terms
        countries = inside[:-1].sum(axis=0)
        cost = terms.pool_cost + terms.country_cost * (countries - 1) + terms.lot_cost * lots
        led = inside[-1]
        valued = np.where(led, np.maximum(0.0, benefit - cost), 0.0)
        cash = np.where(led, np.maximum(0.0, benefit - green - cost), 0.0)
        everyone = coalitions.all(axis=1)
        valued[everyone], cash[everyone] = self._whole
        return valued, cash

    def _by_lot(self, sums: Floats) -> Iterator[Floats]:
        first = 0
        for lot in self.lots:
            last = first + 5 + 2 * len(lot.volume_from)
            yield sums[first:last]
            first = last

    def _split(self, presence: Flags) -> Iterator[Flags]:
        each = len(self.country) + 1
        return (presence[k * each : (k + 1) * each] for k in range(len(self.lots)))

    def _judged(self, figures: Floats, lot: Shares) -> tuple[Flags, Floats]:
        """Which coalitions' part of the lot keeps the rules, and its benefits there."""
        terms, rho, tiers = self.terms, self.terms.correlation, len(lot.volume_from)
        quantity, variance, deviation, authorities = figures[:4]
        root = np.sqrt(np.maximum(0.0, (1 - rho) * variance + rho * deviation * deviation))
        sure = quantity - terms.deviates * root
        tier: Ints = np.searchsorted(lot.volume_from * (1 - SURE_TOLERANCE), sure, side="right") - 1
        stands = (tier >= 0) & (authorities > terms.min_participants - 0.5)
        at = np.maximum(tier, 0), np.arange(len(sure))
        if lot.worse_off.any():
            stands &= figures[5 + tiers :][at] < 0.5
        return stands, np.where(stands, figures[5 : 5 + tiers][at], 0.0)


def everyone_of(size: int) -> Flags:
    """All coalitions of so many members: row ``k`` holds the members whose bit is set in ``k``."""
    flags: Flags = (np.arange(1 << size)[:, None] >> np.arange(size)) & 1 == 1
    return flags
