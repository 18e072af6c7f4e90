"""Where a line that is in no pool could be put, the rest of the plan as it stands: estimates on arrays, for a category.

A place is an offer, a tier of it and a month. A line can come to a place by joining the lot that stands there, or by
opening a lot: with those who are in no pool and would gain there (all of them, or of the pool's own countries alone),
or with all who would gain more than where they stand. Estimates leave shared limits aside, and what a lot loses whose
lines move away; `tried` values a placement exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.limits import Left
from solver.lots import SURE_TOLERANCE, Market
from solver.months import month_at, offset
from solver.plan import PlanLot, PlanPool
from solver.pools import total_value
from solver.shelves import Shelf
from solver.terms import Terms
from solver.whatif.upholding import uphold
from solver.worth import Worth


@dataclass(frozen=True)
class View:
    """An instance, what it takes to value and solve it, and what is left of the limits for the pools looked at."""

    market: Market
    worth: Worth
    left: Left


@dataclass(frozen=True)
class Company:
    """Who would share a lot with a newcomer at an offer's tier: (lines, months), with sums over them month by month.

    ``gain`` is what they gain over where they stand, less what the lot, its pool and its countries cost more.
    """

    offer: int
    tier: int
    there: Flags
    possible: Flags
    """Months at which this company can be found."""
    joins: bool
    """It is a lot that stands, not one to open."""
    quantity: Floats
    variance: Floats
    deviation: Floats
    authorities: Ints
    gain: Floats
    countries: Flags
    """(countries, months): in the lot or in its pool."""


@dataclass(frozen=True)
class Meeting:
    """A newcomer with a company, month by month, as a function of how much of its demand it brings."""

    line: int
    company: Company
    terms: Terms
    tipping: float
    quantity: float
    deviation: float
    fixed_gain: Floats
    share_gain: Floats
    """What bringing its whole demand adds to ``fixed_gain``; in proportion for a part or a multiple."""
    own_cost: float
    authorities: Ints

    def gain(self, share: Floats | float) -> Floats:
        """EUR over the term that the meeting adds, if the tier is reached."""
        total: Floats = self.fixed_gain + share * self.share_gain
        return total

    def own_benefit(self, share: Floats | float) -> Floats:
        """The newcomer's own benefit."""
        own: Floats = share * self.share_gain - self.own_cost
        return own

    def reaches(self, share: Floats | float, fewer: int = 0) -> Flags:
        """Where the sure quantity carries the tier and enough authorities are there, or so many fewer."""
        company, rho = self.company, self.terms.correlation
        deviation = company.deviation + share * self.deviation
        variance = company.variance + (share * self.deviation) ** 2
        root = np.sqrt((1 - rho) * variance + rho * deviation**2)
        sure = company.quantity + share * self.quantity - self.terms.deviates * root
        enough = self.authorities >= self.terms.min_participants - fewer
        found: Flags = (sure >= self.tipping * (1 - SURE_TOLERANCE)) & enough & company.possible
        return found


@dataclass(frozen=True, order=True)
class Placement:
    """Lines of a lot at a place, a newcomer among them; ``estimate_eur`` is what the lot would add to the total."""

    estimate_eur: float
    offer: str
    month: int
    lines: tuple[str, ...]


class Ground:
    """A category of a plan's family: its lines, where they stand, and the companies that a newcomer could find."""

    def __init__(self, view: View, pools: Sequence[PlanPool], category: str) -> None:
        self.view, self.category = view, category
        instance = view.market.instance
        self.policy, self.family = instance.policy, view.market.category[category].family
        lines = [instance.lines[k] for k in view.market.lines_of.get(category, ())]
        self.shelf = Shelf(view.market, category, lines)
        self.months = self.policy.horizon_months
        self.names = sorted({person.country for person in instance.participants})
        codes = [self.names.index(view.worth.countries[line.participant]) for line in lines]
        self.country: Ints = np.array(codes, dtype=np.int64)
        self.pool_countries = np.zeros((len(self.names), self.months), dtype=bool)
        self.pool_there = np.zeros(self.months, dtype=bool)
        self.open = np.array([(self.family, month) not in view.market.taken for month in range(self.months)])
        self.now = np.zeros(len(lines))
        self.free = np.ones(len(lines), dtype=bool)
        self.standing = np.zeros((len(self.shelf.offers), len(lines), self.months), dtype=bool)
        for pool in pools:
            if pool.family == self.family:
                self._stand(pool)
        self.companies = tuple(self._companies())

    def _stand(self, pool: PlanPool) -> None:
        """Enters a pool of the plan: which countries are in it, and which of the category's lines on what terms."""
        month = offset(pool.start, self.policy.horizon_start)
        if not 0 <= month < self.months or not self.open[month]:
            return
        self.pool_there[month] = True
        position = {offer.id: k for k, offer in enumerate(self.shelf.offers)}
        for lot in pool.lots:
            for name in lot.lines:
                country = self.view.worth.countries[self.view.worth.lines[name].participant]
                self.pool_countries[self.names.index(country), month] = True
                if lot.offer in position:
                    line, offer = self.shelf.index[name], position[lot.offer]
                    self.free[line] = False
                    self.now[line] = self.shelf.benefit(line, offer, lot.tier, month)
                    self.standing[offer, line, month] = True

    def _companies(self) -> Iterator[Company]:
        shelf, free = self.shelf, self.free[:, None]
        for o, offer in enumerate(shelf.offers):
            there = self.standing[o].any(axis=0)
            for tier in range(len(offer.tiers)):
                benefit = self.benefit(o, tier)
                willing = shelf.fits[o] & (benefit >= 0)
                yield self._company(o, tier, self.standing[o], there, joins=True)
                kinds = {
                    "free": willing & free,
                    "near": willing & free & self.pool_countries[self.country],
                    "better": willing & (free | (benefit > self.now[:, None])),
                }
                seen: list[Flags] = []
                for kind in kinds.values():
                    if not any(np.array_equal(kind, other) for other in seen):
                        seen.append(kind)
                        yield self._company(o, tier, kind, self.open & ~there, joins=False)

    def benefit(self, offer: int, tier: int) -> Floats:
        """(lines, months): the benefit there, whether or not the line fits; before its first month without waiting."""
        benefit: Floats = self.shelf.gains[offer][tier][:, None] - self.shelf.waiting
        return benefit

    def _company(self, offer: int, tier: int, there: Flags, possible: Flags, *, joins: bool) -> Company:
        shelf, policy = self.shelf, self.policy
        countries = self.pool_countries.copy()
        np.logical_or.at(countries, self.country, there)
        people = np.zeros((len(self.view.market.participant), self.months), dtype=bool)
        np.logical_or.at(people, shelf.participant[shelf.authority], there[shelf.authority])
        gain = (there * (self.benefit(offer, tier) - self.now[:, None])).sum(axis=0)
        gain -= policy.country_cost_eur * (countries & ~self.pool_countries).sum(axis=0)
        if not joins:
            # The first country of a new pool costs nothing; it is among those counted above.
            gain -= policy.lot_cost_eur + np.where(self.pool_there, 0.0, policy.pool_cost_eur - policy.country_cost_eur)
        return Company(
            offer=offer,
            tier=tier,
            there=there,
            possible=possible,
            joins=joins,
            quantity=shelf.quantity @ there,
            variance=shelf.deviation**2 @ there,
            deviation=shelf.deviation @ there,
            authorities=people.sum(axis=0),
            gain=gain,
            countries=countries,
        )

    def meetings(self, line: int, beside: Sequence[int] = ()) -> Iterator[Meeting]:
        """The free line with every company it could find, the free lines ``beside`` being in each."""
        for company in self.companies:
            there = company.there
            if there[line].any() or not all(there[other].all() for other in beside):
                there = there.copy()
                there[list(beside)] = True
                there[line] = False
                company = self._company(company.offer, company.tier, there, company.possible, joins=company.joins)
            yield self._meeting(line, company)

    def _meeting(self, line: int, company: Company) -> Meeting:
        shelf, country = self.shelf, self.country[line]
        cost = self.policy.line_cost_eur
        person = shelf.participant[line]
        counted = shelf.authority & (shelf.participant == person)
        new = bool(shelf.authority[line]) & ~company.there[counted].any(axis=0)
        return Meeting(
            line=line,
            company=company,
            terms=self.view.market.terms,
            tipping=float(shelf.offers[company.offer].tiers[company.tier].from_quantity),
            quantity=float(shelf.quantity[line]),
            deviation=float(shelf.deviation[line]),
            fixed_gain=company.gain - cost - self.policy.country_cost_eur * ~company.countries[country],
            share_gain=shelf.gains[company.offer][company.tier][line] + cost - shelf.waiting[line],
            own_cost=cost,
            authorities=company.authorities + new,
        )

    def placement(self, meeting: Meeting, month: int, share: float = 1.0) -> Placement:
        """The lot of a meeting in a month."""
        shelf, company = self.shelf, meeting.company
        lines = [shelf.lines[k].id for k in np.flatnonzero(company.there[:, month])]
        offer = shelf.offers[company.offer].id
        gain = float(np.broadcast_to(meeting.gain(share), company.possible.shape)[month])
        return Placement(gain, offer, month, (*lines, shelf.lines[meeting.line].id))


def tried(
    view: View, pools: Sequence[PlanPool], family: str, placement: Placement
) -> tuple[float, tuple[PlanPool, ...]]:
    """The total and the pools once the placement is made and every rule of the view's instance has been kept."""
    start = month_at(view.market.instance.policy.horizon_start, placement.month)
    moved, made = set(placement.lines), []
    lot = PlanLot(placement.offer, placement.lines, 0, 0, 0.0, 0.0)
    for pool in pools:
        here = (pool.family, pool.start) == (family, start)
        kept = [_less(old, moved) for old in pool.lots if not (here and old.offer == placement.offer)]
        lots = tuple(old for old in kept if old.lines)
        lots += (lot,) if here else ()
        if lots:
            made.append(PlanPool(pool.family, pool.start, pool.lead, lots))
    if all((pool.family, pool.start) != (family, start) for pool in made):
        made.append(PlanPool(family, start, "", (lot,)))
    upheld = uphold(view.market, view.worth, made, view.left)
    return total_value(view.worth, upheld.pools), upheld.pools


def _less(lot: PlanLot, lines: set[str]) -> PlanLot:
    stay = tuple(line for line in lot.lines if line not in lines)
    return PlanLot(lot.offer, stay, lot.tier, lot.quantity, lot.sure_quantity, lot.benefit_eur)
